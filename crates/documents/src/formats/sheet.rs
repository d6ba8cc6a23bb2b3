//! Spreadsheets (xlsx, xlsm, xlsb, xls): each sheet a page with its name, its cells a table.
//!
//! Cells are read one by one, never as the rectangle they span (two cells at the corners of a
//! sheet would span seventeen billion). Formulas show their last value; hidden sheets count.

use std::fmt::Display;
use std::io::Cursor;
use std::sync::Arc;

use calamine::{Data, DataRef, Reader, Xls, XlsError, Xlsb, XlsbError, Xlsx, XlsxError};
use domain::extraction::{Cell, Table};

use super::ole::{self, Compound, iso_time};
use super::{Input, Outcome, properties};
use crate::draft::Draft;
use crate::error::DocumentError;
use crate::package::Package;

type Bytes = Cursor<Arc<[u8]>>;

/// Reads a workbook; the bytes decide which kind it is.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    if input.bytes.starts_with(ole::MAGIC) {
        return read_xls(input.bytes, draft);
    }
    if !input.bytes.starts_with(b"PK") {
        return Err(DocumentError::Unsupported("a workbook older than Excel 5".to_owned()));
    }
    let mut package = Package::open(input.bytes, draft.limits)?;
    package.prove_bounded()?;
    let mut package = Package::open(input.bytes, draft.limits)?;
    for part in ["docProps/core.xml", "docProps/app.xml"] {
        if let Ok(Some(markup)) = package.xml(part) {
            properties::read(&markup, draft);
        }
    }
    let is_binary = package.names().iter().any(|name| name.eq_ignore_ascii_case("xl/workbook.bin"));
    let bytes = Cursor::new(Arc::clone(input.bytes));
    if is_binary { read_xlsb(bytes, draft) } else { read_xlsx(bytes, draft) }
}

fn read_xlsx(bytes: Bytes, draft: &mut Draft<'_>) -> Outcome {
    let mut book = Xlsx::new(bytes).map_err(|error| match error {
        XlsxError::Password => DocumentError::Encrypted("the workbook needs a password"),
        error => broken(&error),
    })?;
    for name in book.sheet_names() {
        let mut sheet = Sheet::new(&name, draft);
        match book.worksheet_cells_reader(&name) {
            Ok(mut cells) => loop {
                match cells.next_cell() {
                    Ok(Some(cell)) if sheet.put(cell.get_position(), &show_ref(cell.get_value())) => {}
                    Ok(_) => break,
                    Err(_) => break sheet.is_broken(),
                }
            },
            // A chart sheet has no cells.
            Err(XlsxError::NotAWorksheet(_)) => {}
            Err(_) => sheet.is_broken(),
        }
        if !sheet.finish() {
            break;
        }
    }
    Ok(())
}

fn read_xlsb(bytes: Bytes, draft: &mut Draft<'_>) -> Outcome {
    let mut book = Xlsb::new(bytes).map_err(|error| match error {
        XlsbError::Password => DocumentError::Encrypted("the workbook needs a password"),
        error => broken(&error),
    })?;
    for name in book.sheet_names() {
        let mut sheet = Sheet::new(&name, draft);
        match book.worksheet_cells_reader(&name) {
            Ok(mut cells) => loop {
                match cells.next_cell() {
                    Ok(Some(cell)) if sheet.put(cell.get_position(), &show_ref(cell.get_value())) => {}
                    Ok(_) => break,
                    Err(_) => break sheet.is_broken(),
                }
            },
            Err(_) => sheet.is_broken(),
        }
        if !sheet.finish() {
            break;
        }
    }
    Ok(())
}

fn read_xls(bytes: &Arc<[u8]>, draft: &mut Draft<'_>) -> Outcome {
    if let Ok(mut file) = Compound::open(bytes) {
        if file.has("EncryptedPackage") {
            return Err(DocumentError::Encrypted("the workbook needs a password"));
        }
        file.summarise(draft);
    }
    let mut book = Xls::new(Cursor::new(Arc::clone(bytes))).map_err(|error| match error {
        XlsError::Password => DocumentError::Encrypted("the workbook needs a password"),
        error => broken(&error),
    })?;
    for name in book.sheet_names() {
        let mut sheet = Sheet::new(&name, draft);
        if let Ok(range) = book.worksheet_range(&name) {
            let (first_row, first_column) = range.start().unwrap_or((0, 0));
            for (row, column, value) in range.used_cells() {
                let place = (first_row.saturating_add(narrow(row)), first_column.saturating_add(narrow(column)));
                if !sheet.put(place, &show(value)) {
                    break;
                }
            }
        }
        if !sheet.finish() {
            break;
        }
    }
    Ok(())
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn broken(error: &dyn Display) -> DocumentError {
    // The message names parts and offsets; what a cell says never gets into it.
    DocumentError::damaged(format!("the workbook is broken: {error}"))
}

/// A sheet being read: cells come row by row, left to right.
struct Sheet<'s, 'd, 'l> {
    draft: &'d mut Draft<'l>,
    name: &'s str,
    start: u64,
    row: Option<u32>,
    cells: Vec<Cell>,
    columns: u32,
}

