//! Drives one execution while it is in memory: commits what the engine decided, then does it, then brings the engine
//! what came of it.
//!
//! The engine is told nothing that is not decided by its log, so everything here may be lost at any instant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use asl::map_run::MapRunOrder;
use asl::{Effect, Execution, Finish, LogEntry, Payload, Status, Step, Stimulus, TaskId, TimerId};
use jiff::Timestamp;

use super::States;
use super::call::Calls;
use super::executions::rows::{self, Closed, Row};
use super::load::{self, LoadError};
use super::map_runs::Order;
use super::scheduler::{Command, Commands, Left};
use crate::wire::ServiceError;

/// An execution that has nothing to do for longer than this leaves memory.
const LONG: Duration = Duration::from_secs(1);

/// How soon an execution is tried again that the database refused.
const AGAIN: Duration = Duration::from_secs(1);

/// Entries that wait for the next commit; more are committed by themselves, so memory stays bounded.
const MOST_UNCOMMITTED: usize = 256;

/// Brings the execution into memory and drives it until it is closed or has long to wait.
pub(super) async fn run(states: &States, number: i64, commands: &mut Commands) -> Left {
    match Box::pin(attempt(states, number, commands)).await {
        Ok(left) => left,
        Err(error) => {
            tracing::error!(%error, number, "an execution could not go on and is tried again");
            Left::Until(states.context().clock.now() + AGAIN)
        }
    }
}

async fn attempt(states: &States, number: i64, commands: &mut Commands) -> Result<Left, ServiceError> {
    let row = states.read(move |database| rows::by_number(database, number)).await?;
    let Some(row) = row.filter(|row| row.status == "RUNNING") else {
        // Whoever still wants to tell it something learns that it is closed.
        while commands.try_recv().is_ok() {}
        return Ok(Left::Closed);
    };
    match load::load(states, &row).await {
        Ok(loaded) => {
            let mut driver = Driver::new(states, number, loaded.execution);
            let Step { events, effects } = loaded.step;
            let is_new = events.first().is_some_and(|entry| entry.sequence == 0);
            driver.uncommitted.extend(events);
            // What was open is in the log already; what follows from the log may cancel some of it.
            driver.perform(loaded.open);
            if !is_new {
                states.abort_forgotten(number, &driver.map_runs.values().collect::<Vec<_>>()).await?;
            }
            driver.take(Step { events: Vec::new(), effects }).await?;
            driver.drive(commands).await
        }
        Err(LoadError::Database(error)) => Err(error),
        Err(LoadError::Log(why)) => give_up(states, row, why).await,
    }
}

/// An execution whose log cannot be read ends with that reason instead of being tried for ever.
async fn give_up(states: &States, row: Row, why: String) -> Result<Left, ServiceError> {
    tracing::error!(execution = row.arn, why, "an execution cannot be read and is given up");
    let closed = Closed {
        status: "FAILED",
        stopped: states.now(),
        output: None,
        error: Some("States.Runtime".to_owned()),
        cause: Some(format!("the execution cannot be read: {why}")),
    };
    states.append(row.number, Vec::new(), Some(closed)).await?;
    Ok(Left::Closed)
}

struct Driver<'a> {
    states: &'a States,
    number: i64,
    execution: Execution,
    uncommitted: Vec<LogEntry>,
    calls: Calls,
    timers: BTreeSet<(Timestamp, TimerId)>,
    /// The Map Runs that it waits for.
    map_runs: BTreeMap<TaskId, String>,
    closed: bool,
}

impl<'a> Driver<'a> {
    fn new(states: &'a States, number: i64, execution: Execution) -> Self {
        let (calls, timers) = (Calls::default(), BTreeSet::new());
        Self {
            states,
            number,
            execution,
            uncommitted: Vec::new(),
            calls,
            timers,
            map_runs: BTreeMap::new(),
            closed: false,
        }
    }

    async fn drive(mut self, commands: &mut Commands) -> Result<Left, ServiceError> {
        while !self.closed {
            if let Some(left) = self.has_long_to_wait(commands) {
                self.commit(None).await?;
                return Ok(left);
            }
            self.next(commands).await?;
        }
        Ok(Left::Closed)
    }

    /// Waits for whatever happens next, and takes it to the engine.
    async fn next(&mut self, commands: &mut Commands) -> Result<(), ServiceError> {
        let first = self.timers.first().copied();
        let wait = first.map_or(Duration::MAX, |(due, _)| until(due, self.states.context().clock.now()));
        tokio::select! {
            (task_id, answer) = self.calls.next() => {
                let stimulus = match answer {
                    Ok(output) => Stimulus::TaskSucceeded { task_id, output },
                    Err(failure) => Stimulus::TaskFailed { task_id, failure },
                };
                self.advance(stimulus).await
            }
            () = tokio::time::sleep(wait), if first.is_some() => match first {
                Some((due, timer_id)) => {
                    self.timers.remove(&(due, timer_id));
                    self.advance(Stimulus::TimerFired { timer_id }).await
                }
                None => Ok(()),
            },
            command = commands.recv() => self.obey(command).await,
        }
    }

