//! Drives one execution while it is in memory: commits what the engine decided, then does it, then brings the engine
//! what came of it.
//!
//! The engine is told nothing that is not decided by its log, so everything here may be lost at any instant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use asl::map_run::MapRunOrder;
use asl::{Effect, Execution, Finish, LogEntry, Payload, Resource, Status, Step, Stimulus, TaskId, TaskToken, TimerId};
use jiff::Timestamp;

use super::States;
use super::activities::Handed;
use super::call::Calls;
use super::executions::rows::{self, Closed, Row};
use super::integrations::Caller;
use super::jobs;
use super::load::{self, LoadError};
use super::map_runs::Order;
use super::scheduler::{Command, Commands, Left, TaskAnswer};
use crate::wire::ServiceError;

/// An execution that has nothing to do for longer than this leaves memory.
const LONG: Duration = Duration::from_secs(1);

/// How soon an execution is tried again that the database refused.
const AGAIN: Duration = Duration::from_secs(1);

/// Entries that wait for the next commit; more are committed by themselves, so memory stays bounded.
const MOST_UNCOMMITTED: usize = 256;

/// An execution in memory whose log is on disk, and what follows from that log and is not done yet.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) row: Row,
    pub(super) execution: Execution,
    pub(super) effects: Vec<Effect>,
}

/// Brings the execution into memory, if it is not there, and drives it until it is closed or has long to wait.
pub(super) async fn run(states: &States, number: i64, kept: Option<Kept>, commands: &mut Commands) -> Left {
    let driven = match kept {
        Some(kept) => Box::pin(go_on(states, kept, commands)).await,
        None => Box::pin(attempt(states, number, commands)).await,
    };
    match driven {
        Ok(left) => left,
        Err(error) => {
            tracing::error!(%error, number, "an execution could not go on and is tried again");
            Left::Until(states.context().clock.now() + AGAIN)
        }
    }
}

async fn go_on(states: &States, kept: Kept, commands: &mut Commands) -> Result<Left, ServiceError> {
    let Kept { row, execution, effects } = kept;
    let mut driver = Driver::new(states, row, execution);
    driver.perform(effects);
    driver.drive(commands).await
}

