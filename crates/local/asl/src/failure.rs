//! The error names of the language and how states report them.
//!
//! Spec: <https://states-language.net/#errors>; names and reach of the wildcards:
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.

use serde::{Deserialize, Serialize};

/// An error name and its cause; a Fail state may leave out either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What `Retry` and `Catch` match on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What a person reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Whether a timeout is a missed heartbeat: the service calls both `States.Timeout`, but
    /// `Retry` and `Catch` can tell them apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missed_heartbeat: bool,
}

/// A failure within a state, and the field whose expression failed, where that was the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) failure: Failure,
    pub(crate) location: Option<Box<str>>,
}

impl Fault {
    pub(crate) fn at(location: &str, failure: Failure) -> Self {
        Self { failure, location: Some(location.into()) }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self { failure, location: None }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        fault.failure
    }
}

pub(crate) const ALL: &str = "States.ALL";
pub(crate) const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
pub(crate) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
pub(crate) const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
pub(crate) const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
pub(crate) const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
pub(crate) const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
pub(crate) const RUNTIME: &str = "States.Runtime";
pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
pub(crate) const TIMEOUT: &str = "States.Timeout";

impl Failure {
    /// A failure with both name and cause.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: Some(error.into()), cause: Some(cause.into()), missed_heartbeat: false }
    }

    /// A failure of which either may be missing.
    #[must_use]
    pub fn of(error: Option<String>, cause: Option<String>) -> Self {
        Self { error, cause, missed_heartbeat: false }
    }

    /// A failure of the interpreter itself, which no wildcard of `Retry` and `Catch` matches.
    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        Self::new(RUNTIME, cause)
    }

    pub(crate) fn timeout() -> Self {
        Self { error: Some(TIMEOUT.to_owned()), ..Self::default() }
    }

    pub(crate) fn missed_heartbeat() -> Self {
        Self { missed_heartbeat: true, ..Self::timeout() }
    }

    pub(crate) fn too_large(what: &str) -> Self {
        Self::new(
            DATA_LIMIT_EXCEEDED,
            format!(
                "The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
            ),
        )
    }

    /// What a task is given is too large.
    pub(crate) fn too_large_parameters(state: &str) -> Self {
        let what = "provided parameters with a size exceeding the maximum number of bytes service limit.";
        Self::new(DATA_LIMIT_EXCEEDED, format!("The state/task '{state}' {what}"))
    }

    /// The same failure with the place put before its cause, as the service words it.
    pub(crate) fn in_state(self, state: &str, entered_event_id: u64) -> Self {
        let cause = self.cause.unwrap_or_default();
        let cause = format!(
            "An error occurred while executing the state '{state}' (entered at the event id #{entered_event_id}). {cause}"
        );
        Self { cause: Some(cause), ..self }
    }

    /// Whether an `ErrorEquals` list matches this failure.
    pub(crate) fn is_matched_by(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.is_named(name))
    }

    fn is_named(&self, name: &str) -> bool {
        let error = self.error.as_deref().unwrap_or_default();
        let is_limit = error == RUNTIME || error == DATA_LIMIT_EXCEEDED;
        match name {
            // The two that end an execution are matched by their own names only.
            ALL => !is_limit,
            TASK_FAILED => !is_limit && error != TIMEOUT && error != HEARTBEAT_TIMEOUT,
            // A missed heartbeat is a timeout too.
            TIMEOUT => error == TIMEOUT || error == HEARTBEAT_TIMEOUT,
            HEARTBEAT_TIMEOUT => error == HEARTBEAT_TIMEOUT || self.missed_heartbeat,
            _ => error == name,
        }
    }
}
