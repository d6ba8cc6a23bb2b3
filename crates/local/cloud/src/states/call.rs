//! The tasks of one execution that are under way.

use std::sync::Arc;

use asl::{Failure, Payload, Resource, TaskId};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::{States, task};

/// A task's answer.
pub(super) type Answer = (TaskId, Result<Payload, Failure>);

/// Tasks under way. They are given up with this.
#[derive(Default)]
pub(super) struct Calls {
    under_way: FuturesUnordered<BoxFuture<'static, Answer>>,
}

impl Calls {
    pub(super) fn begin(&mut self, states: &States, task_id: TaskId, resource: Resource, input: Payload) {
        let (functions, turns) = (states.inner.functions.clone(), Arc::clone(&states.inner.calls));
        let clock = states.context().clock.clone();
        self.under_way.push(Box::pin(async move {
            // The semaphore is never closed; without a turn the call would only be early.
            let _turn = turns.acquire_owned().await;
            let answer = task::perform(&functions, &resource, &input, clock.now()).await;
            (task_id, answer)
        }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// The next answer; never, when nothing is under way.
    pub(super) async fn next(&mut self) -> Answer {
        match self.under_way.next().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}
