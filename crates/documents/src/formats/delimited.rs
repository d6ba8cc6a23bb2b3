//! CSV and TSV: the text as it is, and its rows as one table (RFC 4180, leniently).

use super::{Input, plain};
use crate::draft::Draft;

/// Delimiters in the order in which a tie is decided.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// How many lines decide on the delimiter.
const SAMPLE_LINES: usize = 50;

/// Reads delimited text.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    let text = plain::decode(input, draft);
    draft.push(&text);
    let delimiter =
        if input.media_type == "text/tab-separated-values" { '\t' } else { delimiter(&text).unwrap_or(',') };
    let (rows, cut) = rows(&text, delimiter, draft.cells_left());
    if cut {
        draft.cut_cells();
    }
    draft.table_of_rows(None, &rows);
}

/// The delimiter that splits the first lines most evenly, if any splits them at all.
pub(crate) fn delimiter(text: &str) -> Option<char> {
    let score = |delimiter: char| {
        let (rows, _) = rows(text, delimiter, SAMPLE_LINES * 100);
        let widths: Vec<usize> = rows.iter().take(SAMPLE_LINES).map(Vec::len).collect();
        let most =
            widths.iter().copied().max_by_key(|width| (widths.iter().filter(|it| *it == width).count(), *width))?;
        let even = widths.iter().filter(|width| **width == most).count();
        (most > 1).then(|| (even * 100 / widths.len().max(1), most))
    };
    let scored = DELIMITERS.into_iter().filter_map(|it| score(it).map(|score| (score, it)));
    scored.rev().max_by_key(|(score, _)| *score).map(|(_, delimiter)| delimiter)
}

/// Rows of at most `max_cells` cells together, and whether there were more.
pub(crate) fn rows(text: &str, delimiter: char, max_cells: usize) -> (Vec<Vec<String>>, bool) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reading { rows: Vec::new(), row: Vec::new(), cell: String::new(), is_quoted: false, cells: 0 };
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if reader.is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                reader.cell.push('"');
            }
            '"' if reader.is_quoted => reader.is_quoted = false,
            '"' if reader.cell.trim().is_empty() => {
                reader.cell.clear();
                reader.is_quoted = true;
            }
            c if reader.is_quoted => reader.cell.push(c),
            c if c == delimiter => reader.end_cell(),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => reader.end_row(),
            c => reader.cell.push(c),
        }
        if reader.cells >= max_cells {
            reader.end_row();
            return (reader.rows, chars.peek().is_some());
        }
    }
    reader.end_row();
    (reader.rows, false)
}

struct Reading {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    cell: String,
    is_quoted: bool,
    cells: usize,
}

impl Reading {
    fn end_cell(&mut self) {
        self.row.push(std::mem::take(&mut self.cell));
        self.cells += 1;
    }

    fn end_row(&mut self) {
        if !self.row.is_empty() || !self.cell.trim().is_empty() {
            self.end_cell();
            self.rows.push(std::mem::take(&mut self.row));
        }
        self.cell.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_delimiters_and_line_ends() {
        let (rows, cut) = rows("a,\"b, \"\"c\"\"\n d\"\r\n\r\ne\n", ',', 100);
        assert_eq!(rows, [vec!["a".to_owned(), "b, \"c\"\n d".to_owned()], vec!["e".to_owned()]]);
        assert!(!cut);
    }

    #[test]
    fn the_evenest_delimiter_wins() {
        assert_eq!(delimiter("a;b,c\n1;2\n3;4,5\n"), Some(';'));
        assert_eq!(delimiter("a\tb\tc\n1\t2\t3\n"), Some('\t'));
        assert_eq!(delimiter("just a line"), None);
    }

    #[test]
    fn rows_stop_at_the_limit() {
        let (rows, cut) = rows(&"a,b\n".repeat(100), ',', 10);
        assert_eq!((rows.len(), cut), (5, true));
    }
}