async fn attempt(states: &States, number: i64, commands: &mut Commands) -> Result<Left, ServiceError> {
    let row = states.look(|database| rows::by_number(database, number))?;
    let Some(row) = row.filter(|row| row.status == "RUNNING") else {
        // Whoever still wants to tell it something learns that it is closed.
        while commands.try_recv().is_ok() {}
        return Ok(Left::Closed);
    };
    match load::load(states, &row).await {
        Ok(loaded) => {
            let mut driver = Driver::new(states, row, loaded.execution);
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
    states.tell_ended(&row.arn);
    states.ended(&row);
    Ok(Left::Closed)
}

struct Driver<'a> {
    states: &'a States,
    number: i64,
    row: Row,
    execution: Execution,
    uncommitted: Vec<LogEntry>,
    calls: Calls,
    /// Tasks that end with the execution which they start, and its ARN once it is started.
    jobs: BTreeMap<TaskId, Option<(Resource, String)>>,
    timers: BTreeSet<(Timestamp, TimerId)>,
    /// The Map Runs that it waits for.
    map_runs: BTreeMap<TaskId, String>,
    closed: bool,
}

impl<'a> Driver<'a> {
    fn new(states: &'a States, row: Row, execution: Execution) -> Self {
        let (number, uncommitted, jobs) = (row.number, Vec::new(), BTreeMap::new());
        let (calls, timers) = (Calls::default(), BTreeSet::new());
        let map_runs = BTreeMap::new();
        Self { states, number, row, execution, uncommitted, calls, jobs, timers, map_runs, closed: false }
    }

    async fn drive(mut self, commands: &mut Commands) -> Result<Left, ServiceError> {
        while !self.closed {
            if let Some(left) = self.has_long_to_wait(commands) {
                self.commit(None).await?;
                return Ok(left);
            }
            self.next(commands).await?;
        }
        self.states.ended(&self.row);
        Ok(Left::Closed)
    }

    /// Waits for whatever happens next, and takes it to the engine.
    async fn next(&mut self, commands: &mut Commands) -> Result<(), ServiceError> {
        let first = self.timers.first().copied();
        let clock = &self.states.context().clock;
        let due = first.map_or(Timestamp::MAX, |(due, _)| due);
        tokio::select! {
            stimulus = self.calls.next() => self.hear(stimulus).await,
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

    /// Takes what a call came to. A job that began after its task had ended is nobody's.
    async fn hear(&mut self, stimulus: Stimulus) -> Result<(), ServiceError> {
        if let Stimulus::TaskSubmitted { task_id, .. } = &stimulus
            && !self.execution.is_open(*task_id)
            && self.jobs.remove(task_id).is_some()
        {
            self.states.stop_job(self.number, *task_id);
        }
        self.advance(stimulus).await
    }

    /// Whoever asked may be gone before the answer.
    async fn obey(&mut self, command: Option<Command>) -> Result<(), ServiceError> {
        match command {
            None => Ok(()),
            Some(Command::Tell(stimulus)) => self.advance(*stimulus).await,
            Some(Command::Stop { failure, done }) => {
                self.advance(Stimulus::Stop { failure }).await?;
                let _ = done.send(self.states.now());
                Ok(())
            }
            Some(Command::Answer { task_id, answer, done }) => {
                let taken = self.answer(task_id, answer).await;
                let _ = done.send(taken.clone());
                taken.map(drop)
            }
            Some(Command::HandOut { task_id, worker, done }) if !done.is_closed() => {
                let handed = self.hand_out(task_id, worker).await?;
                let _ = done.send(handed);
                Ok(())
            }
            Some(Command::HandOut { task_id, .. }) => {
                if let Some((arn, false)) = self.activity(task_id) {
                    self.states.inner.activities.put_back(&arn, (self.number, task_id));
                }
                Ok(())
            }
            Some(Command::JobEnded { task_id }) => self.job_ended(task_id).await,
        }
    }

    /// Takes an answer to a token, and has it on disk; says whether the task waited for it.
    async fn answer(&mut self, task_id: TaskId, answer: TaskAnswer) -> Result<bool, ServiceError> {
        if !self.execution.is_open(task_id) {
            return Ok(false);
        }
        self.advance(match answer {
            TaskAnswer::Succeeded(output) => Stimulus::TaskSucceeded { task_id, output },
            TaskAnswer::Failed(failure) => Stimulus::TaskFailed { task_id, failure },
            TaskAnswer::Alive => Stimulus::TaskHeartbeat { task_id },
        })
        .await?;
        self.commit(None).await?;
        Ok(true)
    }

    /// The activity that a task is for, and whether a worker has the task.
    fn activity(&self, task_id: TaskId) -> Option<(String, bool)> {
        let (resource, _, started) = self.execution.task(task_id)?;
        match resource {
            Resource::Activity { arn } => Some((arn.clone(), started)),
            _ => None,
        }
    }

    async fn hand_out(&mut self, task_id: TaskId, worker: Option<String>) -> Result<Option<Handed>, ServiceError> {
        self.states.inner.activities.withdraw(self.number, task_id);
        let Some((_, input, false)) = self.execution.task(task_id) else {
            return Ok(None);
        };
        let input = input.to_json();
        self.advance(Stimulus::TaskStarted { task_id, worker_name: worker }).await?;
        self.commit(None).await?;
        let start_time = load::start_time(&self.row);
        let token = TaskToken { execution_arn: self.row.arn.clone(), start_time, task_id };
        Ok(Some(Handed { input, token }))
    }

    async fn job_ended(&mut self, task_id: TaskId) -> Result<(), ServiceError> {
        let Some(Some((resource, child_arn))) = self.jobs.get(&task_id).cloned() else {
            return Ok(());
        };
        let Some(outcome) = self.states.job_outcome(&child_arn, &resource).await? else {
            self.states.watch(child_arn, self.number, task_id);
            return Ok(());
        };
        self.jobs.remove(&task_id);
        self.advance(match outcome {
            Ok(output) => Stimulus::TaskSucceeded { task_id, output },
            Err(failure) => Stimulus::TaskFailed { task_id, failure },
        })
        .await
    }

    async fn advance(&mut self, stimulus: Stimulus) -> Result<(), ServiceError> {
        let now = self.states.context().clock.now();
        // Where it would go on to its next state, an execution of a deleted machine ends.
        let stimulus = self.states.inner.deletions.instead(&self.row.machine_arn, stimulus);
        let step = self.execution.advance(stimulus, now, &mut fastrand::f64);
        self.take(step).await
    }

    /// Commits a step if anything follows from it, and then does what follows.
    async fn take(&mut self, step: Step) -> Result<(), ServiceError> {
        let Step { events, effects } = step;
        self.uncommitted.extend(events);
        if !effects.is_empty() || self.uncommitted.len() > MOST_UNCOMMITTED {
            self.commit(end(&self.uncommitted, &effects)).await?;
        }
        self.perform(effects);
        Ok(())
    }

    async fn commit(&mut self, closed: Option<Closed>) -> Result<(), ServiceError> {
        if self.uncommitted.is_empty() {
            return Ok(());
        }
        let (number, entries) = (self.number, std::mem::take(&mut self.uncommitted));
        let is_closed = closed.is_some();
        self.states.append(number, entries, closed).await?;
        if is_closed {
            self.states.tell_ended(&self.row.arn);
        }
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::InvokeTask { task_id, resource: Resource::Activity { arn }, started, .. } => {
                    if !started {
                        self.states.inner.activities.offer(&arn, (self.number, task_id));
                    }
                }
                Effect::InvokeTask { task_id, resource, input, .. } => {
                    if resource.pattern().is_sync() {
                        self.jobs.insert(task_id, None);
                    }
                    let caller = Caller { number: Some(self.number), arn: self.row.arn.clone(), task_id };
                    self.calls.begin(self.states, caller, resource, input);
                    self.note_start(task_id);
                }
                Effect::FindActivity { task_id, arn } => self.calls.look_for(self.states, task_id, arn),
                Effect::AwaitTask { task_id, resource, submitted } => self.wait_for(task_id, resource, &submitted),
                Effect::SetTimer { timer_id, due } => drop(self.timers.insert((due, timer_id))),
                Effect::CancelTimer { timer_id } => {
                    self.timers.retain(|(_, other)| *other != timer_id);
                }
                Effect::RunMap { task_id, map_run_arn, order, items, redrive_count } => {
                    self.run_map(task_id, map_run_arn, order, items, redrive_count);
                }
                Effect::CancelTask { task_id } => self.cancel(task_id),
                Effect::Finished(_) => self.closed = true,
            }
        }
    }

    /// A task that waits for its token's holder needs nothing here.
    fn wait_for(&mut self, task_id: TaskId, resource: Resource, submitted: &Payload) {
        if !resource.pattern().is_sync() {
            return;
        }
        if let Some(child_arn) = jobs::started(submitted.value()) {
            self.jobs.insert(task_id, Some((resource, child_arn.clone())));
            self.states.watch(child_arn, self.number, task_id);
        }
    }

    /// The answer of a cancelled call is ignored by the engine when it comes.
    fn cancel(&mut self, task_id: TaskId) {
        self.states.inner.activities.withdraw(self.number, task_id);
        if let Some(arn) = self.map_runs.remove(&task_id) {
            self.states.cancel_map_run(&arn);
        }
        match self.jobs.get(&task_id) {
            Some(Some(_)) => {
                self.jobs.remove(&task_id);
                self.states.stop_job(self.number, task_id);
            }
            // It is being started; what came of that is heard later, unless this ends before.
            Some(None) => self.states.stop_job(self.number, task_id),
            None => {}
        }
    }

    /// The history says that the task was started. That need not be on disk before the task's end is.
    fn note_start(&mut self, task_id: TaskId) {
        let now = self.states.context().clock.now();
        let step =
            self.execution.advance(Stimulus::TaskStarted { task_id, worker_name: None }, now, &mut fastrand::f64);
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
        let Some((due, _)) = self.timers.first() else {
            return Some(Left::Idle);
        };
        (self.states.context().clock.until(*due) > LONG).then_some(Left::Until(*due))
    }
}

/// How the execution has ended, if that is among what follows from its last events.
pub(super) fn end(events: &[LogEntry], effects: &[Effect]) -> Option<Closed> {
    let stopped = events.last().map_or(0, |entry| entry.at.as_millisecond());
    effects.iter().find_map(|effect| match effect {
        Effect::Finished(finish) => Some(closed(finish.clone(), stopped)),
        _ => None,
    })
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
