//! Paragraphs and tables out of office markup: OOXML and ODF differ in names, not in kind.
//!
//! Text outside tables goes straight to the draft. Inside a table it is gathered by cell; each
//! row becomes one line of the text (cells a tab apart) and each table one table of the document.
//! A table within a cell is both a table of its own and text of that cell.

use domain::extraction::{Cell, Table};

use crate::draft::Draft;
use crate::xml::{Element, Sink};

/// A cell that says "repeat me" is repeated at most so often.
const MAX_REPEATS: u32 = 256;

/// The element names (without prefix) that carry meaning in one markup language.
pub(crate) struct Vocabulary {
    /// Elements whose characters are text; all other characters are layout.
    pub(crate) text: &'static [&'static str],
    pub(crate) paragraph: &'static [&'static str],
    pub(crate) tab: &'static [&'static str],
    pub(crate) line_break: &'static [&'static str],
    pub(crate) table: &'static str,
    pub(crate) row: &'static str,
    pub(crate) cell: &'static [&'static str],
    /// Elements that are passed over with all they hold.
    pub(crate) skip: &'static [&'static str],
    /// White space in the markup is layout and folds to one space.
    pub(crate) folds_space: bool,
    /// A spanning cell is not followed by placeholders for what it covers.
    pub(crate) spans_advance: bool,
}

/// A table being read.
#[derive(Default)]
struct OpenTable {
    cells: Vec<Cell>,
    line: Vec<String>,
    row: u32,
    column: u32,
    columns: u32,
    text: String,
    span: (u32, u32),
    repeat: u32,
    repeat_rows: u32,
}

/// A walk's sink that fills a draft.
pub(crate) struct Flow<'d, 'l> {
    pub(crate) draft: &'d mut Draft<'l>,
    words: &'static Vocabulary,
    skipped: usize,
    in_text: usize,
    tables: Vec<OpenTable>,
    /// The page that tables lie on.
    pub(crate) page: Option<u32>,
}

impl<'d, 'l> Flow<'d, 'l> {
    pub(crate) fn new(draft: &'d mut Draft<'l>, words: &'static Vocabulary) -> Self {
        Self { draft, words, skipped: 0, in_text: 0, tables: Vec::new(), page: None }
    }

    /// Appends text to the cell or the document, wherever the walk is.
    pub(crate) fn push(&mut self, text: &str) {
        match self.tables.last_mut() {
            Some(table) => table.text.push_str(text),
            None => self.draft.push(text),
        }
    }

    /// Whether the walk is inside something that is passed over.
    pub(crate) fn is_skipping(&self) -> bool {
        self.skipped > 0
    }

    /// Starts to pass over the element that has just begun.
    pub(crate) fn skip(&mut self) {
        self.skipped = 1;
    }

    fn end_line(&mut self) {
        match self.tables.last_mut() {
            Some(table) if !table.text.is_empty() && !table.text.ends_with('\n') => table.text.push('\n'),
            Some(_) => {}
            None => self.draft.end_line(),
        }
    }

    fn open(&mut self, name: &str, element: &Element<'_>) {
        let words = self.words;
        if name == words.table {
            self.end_line();
            self.tables.push(OpenTable::default());
        } else if name == words.row {
            self.open_row(element);
        } else if words.cell.contains(&name) {
            self.open_cell(element);
        } else if name == "gridSpan" {
            let span = whole(element, "val").unwrap_or(1);
            if let Some(table) = self.tables.last_mut() {
                table.span.1 = span.clamp(1, MAX_REPEATS);
            }
        } else if words.tab.contains(&name) {
            self.push("\t");
        } else if words.line_break.contains(&name) {
            self.push("\n");
        } else if words.folds_space && name == "s" && self.in_text > 0 {
            let spaces = whole(element, "c").unwrap_or(1).clamp(1, MAX_REPEATS);
            self.push(&" ".repeat(spaces as usize));
        }
    }

