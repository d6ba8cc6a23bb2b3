//! Executions of Express machines: they run as others do, and are forgotten when they end.
//!
//! One that was started for itself goes on after a crash, so it runs at least once, as on AWS. One that somebody waits
//! for ends with the waiting: after a crash nobody is there to hear its answer, so it runs at most once.
//! What came of an Express execution stands in the program's log; there are no `CloudWatch` logs.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html>,
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::executions::log;
use super::executions::rows::{self, Kind, Row};
use super::executions::{self, START};
use super::request::{self, INCLUDED_DATA};
use super::{States, seconds};
use crate::wire::{Outcome, Reply, ServiceError};

/// How long an Express execution may take, in seconds.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
pub(super) const MOST_SECONDS: u64 = 300;

/// What the service bills: memory in steps of 64 MB, time in steps of 100 ms.
const BILLED_MEGABYTES: u64 = 64;
const BILLED_STEP_MS: i64 = 100;

/// Those who wait for the end of an execution.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    waiting: Mutex<HashMap<i64, oneshot::Sender<()>>>,
}

impl Waiters {
    fn enlist(&self, number: i64) -> oneshot::Receiver<()> {
        let (done, ended) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(number, done);
        ended
    }

    /// Whether somebody heard it.
    fn tell(&self, number: i64) -> bool {
        let waiter = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        waiter.is_some_and(|waiter| waiter.send(()).is_ok())
    }
}

pub(super) async fn start_sync(states: &States, body: Value) -> Outcome {
    request::check(&body, &[INCLUDED_DATA])?;
    let with_data = body["includedData"] != "METADATA_ONLY";
    let new = executions::new(states, request::read(body, &START)?, true)?;
    let begun = executions::begin(states, new).await?;
    let number = begun.row.number;
    let ended = states.inner.waiters.enlist(number);
    executions::set_off(states, begun);
    let told = tokio::select! {
        told = ended => told.is_ok(),
        () = states.inner.tasks.closing() => false,
    };
    if !told {
        return Err(ServiceError::internal("InternalFailure", "the local cloud shut down before the execution ended"));
    }
    let row = states.read(move |database| rows::by_number(database, number)).await?;
    forget(states, number);
    let row = row.ok_or_else(|| ServiceError::internal("InternalFailure", "the execution is gone"))?;
    Ok(Reply::plain(answer(row, with_data)))
}

fn answer(row: Row, with_data: bool) -> Value {
    let stopped = row.stopped.unwrap_or(row.started);
    let billed_ms = ((stopped - row.started).max(1) + BILLED_STEP_MS - 1) / BILLED_STEP_MS * BILLED_STEP_MS;
    let mut answer = json!({
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        "name": row.name,
        "startDate": seconds(row.started),
        "stopDate": seconds(stopped),
        // The service knows no other end of these.
        "status": if row.status == "ABORTED" { "FAILED" } else { &row.status },
        "billingDetails": {"billedMemoryUsedInMB": BILLED_MEGABYTES, "billedDurationInMilliseconds": billed_ms},
    });
    executions::insert(&mut answer, "traceHeader", row.trace_header.clone());
    if with_data {
        executions::insert_data(&mut answer, row);
    }
    answer
}

/// An execution has ended; what is told of it is on disk.
pub(super) fn ended(states: &States, row: &Row) {
    match row.kind {
        Kind::Standard => {}
        Kind::Sync if states.inner.waiters.tell(row.number) => {}
        Kind::Sync | Kind::Express => forget(states, row.number),
    }
}

/// Writes into the log how it ended, and takes it away.
fn forget(states: &States, number: i64) {
    let owned = states.clone();
    states.inner.tasks.spawn(async move {
        let gone = owned.write(move |database| {
            let row = rows::by_number(database, number)?;
            rows::remove(database, number).map(|()| row)
        });
        match gone.await {
            Ok(Some(Row { arn, status, error, .. })) => {
                tracing::info!(execution = arn, status, error, "an Express execution has ended");
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, number, "failed to take away an Express execution"),
        }
    });
}

/// Takes away what a crash left: Express executions that have ended, and those that somebody waited for.
pub(super) fn tidy(database: &Connection) -> rusqlite::Result<()> {
    let left = "SELECT number FROM execution WHERE kind = 'SYNC' OR (kind = 'EXPRESS' AND status <> 'RUNNING')";
    let left: Vec<i64> = database.prepare(left)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for number in left {
        log::remove(database, number)?;
        database.execute("DELETE FROM execution WHERE number = ?1", [number])?;
    }
    Ok(())
}
