//! One row of a file as it is staged: each column in its type, or the reason why the row is refused.
//!
//! A reason names the column and what its cell is not, never what the cell says.

use serde_json::{Map, Value};

use super::{Column, DELETE, OPERATION, POSITION, Table, UPSERT};

/// What a field of a row holds.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// Text, of a CSV file.
    Text(&'a str),
    /// A value, of a JSON object.
    Json(&'a Value),
}

/// The staged row of the fields that `cell` finds; `position` orders it among the rows of its batch.
///
/// Of a row that goes only key and ordering columns are read: tools that write such rows leave the others empty.
///
/// # Errors
/// Why the row is refused.
pub fn stage<'a>(
    table: &Table,
    cell: impl Fn(&[String]) -> Option<Cell<'a>>,
    position: u64,
) -> Result<Map<String, Value>, String> {
    let cell = |path: &[String]| cell(path).filter(|cell| !is_null(table, *cell));
    let operation = operation(table, cell)?;
    let mut row = Map::new();
    for column in &table.columns {
        if operation == UPSERT || column.required {
            row.insert(column.name.clone(), value(column, cell(&column.from))?);
        }
    }
    row.insert(OPERATION.to_owned(), Value::from(operation));
    row.insert(POSITION.to_owned(), Value::from(position));
    Ok(row)
}

fn is_null(table: &Table, cell: Cell<'_>) -> bool {
    match cell {
        Cell::Text(text) => text == table.source.csv.null,
        Cell::Json(value) => value.is_null(),
    }
}

fn operation<'a>(table: &Table, cell: impl Fn(&[String]) -> Option<Cell<'a>>) -> Result<&'static str, String> {
    let Some(operation) = &table.operation else { return Ok(UPSERT) };
    let name = operation.from.join(".");
    let word = match cell(&operation.from) {
        Some(Cell::Text(text)) => text.trim(),
        Some(Cell::Json(Value::String(text))) => text.as_str(),
        Some(Cell::Json(_)) => return Err(format!("`{name}` is no text")),
        None => return Err(format!("`{name}` is empty")),
    };
    let is_one_of = |words: &[String]| words.iter().any(|known| known == word);
    match () {
        () if is_one_of(&operation.upsert) => Ok(UPSERT),
        () if is_one_of(&operation.delete) => Ok(DELETE),
        () => Err(format!(
            "`{name}` is none of the operations {}",
            [operation.upsert.clone(), operation.delete.clone()].concat().join(", ")
        )),
    }
}

fn value(column: &Column, cell: Option<Cell<'_>>) -> Result<Value, String> {
    let read = match (cell, &column.default) {
        (Some(Cell::Text(text)), _) => column.kind.read_text(text),
        (Some(Cell::Json(value)), _) => column.kind.read_json(value),
        (None, Some(default)) => column.kind.read_text(default),
        (None, None) if column.required => Err("it is empty, and the key and the order need it".to_owned()),
        (None, None) => Ok(Value::Null),
    };
    read.map_err(|reason| format!("`{}`: {reason}", column.from.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table() -> Table {
        let settings = json!({
            "target": "d.t", "key": ["id"], "order_by": ["at"], "operation": {"from": "op"},
            "source": {"bucket": "b", "prefix": "in/", "format": "csv"},
            "columns": [
                {"name": "id", "type": "bigint"}, {"name": "at", "type": "timestamp"},
                {"name": "note", "type": "string", "default": "none"}, {"name": "n", "type": "int"},
            ],
        });
        Table::new(serde_json::from_value(settings).unwrap()).unwrap()
    }

    fn staged(cells: &[(&str, &str)]) -> Result<String, String> {
        let find = |path: &[String]| cells.iter().find(|(name, _)| *name == path[0]).map(|(_, text)| Cell::Text(text));
        stage(&table(), find, 7).map(|row| Value::Object(row).to_string())
    }

    #[test]
    fn rows_are_staged_or_refused_with_their_reason() {
        let at = ("at", "2022-03-02 10:00:00");
        assert_eq!(
            staged(&[("op", "I"), ("id", "1"), at, ("n", "")]).unwrap(),
            r#"{"id":1,"at":"2022-03-02 10:00:00.000000","note":"none","n":null,"change_operation":"U","change_position":7}"#
        );
        assert_eq!(
            staged(&[("op", "D"), ("id", "1"), at, ("n", "not read")]).unwrap(),
            r#"{"id":1,"at":"2022-03-02 10:00:00.000000","change_operation":"D","change_position":7}"#
        );
        for (cells, reason) in [
            (vec![("op", "X"), ("id", "1"), at], "`op` is none of the operations I, U, D"),
            (vec![("id", "1"), at], "`op` is empty"),
            (vec![("op", "U"), ("id", ""), at], "`id`: it is empty, and the key and the order need it"),
            (vec![("op", "U"), ("id", "one"), at], "`id`: it is no bigint"),
            (vec![("op", "D"), ("id", "1")], "`at`: it is empty, and the key and the order need it"),
            (vec![("op", "U"), ("id", "1"), at, ("n", "1.5")], "`n`: it is no int"),
        ] {
            assert_eq!(staged(&cells).unwrap_err(), reason);
        }
    }
}
