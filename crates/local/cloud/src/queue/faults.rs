//! Faults of delivery that can be switched on: AWS promises neither one delivery nor order, so neither may matter.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Decides whether a fault happens now.
type Chance = Arc<dyn Fn() -> bool + Send + Sync>;

/// When events are delivered twice, and when they let later ones pass.
#[derive(Clone)]
pub struct EventFaults {
    duplicate: Chance,
    reorder: Chance,
}

impl EventFaults {
    /// No faults.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|| false, || false)
    }

    /// Faults that somebody else decides on.
    pub fn new(
        duplicate: impl Fn() -> bool + Send + Sync + 'static,
        reorder: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { duplicate: Arc::new(duplicate), reorder: Arc::new(reorder) }
    }

    /// Faults of these probabilities, drawn from `random`.
    #[must_use]
    pub fn with_probabilities(duplicate: f64, reorder: f64, random: fastrand::Rng) -> Self {
        let random = Arc::new(Mutex::new(random));
        let again = Arc::clone(&random);
        Self::new(move || draw(&random) < duplicate, move || draw(&again) < reorder)
    }

    pub(super) fn duplicates(&self) -> bool {
        (self.duplicate)()
    }

    pub(super) fn reorders(&self) -> bool {
        (self.reorder)()
    }
}

impl fmt::Debug for EventFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventFaults").finish_non_exhaustive()
    }
}

fn draw(random: &Mutex<fastrand::Rng>) -> f64 {
    random.lock().unwrap_or_else(PoisonError::into_inner).f64()
}
