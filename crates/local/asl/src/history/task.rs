//! Details of the events of tasks: of functions, of activities and of services.

use serde_json::{Map, Value, json};

use super::{Details, failure_of, output_of, put_some, untruncated};
use crate::integration::Resource;
use crate::log::Event;

/// The names of the details of one event, by what does the task.
struct Names {
    function: &'static str,
    activity: &'static str,
    service: &'static str,
}

const SUCCEEDED: Names = Names {
    function: "lambdaFunctionSucceededEventDetails",
    activity: "activitySucceededEventDetails",
    service: "taskSucceededEventDetails",
};
const FAILED: Names = Names {
    function: "lambdaFunctionFailedEventDetails",
    activity: "activityFailedEventDetails",
    service: "taskFailedEventDetails",
};
const TIMED_OUT: Names = Names {
    function: "lambdaFunctionTimedOutEventDetails",
    activity: "activityTimedOutEventDetails",
    service: "taskTimedOutEventDetails",
};

pub(super) fn details(event: &Event) -> Details {
    match event {
        Event::TaskScheduled { resource, .. } => Some(scheduled(event, resource)),
        Event::TaskStarted { resource, worker_name } => started(resource, worker_name.as_deref()),
        Event::TaskSubmitted { resource, output } => {
            Some(("taskSubmittedEventDetails", service_of(resource, output_of(output))))
        }
        Event::TaskSubmitFailed { resource, failure } => {
            Some(("taskSubmitFailedEventDetails", service_of(resource, failure_of(failure))))
        }
        Event::TaskSucceeded { resource, output } => Some(by_kind(resource, output_of(output), &SUCCEEDED)),
        Event::TaskFailed { resource, failure } => Some(by_kind(resource, failure_of(failure), &FAILED)),
        Event::TaskTimedOut { resource, failure } => Some(by_kind(resource, failure_of(failure), &TIMED_OUT)),
        _ => None,
    }
}

fn by_kind(resource: &Resource, details: Value, names: &Names) -> (&'static str, Value) {
    match resource {
        Resource::Function { .. } => (names.function, details),
        Resource::Activity { .. } => (names.activity, details),
        Resource::Service { .. } => (names.service, service_of(resource, details)),
    }
}

/// Details with the service and its action added.
fn service_of(resource: &Resource, details: Value) -> Value {
    let mut members = match details {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    if let Resource::Service { service, action, pattern } = resource {
        members.insert("resourceType".to_owned(), service.as_str().into());
        members.insert("resource".to_owned(), format!("{action}{}", pattern.suffix()).into());
    }
    members.into()
}

/// A function's start has no details.
fn started(resource: &Resource, worker_name: Option<&str>) -> Details {
    match resource {
        Resource::Function { .. } => None,
        Resource::Activity { .. } => {
            let mut details = json!({});
            put_some(&mut details, "workerName", worker_name.map(Value::from));
            Some(("activityStartedEventDetails", details))
        }
        Resource::Service { .. } => Some(("taskStartedEventDetails", service_of(resource, Value::Null))),
    }
}

fn scheduled(event: &Event, resource: &Resource) -> (&'static str, Value) {
    match resource {
        Resource::Function { arn } => ("lambdaFunctionScheduledEventDetails", scheduled_by_arn(event, arn)),
        Resource::Activity { arn } => ("activityScheduledEventDetails", scheduled_by_arn(event, arn)),
        Resource::Service { .. } => ("taskScheduledEventDetails", scheduled_service(event, resource)),
    }
}

/// Only an activity's details tell of its heartbeat.
fn scheduled_by_arn(event: &Event, arn: &str) -> Value {
    let Event::TaskScheduled { resource, parameters, timeout_seconds, heartbeat_seconds, role_arn, .. } = event else {
        return Value::Null;
    };
    let mut details = json!({ "resource": arn, "input": parameters.to_json(), "inputDetails": untruncated() });
    put_some(&mut details, "timeoutInSeconds", timeout_seconds.map(Value::from));
    if matches!(resource, Resource::Activity { .. }) {
        put_some(&mut details, "heartbeatInSeconds", heartbeat_seconds.map(Value::from));
    } else {
        put_some(&mut details, "taskCredentials", role_arn.as_ref().map(|role| json!({ "roleArn": role })));
    }
    details
}

fn scheduled_service(event: &Event, resource: &Resource) -> Value {
    let Event::TaskScheduled { parameters, region, timeout_seconds, heartbeat_seconds, role_arn, .. } = event else {
        return Value::Null;
    };
    let mut details = service_of(resource, json!({ "region": region, "parameters": parameters.to_json() }));
    put_some(&mut details, "timeoutInSeconds", timeout_seconds.map(Value::from));
    put_some(&mut details, "heartbeatInSeconds", heartbeat_seconds.map(Value::from));
    put_some(&mut details, "taskCredentials", role_arn.as_ref().map(|role| json!({ "roleArn": role })));
    details
}
