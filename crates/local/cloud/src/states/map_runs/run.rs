//! One Map Run: read, run the children, put the results together, tell the parent.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-examine-map-run.html>

use std::collections::HashMap;
use std::time::Duration;

use asl::map_run::{ExecutionType, MapRunOrder};
use asl::{Failure, Payload, Stimulus};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::children::{self, Counts, Waiting};
use super::rows::{self, Closed, MapRun, New};
use super::{Heard, Order, items, parent, results, writer};
use crate::states::States;
use crate::states::executions::rows::Row;
use crate::states::scheduler::Command;
use crate::wire::ServiceError;

/// Children of one run at once, however many it asks for: more would only wait for the same processors.
const MOST_RUNNING: usize = 256;

/// How soon a run is tried again that the database refused.
const AGAIN: Duration = Duration::from_secs(1);

/// Why a run stops before its end.
pub(super) enum Stopped {
    /// The items or the results are beyond reach; no child would help.
    Failed(Failure),
    /// The parent no longer wants it.
    Cancelled,
    /// The database refused; the run is tried again.
    Broken(ServiceError),
}

impl From<ServiceError> for Stopped {
    fn from(error: ServiceError) -> Self {
        Self::Broken(error)
    }
}

pub(super) struct Run<'a> {
    pub(super) states: &'a States,
    pub(super) order: &'a Order,
    pub(super) row: MapRun,
    /// The parent as it was begun; the children use its revision of the definition.
    pub(super) parent: Row,
    pub(super) heard: &'a mut mpsc::UnboundedReceiver<Heard>,
    sender: &'a mpsc::UnboundedSender<Heard>,
    counts: Counts,
    /// The children that run, and how many items each has.
    running: HashMap<i64, u64>,
}

/// How the children ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Children {
    AllEnded,
    TooManyFailed,
}