impl<'s, 'd, 'l> Sheet<'s, 'd, 'l> {
    fn new(name: &'s str, draft: &'d mut Draft<'l>) -> Self {
        draft.end_block();
        let start = draft.position();
        draft.line(name);
        Self { draft, name, start, row: None, cells: Vec::new(), columns: 0 }
    }

    /// Adds a cell; false when no more text is taken.
    fn put(&mut self, (row, column): (u32, u32), text: &str) -> bool {
        let text = text.trim();
        if text.is_empty() {
            return true;
        }
        match self.row.replace(row) {
            Some(last) if last == row => self.draft.push("\t"),
            _ => self.draft.end_line(),
        }
        self.draft.push(text);
        self.columns = self.columns.max(column.saturating_add(1));
        if self.cells.len() <= self.draft.cells_left() {
            let (row, column) = (row.saturating_add(1), column.saturating_add(1));
            self.cells.push(Cell { row, column, text: text.to_owned(), row_span: 1, column_span: 1, confidence: None });
        }
        !self.draft.is_full()
    }

    fn is_broken(&mut self) {
        self.draft.warn(format!("the sheet `{}` is broken; it was read up to there", self.name));
    }

    /// Closes the sheet; false when there are enough pages.
    fn finish(self) -> bool {
        self.draft.end_line();
        let rows = self.row.map_or(0, |row| row.saturating_add(1));
        let page = Some(self.draft.next_page());
        self.draft.table(Table { page, rows, columns: self.columns, cells: self.cells });
        self.draft.page(self.start, Some(self.name.to_owned()))
    }
}

fn show_ref(value: &DataRef<'_>) -> String {
    match value {
        DataRef::SharedString(text) => (*text).to_owned(),
        value => show(&Data::from(value.clone())),
    }
}

/// A value as people write it.
fn show(value: &Data) -> String {
    match value {
        Data::Int(number) => number.to_string(),
        Data::Float(number) => show_number(*number),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Bool(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
        Data::DateTime(time) => show_time(time.as_f64(), time.is_duration()),
        Data::Error(error) => error.to_string(),
        Data::Empty => String::new(),
    }
}

/// Fifteen significant digits, as spreadsheets show them: 0.1 + 0.2 is 0.3.
fn show_number(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return "0".to_owned();
    }
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    if rounded.abs() >= 1e15 || rounded.abs() < 1e-9 { format!("{rounded:e}") } else { rounded.to_string() }
}

/// A serial date (days since 1899-12-30) or a duration in days.
fn show_time(days: f64, is_duration: bool) -> String {
    const DAYS_1899_TO_1970: f64 = 25_569.0;
    let seconds = |days: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and such dates are refused below")]
        let seconds = (days * 86_400.0).round() as i64;
        seconds
    };
    if is_duration {
        let total = seconds(days);
        return format!("{}:{:02}:{:02}", total / 3_600, total / 60 % 60, total % 60);
    }
    // Below one day it is a time of day; past the year 9999 it is no date.
    if !(0.0..2_958_466.0).contains(&days) {
        return show_number(days);
    }
    let text = iso_time(seconds(days - DAYS_1899_TO_1970));
    let (date, clock) = text.trim_end_matches('Z').split_once('T').unwrap_or((&text, ""));
    match (days < 1.0, clock) {
        (true, clock) => clock.to_owned(),
        (false, "00:00:00") => date.to_owned(),
        (false, clock) => format!("{date} {clock}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        let numbers = [(2.0, "2"), (0.1 + 0.2, "0.3"), (-1234.5, "-1234.5"), (1e20, "1e20"), (f64::NAN, "0")];
        for (number, expected) in numbers {
            assert_eq!(show_number(number), expected);
        }
        let times =
            [(44_927.0, "2023-01-01"), (44_927.5, "2023-01-01 12:00:00"), (0.75, "18:00:00"), (1e12, "1000000000000")];
        for (days, expected) in times {
            assert_eq!(show_time(days, false), expected);
        }
        assert_eq!(show_time(1.5, true), "36:00:00");
    }
}
