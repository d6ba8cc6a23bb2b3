//! The Invoke API, and what little of function management a client asks for: list and get.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{FunctionConfig, Functions, Invocation, MOST_PAYLOAD_BYTES, failure};
use crate::server::body::{self, Request, Response};
use crate::tasks::Tasks;
use crate::wire::ServiceError;

/// Where the function API lives.
pub(crate) const PREFIX: &str = "/2015-03-31/functions";

/// An asynchronous invocation that fails is tried this often again, as on AWS, but at once.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
const ASYNCHRONOUS_RETRIES: usize = 2;

/// Answers a request whose path begins with [`PREFIX`].
pub(crate) async fn handle(functions: &Functions, tasks: &Tasks, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches(PREFIX).trim_matches('/').to_owned();
    let (function, call) = path.split_once('/').unwrap_or((&path, ""));
    let function = percent_decode_str(function).decode_utf8_lossy();
    let answer = match (request.method(), call) {
        (&Method::POST, "invocations") => invoke(functions, tasks, &function, request).await,
        (&Method::GET, "") if function.is_empty() => Ok(body::json(StatusCode::OK, &listed(functions))),
        (&Method::GET, "") => {
            described(functions, &function).map(|config| body::json(StatusCode::OK, &json!({"Configuration": config})))
        }
        (&Method::GET, "configuration") => {
            described(functions, &function).map(|config| body::json(StatusCode::OK, &config))
        }
        (method, _) => {
            let message = format!("`{method} {}` of Lambda is not available locally", request.uri().path());
            Err(ServiceError::not_available_locally(message))
        }
    };
    answer.unwrap_or_else(|error| refusal(&error))
}

/// An error in the REST form of Lambda.
pub(crate) fn refusal(error: &ServiceError) -> Response {
    let kind = if error.status < 500 { "User" } else { "Service" };
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = body::json(status, &json!({"Type": kind, "Message": error.message, "message": error.message}));
    body::set_header(&mut response, "x-amzn-errortype", &error.code);
    response
}

async fn invoke(
    functions: &Functions,
    tasks: &Tasks,
    function: &str,
    request: Request,
) -> Result<Response, ServiceError> {
    let kind = header(request.headers(), "x-amz-invocation-type").unwrap_or("RequestResponse").to_owned();
    let context = header(request.headers(), "x-amz-client-context").map(str::to_owned);
    functions.check(function)?;
    let payload = body::read(request, MOST_PAYLOAD_BYTES)
        .await
        .map_err(|_| failure::request_too_large(MOST_PAYLOAD_BYTES + 1))?;
    let payload = checked(payload)?;
    match kind.as_str() {
        "RequestResponse" => functions.invoke_for(function, payload, context).await.map(answer),
        "Event" => {
            let (functions, function) = (functions.clone(), function.to_owned());
            tasks.spawn(async move { invoke_until_it_works(&functions, &function, payload).await });
            Ok(empty(StatusCode::ACCEPTED))
        }
        "DryRun" => Ok(empty(StatusCode::NO_CONTENT)),
        other => {
            let message = format!("`{other}` is no invocation type: RequestResponse, Event or DryRun");
            Err(ServiceError::client("InvalidParameterValueException", message))
        }
    }
}

/// The payload of a request: JSON, and `{}` where there is none.
fn checked(payload: Bytes) -> Result<Bytes, ServiceError> {
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(error) => {
            let message = format!("Could not parse request body into json: {error}");
            Err(ServiceError::client("InvalidRequestContentException", message))
        }
    }
}

pub(crate) async fn invoke_until_it_works(functions: &Functions, function: &str, payload: Bytes) {
    for _ in 0..=ASYNCHRONOUS_RETRIES {
        if matches!(functions.invoke(function, payload.clone()).await, Ok(Invocation { function_error: None, .. })) {
            return;
        }
    }
    tracing::warn!(function, "an asynchronous invocation failed each time and is dropped");
}

fn answer(invocation: Invocation) -> Response {
    let mut response = body::bytes(StatusCode::OK, "application/json", invocation.payload);
    body::set_header(&mut response, "x-amz-executed-version", "$LATEST");
    if let Some(kind) = invocation.function_error {
        body::set_header(&mut response, "x-amz-function-error", &kind);
    }
    response
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// All functions.
pub(crate) fn listed(functions: &Functions) -> Value {
    let all: Vec<Value> = functions.list().map(describe).collect();
    json!({"Functions": all})
}

/// The configuration of one function.
pub(crate) fn described(functions: &Functions, function: &str) -> Result<Value, ServiceError> {
    Ok(describe(functions.pool(function)?.config()))
}

fn describe(config: &FunctionConfig) -> Value {
    json!({
        "FunctionName": config.name,
        "FunctionArn": config.arn,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Timeout": config.timeout.as_secs(),
        "MemorySize": config.memory_megabytes,
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Environment": {"Variables": config.environment},
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
