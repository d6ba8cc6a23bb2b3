//! Drives one execution while it is in memory: commits what the engine decided, then does it, then brings the engine
//! what came of it.
//!
//! The engine is told nothing that is not decided by its log, so everything here may be lost at any instant.

use std::collections::BTreeSet;
use std::time::Duration;

use asl::{Effect, Execution, Failure, Finish, LogEntry, Status, Step, Stimulus, TaskId, TimerId};
use jiff::Timestamp;

use super::States;
use super::call::Calls;
use super::executions::rows::{self, Closed, Row};
use super::load::{self, LoadError};
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
            let mut driver = Driver::new(states, &row, loaded.execution);
            let Step { events, effects } = loaded.step;
            driver.uncommitted.extend(events);
            // What was open is in the log already; what follows from the log may cancel some of it.
            driver.perform(loaded.open);
            driver.take(Step { events: Vec::new(), effects }).await?;
            let left = driver.drive(commands).await?;
            if left == Left::Closed {
                states.ended(&row);
            }
            Ok(left)
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
    let number = row.number;
    states.write(move |database| rows::append(database, number, &[], Some(&closed))).await?;
    states.ended(&row);
    Ok(Left::Closed)
}

struct Driver<'a> {
    states: &'a States,
    number: i64,
    machine_arn: &'a str,
    execution: Execution,
    uncommitted: Vec<LogEntry>,
    calls: Calls,
    timers: BTreeSet<(Timestamp, TimerId)>,
    closed: bool,
}

impl<'a> Driver<'a> {
    fn new(states: &'a States, row: &'a Row, execution: Execution) -> Self {
        let (calls, timers) = (Calls::default(), BTreeSet::new());
        let (number, machine_arn) = (row.number, row.machine_arn.as_str());
        Self { states, number, machine_arn, execution, uncommitted: Vec::new(), calls, timers, closed: false }
    }

    async fn drive(mut self, commands: &mut Commands) -> Result<Left, ServiceError> {
        while !self.closed {
            if let Some(due) = self.has_long_to_wait(commands) {
                self.commit(None).await?;
                return Ok(Left::Until(due));
            }
            self.next(commands).await?;
        }
        Ok(Left::Closed)
    }

    /// Waits for whatever happens next, and takes it to the engine.
    async fn next(&mut self, commands: &mut Commands) -> Result<(), ServiceError> {
        let first = self.timers.first().copied();
        let clock = &self.states.context().clock;
        let due = first.map_or(Timestamp::MAX, |(due, _)| due);
        tokio::select! {
            (task_id, answer) = self.calls.next() => {
                let stimulus = match answer {
                    Ok(output) => Stimulus::TaskSucceeded { task_id, output },
                    Err(failure) => Stimulus::TaskFailed { task_id, failure },
                };
                self.advance(stimulus).await
            }
            () = clock.sleep_until(due), if first.is_some() => match first {
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
        let Some(Command::Stop { failure, done }) = command else {
            return Ok(());
        };
        self.advance(Stimulus::Stop { failure }).await?;
        // Whoever asked may be gone.
        let _ = done.send(self.states.now());
        Ok(())
    }

    async fn advance(&mut self, stimulus: Stimulus) -> Result<(), ServiceError> {
        let now = self.states.context().clock.now();
        // Where it would go on to its next state, an execution of a deleted machine ends.
        let deleted = self.states.inner.deletions.contains(self.machine_arn);
        let stimulus = if deleted { Stimulus::Stop { failure: Failure::default() } } else { stimulus };
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
        self.states.write(move |database| rows::append(database, number, &entries, closed.as_ref())).await
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
                // The answer of a cancelled task is ignored by the engine when it comes.
                Effect::CancelTask { .. } => {}
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

    /// When the next thing happens, if nothing else can happen for long before.
    fn has_long_to_wait(&self, commands: &Commands) -> Option<Timestamp> {
        let (due, _) = self.timers.first().filter(|_| self.calls.is_empty() && commands.is_empty())?;
        (self.states.context().clock.until(*due) > LONG).then_some(*due)
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
