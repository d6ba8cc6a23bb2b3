//! Running queries: a few at once, each within its limits, each until it has ended, was stopped or broke off.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecutionStatus.html>

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use futures::future::{AbortHandle, AbortRegistration};
use lakehouse::{Error, Meter, Session};
use tokio::sync::watch;

use super::output::Written;
use super::rows::{self, Column, Outcome, Request};
use super::{Active, Athena, output};
use crate::lake::DEFAULT_DATABASE;
use crate::tasks::Hold;
use crate::wire::ServiceError;

/// What a query says that was running when its cloud ended.
const CUT_OFF: &str = "the local cloud ended while the statement ran. What it had not committed by then did not take \
                       effect; look at the table before running the statement again";

/// What Athena says of a query that would read more than its workgroup allows.
const OVER_LIMIT: &str = "Query cancelled! : Bytes scanned limit was exceeded";

/// How a query ended.
#[derive(Debug)]
struct End {
    state: &'static str,
    outcome: Outcome,
}

/// Goes on with what was open: reads and what had not begun are run, other statements have failed.
pub(super) async fn resume(athena: &Athena) -> Result<usize, ServiceError> {
    let open = athena.read(rows::open).await?;
    let count = open.len();
    for row in open {
        if row.started_ms.is_none() || row.request.is_read {
            spawn(athena, row.id, row.request);
            continue;
        }
        let outcome = Outcome { reason: Some(CUT_OFF.to_owned()), is_users: Some(false), ..row.outcome };
        let now = athena.now();
        athena.write(move |database| rows::end(database, &row.id, "FAILED", &outcome, now)).await?;
    }
    Ok(count)
}

/// Runs a query as soon as it is its turn.
pub(super) fn spawn(athena: &Athena, id: String, request: Request) {
    let (stop, stopped) = watch::channel(false);
    let (abort, registration) = AbortHandle::new_pair();
    let active = Active { stop, abort, ended: watch::Sender::new(false) };
    athena.active().insert(id.clone(), active);
    let query = Query { athena: athena.clone(), id, request };
    athena.inner.tasks.spawn(query.run(stopped, registration));
}

/// Stops a query; resolves once its end is on disk. One that has ended stays as it is.
pub(super) async fn stop(athena: &Athena, id: &str) {
    let ended = {
        let active = athena.active();
        let Some(query) = active.get(id) else { return };
        query.stop.send_replace(true);
        query.ended.subscribe()
    };
    wait(ended).await;
}

/// The sender is dropped right after it has told the end, so an error is an end as well.
async fn wait(mut ended: watch::Receiver<bool>) {
    let _ = ended.wait_for(|ended| *ended).await;
}

impl Athena {
    /// Resolves once a query has ended, or if it is none that is under way.
    pub(crate) async fn ended(&self, id: &str) {
        let ended = self.active().get(id).map(|query| query.ended.subscribe());
        if let Some(ended) = ended {
            wait(ended).await;
        }
    }

    /// Stops a query, if it is under way.
    pub(crate) async fn stop(&self, id: &str) {
        stop(self, id).await;
    }
}

struct Query {
    athena: Athena,
    id: String,
    request: Request,
}

impl Query {
    async fn run(self, mut stopped: watch::Receiver<bool>, registration: AbortRegistration) {
        let meter = Meter::limited(self.request.most_bytes.unwrap_or(u64::MAX));
        let end = {
            let work = AssertUnwindSafe(self.work(meter.clone(), registration)).catch_unwind();
            tokio::select! {
                ended = work => ended.unwrap_or_else(|_| failed("the query broke off; the log says why".to_owned(), false)),
                _ = stopped.wait_for(|stopped| *stopped) => self.cancelled(),
            }
        };
        let end = Self::judged(end, &meter);
        self.finish(end).await;
    }

    fn cancelled(&self) -> End {
        if let Some(active) = self.athena.active().get(&self.id) {
            active.abort.abort();
        }
        let reason = Some("Query was cancelled by user".to_owned());
        End { state: "CANCELLED", outcome: Outcome { reason, ..Outcome::default() } }
    }

    /// What was read counts in any case; whoever was to read more was stopped for that.
    fn judged(mut end: End, meter: &Meter) -> End {
        end.outcome.scanned_bytes = meter.bytes();
        if end.state == "FAILED" && meter.is_exceeded() {
            end.state = "CANCELLED";
            end.outcome.reason = Some(OVER_LIMIT.to_owned());
        }
        end
    }

    async fn work(&self, meter: Meter, stop: AbortRegistration) -> End {
        // The semaphore is never closed; without a turn the query would only be early.
        let _turn = self.athena.inner.turns.acquire().await;
        let (id, now) = (self.id.clone(), self.athena.now());
        if let Err(error) = self.athena.write(move |database| rows::begin(database, &id, now)).await {
            return failed(error.to_string(), false);
        }
        let database = self.request.database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        let hold: Hold = self.athena.inner.tasks.hold();
        let session = Session { database, meter, stop: Some(stop), keep: Some(Box::new(hold)) };
        let (request, store) = (self.request.clone(), self.athena.inner.context.store.clone());
        let (clock, region) = (self.athena.inner.context.clock.clone(), self.athena.inner.context.region.clone());
        let worked = self.athena.inner.lake.with(move |lakehouse| async move {
            let begun = clock.now();
            let answer = lakehouse.execute_in(session, &request.statement).await?;
            let planning_ms = clock.now().as_millisecond() - begun.as_millisecond();
            output::write(&store, &region, &request, answer).await.map(|written| (written, planning_ms))
        });
        match worked.await {
            Ok(Ok((written, planning_ms))) => succeeded(written, planning_ms),
            Ok(Err(error)) => {
                let is_users = !matches!(error, Error::Broken(_) | Error::Store { .. } | Error::Damaged { .. });
                failed(error.chain(), is_users)
            }
            Err(error) => failed(error.message, false),
        }
    }

    async fn finish(self, end: End) {
        let (id, now) = (self.id.clone(), self.athena.now());
        let End { state, outcome } = end;
        tracing::debug!(query = id, state, "a query has ended");
        let written = self.athena.write(move |database| rows::end(database, &id, state, &outcome, now)).await;
        if let Err(error) = written {
            tracing::error!(%error, query = self.id, "the end of a query could not be written down");
        }
        if let Some(active) = self.athena.active().remove(&self.id) {
            active.ended.send_replace(true);
        }
    }
}

fn failed(reason: String, is_users: bool) -> End {
    let (reason, is_users) = (Some(reason), Some(is_users));
    End { state: "FAILED", outcome: Outcome { reason, is_users, ..Outcome::default() } }
}

fn succeeded(written: Written, planning_ms: i64) -> End {
    let column = |column: lakehouse::ResultColumn| {
        let lakehouse::ResultColumn { name, type_name, precision, scale } = column;
        Column { name, type_name, precision, scale }
    };
    let outcome = Outcome {
        columns: written.columns.into_iter().map(column).collect(),
        changed_rows: written.changed_rows,
        planning_ms,
        output_rows: written.rows,
        output_bytes: written.bytes,
        manifest: written.manifest,
        ..Outcome::default()
    };
    End { state: "SUCCEEDED", outcome }
}
