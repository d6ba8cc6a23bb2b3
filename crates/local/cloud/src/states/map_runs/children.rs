//! The children of Map Runs in the database: executions that wait for their turn, run, and have ended.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::rows::{MapRun, signed, unsigned};
use crate::states::executions::log;

/// How long after its end a child may be redriven, in milliseconds.
const REDRIVABLE: i64 = 14 * 24 * 60 * 60 * 1000;

/// A child whose history is as long as this has no room left to be redriven.
const MOST_REDRIVABLE_EVENTS: i64 = 24_999;

/// A child to be made.
#[derive(Debug)]
pub(crate) struct NewChild {
    pub(crate) place: u64,
    pub(crate) items: u64,
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) input: String,
}

/// A child that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) number: i64,
    pub(crate) items: u64,
}

/// Children and their items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) executions: u64,
    pub(crate) items: u64,
}

/// How many children there are of each status, and how many items they have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    by_status: HashMap<String, Count>,
    /// Those that failed for good.
    pub(crate) not_redrivable: Count,
}

/// What is told of a child when the results are put together.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) place: i64,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) input: String,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) started: i64,
    pub(crate) stopped: Option<i64>,
    pub(crate) redrives: u32,
}

impl Counts {
    pub(crate) fn of(&self, status: &str) -> Count {
        self.by_status.get(status).copied().unwrap_or_default()
    }

    pub(crate) fn total(&self) -> Count {
        let sum = |one: Count, other: &Count| Count {
            executions: one.executions + other.executions,
            items: one.items + other.items,
        };
        self.by_status.values().fold(Count::default(), sum)
    }

    /// The items of children that ended without success.
    pub(crate) fn failed_items(&self) -> u64 {
        ["FAILED", "TIMED_OUT", "ABORTED"].iter().map(|status| self.of(status).items).sum()
    }

    /// A child went from one status to another.
    pub(crate) fn moved(&mut self, from: &str, to: &str, items: u64) {
        let left = self.by_status.entry(from.to_owned()).or_default();
        left.executions = left.executions.saturating_sub(1);
        left.items = left.items.saturating_sub(items);
        let joined = self.by_status.entry(to.to_owned()).or_default();
        joined.executions += 1;
        joined.items += items;
    }
}

/// Makes children that wait.
pub(crate) fn insert(
    database: &Connection,
    run: &MapRun,
    revision: i64,
    children: &[NewChild],
    now: i64,
) -> rusqlite::Result<()> {
    let mut execution = database.prepare_cached(
        "INSERT INTO execution (arn, machine_arn, revision, name, status, input, started)
         VALUES (?1, ?2, ?3, ?4, 'PENDING', ?5, ?6)",
    )?;
    let mut child = database
        .prepare_cached("INSERT INTO map_run_child (map_run, place, items, execution) VALUES (?1, ?2, ?3, ?4)")?;
    for new in children {
        execution.execute(params![new.arn, run.machine_arn, revision, new.name, new.input, now])?;
        let number = database.last_insert_rowid();
        child.execute(params![run.number, signed(new.place), signed(new.items), number])?;
    }
    Ok(())
}

/// Takes away the children that a broken-off reading left; none of them has begun.
pub(crate) fn forget(database: &Connection, run: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM execution WHERE number IN (SELECT execution FROM map_run_child WHERE map_run = ?1)";
    database.execute(sql, [run])?;
    database.execute("DELETE FROM map_run_child WHERE map_run = ?1", [run]).map(drop)
}

/// A child whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) place: i64,
    pub(crate) child: Child,
    /// `PENDING`, or `PENDING_REDRIVE`.
    pub(crate) status: &'static str,
}

/// Up to `most` children that wait at `place` or behind it, in the order of their items.
pub(crate) fn waiting(database: &Connection, run: i64, place: i64, most: usize) -> rusqlite::Result<Vec<Waiting>> {
    let sql =
        "SELECT place, execution, items, status = 'PENDING' FROM map_run_child JOIN execution ON number = execution
               WHERE map_run = ?1 AND place >= ?2 AND status IN ('PENDING', 'PENDING_REDRIVE') ORDER BY place LIMIT ?3";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let waiting = |row: &rusqlite::Row<'_>| {
        let child = Child { number: row.get(1)?, items: unsigned(row.get(2)?) };
        let status = if row.get(3)? { "PENDING" } else { "PENDING_REDRIVE" };
        Ok(Waiting { place: row.get(0)?, child, status })
    };
    database.prepare_cached(sql)?.query_map(params![run, place, most], waiting)?.collect()
}

/// Lets children go on.
pub(crate) fn start(database: &Connection, run: &MapRun, waiting: &[Waiting], now: i64) -> rusqlite::Result<()> {
    waiting.iter().try_for_each(|waiting| match waiting.status {
        "PENDING" => begin(database, waiting.child.number, now),
        _ => redrive(database, run, waiting.child.number, now),
    })
}

fn begin(database: &Connection, number: i64, now: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE execution SET status = 'RUNNING', started = ?2 WHERE number = ?1";
    database.prepare_cached(sql)?.execute(params![number, now]).map(drop)
}

