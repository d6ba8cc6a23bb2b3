//! The table of jobs.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde_json::Value;

use super::End;

/// Times are milliseconds since 1970. A token starts one job of its service and kind, ever.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS ai_job (
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    token TEXT,
    request TEXT NOT NULL,
    status TEXT NOT NULL,
    created INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    reason TEXT,
    result TEXT,
    PRIMARY KEY (service, name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS ai_job_token ON ai_job (service, kind, token) WHERE token IS NOT NULL;
CREATE INDEX IF NOT EXISTS ai_job_newest ON ai_job (service, created, name);
CREATE INDEX IF NOT EXISTS ai_job_open ON ai_job (service) WHERE ended IS NULL;
";

/// Whose job it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Transcribe,
    Textract,
}

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Transcribe => "transcribe",
            Self::Textract => "textract",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Transcribe, Self::Textract].into_iter().find(|service| service.name() == name)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Queued,
    InProgress,
    Completed,
    Partial,
    Failed,
}

const STATUSES: [Status; 5] = [Status::Queued, Status::InProgress, Status::Completed, Status::Partial, Status::Failed];

impl Status {
    /// Transcribe's name for it, which the table uses too; a partial success is Textract's only.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Partial => "PARTIAL_SUCCESS",
            Self::Failed => "FAILED",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        STATUSES.into_iter().find(|status| status.name() == name)
    }
}

/// A job to be written down.
#[derive(Debug, Clone)]
pub(crate) struct NewJob {
    pub(crate) service: Service,
    pub(crate) name: String,
    /// Which operation started it.
    pub(crate) kind: String,
    /// The client's token, where it gave one.
    pub(crate) token: Option<String>,
    pub(crate) request: Value,
}

/// A job as it was written down.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) request: Value,
    pub(crate) status: Status,
    pub(crate) created: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) reason: Option<String>,
    pub(crate) result: Value,
}

/// What came of opening a job.
#[derive(Debug)]
pub(crate) enum Opened {
    /// It is new.
    New,
    /// There is one of that name or token already.
    Existing(Box<Job>),
}

/// Which jobs to list.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) service: Service,
    pub(crate) status: Option<Status>,
    pub(crate) name_contains: Option<String>,
    /// Only what stands after this job in the list.
    pub(crate) after: Option<(i64, String)>,
    pub(crate) most: usize,
}

const COLUMNS: &str = "SELECT name, kind, request, status, created, started, ended, reason, result FROM ai_job";

pub(super) fn open(transaction: &Transaction<'_>, new: &NewJob, created: Timestamp) -> rusqlite::Result<Opened> {
    let sql = "INSERT INTO ai_job (service, name, kind, token, request, status, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT DO NOTHING";
    let (request, queued) = (new.request.to_string(), Status::Queued.name());
    let row = params![new.service.name(), new.name, new.kind, new.token, request, queued, created.as_millisecond()];
    if transaction.prepare_cached(sql)?.execute(row)? == 1 {
        return Ok(Opened::New);
    }
    let sql = format!("{COLUMNS} WHERE service = ?1 AND (name = ?2 OR (kind = ?3 AND token = ?4))");
    let row = params![new.service.name(), new.name, new.kind, new.token];
    Ok(Opened::Existing(Box::new(transaction.prepare_cached(&sql)?.query_row(row, job)?)))
}

pub(super) fn find(connection: &Connection, service: Service, name: &str) -> rusqlite::Result<Option<Job>> {
    let sql = format!("{COLUMNS} WHERE service = ?1 AND name = ?2");
    connection.prepare_cached(&sql)?.query_row((service.name(), name), job).optional()
}

pub(super) fn list(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Job>> {
    let sql = format!(
        "{COLUMNS} WHERE service = ?1 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR instr(name, ?3) > 0) \
         AND (?4 IS NULL OR (created, name) < (?4, ?5)) ORDER BY created DESC, name DESC LIMIT ?6"
    );
    let (created, name) = filter.after.clone().unzip();
    let status = filter.status.map(Status::name);
    let most = i64::try_from(filter.most).unwrap_or(i64::MAX);
    let row = params![filter.service.name(), status, filter.name_contains, created, name, most];
    connection.prepare_cached(&sql)?.query_map(row, job)?.collect()
}

pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Vec<(Service, String)>> {
    let sql = "SELECT service, name FROM ai_job WHERE ended IS NULL ORDER BY created, name";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let known = rows.filter_map(|row| row.map(|(service, name)| Some((Service::named(&service)?, name))).transpose());
    known.collect()
}

pub(super) fn count_unfinished(connection: &Connection, service: Service) -> rusqlite::Result<usize> {
    let sql = "SELECT count(*) FROM ai_job WHERE service = ?1 AND ended IS NULL";
    let count: i64 = connection.prepare_cached(sql)?.query_row([service.name()], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

pub(super) fn delete(transaction: &Transaction<'_>, service: Service, name: &str) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM ai_job WHERE service = ?1 AND name = ?2";
    Ok(transaction.prepare_cached(sql)?.execute((service.name(), name))? == 1)
}

/// Marks a job as running, if it is still there and has not ended.
pub(super) fn start(
    transaction: &Transaction<'_>,
    service: Service,
    name: &str,
    started: Timestamp,
) -> rusqlite::Result<Option<Job>> {
    let sql = "UPDATE ai_job SET status = ?3, started = ?4 WHERE service = ?1 AND name = ?2 AND ended IS NULL";
    let row = (service.name(), name, Status::InProgress.name(), started.as_millisecond());
    if transaction.prepare_cached(sql)?.execute(row)? == 0 {
        return Ok(None);
    }
    find(transaction, service, name)
}

pub(super) fn end(
    transaction: &Transaction<'_>,
    service: Service,
    name: &str,
    end: &End,
    ended: Timestamp,
) -> rusqlite::Result<()> {
    let (status, reason, result) = match end {
        End::Completed(result) => (Status::Completed, None, Some(result.to_string())),
        End::Partial(result) => (Status::Partial, None, Some(result.to_string())),
        End::Failed(reason) => (Status::Failed, Some(reason), None),
    };
    let sql = "UPDATE ai_job SET status = ?3, reason = ?4, result = ?5, ended = ?6 WHERE service = ?1 AND name = ?2";
    let row = params![service.name(), name, status.name(), reason, result, ended.as_millisecond()];
    transaction.prepare_cached(sql)?.execute(row).map(drop)
}

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let time = |milliseconds: i64| Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    let status: String = row.get(3)?;
    Ok(Job {
        name: row.get(0)?,
        kind: row.get(1)?,
        request: json(row.get(2)?),
        // Only names from the list above are ever written.
        status: Status::named(&status).unwrap_or(Status::Failed),
        created: time(row.get(4)?),
        started: row.get::<_, Option<i64>>(5)?.map(time),
        ended: row.get::<_, Option<i64>>(6)?.map(time),
        reason: row.get(7)?,
        result: json(row.get(8)?),
    })
}
