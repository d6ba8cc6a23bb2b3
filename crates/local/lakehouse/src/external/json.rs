//! One JSON object a line, keys found whatever their case. A line that is no object is an error with its number, or a
//! row of nulls where the table says so. <https://docs.aws.amazon.com/athena/latest/ug/json-serde.html>.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::ReaderBuilder;
use serde_json::{Map, Value};

use super::lines::Line;
use super::{bad, declared};
use crate::catalog::{External, Format};
use crate::error::Result;
use crate::types::ColumnType;

/// The rows of some lines.
pub(super) fn batch(table: &Arc<External>, lines: &[Line], uri: &str) -> Result<RecordBatch> {
    let Format::Json { ignore_malformed, .. } = &table.format else {
        return Err(bad(uri, "it is read as JSON and declared otherwise"));
    };
    let row = |line: &Line| match row(table, &line.text) {
        Ok(row) => Ok(row),
        Err(_) if *ignore_malformed => Ok(Value::Object(Map::new())),
        Err(message) => Err(bad(uri, format!("line {}: {message}", line.number))),
    };
    let rows: Vec<Value> = lines.iter().map(row).collect::<Result<_>>()?;
    let wrong = |error: datafusion::arrow::error::ArrowError| bad(uri, error.to_string());
    let schema = declared(table);
    let mut decoder =
        ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(rows.len().max(1)).build_decoder().map_err(wrong)?;
    decoder.serialize(&rows).map_err(wrong)?;
    Ok(decoder.flush().map_err(wrong)?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
}

/// A line's object with the declared columns, each in its type.
fn row(table: &External, line: &str) -> Result<Value, String> {
    let Format::Json { mapping, .. } = &table.format else { return Ok(Value::Null) };
    let value: Value = serde_json::from_str(line).map_err(|error| format!("it is no JSON: {error}"))?;
    let Value::Object(object) = value else { return Err("it is no JSON object".to_owned()) };
    let mut row = Map::new();
    for (key, value) in object {
        let column = mapping.get(&key).cloned().unwrap_or_else(|| key.to_lowercase());
        if let Some(declared) = table.columns.iter().find(|declared| declared.name == column) {
            let value = coerced(value, &declared.column_type).map_err(|what| format!("`{key}`: {what}"))?;
            row.insert(column, value);
        }
    }
    Ok(Value::Object(row))
}

/// A value in its column's type: everything has a text, a text may be a number, and names are in lower case.
fn coerced(value: Value, of: &ColumnType) -> Result<Value, String> {
    let wrong = |value: &Value| format!("`{value}` is no {of}");
    Ok(match (of, value) {
        (_, Value::Null) => Value::Null,
        (ColumnType::String, Value::String(text)) => Value::String(text),
        (ColumnType::String, other) => Value::String(other.to_string()),
        (ColumnType::Varchar(most) | ColumnType::Char(most), value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Value::String(text.chars().take(usize::try_from(*most).unwrap_or(usize::MAX)).collect())
        }
        (ColumnType::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(wrong(&Value::String(text))),
        },
        (ColumnType::Array(item), Value::Array(items)) => {
            Value::Array(items.into_iter().map(|one| coerced(one, item)).collect::<Result<_, _>>()?)
        }
        (ColumnType::Map(_, of), Value::Object(object)) => {
            let entry = |(key, value)| Ok((key, coerced(value, of)?));
            Value::Object(object.into_iter().map(entry).collect::<Result<_, String>>()?)
        }
        (ColumnType::Struct(fields), Value::Object(object)) => structure(object, fields)?,
        (ColumnType::Array(_) | ColumnType::Map(..) | ColumnType::Struct(_), other) => return Err(wrong(&other)),
        (number, Value::String(text)) if is_whole(number) => {
            let parsed: i64 = text.trim().parse().map_err(|_| wrong(&Value::String(text.clone())))?;
            Value::from(parsed)
        }
        (ColumnType::Float | ColumnType::Double, Value::String(text)) => {
            let parsed: f64 = text.trim().parse().map_err(|_| wrong(&Value::String(text.clone())))?;
            serde_json::Number::from_f64(parsed).map_or(Value::Null, Value::Number)
        }
        (number, Value::Number(given)) if is_whole(number) && given.as_i64().is_none() => {
            return Err(wrong(&Value::Number(given)));
        }
        (_, other) => other,
    })
}

fn is_whole(of: &ColumnType) -> bool {
    matches!(of, ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt)
}

fn structure(object: Map<String, Value>, fields: &[(String, ColumnType)]) -> Result<Value, String> {
    let mut made = Map::new();
    for (key, value) in object {
        let name = key.to_lowercase();
        if let Some((_, of)) = fields.iter().find(|(field, _)| *field == name) {
            made.insert(name, coerced(value, of).map_err(|what| format!("`{key}`: {what}"))?);
        }
    }
    Ok(Value::Object(made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_their_columns_or_are_refused() {
        let of = |text: &str| text.parse::<ColumnType>().unwrap();
        for (json, declared, expected) in [
            ("1", "string", Some("\"1\"")),
            ("{\"a\":1}", "string", Some("\"{\\\"a\\\":1}\"")),
            ("\"12\"", "bigint", Some("12")),
            ("\"x\"", "bigint", None),
            ("1.5", "int", None),
            ("{\"Ab\":\"1\",\"z\":2}", "struct<ab:int>", Some("{\"ab\":1}")),
            ("[1,\"2\"]", "array<int>", Some("[1,2]")),
            ("{}", "array<int>", None),
            ("\"abcdef\"", "varchar(3)", Some("\"abc\"")),
            ("null", "int", Some("null")),
        ] {
            let value = coerced(serde_json::from_str(json).unwrap(), &of(declared)).ok();
            assert_eq!(value.map(|value| value.to_string()).as_deref(), expected, "{json} as {declared}");
        }
    }
}
