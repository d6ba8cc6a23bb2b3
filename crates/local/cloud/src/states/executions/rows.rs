//! Executions in the database, without their logs.

use asl::LogEntry;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::log;

/// An execution, without its events.
#[derive(Debug, Clone, PartialEq)]
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
    pub(crate) kind: Kind,
    pub(crate) version_arn: Option<String>,
    pub(crate) alias_arn: Option<String>,
    pub(crate) trace_header: Option<String>,
}

/// What an execution is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To be looked at afterwards.
    Standard,
    /// To be run; afterwards it is forgotten.
    Express,
    /// The same, and somebody waits for its end.
    Sync,
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
    pub(crate) of: Of,
    pub(crate) status: Option<String>,
    pub(crate) redriven: Option<bool>,
    /// Only those behind this place: a time and a number.
    pub(crate) before: Option<(i64, i64)>,
    pub(crate) most: usize,
}

/// Whose executions.
#[derive(Debug)]
pub(crate) struct Of {
    pub(crate) machine_arn: String,
    pub(crate) version_arn: Option<String>,
    pub(crate) alias_arn: Option<String>,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Express => "EXPRESS",
            Self::Sync => "SYNC",
        }
    }

    fn named(name: &str) -> Self {
        [Self::Express, Self::Sync].into_iter().find(|kind| kind.name() == name).unwrap_or(Self::Standard)
    }
}

impl Row {
    /// The moment that lists sort it by.
    pub(crate) fn time(&self) -> i64 {
        self.stopped.or(self.redriven).unwrap_or(self.started)
    }
}

const COLUMNS: &str = "number, arn, machine_arn, revision, name, status, input, output, error, cause, started, stopped, \
                       redrives, redriven, kind, version_arn, alias_arn, trace_header";

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

/// The executions that a list shows: what happened last comes first.
pub(crate) fn newest(database: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Row>> {
    let time = "coalesce(stopped, redriven, started)";
    let sql = format!(
        "SELECT {COLUMNS} FROM execution WHERE machine_arn = ?1 AND ({time}, number) < (?2, ?3) AND kind = 'STANDARD'
         AND (?4 IS NULL OR status = ?4) AND (?5 IS NULL OR (redrives > 0) = ?5)
         AND (?6 IS NULL OR version_arn = ?6) AND (?7 IS NULL OR alias_arn = ?7)
         ORDER BY {time} DESC, number DESC LIMIT ?8"
    );
    let Filter { of, status, redriven, before, most } = filter;
    let (time, number) = before.unwrap_or((i64::MAX, i64::MAX));
    let most = i64::try_from(*most).unwrap_or(i64::MAX);
    let parameters = params![of.machine_arn, time, number, status, redriven, of.version_arn, of.alias_arn, most];
    database.prepare_cached(&sql)?.query_map(parameters, row)?.collect()
}

/// Inserts an execution that begins; gives back its number.
pub(crate) fn insert(database: &Connection, row: &Row) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO execution
                   (arn, machine_arn, revision, name, status, input, started, kind, version_arn, alias_arn, trace_header)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let Row { arn, machine_arn, revision, name, status, input, started, .. } = row;
    let Row { kind, version_arn, alias_arn, trace_header, .. } = row;
    let kind = kind.name();
    database.prepare_cached(sql)?.insert(params![
        arn,
        machine_arn,
        revision,
        name,
        status,
        input,
        started,
        kind,
        version_arn,
        alias_arn,
        trace_header
    ])
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
               redrives = redrives + 1, redriven = ?2 WHERE number = ?1 AND status <> 'RUNNING'";
    let reopened = database.prepare_cached(sql)?.execute(params![number, redriven])? > 0;
    if let Some(token) = token.filter(|_| reopened) {
        let sql = "INSERT OR REPLACE INTO execution_redrive (execution, redriven, token) VALUES (?1, ?2, ?3)";
        database.execute(sql, params![number, redriven, token])?;
    }
    Ok(reopened)
}

/// When the redrive was that `token` came with, if it is one of the last `most` since `since`.
pub(crate) fn redrive_of(
    database: &Connection,
    number: i64,
    token: &str,
    since: i64,
    most: usize,
) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT redriven FROM (SELECT * FROM execution_redrive WHERE execution = ?1 AND redriven >= ?3
               ORDER BY redriven DESC LIMIT ?4) WHERE token = ?2";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.query_row(sql, params![number, token, since, most], |row| row.get(0)).optional()
}

/// Takes a closed execution away, whole.
pub(crate) fn remove(database: &Connection, number: i64) -> rusqlite::Result<()> {
    log::remove(database, number)?;
    database.prepare_cached("DELETE FROM execution WHERE number = ?1 AND status <> 'RUNNING'")?.execute([number])?;
    Ok(())
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
        kind: Kind::named(row.get_ref(14)?.as_str()?),
        version_arn: row.get(15)?,
        alias_arn: row.get(16)?,
        trace_header: row.get(17)?,
    })
}