    async fn obey(&mut self, command: Option<Command>) -> Result<(), ServiceError> {
        let (failure, done) = match command {
            Some(Command::Stop { failure, done }) => (failure, done),
            Some(Command::Tell(stimulus)) => return self.advance(*stimulus).await,
            None => return Ok(()),
        };
        self.advance(Stimulus::Stop { failure }).await?;
        // Whoever asked may be gone.
        let _ = done.send(self.states.now());
        Ok(())
    }

    async fn advance(&mut self, stimulus: Stimulus) -> Result<(), ServiceError> {
        let now = self.states.context().clock.now();
        let step = self.execution.advance(stimulus, now, &mut fastrand::f64);
        self.take(step).await
    }

    /// Commits a step if anything follows from it, and then does what follows.
    async fn take(&mut self, step: Step) -> Result<(), ServiceError> {
        let Step { events, effects } = step;
        self.uncommitted.extend(events);
        let finish = effects.iter().find_map(|effect| match effect {
            Effect::Finished(finish) => Some(finish.clone()),
            _ => None,
        });
        if !effects.is_empty() || self.uncommitted.len() > MOST_UNCOMMITTED {
            self.commit(finish).await?;
        }
        self.perform(effects);
        Ok(())
    }

    async fn commit(&mut self, finish: Option<Finish>) -> Result<(), ServiceError> {
        if self.uncommitted.is_empty() {
            return Ok(());
        }
        let (number, entries) = (self.number, std::mem::take(&mut self.uncommitted));
        let stopped = entries.last().map_or(0, |entry| entry.at.as_millisecond());
        let closed = finish.map(|finish| closed(finish, stopped));
        self.states.append(number, entries, closed).await
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::InvokeTask { task_id, resource, input, .. } => {
                    self.calls.begin(self.states, task_id, resource, input);
                    self.note_start(task_id);
                }
                Effect::SetTimer { timer_id, due } => drop(self.timers.insert((due, timer_id))),
                Effect::CancelTimer { timer_id } => {
                    self.timers.retain(|(_, other)| *other != timer_id);
                }
                Effect::RunMap { task_id, map_run_arn, order, items, redrive_count } => {
                    self.run_map(task_id, map_run_arn, order, items, redrive_count);
                }
                // The answer of a cancelled task is ignored by the engine when it comes.
                Effect::CancelTask { task_id } => {
                    if let Some(arn) = self.map_runs.remove(&task_id) {
                        self.states.cancel_map_run(&arn);
                    }
                }
                Effect::Finished(_) => self.closed = true,
            }
        }
    }

    /// The history says that the task was started. That need not be on disk before the task's end is.
    fn note_start(&mut self, task_id: TaskId) {
        let now = self.states.context().clock.now();
        let step = self.execution.advance(Stimulus::TaskStarted { task_id }, now, &mut fastrand::f64);
        self.uncommitted.extend(step.events);
    }

    fn run_map(
        &mut self,
        task_id: TaskId,
        map_run_arn: String,
        order: Arc<MapRunOrder>,
        items: Option<Payload>,
        redrive_count: u32,
    ) {
        if let Some(inputs) = self.execution.map_inputs(task_id) {
            self.map_runs.insert(task_id, map_run_arn.clone());
            let parent = self.number;
            let order = Order { parent, task_id, map_run_arn, order, items, redrive_count, inputs };
            self.states.begin_map_run(order);
        }
    }

    /// Whether nothing can happen for long, and what will be next.
    fn has_long_to_wait(&self, commands: &Commands) -> Option<Left> {
        if !self.calls.is_empty() || !commands.is_empty() {
            return None;
        }
        match self.timers.first() {
            Some((due, _)) => (until(*due, self.states.context().clock.now()) > LONG).then_some(Left::Until(*due)),
            None => (!self.map_runs.is_empty()).then_some(Left::Idle),
        }
    }
}

fn closed(finish: Finish, stopped: i64) -> Closed {
    let status = match finish.status {
        Status::Succeeded => "SUCCEEDED",
        Status::Aborted => "ABORTED",
        Status::TimedOut => "TIMED_OUT",
        Status::Failed | Status::Running => "FAILED",
    };
    let output = finish.output.map(|output| output.to_json());
    Closed { status, stopped, output, error: finish.failure.error, cause: finish.failure.cause }
}

/// How long it is until `due`; nothing when that has passed.
pub(super) fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or(Duration::ZERO)
}
