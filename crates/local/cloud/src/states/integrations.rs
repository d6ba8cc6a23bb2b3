//! The work of a task: calls of functions, of executions and of the other surfaces of the local cloud.
//!
//! A call goes to the same handler as an HTTP request does, without a network. Two families differ in how they name
//! members, times and errors: the optimized integrations (`lambda:invoke`, `states:startExecution`), and those of the AWS
//! SDK (`aws-sdk:SERVICE:ACTION`). What the local cloud does not have fails the task with an error that no `Retry` and no
//! `Catch` matches: a definition must not take its way round a service that is only missing here.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html>

mod athena;
mod case;
mod executions;
mod function;
mod refused;
mod s3;
mod sdk;

use asl::{Failure, Payload, Resource, TaskId};

use serde_json::Value;

use super::States;
use crate::ai::media::Media;
use crate::athena::Athena;
use crate::glue::Glue;

pub(super) use athena::job_outcome as query_outcome;
pub(super) use executions::job_outcome;

/// The surfaces that tasks call, beside functions and executions.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) media: Media,
    pub(crate) s3: crate::s3::Service,
    pub(crate) athena: Athena,
    pub(crate) glue: Glue,
}

/// The task that calls.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Its execution; what has none, such as a test of one state, starts whatever it starts anew each time.
    pub(super) number: Option<i64>,
    pub(super) arn: String,
    pub(super) task_id: TaskId,
}

/// Does the work of a task, or as much of it as ends with the service's answer.
pub(super) async fn perform(
    states: &States,
    caller: &Caller,
    resource: &Resource,
    input: &Payload,
) -> Result<Payload, Failure> {
    let Resource::Service { service, action, .. } = resource else {
        return function::invoke(states, resource, input).await;
    };
    // Nothing else that is here starts a job whose end could be waited for.
    if resource.pattern().is_sync() && action != "startExecution" && action != "startQueryExecution" {
        return Err(unavailable(service, &format!("{action}{}", resource.pattern().suffix())));
    }
    match (service.as_str(), action.as_str()) {
        ("lambda", "invoke") => function::invoke(states, resource, input).await,
        ("athena", action) => {
            let called = athena::call(states, caller, resource, action, input.value()).await;
            called.unwrap_or_else(|| Err(unavailable(service, action)))
        }
        ("states", "startExecution") => executions::start(states, caller, resource, input.value()).await,
        _ => match service.strip_prefix("aws-sdk:") {
            Some(service) => sdk::call(states, caller, resource, (service, action), input.value()).await,
            None => Err(unavailable(service, action)),
        },
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

fn unavailable(service: &str, action: &str) -> Failure {
    Failure::new("States.Runtime", format!("the integration `{service}:{action}` is not available locally"))
}
