//! Map Runs: what a distributed Map starts, beside the execution that asked for it.
//!
//! A run reads its items, makes a waiting child execution for each item or batch, lets as many go on as it may, counts
//! how they end, writes the results, and tells its parent. Children are driven like any other execution. Everything
//! that a run decides stands in the database first, so a restart goes on where it was: a child that has ended is not
//! run again. A parent that waits for its runs takes no memory.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-asl-use-map-state-distributed.html>

pub(super) mod api;
pub(super) mod children;
mod items;
pub(super) mod list;
mod reader;
mod results;
pub(super) mod rows;
mod run;
mod s3;
pub(super) mod schema;
mod writer;

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use asl::map_run::MapRunOrder;
use asl::{MapInputs, Payload, TaskId};
use tokio::sync::mpsc;

use super::States;
use super::executions::rows as executions;
use super::executions::rows::Row;
use crate::wire::ServiceError;
use run::Run;

/// The runs that go on, and their children that run.
#[derive(Debug, Default)]
pub(super) struct MapRuns {
    runs: HashMap<String, Entry>,
    children: HashMap<i64, mpsc::UnboundedSender<Heard>>,
}

#[derive(Debug)]
struct Entry {
    sender: mpsc::UnboundedSender<Heard>,
    /// The parent asked again meanwhile: it was redriven, or came back into memory.
    next: Option<Box<Order>>,
}

/// What a parent asks for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) parent: i64,
    pub(super) task_id: TaskId,
    pub(super) map_run_arn: String,
    pub(super) order: Arc<MapRunOrder>,
    pub(super) items: Option<Payload>,
    pub(super) redrive_count: u32,
    pub(super) inputs: MapInputs,
}

/// What a run is told while it goes on.
#[derive(Debug, Clone, Copy)]
enum Heard {
    /// A child ended with that status.
    Ended { child: i64, status: &'static str },
    /// A user changed its bounds.
    Updated,
    /// The parent no longer wants it.
    Cancelled,
}

/// What loading a child needs to know of its run.
#[derive(Debug, Clone)]
pub(super) struct ChildOf {
    pub(super) location: String,
    pub(super) express: bool,
}

impl States {
    /// Begins a run, or goes on with one that was begun before.
    pub(super) fn begin_map_run(&self, order: Order) {
        let mut map_runs = self.map_runs();
        if let Some(entry) = map_runs.runs.get_mut(&order.map_run_arn) {
            entry.next = Some(Box::new(order));
            return;
        }
        let (sender, heard) = mpsc::unbounded_channel();
        map_runs.runs.insert(order.map_run_arn.clone(), Entry { sender: sender.clone(), next: None });
        let states = self.clone();
        self.inner.tasks.spawn(async move { states.drive_map_run(order, sender, heard).await });
    }

    async fn drive_map_run(
        &self,
        mut order: Order,
        sender: mpsc::UnboundedSender<Heard>,
        mut heard: mpsc::UnboundedReceiver<Heard>,
    ) {
        loop {
            let arn = order.map_run_arn.clone();
            Run::drive(self, order, &sender, &mut heard).await;
            let mut map_runs = self.map_runs();
            match map_runs.runs.get_mut(&arn).and_then(|entry| entry.next.take()) {
                Some(next) => order = *next,
                None => return drop(map_runs.runs.remove(&arn)),
            }
        }
    }

    /// The parent no longer wants the run: it was stopped, or failed elsewhere.
    pub(super) fn cancel_map_run(&self, arn: &str) {
        self.tell_map_run(arn, Heard::Cancelled);
    }

    fn tell_map_run(&self, arn: &str, heard: Heard) {
        let mut map_runs = self.map_runs();
        if let Some(entry) = map_runs.runs.get_mut(arn) {
            if matches!(heard, Heard::Cancelled) {
                entry.next = None;
            }
            // A run that has just ended has nobody left to hear.
            let _ = entry.sender.send(heard);
        }
    }

    /// An execution has ended; if it is a child, its run hears of it.
    pub(super) fn execution_closed(&self, number: i64, status: &'static str) {
        if let Some(run) = self.map_runs().children.remove(&number) {
            let _ = run.send(Heard::Ended { child: number, status });
        }
    }

    /// Ends the runs whose parents ended with the last cloud.
    pub(super) async fn abort_orphans(&self) -> Result<(), ServiceError> {
        for orphan in self.read(rows::orphans).await? {
            run::abort(self, &orphan).await?;
        }
        Ok(())
    }

    /// Ends the runs of an execution that it does not wait for any more: the cloud ended before they had heard.
    pub(super) async fn abort_forgotten(&self, parent: i64, wanted: &[&String]) -> Result<(), ServiceError> {
        for run in self.read(move |database| rows::running_of_parent(database, parent)).await? {
            let goes_on = wanted.contains(&&run.arn) || self.map_runs().runs.contains_key(&run.arn);
            if !goes_on {
                run::abort(self, &run).await?;
            }
        }
        Ok(())
    }

    /// What an execution is a child of, if it is one.
    pub(super) async fn child_of(&self, row: &Row) -> Result<Option<ChildOf>, ServiceError> {
        let run = self.run_of(row).await?;
        Ok(run.map(|run| ChildOf { location: run.location, express: run.express }))
    }

    /// The run that an execution is a child of.
    async fn run_of(&self, row: &Row) -> Result<Option<rows::MapRun>, ServiceError> {
        if !is_child(row) {
            return Ok(None);
        }
        let number = row.number;
        self.read(move |database| rows::of_child(database, number)).await
    }

    fn map_runs(&self) -> MutexGuard<'_, MapRuns> {
        self.inner.map_runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an execution is a child: no other state machine has a slash in its ARN.
pub(super) fn is_child(row: &Row) -> bool {
    row.machine_arn.contains('/')
}

/// The row of a run's parent.
async fn parent(states: &States, number: i64) -> Result<Option<Row>, ServiceError> {
    states.read(move |database| executions::by_number(database, number)).await
}
