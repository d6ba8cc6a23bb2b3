//! Delivers the events that the store wrote down: batches shaped as from an SQS queue, to the function they are for.
//!
//! An event is deleted after the function has dealt with it and not before, so each is delivered at least once, whatever
//! is killed when. Order is not kept, as on AWS: the `sequencer` says what came first.
//! Messages that a client sends over the SQS API lie among the events and go the same way.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

pub(crate) mod api;
mod faults;
mod functions;
mod inbox;
mod message;
mod outcome;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::context::Context;
use crate::database::DatabaseError;
use crate::wire::ServiceError;

pub use faults::EventFaults;
pub use inbox::DeadLetter;
use inbox::{Event, Inbox, Received};
pub use message::Envelope;
use outcome::Outcome;

/// How long the deliverer waits after the database has failed, so that it does not spin.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long what became of a delivery may wait to be written down together with others. What a delivery led to is more
/// urgent than that it is over; a process that dies meanwhile delivers once more.
const GATHER: Duration = Duration::from_millis(10);

/// Deliveries that are over and may wait to be written down; one beyond that waits itself.
const MOST_OVER: usize = 256;

/// What answers a delivery.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// What the function returned.
    pub payload: Bytes,
    /// It failed, and how it failed (`Unhandled`).
    pub function_error: Option<String>,
}

/// Calls functions. One implementation stands for all of them.
pub trait Invoke: Clone + Send + Sync + 'static {
    /// Calls `function` and waits for its answer; an error means that it did not run.
    fn invoke(&self, function: &str, payload: Bytes) -> impl Future<Output = Result<Invoked, ServiceError>> + Send;
}

/// A target that is not a function itself, and the function behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The target as in the bucket's notification configuration: a queue's ARN, or `event-bus/default`.
    pub target: String,
    /// The function's name.
    pub function: String,
    /// How an event looks to it.
    pub envelope: Envelope,
}

/// How events are delivered. The defaults are those of an SQS event source with a dead-letter queue.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Events of one call.
    pub batch: usize,
    /// Calls at once, for all functions together.
    pub in_flight: usize,
    /// How long a call may take before its events are delivered again: six times the function's timeout, says AWS.
    pub visibility: Duration,
    /// Deliveries before an event becomes a dead letter.
    pub most_receives: u32,
    /// Wait before the second delivery; it doubles each time.
    pub first_backoff: Duration,
    /// The longest wait.
    pub most_backoff: Duration,
    /// Functions behind queues. A target that is a function's ARN needs none.
    pub mappings: Vec<Mapping>,
    /// Faults that are switched on.
    pub faults: EventFaults,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch: 10,
            in_flight: 4,
            visibility: Duration::from_mins(6),
            most_receives: 5,
            first_backoff: Duration::from_millis(200),
            most_backoff: Duration::from_secs(30),
            mappings: Vec::new(),
            faults: EventFaults::none(),
        }
    }
}

/// A delivery that is over.
#[derive(Debug)]
struct Over {
    events: Vec<Event>,
    outcome: Outcome,
}

/// The events that wait for delivery; cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    inbox: Inbox,
    waiting: Arc<Notify>,
    clock: Clock,
    region: Arc<str>,
    settings: Arc<Settings>,
}

impl Queue {
    /// The queue of a cloud.
    #[must_use]
    pub fn new(context: &Context, settings: Settings) -> Self {
        let settings = Arc::new(settings);
        Self {
            inbox: Inbox::new(context.database.clone(), Arc::clone(&settings)),
            waiting: context.store.events_waiting(),
            clock: context.clock.clone(),
            region: Arc::clone(&context.region),
            settings,
        }
    }

    /// Delivers until it is dropped. Only one may run at a time.
    pub async fn run<I: Invoke>(self, functions: I) {
        let (over, overs) = mpsc::channel(MOST_OVER);
        tokio::join!(self.deliver_all(functions, over), self.settle_all(overs));
    }

