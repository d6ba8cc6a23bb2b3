//! Map Runs in the database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// A Map Run.
#[derive(Debug, Clone)]
pub(crate) struct MapRun {
    pub(crate) number: i64,
    pub(crate) arn: String,
    /// The parent.
    pub(crate) execution: i64,
    /// What the children say their state machine is: the parent's, a slash, and the label.
    pub(crate) machine_arn: String,
    /// The Map state's place in the definition.
    pub(crate) location: String,
    pub(crate) express: bool,
    pub(crate) status: String,
    /// All items are read, and a child waits for each.
    pub(crate) is_read: bool,
    pub(crate) started: i64,
    pub(crate) stopped: Option<i64>,
    pub(crate) max_concurrency: u64,
    pub(crate) tolerated_count: Option<u64>,
    pub(crate) tolerated_percentage: Option<f64>,
    pub(crate) results_written: u64,
    pub(crate) redrives: u32,
    pub(crate) redriven: Option<i64>,
    /// What the parent is told, once the run is closed.
    pub(crate) outcome: Option<String>,
}

/// A Map Run to be begun.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) arn: String,
    pub(crate) execution: i64,
    pub(crate) machine_arn: String,
    pub(crate) location: String,
    pub(crate) express: bool,
    pub(crate) started: i64,
    pub(crate) max_concurrency: u64,
    pub(crate) tolerated_count: Option<u64>,
    pub(crate) tolerated_percentage: Option<f64>,
}

/// How a Map Run ended.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) status: &'static str,
    pub(crate) stopped: i64,
    pub(crate) outcome: Option<String>,
    pub(crate) results_written: u64,
}

/// What a user changes of a running one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) max_concurrency: Option<u64>,
    pub(crate) tolerated_count: Option<u64>,
    pub(crate) tolerated_percentage: Option<f64>,
}

const SELECT: &str = "
SELECT number, arn, execution, machine_arn, location, express, status, is_read, started, stopped, max_concurrency,
       tolerated_count, tolerated_percentage, results_written, redrives, redriven, outcome FROM map_run";

/// Begins a Map Run; one that is there already stands.
pub(crate) fn insert_or_find(database: &Connection, new: &New) -> rusqlite::Result<MapRun> {
    let sql = "INSERT OR IGNORE INTO map_run (arn, execution, machine_arn, location, express, status, started,
                   max_concurrency, tolerated_count, tolerated_percentage)
               VALUES (?1, ?2, ?3, ?4, ?5, 'RUNNING', ?6, ?7, ?8, ?9)";
    database.prepare_cached(sql)?.execute(params![
        new.arn,
        new.execution,
        new.machine_arn,
        new.location,
        new.express,
        new.started,
        signed(new.max_concurrency),
        new.tolerated_count.map(signed),
        new.tolerated_percentage,
    ])?;
    by_arn(database, &new.arn)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

pub(crate) fn by_arn(database: &Connection, arn: &str) -> rusqlite::Result<Option<MapRun>> {
    database.prepare_cached(&format!("{SELECT} WHERE arn = ?1"))?.query_row([arn], map_run).optional()
}

/// The run that an execution is a child of.
pub(crate) fn of_child(database: &Connection, execution: i64) -> rusqlite::Result<Option<MapRun>> {
    let sql = format!("{SELECT} WHERE number = (SELECT map_run FROM map_run_child WHERE execution = ?1)");
    database.prepare_cached(&sql)?.query_row([execution], map_run).optional()
}

/// The runs of an execution that were begun before `before`, the newest first.
pub(crate) fn of_parent(
    database: &Connection,
    execution: i64,
    before: i64,
    most: usize,
) -> rusqlite::Result<Vec<MapRun>> {
    let sql = format!("{SELECT} WHERE execution = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.prepare_cached(&sql)?.query_map(params![execution, before, most], map_run)?.collect()
}

/// The runs of an execution that go on.
pub(crate) fn running_of_parent(database: &Connection, execution: i64) -> rusqlite::Result<Vec<MapRun>> {
    let sql = format!("{SELECT} WHERE execution = ?1 AND status = 'RUNNING'");
    database.prepare_cached(&sql)?.query_map([execution], map_run)?.collect()
}

/// The runs that go on although their parent does not: the cloud ended between the one and the other.
pub(crate) fn orphans(database: &Connection) -> rusqlite::Result<Vec<MapRun>> {
    let sql = format!(
        "{SELECT} WHERE status = 'RUNNING' AND NOT EXISTS
         (SELECT 1 FROM execution WHERE execution.number = map_run.execution AND execution.status = 'RUNNING')"
    );
    database.prepare_cached(&sql)?.query_map([], map_run)?.collect()
}

/// Marks that every item has its child.
pub(crate) fn set_read(database: &Connection, number: i64) -> rusqlite::Result<()> {
    database.prepare_cached("UPDATE map_run SET is_read = 1 WHERE number = ?1")?.execute([number]).map(drop)
}

pub(crate) fn close(database: &Connection, number: i64, closed: &Closed) -> rusqlite::Result<()> {
    let sql = "UPDATE map_run SET status = ?2, stopped = ?3, outcome = ?4, results_written = ?5 WHERE number = ?1";
    let Closed { status, stopped, outcome, results_written } = closed;
    database.prepare_cached(sql)?.execute(params![number, status, stopped, outcome, signed(*results_written)]).map(drop)
}

/// Opens a closed run again for its redrive of that number; a redrive that was begun before stands.
pub(crate) fn reopen(database: &Connection, number: i64, redrives: u32, now: i64) -> rusqlite::Result<bool> {
    let sql = "UPDATE map_run SET status = 'RUNNING', stopped = NULL, outcome = NULL, redrives = ?2, redriven = ?3
               WHERE number = ?1 AND redrives < ?2";
    Ok(database.prepare_cached(sql)?.execute(params![number, redrives, now])? > 0)
}

/// Changes a running run; false when it does not run.
pub(crate) fn change(database: &Connection, number: i64, change: Change) -> rusqlite::Result<bool> {
    let sql = "UPDATE map_run SET max_concurrency = coalesce(?2, max_concurrency),
                   tolerated_count = coalesce(?3, tolerated_count),
                   tolerated_percentage = coalesce(?4, tolerated_percentage)
               WHERE number = ?1 AND status = 'RUNNING'";
    let Change { max_concurrency, tolerated_count, tolerated_percentage } = change;
    let parameters = params![number, max_concurrency.map(signed), tolerated_count.map(signed), tolerated_percentage];
    Ok(database.prepare_cached(sql)?.execute(parameters)? > 0)
}

/// The database counts with a sign; no count comes near that bound.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn map_run(row: &Row<'_>) -> rusqlite::Result<MapRun> {
    Ok(MapRun {
        number: row.get(0)?,
        arn: row.get(1)?,
        execution: row.get(2)?,
        machine_arn: row.get(3)?,
        location: row.get(4)?,
        express: row.get(5)?,
        status: row.get(6)?,
        is_read: row.get(7)?,
        started: row.get(8)?,
        stopped: row.get(9)?,
        max_concurrency: unsigned(row.get(10)?),
        tolerated_count: row.get::<_, Option<i64>>(11)?.map(unsigned),
        tolerated_percentage: row.get(12)?,
        results_written: unsigned(row.get(13)?),
        redrives: row.get(14)?,
        redriven: row.get(15)?,
        outcome: row.get(16)?,
    })
}
