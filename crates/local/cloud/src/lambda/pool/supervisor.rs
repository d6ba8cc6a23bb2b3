//! The life of one worker process, from its start to what its death means for the invocation that it had.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::Pool;
use super::table::{Phase, Running, Table};
use crate::lambda::process::Process;
use crate::lambda::{Invocation, failure};

/// How long a worker may take to its first poll. AWS gives 10 s to a machine of its own; here a full pool starts at
/// once on a busy laptop.
const INIT_LIMIT: Duration = Duration::from_secs(30);

/// Failed starts in a row that cost no invocation: Lambda, too, tries a failed start once more.
const FREE_FAILED_STARTS: u32 = 1;

/// After this many failed starts in a row the program is broken: everybody who waits is told, instead of one by one.
const HOPELESS_FAILED_STARTS: u32 = 6;

/// The wait before a start after a failed one doubles from here …
const LEAST_BACKOFF: Duration = Duration::from_millis(50);

/// … to here, so that a broken program costs little and a mended one is found soon.
const MOST_BACKOFF: Duration = Duration::from_secs(2);

/// How a worker ended.
#[derive(Debug)]
enum Ended {
    /// The program could not be started.
    NotStarted(std::io::Error),
    /// By itself.
    Exited(Option<ExitStatus>),
    /// Killed because its invocation, or its start, took too long.
    Overdue,
    /// Killed because it was told to.
    Stopped,
}

impl Pool {
    /// Starts workers until each waiting invocation has one in sight or the pool is full.
    pub(super) fn top_up(self: &Arc<Self>, table: &mut Table) {
        while !table.closed
            && table.workers.len() < self.config.workers.max(1)
            && table.starting() < table.waiting.len()
        {
            let (worker, stop) = table.enlist(Instant::now());
            let (pool, pause) = (Arc::clone(self), backoff(table.failed_starts));
            self.surroundings.tasks.spawn(async move { pool.supervise(worker, &stop, pause).await });
        }
    }

    async fn supervise(self: Arc<Self>, worker: u64, stop: &Notify, pause: Duration) {
        sleep(pause).await;
        let ended = self.run(worker, stop).await;
        tracing::debug!(function = self.config.name, worker, ?ended, "a worker has ended");
        self.bury(worker, &ended);
    }

    async fn run(&self, worker: u64, stop: &Notify) -> Ended {
        let started = Process::start(&self.config, worker, &self.surroundings, &self.launcher, &self.log).await;
        let mut process = match started {
            Ok(process) => process,
            Err(error) => return Ended::NotStarted(error),
        };
        let mut check_at = Instant::now() + self.config.timeout.min(INIT_LIMIT);
        loop {
            let ended = tokio::select! {
                status = process.wait() => return Ended::Exited(status),
                () = stop.notified() => Ended::Stopped,
                () = sleep_until(check_at) => match self.next_check(worker, Instant::now()) {
                    Some(later) => {
                        check_at = later;
                        continue;
                    }
                    None => Ended::Overdue,
                }
            };
            process.kill().await;
            return ended;
        }
    }

    /// When to look again, or nothing when the worker is overdue; its invocation has then failed already.
    ///
    /// An invocation handed over after this look is due a whole timeout later at the earliest, so looking again by
    /// then misses none, and the hand-over need not wake the supervisor.
    fn next_check(&self, worker: u64, now: Instant) -> Option<Instant> {
        let latest = now + self.config.timeout;
        let mut table = self.table();
        let due = match table.workers.get(&worker).map(|worker| &worker.phase) {
            Some(Phase::Busy(running)) => running.deadline,
            Some(Phase::Starting { since, .. }) => *since + INIT_LIMIT,
            Some(Phase::Idle(_) | Phase::Between | Phase::Doomed) | None => latest,
        };
        if due > now {
            return Some(due.min(latest));
        }
        if let Some(running) = table.doom(worker) {
            self.fail(running, &Ended::Overdue);
        }
        None
    }

    fn bury(self: &Arc<Self>, worker: u64, ended: &Ended) {
        let mut table = self.table();
        match table.workers.remove(&worker).map(|worker| worker.phase) {
            Some(Phase::Busy(running)) => self.fail(running, ended),
            Some(Phase::Starting { error, .. }) => self.start_failed(&mut table, error.as_ref(), ended),
            Some(Phase::Idle(_) | Phase::Between | Phase::Doomed) | None => {}
        }
        self.top_up(&mut table);
    }

    fn fail(&self, running: Running, ended: &Ended) {
        let Running { request_id, reply, .. } = running;
        let invocation = match ended {
            Ended::Overdue => failure::timed_out(&request_id, self.config.timeout),
            Ended::Exited(status) => failure::exited(&request_id, *status),
            Ended::Stopped | Ended::NotStarted(_) => failure::exited(&request_id, None),
        };
        tracing::debug!(function = self.config.name, request_id, ?ended, "a worker died amid an invocation");
        // The caller may have given up meanwhile.
        let _ = reply.send(Ok(invocation));
    }

    /// One invocation pays for a start that failed again, unless other workers are there to serve it.
    fn start_failed(&self, table: &mut Table, report: Option<&Bytes>, ended: &Ended) {
        table.failed_starts = table.failed_starts.saturating_add(1);
        tracing::warn!(function = self.config.name, ?ended, "a worker failed to start");
        if table.failed_starts <= FREE_FAILED_STARTS || table.workers.len() > table.starting() {
            return;
        }
        let most = if table.failed_starts < HOPELESS_FAILED_STARTS { 1 } else { usize::MAX };
        let jobs: Vec<_> = std::iter::from_fn(|| table.take_waiting()).take(most).collect();
        for job in jobs {
            let report = report.cloned().map(failure::reported);
            let invocation = report.unwrap_or_else(|| self.start_error(&job.request_id, ended));
            // The caller may have given up meanwhile.
            let _ = job.reply.send(Ok(invocation));
        }
    }

    fn start_error(&self, request_id: &str, ended: &Ended) -> Invocation {
        match ended {
            Ended::NotStarted(error) => {
                failure::not_started(request_id, &self.config.binary.display().to_string(), error)
            }
            Ended::Overdue => failure::never_polled(request_id, INIT_LIMIT),
            Ended::Exited(status) => failure::exited(request_id, *status),
            Ended::Stopped => failure::exited(request_id, None),
        }
    }
}

fn backoff(failed_starts: u32) -> Duration {
    match failed_starts.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => LEAST_BACKOFF.saturating_mul(1 << doublings.min(10)).min(MOST_BACKOFF),
    }
}
