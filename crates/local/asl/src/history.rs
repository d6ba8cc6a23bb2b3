//! Rendering log entries as `GetExecutionHistory` answers them (AWS JSON 1.0).
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html>.

mod map_run;
mod task;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::integration::Resource;
use crate::log::{Event, LogEntry};
use crate::payload::Payload;

/// The name of the details member and the details.
type Details = Option<(&'static str, Value)>;

impl LogEntry {
    /// The event as the service shows it; `None` for an internal entry.
    #[must_use]
    pub fn to_history_event(&self) -> Option<Value> {
        let id = self.event_id?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit the 53 bits of a double")]
        let seconds = self.at.as_millisecond() as f64 / 1000.0;
        let mut event = Map::new();
        event.insert("timestamp".to_owned(), seconds.into());
        event.insert("type".to_owned(), self.event.type_name().into());
        event.insert("id".to_owned(), id.into());
        event.insert("previousEventId".to_owned(), self.previous_event_id.into());
        if let Some((name, details)) = details(&self.event) {
            event.insert(name.to_owned(), details);
        }
        Some(event.into())
    }
}

impl Event {
    /// The `HistoryEventType` of the service, or an internal entry's own name.
    #[must_use]
    pub fn type_name(&self) -> String {
        let task = |resource: &Resource, what: &str| match resource {
            Resource::Function { .. } => format!("LambdaFunction{what}"),
            Resource::Activity { .. } => format!("Activity{what}"),
            Resource::Service { .. } => format!("Task{what}"),
        };
        match self {
            Self::StateEntered { kind, .. } => format!("{kind:?}StateEntered"),
            Self::StateExited { kind, .. } => format!("{kind:?}StateExited"),
            Self::StateAborted { kind } => format!("{kind:?}StateAborted"),
            Self::TaskScheduled { resource, .. } => task(resource, "Scheduled"),
            Self::TaskStarted { resource, .. } => task(resource, "Started"),
            Self::TaskSucceeded { resource, .. } => task(resource, "Succeeded"),
            Self::TaskFailed { resource, .. } => task(resource, "Failed"),
            Self::TaskTimedOut { resource, .. } => task(resource, "TimedOut"),
            Self::MapRun(event) => event.type_name().to_owned(),
            other => other.fixed_type_name().to_owned(),
        }
    }

    fn fixed_type_name(&self) -> &'static str {
        match self {
            Self::ExecutionStarted { .. } => "ExecutionStarted",
            Self::ExecutionSucceeded { .. } => "ExecutionSucceeded",
            Self::ExecutionFailed { .. } => "ExecutionFailed",
            Self::ExecutionAborted { .. } => "ExecutionAborted",
            Self::ExecutionTimedOut { .. } => "ExecutionTimedOut",
            Self::ExecutionRedriven { .. } => "ExecutionRedriven",
            Self::MapStarted { .. } => "MapStateStarted",
            Self::MapIterationStarted { .. } => "MapIterationStarted",
            Self::MapIterationSucceeded { .. } => "MapIterationSucceeded",
            Self::MapIterationFailed { .. } => "MapIterationFailed",
            Self::MapIterationAborted { .. } => "MapIterationAborted",
            Self::MapSucceeded => "MapStateSucceeded",
            Self::MapFailed => "MapStateFailed",
            Self::ParallelStarted { .. } => "ParallelStateStarted",
            Self::ParallelSucceeded => "ParallelStateSucceeded",
            Self::ParallelFailed => "ParallelStateFailed",
            Self::EvaluationFailed { .. } => "EvaluationFailed",
            Self::WaitScheduled { .. } => "WaitScheduled",
            Self::RetryScheduled { .. } => "RetryScheduled",
            Self::HeartbeatReceived => "HeartbeatReceived",
            Self::TaskSubmitted { .. } => "TaskSubmitted",
            Self::TaskSubmitFailed { .. } => "TaskSubmitFailed",
            Self::ActivityRequested { .. } => "ActivityRequested",
            Self::CallbackReceived { .. } => "CallbackReceived",
            Self::FlowFailed { .. } => "FlowFailed",
            _ => "FlowAborted",
        }
    }
}

fn details(event: &Event) -> Details {
    match event {
        Event::ExecutionStarted { input, role_arn } => {
            let details = json!({ "input": input.to_json(), "inputDetails": untruncated(), "roleArn": role_arn });
            Some(("executionStartedEventDetails", details))
        }
        Event::ExecutionSucceeded { output } => Some(("executionSucceededEventDetails", output_of(output))),
        Event::ExecutionFailed { failure } => Some(("executionFailedEventDetails", failure_of(failure))),
        Event::ExecutionAborted { failure } => Some(("executionAbortedEventDetails", failure_of(failure))),
        Event::ExecutionTimedOut { failure } => Some(("executionTimedOutEventDetails", failure_of(failure))),
        Event::ExecutionRedriven { redrive_count } => {
            Some(("executionRedrivenEventDetails", json!({ "redriveCount": redrive_count })))
        }
        Event::StateEntered { name, input, .. } => {
            let details = json!({ "name": name, "input": input.to_json(), "inputDetails": untruncated() });
            Some(("stateEnteredEventDetails", details))
        }
        Event::StateExited { name, output, assigned, .. } => {
            Some(("stateExitedEventDetails", exited(name, output, assigned)))
        }
        Event::MapRun(event) => map_run::details(event),
        Event::MapStarted { length, .. } => Some(("mapStateStartedEventDetails", json!({ "length": length }))),
        Event::MapIterationStarted { name, index, .. } => {
            Some(("mapIterationStartedEventDetails", iteration(name, *index)))
        }
        Event::MapIterationSucceeded { name, index } => {
            Some(("mapIterationSucceededEventDetails", iteration(name, *index)))
        }
        Event::MapIterationFailed { name, index } => Some(("mapIterationFailedEventDetails", iteration(name, *index))),
        Event::MapIterationAborted { name, index } => {
            Some(("mapIterationAbortedEventDetails", iteration(name, *index)))
        }
        Event::EvaluationFailed { state, location, failure, .. } => {
            let mut details = failure_of(failure);
            details["location"] = location.as_str().into();
            details["state"] = state.as_str().into();
            Some(("evaluationFailedEventDetails", details))
        }
        other => task::details(other),
    }
}

fn exited(name: &str, output: &Payload, assigned: &BTreeMap<String, Payload>) -> Value {
    let mut details = json!({ "name": name, "output": output.to_json(), "outputDetails": untruncated() });
    if !assigned.is_empty() {
        let texts: Map<String, Value> =
            assigned.iter().map(|(name, value)| (name.clone(), value.to_json().into())).collect();
        details["assignedVariables"] = texts.into();
        details["assignedVariablesDetails"] = untruncated();
    }
    details
}

fn output_of(output: &Payload) -> Value {
    json!({ "output": output.to_json(), "outputDetails": untruncated() })
}

fn failure_of(failure: &Failure) -> Value {
    let mut details = json!({});
    put_some(&mut details, "error", failure.error.as_deref().map(Value::from));
    put_some(&mut details, "cause", failure.cause.as_deref().map(Value::from));
    details
}

fn iteration(name: &str, index: usize) -> Value {
    json!({ "name": name, "index": index })
}

fn untruncated() -> Value {
    json!({ "truncated": false })
}

fn put_some(details: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        details[name] = value;
    }
}
