//! The one clock of the local cloud; everything else takes the time from here, and waits by it.
//!
//! Under a [`ManualClock`] time stands still until somebody moves it, so a wait of a year takes a test no longer than
//! a wait of a second. Not here: the bounds on other people's work (a worker's time limit, a client's connection),
//! which run by the machine's own monotonic clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};

/// Where the time comes from; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// None for the time of the machine.
    manual: Option<Arc<Hands>>,
}

impl Clock {
    /// The time now, to the millisecond (AWS timestamps carry no more).
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = match &self.manual {
            Some(hands) => *hands.now.borrow(),
            None => machine_time(),
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// How long it is until `due`; nothing when that has passed.
    #[must_use]
    pub fn until(&self, due: Timestamp) -> Duration {
        Duration::try_from(due.duration_since(self.now())).unwrap_or(Duration::ZERO)
    }

    /// Resolves when it is `due`.
    pub async fn sleep_until(&self, due: Timestamp) {
        match &self.manual {
            Some(hands) => Arc::clone(hands).reaches(due).await,
            None => tokio::time::sleep(self.until(due)).await,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the permitted caller")]
fn machine_time() -> Timestamp {
    Timestamp::now()
}

/// Moves the time of the clocks that it gives out.
#[derive(Debug)]
pub struct ManualClock {
    hands: Arc<Hands>,
}

#[derive(Debug)]
struct Hands {
    now: watch::Sender<Timestamp>,
    /// How many wait for each moment.
    sleepers: Mutex<BTreeMap<Timestamp, usize>>,
    came: Notify,
}

impl ManualClock {
    /// Time stands still at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let hands = Hands { now: watch::Sender::new(now), sleepers: Mutex::default(), came: Notify::new() };
        Self { hands: Arc::new(hands) }
    }

    /// A clock that shows this time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock { manual: Some(Arc::clone(&self.hands)) }
    }

    /// Moves time on by `span`; whoever waited for a moment in between is woken.
    pub fn advance(&self, span: SignedDuration) {
        self.hands.now.send_modify(|now| *now = now.saturating_add(span).unwrap_or(*now));
    }

    /// Waits until somebody sleeps, and moves time on to the moment that the first one sleeps until.
    pub async fn advance_to_next(&self) -> Timestamp {
        loop {
            let came = self.hands.came.notified();
            if let Some(due) = self.hands.next_due() {
                self.hands.now.send_replace(due);
                return due;
            }
            came.await;
        }
    }
}

impl Hands {
    async fn reaches(self: Arc<Self>, due: Timestamp) {
        let mut now = self.now.subscribe();
        let _sleeper = Sleeper::enlist(&self, due);
        // The sender lives in `self`, so the channel cannot close meanwhile.
        let _ = now.wait_for(|now| *now >= due).await;
    }

    fn next_due(&self) -> Option<Timestamp> {
        let now = *self.now.borrow();
        self.sleepers().keys().find(|due| **due > now).copied()
    }

    fn sleepers(&self) -> MutexGuard<'_, BTreeMap<Timestamp, usize>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts as one who sleeps until it is dropped.
struct Sleeper<'a> {
    hands: &'a Hands,
    due: Timestamp,
}

impl<'a> Sleeper<'a> {
    fn enlist(hands: &'a Hands, due: Timestamp) -> Self {
        *hands.sleepers().entry(due).or_default() += 1;
        hands.came.notify_one();
        Self { hands, due }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let mut sleepers = self.hands.sleepers();
        if let Some(count) = sleepers.get_mut(&self.due) {
            *count -= 1;
            if *count == 0 {
                sleepers.remove(&self.due);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_year_passes_at_once() {
        let manual = ManualClock::new(start());
        let (clock, due) = (manual.clock(), start() + SignedDuration::from_hours(365 * 24));
        let sleeper = tokio::spawn(async move { clock.sleep_until(due).await });
        assert_eq!(manual.advance_to_next().await, due);
        sleeper.await.unwrap();
        assert_eq!(manual.clock().now(), due);
        assert!(manual.hands.sleepers().is_empty());
    }

    #[tokio::test]
    async fn a_sleeper_wakes_at_its_own_time_only() {
        let manual = ManualClock::new(start());
        let (clock, due) = (manual.clock(), start() + SignedDuration::from_secs(10));
        let mut sleep = std::pin::pin!(clock.sleep_until(due));
        manual.advance(SignedDuration::from_secs(9));
        assert!(futures::poll!(sleep.as_mut()).is_pending());
        assert_eq!(clock.until(due), Duration::from_secs(1));
        manual.advance(SignedDuration::from_secs(1));
        assert!(futures::poll!(sleep.as_mut()).is_ready());
        assert_eq!(clock.until(due), Duration::ZERO);
    }

    #[tokio::test]
    async fn who_gives_up_sleeping_is_not_waited_for() {
        let manual = ManualClock::new(start());
        let clock = manual.clock();
        {
            let mut sleep = std::pin::pin!(clock.sleep_until(start() + SignedDuration::from_secs(5)));
            assert!(futures::poll!(sleep.as_mut()).is_pending());
        }
        let mut next = std::pin::pin!(manual.advance_to_next());
        assert!(futures::poll!(next.as_mut()).is_pending());
    }
}
