//! What one execution has asked for and waits for in memory: calls of services, and whether an activity is there.

use std::sync::Arc;
use std::time::Duration;

use asl::{Payload, Resource, Stimulus, TaskId};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::integrations::{self, Caller};
use super::{States, activities};

/// How soon the database is asked again when it refused.
const AGAIN: Duration = Duration::from_secs(1);

/// Calls under way; each ends in what the engine is told. They are given up with this.
#[derive(Default)]
pub(super) struct Calls {
    under_way: FuturesUnordered<BoxFuture<'static, Stimulus>>,
}

impl Calls {
    /// Does a task, as soon as it is its turn.
    pub(super) fn begin(&mut self, states: &States, caller: Caller, resource: Resource, input: Payload) {
        let states = states.clone();
        self.under_way.push(Box::pin(async move {
            // The semaphore is never closed; without a turn the call would only be early.
            let _turn = Arc::clone(&states.inner.calls).acquire_owned().await;
            let task_id = caller.task_id;
            let answer = integrations::perform(&states, &caller, &resource, &input).await;
            match (answer, resource.pattern().is_request_response()) {
                (Ok(output), true) => Stimulus::TaskSucceeded { task_id, output },
                (Ok(output), false) => Stimulus::TaskSubmitted { task_id, output },
                (Err(failure), true) => Stimulus::TaskFailed { task_id, failure },
                (Err(failure), false) => Stimulus::TaskSubmitFailed { task_id, failure },
            }
        }));
    }

    /// Finds out whether there is an activity.
    pub(super) fn look_for(&mut self, states: &States, task_id: TaskId, arn: String) {
        let states = states.clone();
        self.under_way.push(Box::pin(async move {
            loop {
                match activities::exists(&states, arn.clone()).await {
                    Ok(true) => return Stimulus::ActivityFound { task_id },
                    Ok(false) => return Stimulus::ActivityMissing { task_id },
                    Err(error) => tracing::error!(%error, arn, "failed to look for an activity; it is tried again"),
                }
                tokio::time::sleep(AGAIN).await;
            }
        }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// What comes next; never anything, when nothing is under way.
    pub(super) async fn next(&mut self) -> Stimulus {
        match self.under_way.next().await {
            Some(stimulus) => stimulus,
            None => std::future::pending().await,
        }
    }
}
