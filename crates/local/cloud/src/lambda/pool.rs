//! The pool of one function: which worker does what, who waits, and what happens when a worker dies.
//!
//! ```text
//! Starting ──polls──► Idle ──job──► Busy ──answers──► Between ──polls──► Idle
//!     │ never polls     └───────────── dies ─────────────┘
//!     └─► killed              the job fails, a waiting one gets a new worker
//! ```
//!
//! A worker serves one invocation at a time. Memory is bounded by [`MOST_WAITING`] invocations for a function.

mod supervisor;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::launcher::Launcher;
use super::logs::Log;
use super::{FunctionConfig, Invocation, Surroundings, failure};
use crate::identifier;
use crate::wire::ServiceError;
use table::{Phase, Running, Table};

/// Invocations that wait for a worker, beyond which callers are told to come back later. State machines and the
/// queue both do; a thousand is a minute's work for two quick workers.
pub(crate) const MOST_WAITING: usize = 1000;

/// One function with its workers.
#[derive(Debug)]
pub(crate) struct Pool {
    config: FunctionConfig,
    surroundings: Surroundings,
    launcher: Launcher,
    log: Log,
    table: Mutex<Table>,
}

/// An invocation on its way to a worker.
#[derive(Debug)]
pub(crate) struct Job {
    request_id: String,
    payload: Bytes,
    client_context: Option<String>,
    reply: oneshot::Sender<Result<Invocation, ServiceError>>,
}

/// What a worker's poll brings.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    /// What the caller's client says of itself, as JSON.
    pub(crate) client_context: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) deadline: i64,
}

/// Why a worker's call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The pool knows no such worker: it was killed, or belongs to another cloud.
    Unknown,
    /// The call does not fit what the worker does at this moment.
    OutOfTurn,
}

impl Pool {
    pub(crate) fn new(config: FunctionConfig, surroundings: Surroundings, launcher: Launcher) -> Self {
        let log = Log::at(surroundings.logs.join(format!("{}.log", config.name)));
        Self { config, surroundings, launcher, log, table: Mutex::default() }
    }

    pub(crate) fn config(&self) -> &FunctionConfig {
        &self.config
    }

    /// Hands `payload` to a worker, starting one if need be, and waits for what comes of it.
    pub(crate) async fn invoke(
        self: &Arc<Self>,
        payload: Bytes,
        client_context: Option<String>,
    ) -> Result<Invocation, ServiceError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { request_id: identifier::random(), payload, client_context, reply };
        self.submit(job)?;
        answer.await.map_err(|_| failure::shutting_down())?
    }

    /// A worker asks for its next invocation, and gets one when there is one.
    pub(crate) async fn next(self: &Arc<Self>, worker: u64) -> Result<Delivery, Refused> {
        let delivery = {
            let mut table = self.table();
            table.poll(worker)?;
            let (hand, delivery) = oneshot::channel();
            match table.take_waiting() {
                Some(job) => drop(self.hand_over(&mut table, worker, job, hand)),
                None => table.park(worker, hand),
            }
            delivery
        };
        delivery.await.map_err(|_| Refused::Unknown)
    }

    /// A worker answers its invocation.
    pub(crate) fn answer(&self, worker: u64, request_id: &str, invocation: Invocation) -> Result<(), Refused> {
        let running = self.table().finish(worker, request_id)?;
        // The caller may have given up meanwhile.
        let _ = running.reply.send(Ok(invocation));
        Ok(())
    }

    /// A worker says that it cannot start; it ends by itself after that.
    pub(crate) fn init_failed(&self, worker: u64, error: Bytes) -> Result<(), Refused> {
        self.table().init_failed(worker, error)
    }

    /// Ends all workers and lets nobody wait.
    pub(crate) fn close(&self) {
        let mut table = self.table();
        table.closed = true;
        table.waiting.clear();
        table.workers.values().for_each(|worker| worker.stop.notify_one());
    }

    fn submit(self: &Arc<Self>, mut job: Job) -> Result<(), ServiceError> {
        let mut table = self.table();
        if table.closed {
            return Err(failure::shutting_down());
        }
        while let Some((worker, hand)) = table.take_idle() {
            match self.hand_over(&mut table, worker, job, hand) {
                None => return Ok(()),
                Some(returned) => job = returned,
            }
        }
        if table.waiting.len() >= MOST_WAITING {
            return Err(failure::too_many_requests());
        }
        table.waiting.push_back(job);
        self.top_up(&mut table);
        Ok(())
    }

    /// Gives `job` to a polling worker, or back to the caller when the worker's connection is gone.
    fn hand_over(
        self: &Arc<Self>,
        table: &mut Table,
        worker: u64,
        job: Job,
        hand: oneshot::Sender<Delivery>,
    ) -> Option<Job> {
        let Job { request_id, payload, client_context, reply } = job;
        let deadline = self.surroundings.clock.now().as_millisecond() + milliseconds(self.config.timeout);
        let delivery = Delivery { request_id: request_id.clone(), payload, client_context, deadline };
        if let Err(delivery) = hand.send(delivery) {
            table.set_phase(worker, Phase::Between);
            let Delivery { payload, client_context, .. } = delivery;
            return Some(Job { request_id, payload, client_context, reply });
        }
        let running = Running { request_id, reply, deadline: Instant::now() + self.config.timeout };
        table.set_phase(worker, Phase::Busy(running));
        self.doom(worker, table);
        None
    }

    /// The fault `kill-workers`.
    fn doom(&self, worker: u64, table: &Table) {
        let Some(life) = self.surroundings.faults.kills_worker() else {
            return;
        };
        let Some(stop) = table.workers.get(&worker).map(|worker| Arc::clone(&worker.stop)) else {
            return;
        };
        self.surroundings.tasks.spawn(async move {
            tokio::time::sleep(life).await;
            stop.notify_one();
        });
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
