//! Queries in the database.

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Queries that are kept at most, and for how long: Athena keeps them for 45 days.
const MOST_KEPT: i64 = 10_000;
const KEPT_MS: i64 = 45 * 86_400_000;

/// A query is looked for what may go each time that so many were started.
const PRUNED_EVERY: i64 = 64;

/// What was asked for. The members that only come back as they were are JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    /// As it was written.
    pub(super) query: String,
    /// As it is run: with values in the place of its question marks.
    pub(super) statement: String,
    pub(super) database: Option<String>,
    pub(super) catalog: Option<String>,
    #[serde(default)]
    pub(super) parameters: Vec<String>,
    pub(super) result_configuration: Value,
    /// Where the result goes: `s3://bucket/prefix/id.csv`.
    pub(super) output: String,
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) is_read: bool,
    pub(super) most_bytes: Option<u64>,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) precision: u32,
    pub(super) scale: u32,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) reason: Option<String>,
    /// Whether the statement is at fault, where it failed.
    pub(super) is_users: Option<bool>,
    #[serde(default)]
    pub(super) columns: Vec<Column>,
    pub(super) changed_rows: Option<u64>,
    #[serde(default)]
    pub(super) scanned_bytes: u64,
    #[serde(default)]
    pub(super) planning_ms: i64,
    #[serde(default)]
    pub(super) output_rows: u64,
    #[serde(default)]
    pub(super) output_bytes: u64,
    /// The list of files that the statement wrote.
    pub(super) manifest: Option<String>,
}

/// A query.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) work_group: String,
    pub(super) request: Request,
    pub(super) state: String,
    pub(super) submitted_ms: i64,
    pub(super) started_ms: Option<i64>,
    pub(super) completed_ms: Option<i64>,
    pub(super) outcome: Outcome,
}

const COLUMNS: &str =
    "id, work_group, request, state, submitted_ms, started_ms, completed_ms, outcome FROM athena_query";

fn row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        work_group: row.get(1)?,
        request: json(row, 2)?,
        state: row.get(3)?,
        submitted_ms: row.get(4)?,
        started_ms: row.get(5)?,
        completed_ms: row.get(6)?,
        outcome: json(row, 7)?,
    })
}

pub(super) fn json<T: serde::de::DeserializeOwned>(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    let wrong = |error| rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error));
    serde_json::from_str(&text).map_err(wrong)
}

pub(super) fn text<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn by_id(database: &Connection, id: &str) -> rusqlite::Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} WHERE id = ?1");
    database.prepare_cached(&sql)?.query_row([id], row).optional()
}

pub(super) fn by_token(database: &Connection, token: &str) -> rusqlite::Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} WHERE token = ?1");
    database.prepare_cached(&sql)?.query_row([token], row).optional()
}

/// Those that have not ended, the oldest first.
pub(super) fn open(database: &Connection) -> rusqlite::Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} WHERE completed_ms IS NULL ORDER BY number");
    database.prepare_cached(&sql)?.query_map([], row)?.collect()
}

/// The ids of a group's queries with their numbers, the newest first, before a number.
pub(super) fn list(
    database: &Connection,
    group: &str,
    before: i64,
    most: usize,
) -> rusqlite::Result<Vec<(i64, String)>> {
    let sql = "SELECT number, id FROM athena_query WHERE work_group = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
    let parameters = params![group, before, i64::try_from(most).unwrap_or(i64::MAX)];
    database.prepare_cached(sql)?.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Writes a query down. One with the same token, or else the same id, stays as it is and is given back instead.
pub(super) fn insert(
    database: &Connection,
    id: &str,
    group: &str,
    token: Option<&str>,
    request: &Request,
    now: i64,
) -> rusqlite::Result<Option<Row>> {
    let earlier = match token {
        Some(token) => by_token(database, token)?,
        None => None,
    };
    if let Some(earlier) = earlier.map_or_else(|| by_id(database, id), |earlier| Ok(Some(earlier)))? {
        return Ok(Some(earlier));
    }
    let sql = "INSERT INTO athena_query (id, work_group, token, request, state, submitted_ms)
               VALUES (?1, ?2, ?3, ?4, 'QUEUED', ?5)";
    database.prepare_cached(sql)?.execute(params![id, group, token, text(request)?, now])?;
    let number = database.last_insert_rowid();
    if number % PRUNED_EVERY == 0 {
        prune(database, number, now)?;
    }
    Ok(None)
}

fn prune(database: &Connection, newest: i64, now: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM athena_query WHERE completed_ms IS NOT NULL AND (number <= ?1 OR completed_ms < ?2)";
    database.execute(sql, [newest - MOST_KEPT, now - KEPT_MS]).map(drop)
}

/// The query is on its way.
pub(super) fn begin(database: &Connection, id: &str, now: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE athena_query SET state = 'RUNNING', started_ms = ?2 WHERE id = ?1 AND completed_ms IS NULL";
    database.prepare_cached(sql)?.execute(params![id, now]).map(drop)
}

/// The query has ended. It ends once.
pub(super) fn end(database: &Connection, id: &str, state: &str, outcome: &Outcome, now: i64) -> rusqlite::Result<bool> {
    let sql = "UPDATE athena_query SET state = ?2, outcome = ?3, completed_ms = ?4
               WHERE id = ?1 AND completed_ms IS NULL";
    let changed = database.prepare_cached(sql)?.execute(params![id, state, text(outcome)?, now])?;
    Ok(changed > 0)
}
