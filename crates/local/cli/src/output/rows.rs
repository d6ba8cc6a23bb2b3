//! Rows of a query as a table, as JSON lines or as CSV.

use std::io;

use anyhow::Context as _;
use aws_sdk_athena::types::ColumnInfo;
use comfy_table::{Cell, CellAlignment};
use serde_json::{Map, Number, Value};

use super::{Output, cut, plain};
use crate::arguments::RowFormat;
use crate::athena::Page;

/// A table holds this many rows; the rest comes in further tables, for nobody measures columns of millions.
const ROWS_PER_TABLE: usize = 1_000;
/// Width of a cell in a table: whoever wants all of it asks for JSON or CSV.
const MOST_CELL_CHARS: usize = 200;

/// Writes pages of one result.
#[derive(Debug)]
pub(crate) struct RowWriter {
    format: RowFormat,
    is_first: bool,
    /// Rows so far.
    pub(crate) rows: u64,
}

impl RowWriter {
    pub(crate) fn new(format: RowFormat) -> Self {
        Self { format, is_first: true, rows: 0 }
    }

    /// Writes one page.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn page(&mut self, output: &mut Output, page: &Page) -> anyhow::Result<()> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.rows += page.rows.len() as u64;
        if page.columns.is_empty() {
            return Ok(());
        }
        match self.format {
            RowFormat::Table if page.rows.is_empty() && !is_first => Ok(()),
            RowFormat::Table => table(output, page),
            RowFormat::Json => page.rows.iter().try_for_each(|row| output.json(&object(&page.columns, row))),
            RowFormat::Csv => csv(output, page, is_first),
        }
    }
}

fn table(output: &mut Output, page: &Page) -> anyhow::Result<()> {
    let names = page.columns.iter().map(|column| plain(column.name()));
    let header: Vec<String> = names.collect();
    for rows in page.rows.chunks(ROWS_PER_TABLE).chain(page.rows.is_empty().then_some(&[][..])) {
        let mut table = super::table::of_columns(&header);
        for row in rows {
            table.add_row(row.iter().zip(&page.columns).map(|(value, column)| cell(value.as_deref(), column)));
        }
        output.line(&table.to_string())?;
    }
    Ok(())
}

fn cell(value: Option<&str>, column: &ColumnInfo) -> Cell {
    let cell = Cell::new(cut(&plain(value.unwrap_or_default()), MOST_CELL_CHARS));
    if is_number(column) { cell.set_alignment(CellAlignment::Right) } else { cell }
}

fn is_number(column: &ColumnInfo) -> bool {
    ["tinyint", "smallint", "integer", "bigint", "float", "real", "double", "decimal"].contains(&column.r#type())
}

/// Numbers stay numbers and booleans booleans; all else is the text that the service gives. A column whose name another
/// before it has is told apart by its place, as `a_2` for the second of all.
fn object(columns: &[ColumnInfo], row: &[Option<String>]) -> Map<String, Value> {
    let value = |column: &ColumnInfo, text: &str| match column.r#type() {
        "boolean" => text.parse().map_or_else(|_| Value::from(text), Value::Bool),
        _ if is_number(column) => text.parse::<Number>().map_or_else(|_| Value::from(text), Value::Number),
        _ => Value::from(text),
    };
    let mut object = Map::new();
    for (nth, (column, text)) in columns.iter().zip(row).enumerate() {
        let mut name = column.name().to_owned();
        while object.contains_key(&name) {
            name = format!("{name}_{}", nth + 1);
        }
        object.insert(name, text.as_deref().map_or(Value::Null, |text| value(column, text)));
    }
    object
}

fn csv(output: &mut Output, page: &Page, is_first: bool) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if is_first {
        writer.write_record(page.columns.iter().map(ColumnInfo::name)).context("failed to write CSV")?;
    }
    for row in &page.rows {
        writer
            .write_record(row.iter().map(|value| value.as_deref().unwrap_or_default()))
            .context("failed to write CSV")?;
    }
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    let text = String::from_utf8(bytes).context("failed to write CSV")?;
    if text.is_empty() { Ok(()) } else { output.line(text.trim_end_matches('\n')) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn column(name: &str, kind: &str) -> ColumnInfo {
        ColumnInfo::builder().name(name).r#type(kind).build().unwrap()
    }

    #[test]
    fn json_keeps_numbers_and_nulls() {
        let columns = [column("a", "bigint"), column("b", "boolean"), column("c", "varchar"), column("d", "double")];
        let row = [Some("9007199254740993".to_owned()), Some("true".to_owned()), None, Some("NaN".to_owned())];
        assert_eq!(
            Value::Object(object(&columns, &row)),
            json!({"a": 9_007_199_254_740_993_u64, "b": true, "c": null, "d": "NaN"})
        );
    }

    #[test]
    fn json_keeps_columns_of_one_name() {
        let columns = [column("a", "bigint"), column("a", "bigint"), column("a_2", "bigint")];
        let row = [1, 2, 3].map(|number: u8| Some(number.to_string()));
        assert_eq!(Value::Object(object(&columns, &row)), json!({"a": 1, "a_2": 2, "a_2_3": 3}));
    }
}
