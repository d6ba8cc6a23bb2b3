//! The extraction document while a reader fills it: bounded text, pages, tables, metadata.
//!
//! Readers push what they find and need not count: past a limit the draft takes no more and says
//! so once, in a warning.

use domain::extraction::{Attachment, Cell, Extraction, Page, Table};

use crate::limits::Limits;

/// Metadata is for people: a longer value is cut.
const MAX_METADATA_CHARS: usize = 4_000;
const MAX_METADATA_ENTRIES: usize = 500;
const MAX_WARNINGS: usize = 50;
/// A cell longer than this is a page in disguise; the text has the whole of it.
const MAX_CELL_CHARS: usize = 10_000;

/// An extraction document in the making.
pub(crate) struct Draft<'a> {
    pub(crate) limits: &'a Limits,
    extraction: Extraction,
    chars: u64,
    cells: usize,
    text_cut: bool,
    cells_cut: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self { limits, extraction: Extraction::default(), chars: 0, cells: 0, text_cut: false, cells_cut: false }
    }

    /// Whether more text would be thrown away.
    pub(crate) fn is_full(&self) -> bool {
        self.text_cut
    }

    /// Characters so far: where the next text begins.
    pub(crate) fn position(&self) -> u64 {
        self.chars
    }

    /// Text from `start` (a former [`position`](Self::position)) to the end.
    pub(crate) fn text_since(&self, start: u64) -> &str {
        let back = usize::try_from(self.chars - start).unwrap_or(usize::MAX);
        let text = &self.extraction.text;
        let at = if back == 0 { text.len() } else { text.char_indices().rev().nth(back - 1).map_or(0, |(at, _)| at) };
        &text[at..]
    }

    /// Appends text; line ends become `\n`, and control characters that mean nothing are dropped.
    pub(crate) fn push(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let c = match c {
                '\r' if chars.peek() == Some(&'\n') => continue,
                '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
                '\n' | '\t' => c,
                c if c.is_control() || c == '\u{feff}' => continue,
                c => c,
            };
            if self.chars >= self.limits.max_text_chars {
                self.text_cut = true;
                return;
            }
            self.extraction.text.push(c);
            self.chars += 1;
        }
    }

    /// Starts a new line unless the text is at the start of one.
    pub(crate) fn end_line(&mut self) {
        if !self.is_at_line_start() {
            self.push("\n");
        }
    }

    /// Whether the next text begins a line.
    pub(crate) fn is_at_line_start(&self) -> bool {
        self.extraction.text.is_empty() || self.extraction.text.ends_with('\n')
    }

    /// Whether the text ends with a tab: a cell has just begun.
    pub(crate) fn ends_with_tab(&self) -> bool {
        self.extraction.text.ends_with('\t')
    }

    /// Leaves one empty line, for paragraphs, unless there is one.
    pub(crate) fn end_block(&mut self) {
        self.end_line();
        if !self.extraction.text.is_empty() && !self.extraction.text.ends_with("\n\n") {
            self.push("\n");
        }
    }

    /// Appends a line of text.
    pub(crate) fn line(&mut self, text: &str) {
        self.end_line();
        self.push(text);
        self.end_line();
    }

    /// Adds a page that spans the text from `start` to here; false when there are enough.
    pub(crate) fn page(&mut self, start: u64, name: Option<String>) -> bool {
        let number = u32::try_from(self.extraction.pages.len()).unwrap_or(u32::MAX).saturating_add(1);
        if number > self.limits.max_pages {
            self.warn(format!("only the first `{}` pages were read", self.limits.max_pages));
            return false;
        }
        let name = name.map(|name| clip(name.trim(), 200)).filter(|name| !name.is_empty());
        // A page of nothing but white space has no text.
        let end = if self.text_since(start).trim().is_empty() { start } else { self.chars };
        self.extraction.pages.push(Page { number, start, end, name });
        true
    }

    /// Number that the next page will have.
    pub(crate) fn next_page(&self) -> u32 {
        u32::try_from(self.extraction.pages.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Adds a table, as far as cells are left.
    pub(crate) fn table(&mut self, mut table: Table) {
        table.cells.retain(|cell| !cell.text.trim().is_empty());
        let room = self.limits.max_table_cells - self.cells;
        if table.cells.len() > room {
            table.cells.truncate(room);
            self.cells_cut = true;
        }
        for cell in &mut table.cells {
            cell.text = clip(cell.text.trim(), MAX_CELL_CHARS);
        }
        self.cells += table.cells.len();
        if !table.cells.is_empty() {
            self.extraction.tables.push(table);
        }
    }

    /// Adds a table given as rows of texts.
    pub(crate) fn table_of_rows(&mut self, page: Option<u32>, rows: &[Vec<String>]) {
        let cell = |(row, column, text): (usize, usize, &String)| Cell {
            row: number(row),
            column: number(column),
            text: text.clone(),
            row_span: 1,
            column_span: 1,
            confidence: None,
        };
        let cells = rows
            .iter()
            .enumerate()
            .flat_map(|(row, texts)| texts.iter().enumerate().map(move |(column, text)| (row, column, text)));
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let table = Table { page, rows: count(rows.len()), columns: count(columns), cells: cells.map(cell).collect() };
        self.table(table);
    }

    /// Whether tables take no more cells.
    pub(crate) fn cells_left(&self) -> usize {
        self.limits.max_table_cells - self.cells
    }

    /// Notes that cells were left out of a table.
    pub(crate) fn cut_cells(&mut self) {
        self.cells_cut = true;
    }

    /// Adds metadata; the first value of a key stays, empty ones are not kept.
    pub(crate) fn metadata(&mut self, key: &str, value: &str) {
        let value: String = value
            .trim()
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
            .take(MAX_METADATA_CHARS)
            .collect();
        let map = &mut self.extraction.metadata;
        if !value.is_empty() && !key.is_empty() && map.len() < MAX_METADATA_ENTRIES {
            map.entry(clip(key, 200)).or_insert(value);
        }
    }

    /// Lists a file within the file.
    pub(crate) fn attachment(&mut self, name: &str, media_type: Option<&str>, size_bytes: u64) {
        if self.extraction.attachments.len() >= self.limits.max_attachments {
            self.warn(format!("only the first `{}` attachments are listed", self.limits.max_attachments));
            return;
        }
        let media_type = media_type.map(|it| clip(&it.to_ascii_lowercase(), 200)).filter(|it| !it.is_empty());
        self.extraction.attachments.push(Attachment { name: clip(name.trim(), 500), media_type, size_bytes });
    }

    /// Adds a segment of the text from `start` to here with its times.
    pub(crate) fn timed_segment(&mut self, start: u64, times: (f64, f64)) {
        let (end, start_seconds, end_seconds) = (self.chars, Some(times.0), Some(times.1));
        let segment = domain::extraction::Segment { start, end, start_seconds, end_seconds, ..Default::default() };
        self.extraction.segments.push(segment);
    }

    /// Says once what a reader of the document should know.
    pub(crate) fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        let warnings = &mut self.extraction.warnings;
        if warnings.len() < MAX_WARNINGS && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// Whether anything of the content was found; properties alone are none.
    pub(crate) fn has_content(&self) -> bool {
        let it = &self.extraction;
        !(it.text.trim().is_empty() && it.pages.is_empty() && it.attachments.is_empty() && it.tables.is_empty())
    }

    /// The finished document.
    pub(crate) fn finish(mut self) -> Extraction {
        domain::extraction::SCHEMA_VERSION.clone_into(&mut self.extraction.schema_version);
        if self.text_cut {
            self.warn(format!("the text is cut at `{}` characters", self.limits.max_text_chars));
        }
        if self.cells_cut {
            self.warn(format!(
                "tables are cut at `{}` cells; the text has what they leave out",
                self.limits.max_table_cells
            ));
        }
        self.extraction
    }
}

/// The first `max` characters.
pub(crate) fn clip(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// A count as the document's tables write it.
pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// An index from 0 as a number from 1.
pub(crate) fn number(index: usize) -> u32 {
    count(index).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_past_the_limit_is_cut_and_said() {
        let limits = Limits { max_text_chars: 5, ..Limits::default() };
        let mut draft = Draft::new(&limits);
        draft.push("äb\r\ncd\0e");
        let document = draft.finish();
        assert_eq!(document.text, "äb\ncd");
        assert_eq!(document.warnings, ["the text is cut at `5` characters"]);
    }

    #[test]
    fn pages_of_white_space_have_no_text() {
        let limits = Limits { max_pages: 2, ..Limits::default() };
        let mut draft = Draft::new(&limits);
        draft.push("one\n");
        assert!(draft.page(0, None));
        let start = draft.position();
        draft.push(" \n ");
        assert!(draft.page(start, Some(" Blank ".into())));
        assert!(!draft.page(start, None));
        let document = draft.finish();
        assert_eq!(document.pages_without_text(), [2]);
        assert_eq!(document.pages[1].name.as_deref(), Some("Blank"));
    }

    #[test]
    fn tables_stop_at_the_limit() {
        let limits = Limits { max_table_cells: 3, ..Limits::default() };
        let mut draft = Draft::new(&limits);
        draft.table_of_rows(None, &[vec!["a".into(), "b".into()], vec![" ".into(), "c".into()], vec!["d".into()]]);
        let document = draft.finish();
        assert_eq!(document.tables[0].cells.len(), 3);
        assert_eq!((document.tables[0].rows, document.tables[0].columns), (3, 2));
        assert!(document.warnings[0].contains("`3` cells"));
    }
}
