//! `athena:startQueryExecution`, with and without waiting, and its three companions.
//!
//! A task starts one query, however often it is done: the query's id is made from the task, and what is about to be
//! started is written down first. A query that is waited for gives what `GetQueryExecution` gives; one that failed or was
//! cancelled fails the task with the same as its cause.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-athena.html>

use asl::{Failure, Payload, Resource};
use serde_json::{Value, json};

use super::super::States;
use super::super::jobs::{self, Job};
use super::executions::derived_name;
use super::refused::{self, Modelled, Name};
use super::{Caller, without_nulls};
use crate::identifier;
use crate::wire::ServiceError;

/// How the optimized integration names the service in causes.
const SERVICE: Name = Name { prefix: "AmazonAthena", modelled: Modelled::Own };

/// The actions that the optimized integration has.
const ACTIONS: [(&str, &str); 4] = [
    ("startQueryExecution", "StartQueryExecution"),
    ("stopQueryExecution", "StopQueryExecution"),
    ("getQueryExecution", "GetQueryExecution"),
    ("getQueryResults", "GetQueryResults"),
];

/// Does an action by the optimized integration; nothing if it has none of that name.
pub(super) async fn call(
    states: &States,
    caller: &Caller,
    resource: &Resource,
    action: &str,
    parameters: &Value,
) -> Option<Result<Payload, Failure>> {
    let (_, operation) = ACTIONS.iter().find(|(own, _)| *own == action)?;
    let body = without_nulls(parameters);
    let answered = match *operation {
        "StartQueryExecution" => begin(states, caller, resource.pattern().is_sync(), body).await,
        operation => states.inner.services.athena.handle(operation, body).await.map(|reply| reply.body),
    };
    let refused = |error| refused::optimized("Athena", &SERVICE, &error);
    Some(answered.map(|body| in_milliseconds(body).into()).map_err(refused))
}

/// Starts a query once for a task, and gives the service's own answer.
pub(super) async fn begin(states: &States, caller: &Caller, waits: bool, body: Value) -> Result<Value, ServiceError> {
    let id = match caller.number {
        Some(parent) => {
            let id = derived_name(caller);
            let (task_id, begun, child_arn) = (caller.task_id, states.now(), jobs::query(&id));
            states.note_job(Job { parent, task_id, child_arn, waits, begun }).await?;
            id
        }
        None => identifier::random(),
    };
    let begun = states.inner.services.athena.begin(Some(id), body).await?;
    Ok(json!({ "QueryExecutionId": begun.id }))
}

/// How a query that a task waited for has ended; nothing while it has not.
pub(in crate::states) async fn job_outcome(
    states: &States,
    id: &str,
) -> Result<Option<Result<Payload, Failure>>, ServiceError> {
    let asked = json!({ "QueryExecutionId": id });
    let described = match states.inner.services.athena.handle("GetQueryExecution", asked).await {
        Ok(reply) => in_milliseconds(reply.body),
        Err(error) if error.status < 500 => {
            let failure = Failure::new("States.TaskFailed", "the query that the task started is not there any more");
            return Ok(Some(Err(failure)));
        }
        Err(error) => return Err(error),
    };
    Ok(match described["QueryExecution"]["Status"]["State"].as_str() {
        Some("SUCCEEDED") => Some(Ok(described.into())),
        Some("FAILED" | "CANCELLED") => Some(Err(Failure::new("States.TaskFailed", described.to_string()))),
        _ => None,
    })
}

/// The optimized integrations tell times in milliseconds.
fn in_milliseconds(mut answer: Value) -> Value {
    if let Some(status) = answer.pointer_mut("/QueryExecution/Status").and_then(Value::as_object_mut) {
        for name in ["SubmissionDateTime", "CompletionDateTime"] {
            if let Some(seconds) = status.get(name).and_then(Value::as_f64) {
                #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
                status.insert(name.to_owned(), ((seconds * 1000.0).round() as i64).into());
            }
        }
    }
    answer
}
