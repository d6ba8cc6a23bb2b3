//! How a tested state ended: it succeeds, is to be tried again, goes on elsewhere, or fails.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html#API_TestState_ResponseSyntax>

use serde_json::{Value, json};

use super::Run;
use crate::failure::Failure;
use crate::intrinsic::Random;
use crate::payload::Payload;
use crate::states::Exit;

/// How the tested state ended, named as `TestState` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the service's")]
pub enum TestStatus {
    Succeeded,
    Failed,
    Retriable,
    CaughtError,
}

/// What the test showed.
#[derive(Clone, Debug)]
pub struct TestReport {
    /// How the state ended.
    pub status: TestStatus,
    /// What the state gave.
    pub output: Option<Payload>,
    /// What it failed of; empty when it succeeded.
    pub failure: Failure,
    /// The state that follows.
    pub next_state: Option<String>,
    /// What was seen on the way: the members of `InspectionData`.
    pub inspection: Value,
}

impl TestStatus {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Retriable => "RETRIABLE",
            Self::CaughtError => "CAUGHT_ERROR",
        }
    }
}

impl Run {
    pub(super) fn succeeded(&mut self, exit: Exit) -> TestReport {
        self.left(TestStatus::Succeeded, exit, Failure::default())
    }

    /// `Retry` first, then `Catch`, as in an execution.
    pub(super) fn failed(&mut self, failure: Failure, random: Random<'_>) -> TestReport {
        let state = self.state.clone();
        if let Some(rule) = state.retry.iter().position(|retrier| retrier.matches(&failure))
            && let Some(due) = state.retry[rule].due(self.setting.retrier_retry_count, self.now, random)
        {
            let seconds = due.duration_since(self.now).as_secs();
            self.seen.member("errorDetails", json!({ "retryIndex": rule, "retryBackoffIntervalSeconds": seconds }));
            return self.ended(TestStatus::Retriable, failure);
        }
        let Some(rule) = state.catch.iter().position(|catcher| catcher.matches(&failure)) else {
            return self.ended(TestStatus::Failed, failure);
        };
        match self.with_moment(random, |moment| moment.leave_caught(&state.catch[rule], &failure)) {
            Ok(exit) => {
                self.seen.member("errorDetails", json!({ "catchIndex": rule }));
                self.left(TestStatus::CaughtError, exit, failure)
            }
            Err(fault) => self.ended(TestStatus::Failed, fault.failure),
        }
    }

    fn left(&mut self, status: TestStatus, exit: Exit, failure: Failure) -> TestReport {
        let known = self.setting.variables.iter().chain(&exit.assigned);
        let variables: Value = known.map(|(name, value)| (name.clone(), value.value().clone())).collect();
        if variables.as_object().is_some_and(|variables| !variables.is_empty()) {
            self.seen.document("variables", &variables);
        }
        let inspection = self.seen.take();
        TestReport { status, output: Some(exit.output), failure, next_state: exit.next, inspection }
    }

    fn ended(&mut self, status: TestStatus, failure: Failure) -> TestReport {
        TestReport { status, output: None, failure, next_state: None, inspection: self.seen.take() }
    }
}