    fn open_row(&mut self, element: &Element<'_>) {
        if let Some(table) = self.tables.last_mut() {
            table.column = 0;
            table.line.clear();
            table.repeat_rows = whole(element, "number-rows-repeated").unwrap_or(1).max(1);
        }
    }

    fn open_cell(&mut self, element: &Element<'_>) {
        let spans = |first: &str, second: &str| {
            whole(element, first).or_else(|| whole(element, second)).unwrap_or(1).clamp(1, MAX_REPEATS)
        };
        let Some(table) = self.tables.last_mut() else { return };
        table.text.clear();
        table.span = (spans("rowSpan", "number-rows-spanned"), spans("gridSpan", "number-columns-spanned"));
        table.repeat = whole(element, "number-columns-repeated").unwrap_or(1).max(1);
    }

    fn close_cell(&mut self) {
        let advance = self.words.spans_advance;
        let Some(table) = self.tables.last_mut() else { return };
        let text = std::mem::take(&mut table.text).trim().to_owned();
        if text.is_empty() {
            table.column = table.column.saturating_add(if advance { table.span.1 } else { table.repeat });
            table.line.push(String::new());
            return;
        }
        for _ in 0..table.repeat.min(MAX_REPEATS) {
            let (row, column) = (table.row.saturating_add(1), table.column.saturating_add(1));
            table.columns = table.columns.max(column.saturating_add(table.span.1 - 1));
            let cell = Cell {
                row,
                column,
                text: text.clone(),
                row_span: table.span.0,
                column_span: table.span.1,
                confidence: None,
            };
            table.cells.push(cell);
            table.line.push(text.replace('\n', " "));
            table.column = table.column.saturating_add(if advance { table.span.1 } else { 1 });
        }
    }

    fn close_row(&mut self) {
        let Some(table) = self.tables.last_mut() else { return };
        table.row = table.row.saturating_add(table.repeat_rows.max(1));
        let line = table.line.join("\t");
        table.line.clear();
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            return;
        }
        // The line belongs to what is around the table: an outer cell, or the document.
        let inner = self.tables.pop();
        self.push(&line);
        self.end_line();
        self.tables.extend(inner);
    }

    fn close_table(&mut self) {
        let Some(table) = self.tables.pop() else { return };
        let rows = table.cells.last().map_or(0, |cell| cell.row);
        let done = Table { page: self.page, rows, columns: table.columns, cells: table.cells };
        self.draft.table(done);
        self.end_line();
    }

    /// Closes what broken markup left open.
    pub(crate) fn finish(&mut self) {
        while !self.tables.is_empty() {
            self.close_cell();
            self.close_row();
            self.close_table();
        }
        self.skipped = 0;
        self.in_text = 0;
        self.draft.end_line();
    }
}

impl Sink for Flow<'_, '_> {
    fn start(&mut self, name: &str, element: &Element<'_>) {
        if self.skipped > 0 || self.words.skip.contains(&name) {
            self.skipped += 1;
            return;
        }
        if self.words.text.contains(&name) {
            self.in_text += 1;
        }
        self.open(name, element);
    }

    fn end(&mut self, name: &str) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let words = self.words;
        if words.text.contains(&name) {
            self.in_text = self.in_text.saturating_sub(1);
        }
        if name == words.table {
            self.close_table();
        } else if name == words.row {
            self.close_row();
        } else if words.cell.contains(&name) {
            self.close_cell();
        } else if words.paragraph.contains(&name) {
            self.end_line();
        }
    }

    fn text(&mut self, text: &str) {
        if self.skipped > 0 || self.in_text == 0 {
            return;
        }
        if self.words.folds_space {
            let folded = fold(text);
            self.push(&folded);
        } else {
            self.push(text);
        }
    }

    fn is_done(&self) -> bool {
        self.draft.is_full()
    }
}

/// Runs of white space as one space each.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii_whitespace() {
            folded.push(c);
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded
}

fn whole(element: &Element<'_>, attribute: &str) -> Option<u32> {
    element.attribute(attribute)?.trim().parse().ok()
}