impl<'a> Run<'a> {
    /// Drives a run until it is closed or no longer wanted.
    pub(super) async fn drive(
        states: &'a States,
        order: Order,
        sender: &mpsc::UnboundedSender<Heard>,
        heard: &mut mpsc::UnboundedReceiver<Heard>,
    ) {
        loop {
            match Run::attempt(states, &order, sender, heard).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(%error, run = order.map_run_arn, "a Map Run could not go on and is tried again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn attempt(
        states: &States,
        order: &Order,
        sender: &mpsc::UnboundedSender<Heard>,
        heard: &mut mpsc::UnboundedReceiver<Heard>,
    ) -> Result<(), ServiceError> {
        let Some(parent) = parent(states, order.parent).await? else {
            return Ok(());
        };
        let row = begin(states, order, &parent).await?;
        if row.status != "RUNNING" {
            // The cloud ended before the parent had heard.
            return tell_outcome(states, order, row.outcome.as_deref());
        }
        let (counts, running) = (Counts::default(), HashMap::new());
        let mut run = Run { states, order, row, parent, heard, sender, counts, running };
        match run.go().await {
            Ok(()) => Ok(()),
            Err(Stopped::Broken(error)) => Err(error),
            Err(Stopped::Cancelled) => abort(states, &run.row).await,
            Err(Stopped::Failed(failure)) => {
                let redrivable = run.row.is_read;
                run.close("FAILED", &json!({ "failure": failure, "redrivable": redrivable }), 0).await
            }
        }
    }

    async fn go(&mut self) -> Result<(), Stopped> {
        if let Some(writer) = &self.order.order.writer {
            writer::check(self.states, writer).await?;
        }
        if !self.row.is_read {
            items::read(self).await?;
            self.row.is_read = true;
        }
        let ended = self.run_children().await?;
        if ended == Children::TooManyFailed {
            self.stop_children().await?;
        }
        self.finish(ended).await
    }

    /// Lets children go on as there is room, until none is left or too many have failed.
    async fn run_children(&mut self) -> Result<Children, Stopped> {
        self.adopt_running().await?;
        let mut place = 0;
        loop {
            if self.exceeds_tolerance() {
                return Ok(Children::TooManyFailed);
            }
            let room = self.room();
            if room > 0 {
                place = self.start_children(place, room).await?;
            }
            if self.running.is_empty() {
                return Ok(Children::AllEnded);
            }
            self.hear().await?;
        }
    }

    /// Children that ran when the cloud last ended go on by themselves; what became of them is told, or in the
    /// database already.
    async fn adopt_running(&mut self) -> Result<(), ServiceError> {
        let (number, now) = (self.row.number, self.states.now());
        let maybe = self.states.read(move |database| children::running(database, number)).await?;
        self.register(maybe.iter().map(|child| child.number));
        let (running, counts) = self
            .states
            .read(move |database| Ok((children::running(database, number)?, children::counts(database, number, now)?)))
            .await?;
        self.running = running.iter().map(|child| (child.number, child.items)).collect();
        self.counts = counts;
        for child in self.running.keys() {
            self.states.wake(*child);
        }
        Ok(())
    }

    fn register(&self, children: impl Iterator<Item = i64>) {
        let mut map_runs = self.states.map_runs();
        map_runs.children.extend(children.map(|child| (child, self.sender.clone())));
    }

    fn room(&self) -> usize {
        let asked = usize::try_from(self.row.max_concurrency).ok().filter(|asked| (1..MOST_RUNNING).contains(asked));
        asked.unwrap_or(MOST_RUNNING).saturating_sub(self.running.len())
    }

    /// Lets children go on that wait at a place or behind it; gives the place behind the last one. Their run hears of
    /// them from before they can end.
    async fn start_children(&mut self, place: i64, room: usize) -> Result<i64, ServiceError> {
        let (run, now) = (self.row.clone(), self.states.now());
        let waiting = self.states.read(move |database| children::waiting(database, run.number, place, room)).await?;
        let Some(last) = waiting.last().map(|waiting| waiting.place) else {
            return Ok(place);
        };
        self.register(waiting.iter().map(|waiting| waiting.child.number));
        let (run, started) = (self.row.clone(), waiting.clone());
        self.states.write(move |database| children::start(database, &run, &started, now)).await?;
        for Waiting { child, status, .. } in waiting {
            self.counts.moved(status, "RUNNING", child.items);
            self.running.insert(child.number, child.items);
            self.states.wake(child.number);
        }
        Ok(last + 1)
    }

    /// Waits until something is told, and takes in all that was.
    async fn hear(&mut self) -> Result<(), Stopped> {
        let mut next = self.heard.recv().await;
        while let Some(heard) = next {
            match heard {
                Heard::Cancelled => return Err(Stopped::Cancelled),
                Heard::Updated => self.reload().await?,
                Heard::Ended { child, status } => self.child_ended(child, status),
            }
            next = self.heard.try_recv().ok();
        }
        Ok(())
    }

    fn child_ended(&mut self, child: i64, status: &'static str) {
        // One that was adopted may be told of twice.
        if let Some(items) = self.running.remove(&child) {
            self.counts.moved("RUNNING", status, items);
        }
    }

    /// A user changed the bounds.
    async fn reload(&mut self) -> Result<(), ServiceError> {
        let arn = self.row.arn.clone();
        if let Some(row) = self.states.read(move |database| rows::by_arn(database, &arn)).await? {
            self.row = MapRun { is_read: self.row.is_read, ..row };
        }
        Ok(())
    }

    fn exceeds_tolerance(&self) -> bool {
        let (failed, total) = (self.counts.failed_items(), self.counts.total().items);
        MapRunOrder::exceeds_tolerance(self.row.tolerated_count, self.row.tolerated_percentage, failed, total)
    }

    async fn stop_children(&mut self) -> Result<(), ServiceError> {
        for child in std::mem::take(&mut self.running).into_keys() {
            self.states.stop(child, None, None).await?;
        }
        Ok(())
    }

    /// Puts the results together, closes the run, and tells the parent.
    async fn finish(&mut self, ended: Children) -> Result<(), Stopped> {
        let exported = match self.order.order.writer.as_ref().filter(|writer| writer.parameters.is_some()) {
            Some(writer) => Some(writer::write(self, writer).await?),
            None => None,
        };
        let written = exported.as_ref().map_or(0, |exported| exported.results);
        if ended == Children::TooManyFailed {
            let failure = Failure::new(
                "States.ExceedToleratedFailureThreshold",
                "The specified tolerated failure threshold was exceeded",
            );
            let outcome = json!({ "failure": failure, "redrivable": true });
            return Ok(self.close("FAILED", &outcome, written).await?);
        }
        let output = match exported {
            Some(exported) => exported.details,
            None => results::collect(self).await?,
        };
        Ok(self.close("SUCCEEDED", &json!({ "output": output }), written).await?)
    }

    async fn close(&self, status: &'static str, outcome: &Value, written: u64) -> Result<(), ServiceError> {
        let (number, outcome) = (self.row.number, outcome.to_string());
        let closed =
            Closed { status, stopped: self.states.now(), outcome: Some(outcome.clone()), results_written: written };
        self.states.write(move |database| rows::close(database, number, &closed)).await?;
        tell_outcome(self.states, self.order, Some(&outcome))
    }
}

/// Finds the run or makes it; a redrive opens it again.
async fn begin(states: &States, order: &Order, parent: &Row) -> Result<MapRun, ServiceError> {
    let (now, redrives) = (states.now(), order.redrive_count);
    let machine_arn = parent.machine_arn.split('/').next().unwrap_or_default();
    let new = New {
        arn: order.map_run_arn.clone(),
        execution: order.parent,
        machine_arn: format!("{machine_arn}/{}", order.order.label),
        location: order.order.location.clone(),
        express: order.order.execution_type == ExecutionType::Express,
        started: now,
        max_concurrency: order.order.max_concurrency,
        tolerated_count: order.order.tolerated_failure_count,
        tolerated_percentage: order.order.tolerated_failure_percentage,
    };
    let work = move |database: &rusqlite::Transaction<'_>| {
        let found = rows::insert_or_find(database, &new)?;
        if found.redrives >= redrives || !rows::reopen(database, found.number, redrives, now)? {
            return Ok(found);
        }
        children::prepare_redrive(database, found.number, now)?;
        rows::insert_or_find(database, &new)
    };
    states.write(work).await
}

/// Closes a run that is no longer wanted, and stops its children.
pub(super) async fn abort(states: &States, row: &MapRun) -> Result<(), ServiceError> {
    let (number, stopped) = (row.number, states.now());
    let closed = Closed { status: "ABORTED", stopped, outcome: None, results_written: 0 };
    let running = states
        .write(move |database| {
            rows::close(database, number, &closed)?;
            children::running(database, number)
        })
        .await?;
    for child in running {
        states.map_runs().children.remove(&child.number);
        states.stop(child.number, None, None).await?;
    }
    Ok(())
}

fn tell_outcome(states: &States, order: &Order, outcome: Option<&str>) -> Result<(), ServiceError> {
    let Some(outcome) = outcome else {
        return Ok(());
    };
    let broken = |error: serde_json::Error| ServiceError::internal("InternalFailure", error.to_string());
    let outcome: Value = serde_json::from_str(outcome).map_err(broken)?;
    let task_id = order.task_id;
    let stimulus = match outcome.get("output") {
        Some(output) => Stimulus::MapRunSucceeded { task_id, output: Payload::from(output.clone()) },
        None => Stimulus::MapRunFailed {
            task_id,
            failure: serde_json::from_value(outcome["failure"].clone()).map_err(broken)?,
            redrivable: outcome["redrivable"].as_bool().unwrap_or(false),
        },
    };
    states.command(order.parent, Command::Tell(Box::new(stimulus)));
    Ok(())
}
