//! The work of a task: the engine says what to invoke and what the answer means; this invokes.
//!
//! Services other than Lambda are not available locally; a task that names one fails with an error that no `Retry` and
//! no `Catch` matches.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>

use asl::lambda::{self, Answer};
use asl::{Failure, Payload, Resource};
use bytes::Bytes;
use jiff::Timestamp;

use crate::identifier;
use crate::lambda::Functions;
use crate::wire::ServiceError;

/// Does the work of a task.
pub(super) async fn perform(
    functions: &Functions,
    resource: &Resource,
    input: &Payload,
    now: Timestamp,
) -> Result<Payload, Failure> {
    let Some(wanted) = lambda::invocation(resource, input) else {
        return Err(Failure::new("States.Runtime", format!("{} is not available locally", describe(resource))));
    };
    let wanted = wanted?;
    let invoked = functions.invoke(&wanted.function, Bytes::from(wanted.payload)).await;
    let invocation = invoked.map_err(|error| refused(&error))?;
    let answer = Answer {
        payload: String::from_utf8_lossy(&invocation.payload).into_owned(),
        function_error: invocation.function_error,
        executed_version: "$LATEST".to_owned(),
        request_id: identifier::random(),
        date: now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        trace_id: String::new(),
        log_result: None,
    };
    lambda::outcome(resource, &answer)
}

fn describe(resource: &Resource) -> String {
    match resource {
        Resource::Function { arn } => format!("the function `{arn}`"),
        Resource::Service { service, action } => format!("the integration `{service}:{action}`"),
    }
}

fn refused(error: &ServiceError) -> Failure {
    // Step Functions names the version that it asked for.
    let version = if error.code == "ResourceNotFoundException" { ":$LATEST" } else { "" };
    let message = format!("{}{version}", error.message);
    lambda::refused(&error.code, &message, error.status, &identifier::random())
}
