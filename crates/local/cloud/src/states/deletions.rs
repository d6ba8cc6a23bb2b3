//! Which state machines are being deleted: their executions end where they would go on to a next state.
//!
//! The database knows it too; this is what a running execution asks at each step.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html>

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use asl::{Failure, Stimulus};

use super::{States, machines};

/// The ARNs of the machines that are being deleted.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    /// Hardly ever is there one, and then nobody need ask for the lock.
    any: AtomicBool,
    arns: Mutex<HashSet<String>>,
}

impl Deletions {
    pub(super) fn insert(&self, arn: String) {
        let mut arns = self.arns();
        arns.insert(arn);
        self.any.store(true, Ordering::Release);
    }

    pub(super) fn remove(&self, arn: &str) {
        let mut arns = self.arns();
        arns.remove(arn);
        self.any.store(!arns.is_empty(), Ordering::Release);
    }

    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Whether the machine at `arn` is being deleted.
    pub(super) fn contains(&self, arn: &str) -> bool {
        self.any() && self.arns().contains(arn)
    }

    /// What an execution of the machine at `arn` takes instead of a stimulus: its end, where it would go on.
    pub(super) fn instead(&self, arn: &str, stimulus: Stimulus) -> Stimulus {
        if leads_on(&stimulus) && self.contains(arn) {
            return Stimulus::Stop { failure: Failure::default() };
        }
        stimulus
    }

    fn keep(&self, left: &[String]) {
        let mut arns = self.arns();
        arns.retain(|arn| left.contains(arn));
        self.any.store(!arns.is_empty(), Ordering::Release);
    }

    fn arns(&self) -> MutexGuard<'_, HashSet<String>> {
        self.arns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a state may end with it.
fn leads_on(stimulus: &Stimulus) -> bool {
    !matches!(
        stimulus,
        Stimulus::TaskStarted { .. }
            | Stimulus::TaskSubmitted { .. }
            | Stimulus::TaskHeartbeat { .. }
            | Stimulus::ActivityFound { .. }
            | Stimulus::Stop { .. }
    )
}

/// After the end of an execution: takes away the machines whose last one it was.
pub(super) fn finish(states: &States) {
    let owned = states.clone();
    states.inner.tasks.spawn(async move {
        match owned.write(|database| machines::finish_deletions(database)).await {
            Ok(left) => owned.inner.deletions.keep(&left),
            // The next end, or the next start, tries again.
            Err(error) => tracing::warn!(%error, "failed to delete a state machine"),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::Deletions;

    #[test]
    fn only_what_is_being_deleted_is_contained() {
        let deletions = Deletions::default();
        assert!(!deletions.contains("a") && !deletions.any());
        deletions.insert("a".to_owned());
        deletions.insert("b".to_owned());
        assert!(deletions.contains("a") && !deletions.contains("c"));
        deletions.keep(&["b".to_owned()]);
        assert!(!deletions.contains("a") && deletions.any());
        deletions.remove("b");
        assert!(!deletions.any());
    }
}
