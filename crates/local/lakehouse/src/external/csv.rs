//! Quoted CSV as `OpenCSVSerde` reads it, one record a line. A text that does not fit its column is an error with its
//! line; dates are days and timestamps milliseconds since 1970, as there.
//! <https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html>.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::lines::Line;
use super::values::strict;
use super::{bad, declared};
use crate::catalog::{Column, External, Format};
use crate::error::Result;
use crate::types::ColumnType;

/// The rows of some lines.
pub(super) fn batch(table: &Arc<External>, lines: &[Line], uri: &str) -> Result<RecordBatch> {
    let Format::Csv { separator, quote, escape, .. } = &table.format else {
        return Err(bad(uri, "it is read as CSV and declared otherwise"));
    };
    let rows: Vec<Vec<String>> = lines.iter().map(|line| fields(&line.text, *separator, *quote, *escape)).collect();
    let column = |(nth, column): (usize, &Column)| {
        let texts = rows.iter().map(|row| row.get(nth).map(|text| counted(&column.column_type, text)));
        strict(column, texts.collect::<StringArray>(), lines).map_err(|message| bad(uri, message))
    };
    let columns = table.columns.iter().enumerate().map(column).collect::<Result<Vec<ArrayRef>>>()?;
    RecordBatch::try_new(declared(table), columns).map_err(|error| bad(uri, error.to_string()))
}

/// Dates and timestamps that are counted, as text.
fn counted(of: &ColumnType, text: &str) -> String {
    let moment = |milliseconds: i64| {
        let moment = jiff::Timestamp::from_millisecond(milliseconds).ok()?;
        Some(jiff::tz::TimeZone::UTC.to_datetime(moment))
    };
    let number = text.parse::<i64>().ok();
    match (of, number) {
        (ColumnType::Timestamp, Some(number)) => moment(number).map_or_else(|| text.to_owned(), |at| at.to_string()),
        (ColumnType::Date, Some(number)) => {
            let at = number.checked_mul(86_400_000).and_then(moment);
            at.map_or_else(|| text.to_owned(), |at| at.date().to_string())
        }
        _ => text.to_owned(),
    }
}

fn fields(line: &str, separator: char, quote: char, escape: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(one) = chars.next() {
        let into = fields.last_mut().expect("there is a first field");
        let next = chars.peek().copied();
        if one == quote && quoted && next == Some(quote) {
            into.push(quote);
            chars.next();
        } else if one == quote {
            quoted = !quoted;
        } else if one == escape && (next == Some(quote) || next == Some(escape)) {
            into.extend(chars.next());
        } else if one == separator && !quoted {
            fields.push(String::new());
        } else {
            into.push(one);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_separators() {
        let read = |line| fields(line, ',', '"', '\\');
        assert_eq!(read(r#"a,"b,c","say ""hi""","x\"y""#), ["a", "b,c", "say \"hi\"", "x\"y"]);
        assert_eq!(read("a,,"), ["a", "", ""]);
        assert_eq!(read(r"a\b"), [r"a\b"]);
    }

    #[test]
    fn moments_are_counted() {
        assert_eq!(counted(&ColumnType::Timestamp, "1500"), "1970-01-01T00:00:01.5");
        assert_eq!(counted(&ColumnType::Date, "2"), "1970-01-03");
        assert_eq!(counted(&ColumnType::String, "2"), "2");
    }
}
