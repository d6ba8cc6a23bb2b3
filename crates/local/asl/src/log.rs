//! The log of an execution: what happened, in order, and nothing else. State is a fold of it.
//!
//! An entry that the service shows has an event id; the others are internal and record what a
//! restart could not work out again, such as the moment that a retry is due.

mod map_run;
mod text;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::map_run::MapRunEvent;
use crate::failure::Failure;
use crate::integration::Resource;
use crate::payload::Payload;

pub use self::text::{read_log, write_log};

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The place in the log, from 0.
    #[serde(rename = "n")]
    pub sequence: u64,
    /// The flow that it concerns: 0 for the machine, others for branches and iterations.
    #[serde(rename = "f")]
    pub frame: FrameId,
    /// When it happened, to the microsecond.
    #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub at: Timestamp,
    /// The id in the service's history, from 1; internal entries have none.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<u64>,
    /// The id of the event before it in the same flow; 0 for none.
    #[serde(rename = "p")]
    pub previous_event_id: u64,
    /// What happened.
    #[serde(rename = "e")]
    pub event: Event,
}

/// A flow of an execution: the machine itself, a branch, or an iteration.
pub type FrameId = u32;

/// The kinds of states, as the history's event types begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the language's")]
pub enum StateKind {
    Task,
    Pass,
    Choice,
    Wait,
    Succeed,
    Fail,
    Parallel,
    Map,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "events and their fields are named as in the service's HistoryEvent")]
pub enum Event {
    ExecutionStarted {
        input: Payload,
        role_arn: String,
    },
    ExecutionSucceeded {
        output: Payload,
    },
    ExecutionFailed {
        failure: Failure,
    },
    ExecutionAborted {
        failure: Failure,
    },
    ExecutionTimedOut {
        failure: Failure,
    },
    ExecutionRedriven {
        redrive_count: u32,
    },
    StateEntered {
        kind: StateKind,
        name: String,
        input: Payload,
    },
    StateExited {
        kind: StateKind,
        name: String,
        output: Payload,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        assigned: BTreeMap<String, Payload>,
        /// Internal: where the flow goes on; `None` ends it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    StateAborted {
        kind: StateKind,
    },
    TaskScheduled {
        resource: Resource,
        region: String,
        parameters: Payload,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heartbeat_seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role_arn: Option<String>,
    },
    TaskStarted {
        resource: Resource,
        /// Who took an activity's task, as the worker calls itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worker_name: Option<String>,
    },
    /// The service has begun what the task waits for.
    TaskSubmitted {
        resource: Resource,
        output: Payload,
    },
    TaskSubmitFailed {
        resource: Resource,
        failure: Failure,
    },
    TaskSucceeded {
        resource: Resource,
        output: Payload,
    },
    TaskFailed {
        resource: Resource,
        failure: Failure,
    },
    TaskTimedOut {
        resource: Resource,
        failure: Failure,
    },
    MapStarted {
        length: usize,
        /// Internal: the array itself.
        items: Payload,
        /// Internal: how many iterations may run at once.
        concurrency: usize,
    },
    MapIterationStarted {
        name: String,
        index: usize,
        /// Internal: the flow of the Map state.
        parent: FrameId,
        /// Internal: the iteration's input.
        input: Payload,
    },
    MapIterationSucceeded {
        name: String,
        index: usize,
    },
    MapIterationFailed {
        name: String,
        index: usize,
    },
    MapIterationAborted {
        name: String,
        index: usize,
    },
    MapSucceeded,
    MapFailed,
    /// A distributed Map.
    MapRun(MapRunEvent),
    ParallelStarted {
        /// Internal: the input of every branch.
        input: Payload,
    },
    ParallelSucceeded,
    ParallelFailed,
    /// An expression of JSONata failed.
    EvaluationFailed {
        state: String,
        location: String,
        failure: Failure,
        /// Internal: it failed in a `Catch`, so neither `Retry` nor `Catch` is tried again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_final: bool,
    },
    /// Internal: a Wait state waits until then.
    WaitScheduled {
        #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
        due: Timestamp,
    },
    /// Internal: a state is executed again then, by the rule of its `Retry` list with this index.
    RetryScheduled {
        #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
        due: Timestamp,
        rule: usize,
    },
    /// Internal: a task in flight gave a sign of life.
    HeartbeatReceived,
    /// Internal: the task of an activity, before it is known whether there is such an activity.
    ActivityRequested {
        resource: Resource,
        parameters: Payload,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heartbeat_seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role_arn: Option<String>,
    },
    /// Internal: the answer to a task's token, given before the service had answered the call.
    CallbackReceived {
        outcome: Result<Payload, Failure>,
    },
    /// Internal: a branch or an iteration failed.
    FlowFailed {
        failure: Failure,
    },
    /// Internal: a branch or an iteration was aborted between states.
    FlowAborted,
}

impl Event {
    /// Whether the service's history does not have it.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        matches!(
            self,
            Self::WaitScheduled { .. }
                | Self::RetryScheduled { .. }
                | Self::HeartbeatReceived
                | Self::ActivityRequested { .. }
                | Self::CallbackReceived { .. }
                | Self::FlowFailed { .. }
                | Self::FlowAborted
        )
    }

    /// Whether it closes the execution.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(
            self,
            Self::ExecutionSucceeded { .. }
                | Self::ExecutionFailed { .. }
                | Self::ExecutionAborted { .. }
                | Self::ExecutionTimedOut { .. }
        )
    }
}