/// A STANDARD child goes on from where it failed, an EXPRESS one begins anew, as on AWS.
fn redrive(database: &Connection, run: &MapRun, number: i64, now: i64) -> rusqlite::Result<()> {
    if run.express {
        log::remove(database, number)?;
    }
    let sql = "UPDATE execution SET status = 'RUNNING', stopped = NULL, output = NULL, error = NULL, cause = NULL,
               started = CASE WHEN ?3 THEN ?2 ELSE started END,
               redrives = CASE WHEN ?3 THEN 0 ELSE redrives + 1 END,
               redriven = CASE WHEN ?3 THEN NULL ELSE ?2 END WHERE number = ?1";
    database.prepare_cached(sql)?.execute(params![number, now, run.express]).map(drop)
}

/// Lets every child that failed, and can, wait for its redrive.
pub(crate) fn prepare_redrive(database: &Connection, run: i64, now: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE execution SET status = 'PENDING_REDRIVE'
               WHERE number IN (SELECT execution FROM map_run_child WHERE map_run = ?1)
               AND status IN ('FAILED', 'TIMED_OUT', 'ABORTED') AND stopped >= ?2
               AND coalesce((SELECT max(event_id) FROM execution_log
                         WHERE place BETWEEN number << ?4 AND (number << ?4) + (1 << ?4) - 1), 0) < ?3";
    database.execute(sql, params![run, now - REDRIVABLE, MOST_REDRIVABLE_EVENTS, log::SEQUENCE_BITS]).map(drop)
}

/// The children that run.
pub(crate) fn running(database: &Connection, run: i64) -> rusqlite::Result<Vec<Child>> {
    let sql = "SELECT execution, items FROM map_run_child JOIN execution ON number = execution
               WHERE map_run = ?1 AND status = 'RUNNING'";
    let child = |row: &rusqlite::Row<'_>| Ok(Child { number: row.get(0)?, items: unsigned(row.get(1)?) });
    database.prepare_cached(sql)?.query_map([run], child)?.collect()
}

pub(crate) fn counts(database: &Connection, run: i64, now: i64) -> rusqlite::Result<Counts> {
    let sql = "SELECT status, count(*), sum(items),
                   sum(status IN ('FAILED', 'TIMED_OUT', 'ABORTED') AND stopped < ?2),
                   sum(CASE WHEN status IN ('FAILED', 'TIMED_OUT', 'ABORTED') AND stopped < ?2 THEN items ELSE 0 END)
               FROM map_run_child JOIN execution ON number = execution WHERE map_run = ?1 GROUP BY status";
    let mut counts = Counts::default();
    let mut statement = database.prepare_cached(sql)?;
    let mut rows = statement.query(params![run, now - REDRIVABLE])?;
    while let Some(row) = rows.next()? {
        let count = |executions: usize, items: usize| -> rusqlite::Result<Count> {
            let number = |at: usize| row.get::<_, Option<i64>>(at).map(|number| unsigned(number.unwrap_or(0)));
            Ok(Count { executions: number(executions)?, items: number(items)? })
        };
        counts.by_status.insert(row.get(0)?, count(1, 2)?);
        let final_ones = count(3, 4)?;
        counts.not_redrivable.executions += final_ones.executions;
        counts.not_redrivable.items += final_ones.items;
    }
    Ok(counts)
}

/// Which children a list shows.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) run: i64,
    pub(crate) status: Option<String>,
    pub(crate) redriven: Option<bool>,
    pub(crate) before: i64,
}

/// Up to `most` children that have begun, the newest first.
pub(crate) fn listed(database: &Connection, listed: &Listed, most: usize) -> rusqlite::Result<Vec<Child>> {
    let sql = "SELECT execution, items FROM map_run_child JOIN execution ON number = execution
               WHERE map_run = ?1 AND status <> 'PENDING' AND (?2 IS NULL OR status = ?2)
               AND (?3 IS NULL OR (redrives > 0) = ?3) AND execution < ?4 ORDER BY execution DESC LIMIT ?5";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let parameters = params![listed.run, listed.status, listed.redriven, listed.before, most];
    let child = |row: &rusqlite::Row<'_>| Ok(Child { number: row.get(0)?, items: unsigned(row.get(1)?) });
    database.prepare_cached(sql)?.query_map(parameters, child)?.collect()
}

/// Up to `most` children of the statuses behind a place, in the order of their items.
pub(crate) fn results(
    database: &Connection,
    run: i64,
    statuses: &[&str],
    after: i64,
    most: usize,
) -> rusqlite::Result<Vec<Outcome>> {
    let listed = statuses.iter().map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT place, arn, name, status, input, output, error, cause, started, stopped, redrives
         FROM map_run_child JOIN execution ON number = execution
         WHERE map_run = ?1 AND place > ?2 AND status IN ({listed}) ORDER BY place LIMIT ?3"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.prepare_cached(&sql)?.query_map(params![run, after, most], outcome)?.collect()
}

fn outcome(row: &rusqlite::Row<'_>) -> rusqlite::Result<Outcome> {
    Ok(Outcome {
        place: row.get(0)?,
        arn: row.get(1)?,
        name: row.get(2)?,
        status: row.get(3)?,
        input: row.get(4)?,
        output: row.get(5)?,
        error: row.get(6)?,
        cause: row.get(7)?,
        started: row.get(8)?,
        stopped: row.get(9)?,
        redrives: row.get(10)?,
    })
}
