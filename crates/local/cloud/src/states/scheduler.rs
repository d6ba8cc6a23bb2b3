//! Which executions are in memory: at most [`MOST_ACTIVE`], the others wait in the database until it is their turn or
//! their time.
//!
//! An execution that only waits for a time leaves memory altogether and is replayed when it is due, so ten thousand
//! waiting ones cost ten thousand sleeping timers.

use std::collections::{HashMap, VecDeque};
use std::sync::{MutexGuard, PoisonError};

use asl::{Failure, Payload, Stimulus, TaskId};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::States;
use super::activities::Handed;
use super::driver::{self, Kept};
use crate::wire::ServiceError;

/// Executions in memory at once: enough to keep every worker busy, few enough for their documents (256 KiB at most
/// each, a few of them) to fit.
const MOST_ACTIVE: usize = 256;

/// What an execution in memory can be told.
#[derive(Debug)]
pub(super) enum Command {
    /// Abort; `done` hears the time of the end once it is on disk.
    Stop { failure: Failure, done: oneshot::Sender<i64> },
    /// Something that it waits for has happened.
    Tell(Box<Stimulus>),
    /// Somebody answers a task; `done` hears whether it waited for that, once the answer is on disk.
    Answer { task_id: TaskId, answer: TaskAnswer, done: oneshot::Sender<Result<bool, ServiceError>> },
    /// A worker asks for the task of an activity; `done` hears nothing when it is nobody's any more.
    HandOut { task_id: TaskId, worker: Option<String>, done: oneshot::Sender<Option<Handed>> },
    /// The execution that a task has started has ended.
    JobEnded { task_id: TaskId },
}

/// What the holder of a task's token says.
#[derive(Debug)]
pub(super) enum TaskAnswer {
    Succeeded(Payload),
    Failed(Failure),
    Alive,
}

/// The commands to one execution in memory.
pub(super) type Commands = mpsc::UnboundedReceiver<Command>;

#[derive(Debug, Default)]
pub(super) struct Scheduler {
    active: HashMap<i64, mpsc::UnboundedSender<Command>>,
    ready: VecDeque<i64>,
}

/// How a driver leaves an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It is closed.
    Closed,
    /// There is nothing to do before that time.
    Until(Timestamp),
    /// There is nothing to do before it is told something.
    Idle,
}

impl States {
    /// Brings an execution into memory, at once or as soon as there is room.
    pub(super) fn wake(&self, number: i64) {
        let mut scheduler = self.scheduler();
        if scheduler.active.contains_key(&number) {
            return;
        }
        if scheduler.active.len() < MOST_ACTIVE {
            self.activate(&mut scheduler, number, None);
        } else {
            scheduler.ready.push_back(number);
        }
    }

    /// Lets an execution go on that is in memory already. If there is no room it is loaded again later.
    pub(super) fn wake_with(&self, kept: Kept) {
        let (mut scheduler, number) = (self.scheduler(), kept.row.number);
        if scheduler.active.len() >= MOST_ACTIVE {
            scheduler.ready.push_back(number);
        } else if !scheduler.active.contains_key(&number) {
            self.activate(&mut scheduler, number, Some(kept));
        }
    }

    /// Tells an execution something; it comes into memory for that even beyond the bound.
    pub(super) fn command(&self, number: i64, command: Command) {
        let mut scheduler = self.scheduler();
        if !scheduler.active.contains_key(&number) {
            self.activate(&mut scheduler, number, None);
        }
        if let Some(commands) = scheduler.active.get(&number) {
            // The driver takes itself off this list under the lock, so it is there to hear.
            let _ = commands.send(command);
        }
    }

    fn activate(&self, scheduler: &mut Scheduler, number: i64, kept: Option<Kept>) {
        let (sender, commands) = mpsc::unbounded_channel();
        scheduler.active.insert(number, sender);
        let states = self.clone();
        self.inner.tasks.spawn(async move { states.drive(number, kept, commands).await });
    }

    async fn drive(&self, number: i64, mut kept: Option<Kept>, mut commands: Commands) {
        loop {
            let left = driver::run(self, number, kept.take(), &mut commands).await;
            if self.leave(number, &commands) {
                if let Left::Until(due) = left {
                    self.sleep(number, due);
                }
                return;
            }
        }
    }

    /// Takes an execution out of memory unless it was told something meanwhile; its room goes to the next one.
    fn leave(&self, number: i64, commands: &Commands) -> bool {
        let mut scheduler = self.scheduler();
        if !commands.is_empty() {
            return false;
        }
        scheduler.active.remove(&number);
        while scheduler.active.len() < MOST_ACTIVE {
            let Some(next) = scheduler.ready.pop_front() else {
                break;
            };
            if !scheduler.active.contains_key(&next) {
                self.activate(&mut scheduler, next, None);
            }
        }
        true
    }

    fn sleep(&self, number: i64, due: Timestamp) {
        let states = self.clone();
        self.inner.tasks.spawn(async move {
            states.context().clock.sleep_until(due).await;
            states.wake(number);
        });
    }

    fn scheduler(&self) -> MutexGuard<'_, Scheduler> {
        self.inner.scheduler.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