    async fn deliver_all<I: Invoke>(&self, functions: I, over: mpsc::Sender<Over>) {
        let mut calls = JoinSet::new();
        let places = Arc::new(Semaphore::new(self.settings.in_flight.max(1)));
        while let Err(error) = self.inbox.purge(self.clock.now().as_millisecond()).await {
            rest(&error).await;
        }
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            while calls.try_join_next().is_some() {}
            match self.inbox.receive(self.clock.now().as_millisecond()).await {
                Ok(Received { events, .. }) if !events.is_empty() => {
                    calls.spawn(self.clone().deliver(functions.clone(), events, place, over.clone()));
                }
                Ok(Received { next_ms, .. }) => self.wait(next_ms).await,
                Err(error) => rest(&error).await,
            }
        }
    }

    async fn settle_all(&self, mut overs: mpsc::Receiver<Over>) {
        let mut group = Vec::new();
        while let Some(first) = overs.recv().await {
            group.push(first);
            tokio::time::sleep(GATHER).await;
            while let Ok(next) = overs.try_recv() {
                group.push(next);
            }
            let ids: Vec<i64> = group.iter().flat_map(|over| &over.events).map(|event| event.id).collect();
            if let Err(error) = self.inbox.settle(std::mem::take(&mut group), self.clock.now().as_millisecond()).await {
                // They are delivered once more.
                rest(&error).await;
            }
            self.inbox.release(&ids);
            self.waiting.notify_one();
        }
    }

    /// The events that were given up, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, DatabaseError> {
        self.inbox.dead_letters().await
    }

    /// Delivers all dead letters once more, as if they were new; gives back how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn redrive(&self) -> Result<usize, DatabaseError> {
        let redriven = self.inbox.redrive().await?;
        self.waiting.notify_one();
        Ok(redriven)
    }

    /// How many events wait or are being delivered, dead letters not counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn depth(&self) -> Result<u64, DatabaseError> {
        self.inbox.depth().await
    }

    /// Waits for a new event, or for the next one to become visible again.
    async fn wait(&self, next_ms: Option<i64>) {
        let Some(next_ms) = next_ms else { return self.waiting.notified().await };
        let due = Timestamp::from_millisecond(next_ms).unwrap_or(Timestamp::MAX);
        // Time being up is as good a reason to look as a new event.
        tokio::select! {
            () = self.clock.sleep_until(due) => {}
            () = self.waiting.notified() => {}
        }
    }

    async fn deliver<I: Invoke>(
        self,
        functions: I,
        events: Vec<Event>,
        place: OwnedSemaphorePermit,
        over: mpsc::Sender<Over>,
    ) {
        let Some(mapping) = events.first().and_then(|event| self.settings.mapping(&event.target)) else { return };
        let payload = message::payload(&mapping, &events, &self.region);
        let call = functions.invoke(&mapping.function, payload);
        let outcome = match timeout(self.settings.visibility, call).await {
            Ok(answer) => Outcome::of(answer, &events),
            Err(_) => Outcome::all_failed("the call took too long"),
        };
        if let Some(reason) = &outcome.reason {
            tracing::warn!(function = mapping.function, events = events.len(), reason, "failed to deliver events");
        }
        drop(place);
        // Nobody takes it where the cloud stops: then they are delivered once more.
        let _ = over.send(Over { events, outcome }).await;
    }
}

async fn rest(error: &DatabaseError) {
    tracing::error!(%error, "failed to look for events or to write down what became of them");
    tokio::time::sleep(AFTER_FAILURE).await;
}

impl Settings {
    /// The function behind a target, if there is one.
    fn mapping(&self, target: &str) -> Option<Mapping> {
        let known = self.mappings.iter().find(|mapping| mapping.target == target).cloned();
        known.or_else(|| {
            let function = target.strip_prefix("arn:aws:lambda:")?.split(':').nth(3)?.to_owned();
            Some(Mapping { target: target.to_owned(), function, envelope: Envelope::Sqs })
        })
    }

    fn backoff_ms(&self, receives: u32) -> i64 {
        let doubled = self.first_backoff.saturating_mul(1 << receives.saturating_sub(1).min(20));
        i64::try_from(doubled.min(self.most_backoff).as_millis()).unwrap_or(i64::MAX)
    }
}
