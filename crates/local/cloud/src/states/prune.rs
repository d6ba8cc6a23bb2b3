//! Forgets closed executions by age and by count; open ones never.
//!
//! AWS forgets an execution 90 days after its end, and its name is free again then. Here both bounds are the user's.
//! An execution goes in small pieces, so that nothing waits long for the database behind it.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::States;
use super::executions::log;
use crate::wire::ServiceError;

/// How often it is looked for what may go.
const PAUSE: Duration = Duration::from_mins(1);

/// Executions that are looked at in one go, and rows of a log that go in one transaction.
const BATCH: usize = 64;
const BATCH_ROWS: i64 = 64;

/// How long AWS keeps a closed execution.
const USUAL_DAYS: u32 = 90;

const DAY_MS: i64 = 86_400_000;

/// Which closed executions are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// For how many days after their end.
    pub days: u32,
    /// How many, the newest.
    pub most: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: USUAL_DAYS, most: None }
    }
}

/// Prunes now and again until it is dropped.
pub(super) async fn run(states: States) {
    loop {
        if let Err(error) = prune(&states).await {
            tracing::warn!(%error, "failed to forget old executions");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Forgets what may go; gives back how many executions that were.
pub(super) async fn prune(states: &States) -> Result<usize, ServiceError> {
    let (retention, now) = (states.inner.retention, states.now());
    let mut pruned = 0;
    loop {
        let due = states.read(move |database| due(database, retention, now)).await?;
        if due.is_empty() {
            break;
        }
        for number in due {
            while !states.write(move |database| remove_piece(database, number)).await? {}
            pruned += 1;
        }
    }
    if pruned > 0 {
        states.write(|database| remove_revisions(database)).await?;
        tracing::debug!(pruned, "old executions are forgotten");
    }
    Ok(pruned)
}

/// Some of the executions that may go, the oldest first. Children of Map Runs go with their parents, and a parent waits
/// until its runs have ended.
fn due(database: &Connection, retention: Retention, now: i64) -> rusqlite::Result<Vec<i64>> {
    let aged = now - i64::from(retention.days) * DAY_MS;
    let (stopped, number) = last_beyond(database, retention)?.unwrap_or((i64::MIN, i64::MIN));
    let sql = "SELECT number FROM execution
               WHERE stopped IS NOT NULL AND (stopped < ?1 OR (stopped, number) <= (?2, ?3)) AND instr(machine_arn, '/') = 0
               AND NOT EXISTS (SELECT 1 FROM map_run WHERE map_run.execution = execution.number AND map_run.status = 'RUNNING')
               ORDER BY stopped, number LIMIT ?4";
    let parameters = params![aged, stopped, number, i64::try_from(BATCH).unwrap_or(i64::MAX)];
    database.prepare_cached(sql)?.query_map(parameters, |row| row.get(0))?.collect()
}

/// The newest of those that are too many.
fn last_beyond(database: &Connection, retention: Retention) -> rusqlite::Result<Option<(i64, i64)>> {
    let Some(most) = retention.most else { return Ok(None) };
    let sql = "SELECT stopped, number FROM execution WHERE stopped IS NOT NULL AND instr(machine_arn, '/') = 0
               ORDER BY stopped DESC, number DESC LIMIT 1 OFFSET ?1";
    database.prepare_cached(sql)?.query_row([most], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Takes away a closed execution, whole.
pub(super) fn remove(database: &Connection, number: i64) -> rusqlite::Result<()> {
    while !remove_piece(database, number)? {}
    Ok(())
}

/// Takes away a piece of a closed execution; whether all of it is gone. One that was opened again meanwhile stays.
fn remove_piece(database: &Connection, number: i64) -> rusqlite::Result<bool> {
    let closed = "SELECT stopped IS NOT NULL AND status <> 'RUNNING' FROM execution WHERE number = ?1";
    if !database.query_row(closed, [number], |row| row.get(0)).optional()?.unwrap_or(false) {
        return Ok(true);
    }
    let children = children(database, number)?;
    for child in &children {
        if !remove_rows(database, *child)? {
            return Ok(false);
        }
        database.prepare_cached("DELETE FROM map_run_child WHERE execution = ?1")?.execute([child])?;
        database.prepare_cached("DELETE FROM execution WHERE number = ?1")?.execute([child])?;
    }
    if !children.is_empty() || !remove_rows(database, number)? {
        return Ok(false);
    }
    database.prepare_cached("DELETE FROM map_run WHERE execution = ?1")?.execute([number])?;
    database.prepare_cached("DELETE FROM execution WHERE number = ?1")?.execute([number])?;
    Ok(true)
}

/// Some children of the Map Runs of an execution.
fn children(database: &Connection, number: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT map_run_child.execution FROM map_run JOIN map_run_child ON map_run_child.map_run = map_run.number
               WHERE map_run.execution = ?1 LIMIT ?2";
    let parameters = params![number, i64::try_from(BATCH).unwrap_or(i64::MAX)];
    database.prepare_cached(sql)?.query_map(parameters, |row| row.get(0))?.collect()
}

/// Takes away some of the log of an execution, from its end; whether nothing is left of it.
fn remove_rows(database: &Connection, number: i64) -> rusqlite::Result<bool> {
    let removed = log::remove_last(database, number, BATCH_ROWS)?;
    Ok(i64::try_from(removed).unwrap_or(i64::MAX) < BATCH_ROWS)
}

/// Takes away the revisions that nothing refers to any more.
fn remove_revisions(database: &Connection) -> rusqlite::Result<()> {
    database.execute(
        "DELETE FROM state_machine_revision WHERE number NOT IN (SELECT revision FROM state_machine)
         AND number NOT IN (SELECT revision FROM state_machine_version)
         AND number NOT IN (SELECT revision FROM execution)",
        [],
    )?;
    Ok(())
}
