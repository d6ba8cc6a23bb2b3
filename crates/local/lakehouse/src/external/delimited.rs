//! Delimited text as `LazySimpleSerDe` reads it: no quotes, `\N` is null, what is missing or malformed is null.
//! <https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html>.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::lines::Line;
use super::values::lenient;
use super::{bad, declared};
use crate::catalog::{External, Format};
use crate::error::Result;

/// The rows of some lines.
pub(super) fn batch(table: &Arc<External>, lines: &[Line], uri: &str) -> Result<RecordBatch> {
    let Format::Delimited { field, escape, null, .. } = &table.format else {
        return Err(bad(uri, "it is read as delimited text and declared otherwise"));
    };
    let rows: Vec<Vec<String>> = lines.iter().map(|line| fields(&line.text, *field, *escape)).collect();
    let column = |(nth, column)| {
        let text = |row: &Vec<String>| row.get(nth).filter(|text| *text != null).cloned();
        lenient(column, rows.iter().map(text).collect::<StringArray>())
    };
    let columns: Vec<ArrayRef> = table.columns.iter().enumerate().map(column).collect();
    RecordBatch::try_new(declared(table), columns).map_err(|error| bad(uri, error.to_string()))
}

fn fields(line: &str, between: char, escape: Option<char>) -> Vec<String> {
    // A table that names no delimiter has Hive's, which nobody sees; files without one are meant to have commas.
    let between = if between == '\u{1}' && !line.contains(between) { ',' } else { between };
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(one) = chars.next() {
        let into = fields.last_mut().expect("there is a first field");
        if Some(one) == escape {
            into.extend(chars.next());
        } else if one == between {
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
    fn fields_end_at_their_delimiter_unless_it_is_escaped() {
        assert_eq!(fields("a,b,,c", ',', None), ["a", "b", "", "c"]);
        assert_eq!(fields(r"a\,b,c\", ',', Some('\\')), ["a,b", "c"]);
        assert_eq!(fields("a\u{1}b,c", '\u{1}', None), ["a", "b,c"]);
        assert_eq!(fields("a,b", '\u{1}', None), ["a", "b"]);
        assert_eq!(fields("\"a,b\"", ',', None), ["\"a", "b\""]);
    }
}
