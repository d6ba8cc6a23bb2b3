//! `lambda:invoke`, a function by its ARN, and Lambda through the SDK.
//!
//! A function that the cloud does not have is looked for at the endpoint for functions, if there is one. What the engine
//! makes of an answer stands in crate `asl`.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>

use asl::lambda::{self, Answer, Invocation, InvocationType};
use asl::{Failure, Payload, Resource};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::States;
use super::refused::{self, Modelled, Name};
use crate::identifier;
use crate::lambda::endpoint::{Call, UNREACHABLE};
use crate::lambda::{api, name_in, qualifier_in};
use crate::wire::ServiceError;

/// The version that a function without versions has.
const LATEST: &str = "$LATEST";

const NAME: Name = Name { prefix: "Lambda", modelled: Modelled::Own };

/// Invokes the function of a task and gives what the task gives.
pub(super) async fn invoke(states: &States, resource: &Resource, input: &Payload) -> Result<Payload, Failure> {
    let wanted = lambda::invocation(resource, input)
        .unwrap_or_else(|| Err(Failure::new("States.Runtime", "the task names no function")))?;
    let answer = answer(states, &wanted).await.map_err(|error| failure(&wanted, &error))?;
    lambda::outcome(resource, &answer)
}

/// An action of Lambda through the SDK; `None` when the local cloud has none of that name.
pub(super) async fn sdk(states: &States, action: &str, parameters: &Value) -> Option<Result<Value, Failure>> {
    let functions = &states.inner.functions;
    let name = parameters.get("FunctionName").and_then(Value::as_str).unwrap_or_default();
    let done = match action {
        "invoke" => return Some(sdk_invoke(states, parameters).await),
        "listFunctions" => Ok(api::listed(functions)),
        "getFunction" => api::described(functions, name).map(|config| json!({ "Configuration": config })),
        "getFunctionConfiguration" => api::described(functions, name),
        _ => return None,
    };
    Some(done.map_err(|error| refused::sdk(&NAME, &error, false)))
}

/// Unlike the optimized call, a function's own failure is an answer, and the payload is text.
async fn sdk_invoke(states: &States, parameters: &Value) -> Result<Value, Failure> {
    let wanted = lambda::parameters(parameters)?;
    let answer = answer(states, &wanted).await.map_err(|error| match error.code.as_ref() {
        UNREACHABLE => lambda::unreachable(&error.message),
        _ => refused::sdk(&NAME, &error, false),
    })?;
    let mut seen = json!({ "StatusCode": answer.status, "Payload": answer.payload });
    let more = [
        ("ExecutedVersion", answer.executed_version),
        ("FunctionError", answer.function_error),
        ("LogResult", answer.log_result),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            seen[name] = value.into();
        }
    }
    Ok(seen)
}

async fn answer(states: &States, wanted: &Invocation) -> Result<Answer, ServiceError> {
    let now = states.context().clock.now();
    match states.inner.functions.elsewhere(&wanted.function) {
        Some(endpoint) => {
            let answered = endpoint.invoke(&call(wanted)).await?;
            let log = answered.log_result;
            let mut answer = shaped(states, wanted, answered.status, &answered.invocation, now);
            answer.executed_version = answered.executed_version.or(answer.executed_version);
            answer.request_id = answered.request_id.unwrap_or(answer.request_id);
            answer.log_result = log.or(answer.log_result);
            Ok(answer)
        }
        None => here(states, wanted, now).await,
    }
}

/// Invokes a function of the cloud's own.
async fn here(states: &States, wanted: &Invocation, now: Timestamp) -> Result<Answer, ServiceError> {
    let (functions, payload) = (states.inner.functions.clone(), Bytes::from(wanted.payload.clone()));
    functions.check(&wanted.function)?;
    let nothing = crate::lambda::Invocation { payload: Bytes::new(), function_error: None };
    match wanted.kind {
        InvocationType::RequestResponse => {
            let context = wanted.client_context.clone();
            let invocation = functions.invoke_for(&wanted.function, payload, context).await?;
            Ok(shaped(states, wanted, 200, &invocation, now))
        }
        InvocationType::Event => {
            let function = wanted.function.clone();
            states.inner.tasks.spawn(async move {
                api::invoke_until_it_works(&functions, &function, payload).await;
            });
            Ok(Answer { executed_version: None, ..shaped(states, wanted, 202, &nothing, now) })
        }
        InvocationType::DryRun => Ok(shaped(states, wanted, 204, &nothing, now)),
    }
}

fn call(wanted: &Invocation) -> Call {
    let qualifier = qualifier_in(&wanted.function).map(str::to_owned);
    Call {
        function: name_in(&wanted.function).to_owned(),
        qualifier: wanted.qualifier.clone().or(qualifier),
        kind: match wanted.kind {
            InvocationType::RequestResponse => None,
            InvocationType::Event => Some("Event"),
            InvocationType::DryRun => Some("DryRun"),
        },
        client_context: wanted.client_context.clone(),
        wants_log: wanted.wants_log,
        payload: Bytes::from(wanted.payload.clone()),
    }
}

fn shaped(
    states: &States,
    wanted: &Invocation,
    status: u16,
    invocation: &crate::lambda::Invocation,
    began: Timestamp,
) -> Answer {
    let (now, request_id) = (states.context().clock.now(), identifier::random());
    let log = |request_id: &str| report(request_id, now.duration_since(began).as_millis());
    Answer {
        status,
        payload: String::from_utf8_lossy(&invocation.payload).into_owned(),
        function_error: invocation.function_error.clone(),
        executed_version: Some(LATEST.to_owned()),
        date: now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        trace_id: format!("Root=1-{:08x}-{:024x};Sampled=0", now.as_second(), fastrand::u128(..) >> 32),
        log_result: wanted.wants_log.then(|| log(&request_id)),
        request_id,
    }
}

/// What the platform itself writes into the log of an invocation; the function's own lines are in the log file.
fn report(request_id: &str, milliseconds: i128) -> String {
    let lines = format!(
        "START RequestId: {request_id} Version: {LATEST}\nEND RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {milliseconds} ms\n"
    );
    STANDARD.encode(lines)
}

fn failure(wanted: &Invocation, error: &ServiceError) -> Failure {
    if error.code == UNREACHABLE {
        return lambda::unreachable(&error.message);
    }
    // Step Functions names the version that it asked for.
    let asked = wanted.qualifier.as_deref().or(qualifier_in(&wanted.function)).unwrap_or(LATEST);
    let version = if error.code == "ResourceNotFoundException" { format!(":{asked}") } else { String::new() };
    lambda::refused(&error.code, &format!("{}{version}", error.message), error.status, &identifier::random())
}
