//! Executions in the database, without their logs.

use asl::LogEntry;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::log;

/// An execution, without its events.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) number: i64,
    pub(crate) arn: String,
    pub(crate) machine_arn: String,
    pub(crate) revision: i64,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) input: String,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) started: i64,
    pub(crate) stopped: Option<i64>,
    pub(crate) redrives: u32,
    pub(crate) redriven: Option<i64>,
    pub(crate) redrive_token: Option<String>,
}

/// An execution to be begun.
#[derive(Debug)]
pub(crate) struct New {
    pub(crate) arn: String,
    pub(crate) machine_arn: String,
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) started: i64,
}

/// What came of beginning one.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is there now.
    New { number: i64, started: i64 },
    /// It was begun before, with the same input, and still runs.
    Same { started: i64 },
    /// The name is taken by another, or by one that has ended.
    Other,
    /// There is no such state machine.
    NoMachine,
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) status: &'static str,
    pub(crate) stopped: i64,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
}

/// Which executions a list shows.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) machine_arn: String,
    pub(crate) status: Option<String>,
    pub(crate) redriven: Option<bool>,
    /// Only those begun before this one.
    pub(crate) before: Option<i64>,
    pub(crate) most: usize,
}

const COLUMNS: &str = "number, arn, machine_arn, revision, name, status, input, output, error, cause, started, stopped, redrives, redriven, redrive_token";

pub(crate) fn begin(database: &Connection, new: &New) -> rusqlite::Result<Begun> {
    if let Some(there) = by_arn(database, &new.arn)? {
        let same = there.status == "RUNNING" && there.input == new.input;
        return Ok(if same { Begun::Same { started: there.started } } else { Begun::Other });
    }
    let sql = "INSERT INTO execution (arn, machine_arn, revision, name, status, input, started)
               SELECT ?1, arn, revision, ?3, 'RUNNING', ?4, ?5 FROM state_machine WHERE arn = ?2";
    let parameters = params![new.arn, new.machine_arn, new.name, new.input, new.started];
    match database.prepare_cached(sql)?.execute(parameters)? {
        0 => Ok(Begun::NoMachine),
        _ => Ok(Begun::New { number: database.last_insert_rowid(), started: new.started }),
    }
}

pub(crate) fn by_arn(database: &Connection, arn: &str) -> rusqlite::Result<Option<Row>> {
    database
        .prepare_cached(&format!("SELECT {COLUMNS} FROM execution WHERE arn = ?1"))?
        .query_row([arn], row)
        .optional()
}

pub(crate) fn by_number(database: &Connection, number: i64) -> rusqlite::Result<Option<Row>> {
    database
        .prepare_cached(&format!("SELECT {COLUMNS} FROM execution WHERE number = ?1"))?
        .query_row([number], row)
        .optional()
}

/// The executions that run, the oldest first.
pub(crate) fn open(database: &Connection) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT number FROM execution WHERE status = 'RUNNING' ORDER BY number";
    database.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}

pub(crate) fn newest(database: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM execution WHERE machine_arn = ?1 AND number < ?2 AND (?3 IS NULL OR status = ?3)
         AND (?4 IS NULL OR (redrives > 0) = ?4) ORDER BY number DESC LIMIT ?5"
    );
    let before = filter.before.unwrap_or(i64::MAX);
    let most = i64::try_from(filter.most).unwrap_or(i64::MAX);
    let parameters = params![filter.machine_arn, before, filter.status, filter.redriven, most];
    database.prepare_cached(&sql)?.query_map(parameters, row)?.collect()
}

/// Adds entries to an execution's log, and closes the execution if it has ended.
pub(crate) fn append(
    database: &Connection,
    number: i64,
    entries: &[LogEntry],
    closed: Option<&Closed>,
) -> rusqlite::Result<()> {
    log::append(database, number, entries)?;
    if let Some(closed) = closed {
        let sql =
            "UPDATE execution SET status = ?2, stopped = ?3, output = ?4, error = ?5, cause = ?6 WHERE number = ?1";
        let Closed { status, stopped, output, error, cause } = closed;
        database.prepare_cached(sql)?.execute(params![number, status, stopped, output, error, cause])?;
    }
    Ok(())
}

/// Opens an execution again; false when somebody else did so meanwhile.
pub(crate) fn reopen(database: &Connection, number: i64, redriven: i64, token: Option<&str>) -> rusqlite::Result<bool> {
    let sql = "UPDATE execution SET status = 'RUNNING', stopped = NULL, output = NULL, error = NULL, cause = NULL,
               redrives = redrives + 1, redriven = ?2, redrive_token = ?3 WHERE number = ?1 AND status <> 'RUNNING'";
    Ok(database.prepare_cached(sql)?.execute(params![number, redriven, token])? > 0)
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        number: row.get(0)?,
        arn: row.get(1)?,
        machine_arn: row.get(2)?,
        revision: row.get(3)?,
        name: row.get(4)?,
        status: row.get(5)?,
        input: row.get(6)?,
        output: row.get(7)?,
        error: row.get(8)?,
        cause: row.get(9)?,
        started: row.get(10)?,
        stopped: row.get(11)?,
        redrives: row.get(12)?,
        redriven: row.get(13)?,
        redrive_token: row.get(14)?,
    })
}
