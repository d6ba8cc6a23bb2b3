//! Pages of a query's result, read out of the file that holds it.
//!
//! A token says where in the file the next page begins, so a page costs what it holds, at any place and after a restart.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html>

use bytes::BytesMut;
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::csv::{read_row, row_length};
use super::executions::{found, with_token};
use super::output::{is_table, place};
use super::refusal::invalid;
use super::rows::{Column, Row};
use super::{Athena, page};
use crate::store::StoreError;
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// The most rows of a page.
const MOST_ROWS: i64 = 1000;

/// A page that has grown beyond this ends early.
const MOST_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A row that is longer than this is read from the file itself.
const LONGEST_ROW: usize = 32 * 1024 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    query_execution_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) async fn get(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let size = page::size(asked.max_results, MOST_ROWS)?;
    let row = found(athena, asked.query_execution_id.as_ref()).await?;
    check_state(&row)?;
    let list = format!("results {}", row.id);
    let start = page::place::<u64>(&list, asked.next_token.as_deref())?.unwrap_or(0);
    let shows_rows = row.outcome.changed_rows.is_none();
    let (rows, next) = if shows_rows { read(athena, &row, start, size).await? } else { (Vec::new(), None) };
    let columns = &row.outcome.columns;
    let rows: Vec<Value> = rows.into_iter().map(datums).collect();
    let answer = json!({
        "UpdateCount": row.outcome.changed_rows.unwrap_or(0),
        "ResultSet": { "Rows": rows, "ResultSetMetadata": { "ColumnInfo": columns.iter().map(info).collect::<Vec<_>>() } },
    });
    Ok(Reply::plain(with_token(answer, next.map(|offset| page::token(&list, &offset)))))
}

fn check_state(row: &Row) -> Result<(), ServiceError> {
    match row.state.as_str() {
        "SUCCEEDED" => Ok(()),
        "QUEUED" | "RUNNING" => Err(invalid(format!("Query has not yet finished. Current state: {}", row.state))),
        state => Err(invalid(format!("Query did not finish successfully. Final query state: {state}"))),
    }
}

fn datums(row: Vec<Option<String>>) -> Value {
    let datum = |value: Option<String>| value.map_or_else(|| json!({}), |value| json!({ "VarCharValue": value }));
    json!({ "Data": row.into_iter().map(datum).collect::<Vec<_>>() })
}

fn info(column: &Column) -> Value {
    json!({
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": column.type_name,
        "Precision": column.precision,
        "Scale": column.scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": column.type_name == "varchar",
    })
}

type Rows = Vec<Vec<Option<String>>>;

/// The rows from a place in the file on, and the place behind them if there are more.
async fn read(athena: &Athena, row: &Row, start: u64, size: usize) -> Result<(Rows, Option<u64>), ServiceError> {
    let output = &row.request.output;
    let Some((bucket, key)) = place(output) else { return Ok((Vec::new(), None)) };
    let store = &athena.inner.context.store;
    let gone = |error: StoreError| invalid(format!("Could not find results at `{output}`: {error}"));
    let object = store.head(bucket, key, None).await.map_err(gone)?;
    let bytes = store.open_bytes(&object).await.map_err(gone)?;
    let mut pieces = Box::pin(bytes.stream(start.min(object.size_bytes)..object.size_bytes));
    let is_table = is_table(key);
    let (mut buffer, mut rows, mut used) = (BytesMut::new(), Vec::new(), 0_usize);
    loop {
        let length = if is_table { row_length(&buffer) } else { line_length(&buffer) };
        if let Some(length) = length {
            if rows.len() >= size || used > MOST_PAGE_BYTES {
                return Ok((rows, Some(start + used as u64)));
            }
            let bytes = buffer.split_to(length);
            used += length;
            rows.push(if is_table { read_row(&bytes) } else { read_line(&bytes, row.outcome.columns.len()) });
            continue;
        }
        if buffer.len() > LONGEST_ROW {
            return Err(invalid(format!("a row of the result is too long for a page; read `{output}` itself")));
        }
        match pieces.next().await {
            Some(piece) => buffer.extend_from_slice(&piece.map_err(|error| gone(error.into()))?),
            None => return Ok((rows, None)),
        }
    }
}

fn line_length(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1)
}

fn read_line(line: &[u8], columns: usize) -> Vec<Option<String>> {
    let line = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line)).into_owned();
    if columns < 2 {
        return vec![Some(line)];
    }
    line.splitn(columns, '\t').map(|value| Some(value.to_owned())).collect()
}
