//! How a task becomes an `Invoke` of a function, and how the answer becomes the task's.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>. Pure: the caller
//! invokes.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::integration::Resource;
use crate::payload::Payload;

/// What to invoke, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// A function's name or ARN, perhaps with a version or an alias.
    pub function: String,
    /// The version or alias, where it is given apart.
    pub qualifier: Option<String>,
    /// The event, as JSON text.
    pub payload: String,
    /// Whether the end of the log is asked for.
    pub wants_log: bool,
}

/// What the function's service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The body, as text.
    pub payload: String,
    /// `X-Amz-Function-Error`, when the function failed.
    pub function_error: Option<String>,
    /// `X-Amz-Executed-Version`.
    pub executed_version: String,
    /// `x-amzn-RequestId`.
    pub request_id: String,
    /// `Date`, as HTTP writes it.
    pub date: String,
    /// `X-Amzn-Trace-Id`; may be empty.
    pub trace_id: String,
    /// `X-Amz-Log-Result`, when the end of the log was asked for.
    pub log_result: Option<String>,
}

/// The invocation that a task asks for; `None` when its resource is not a function.
///
/// # Errors
/// When the parameters of `lambda:invoke` name no function.
#[must_use]
pub fn invocation(resource: &Resource, input: &Payload) -> Option<Result<Invocation, Failure>> {
    match resource {
        Resource::Function { arn } => {
            Some(Ok(Invocation { function: arn.clone(), qualifier: None, payload: input.to_json(), wants_log: false }))
        }
        Resource::Service { service, action } if service == "lambda" && action == "invoke" => {
            Some(parameters(input.value()))
        }
        Resource::Service { .. } => None,
    }
}

fn parameters(parameters: &Value) -> Result<Invocation, Failure> {
    let text = |name: &str| parameters.get(name).and_then(Value::as_str).map(str::to_owned);
    let function =
        text("FunctionName").ok_or_else(|| Failure::runtime("The field 'FunctionName' is required but was missing"))?;
    let wants_log = text("LogType").as_deref() == Some("Tail");
    Ok(Invocation { function, qualifier: text("Qualifier"), payload: event(parameters.get("Payload")), wants_log })
}

/// A string is the event's text itself; no payload is the empty object.
fn event(payload: Option<&Value>) -> String {
    match payload {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(Value::String(text)) if serde_json::from_str::<Value>(text).is_ok() => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// What the task gives, or fails with.
///
/// # Errors
/// The function's own error: its `errorType`, with the whole body as the cause.
pub fn outcome(resource: &Resource, answer: &Answer) -> Result<Payload, Failure> {
    let body = serde_json::from_str::<Value>(&answer.payload);
    if answer.function_error.is_some() {
        let error = body.ok().and_then(|body| Some(body.get("errorType")?.as_str()?.to_owned()));
        return Err(Failure::new(error.unwrap_or_else(|| "Lambda.Unknown".to_owned()), answer.payload.clone()));
    }
    let payload = body.unwrap_or_else(|_| Value::String(answer.payload.clone()));
    match resource {
        Resource::Function { .. } => Ok(payload.into()),
        Resource::Service { .. } => Ok(response(answer, &payload).into()),
    }
}

/// The failure of an `Invoke` that the service itself refused, in the words of Step Functions.
#[must_use]
pub fn refused(error_code: &str, message: &str, status_code: u16, request_id: &str) -> Failure {
    let cause = format!(
        "{message} (Service: AWSLambda; Status Code: {status_code}; Error Code: {error_code}; Request ID: {request_id}; Proxy: null)"
    );
    Failure::new(format!("Lambda.{error_code}"), cause)
}

/// The output of `lambda:invoke`.
fn response(answer: &Answer, payload: &Value) -> Value {
    let length = answer.payload.len().to_string();
    let pairs = [
        ("Connection", "keep-alive"),
        ("Content-Length", &length),
        ("Content-Type", "application/json"),
        ("Date", &answer.date),
        ("X-Amz-Executed-Version", &answer.executed_version),
        ("x-amzn-Remapped-Content-Length", "0"),
        ("x-amzn-RequestId", &answer.request_id),
        ("X-Amzn-Trace-Id", &answer.trace_id),
    ];
    let single: Map<String, Value> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let listed: Map<String, Value> = pairs.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    let mut response = json!({
        "ExecutedVersion": answer.executed_version,
        "Payload": payload,
        "SdkHttpMetadata": { "AllHttpHeaders": listed, "HttpHeaders": single, "HttpStatusCode": 200 },
        "SdkResponseMetadata": { "RequestId": answer.request_id },
        "StatusCode": 200,
    });
    if let Some(log) = &answer.log_result {
        response["LogResult"] = log.as_str().into();
    }
    response
}
