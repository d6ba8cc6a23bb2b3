//! Who does what in a pool: plain data under the pool's lock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::{Delivery, Job, Refused};
use crate::lambda::Invocation;
use crate::wire::ServiceError;

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) workers: HashMap<u64, Worker>,
    pub(super) waiting: VecDeque<Job>,
    pub(super) closed: bool,
    /// Starts in a row that came to nothing.
    pub(super) failed_starts: u32,
    /// Workers that were idle last, the last on top: the warmest is taken first. May name workers that are not.
    idle: Vec<u64>,
    started: u64,
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) phase: Phase,
    /// Tells the supervisor to kill the process.
    pub(super) stop: Arc<Notify>,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// Has not polled yet; the error is what it reported about its own start.
    Starting { since: Instant, error: Option<Bytes> },
    /// Polls.
    Idle(oneshot::Sender<Delivery>),
    /// Has an invocation.
    Busy(Running),
    /// Has answered and not polled again yet.
    Between,
    /// Is about to be killed and gets nothing any more.
    Doomed,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) request_id: String,
    pub(super) reply: oneshot::Sender<Result<Invocation, ServiceError>>,
    pub(super) deadline: Instant,
}

impl Table {
    /// Makes room for one more worker.
    pub(super) fn enlist(&mut self, since: Instant) -> (u64, Arc<Notify>) {
        self.started += 1;
        let stop = Arc::new(Notify::new());
        let phase = Phase::Starting { since, error: None };
        self.workers.insert(self.started, Worker { phase, stop: Arc::clone(&stop) });
        (self.started, stop)
    }

    /// A worker polls: whether it may.
    pub(super) fn poll(&mut self, worker: u64) -> Result<(), Refused> {
        let worker = self.workers.get(&worker).ok_or(Refused::Unknown)?;
        match worker.phase {
            Phase::Busy(_) => Err(Refused::OutOfTurn),
            Phase::Doomed => Err(Refused::Unknown),
            Phase::Starting { .. } | Phase::Idle(_) | Phase::Between => {
                self.failed_starts = 0;
                Ok(())
            }
        }
    }

    pub(super) fn park(&mut self, worker: u64, hand: oneshot::Sender<Delivery>) {
        self.set_phase(worker, Phase::Idle(hand));
        self.idle.retain(|other| *other != worker);
        self.idle.push(worker);
    }

    /// The warmest worker that polls.
    pub(super) fn take_idle(&mut self) -> Option<(u64, oneshot::Sender<Delivery>)> {
        while let Some(number) = self.idle.pop() {
            let Some(worker) = self.workers.get_mut(&number) else {
                continue;
            };
            match std::mem::replace(&mut worker.phase, Phase::Between) {
                Phase::Idle(hand) => return Some((number, hand)),
                other => worker.phase = other,
            }
        }
        None
    }

    /// The invocation that has waited longest and that somebody still waits for.
    pub(super) fn take_waiting(&mut self) -> Option<Job> {
        std::iter::from_fn(|| self.waiting.pop_front()).find(|job| !job.reply.is_closed())
    }

    /// The invocation that `worker` has finished.
    pub(super) fn finish(&mut self, worker: u64, request_id: &str) -> Result<Running, Refused> {
        let worker = self.workers.get_mut(&worker).ok_or(Refused::Unknown)?;
        match std::mem::replace(&mut worker.phase, Phase::Between) {
            Phase::Busy(running) if running.request_id == request_id => Ok(running),
            other => {
                worker.phase = other;
                Err(Refused::OutOfTurn)
            }
        }
    }

    /// Gives `worker` nothing any more; what it was busy with comes back. A worker that still starts is left to its
    /// supervisor.
    pub(super) fn doom(&mut self, worker: u64) -> Option<Running> {
        let worker = self.workers.get_mut(&worker)?;
        match std::mem::replace(&mut worker.phase, Phase::Doomed) {
            Phase::Busy(running) => Some(running),
            other => {
                worker.phase = other;
                None
            }
        }
    }

    pub(super) fn init_failed(&mut self, worker: u64, report: Bytes) -> Result<(), Refused> {
        let worker = self.workers.get_mut(&worker).ok_or(Refused::Unknown)?;
        match &mut worker.phase {
            Phase::Starting { error, .. } => {
                *error = Some(report);
                Ok(())
            }
            Phase::Idle(_) | Phase::Busy(_) | Phase::Between | Phase::Doomed => Err(Refused::OutOfTurn),
        }
    }

    pub(super) fn set_phase(&mut self, worker: u64, phase: Phase) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.phase = phase;
        }
    }

    pub(super) fn starting(&self) -> usize {
        self.workers.values().filter(|worker| matches!(worker.phase, Phase::Starting { .. })).count()
    }
}
