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
    /// Whether the function's answer is waited for.
    pub kind: InvocationType,
    /// What the function's context object tells of the client, as JSON in Base64.
    pub client_context: Option<String>,
    /// Whether the end of the log is asked for.
    pub wants_log: bool,
}

/// `InvocationType` of the Invoke API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvocationType {
    /// The function's answer is the task's.
    #[default]
    RequestResponse,
    /// The function is begun; nobody hears of its answer.
    Event,
    /// Nothing is done but to see whether it could be.
    DryRun,
}

/// What the function's service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status: 200, 202 for an event, 204 for a dry run.
    pub status: u16,
    /// The body, as text.
    pub payload: String,
    /// `X-Amz-Function-Error`, when the function failed.
    pub function_error: Option<String>,
    /// `X-Amz-Executed-Version`; an event has none.
    pub executed_version: Option<String>,
    /// `x-amzn-RequestId`.
    pub request_id: String,
    /// `Date`, as HTTP writes it.
    pub date: String,
    /// `X-Amzn-Trace-Id`; may be empty.
    pub trace_id: String,
    /// `X-Amz-Log-Result`, when the end of the log was asked for.
    pub log_result: Option<String>,
}

/// The exceptions of the Invoke API that the SDK has a class for.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors>
const EXCEPTIONS: [&str; 35] = [
    "CodeArtifactUserDeletedException",
    "CodeArtifactUserFailedException",
    "CodeArtifactUserPendingException",
    "EC2AccessDeniedException",
    "EC2ThrottledException",
    "EC2UnexpectedException",
    "EFSIOException",
    "EFSMountConnectivityException",
    "EFSMountFailureException",
    "EFSMountTimeoutException",
    "ENILimitReachedException",
    "ENINotReadyException",
    "InvalidParameterValueException",
    "InvalidRequestContentException",
    "InvalidRuntimeException",
    "InvalidSecurityGroupIDException",
    "InvalidSubnetIDException",
    "InvalidZipFileException",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "PolicyLengthExceededException",
    "PreconditionFailedException",
    "RecursiveInvocationException",
    "RequestTooLargeException",
    "ResourceConflictException",
    "ResourceNotFoundException",
    "ResourceNotReadyException",
    "ServiceException",
    "SnapStartException",
    "SnapStartNotReadyException",
    "SnapStartTimeoutException",
    "SubnetIPAddressLimitReachedException",
    "TooManyRequestsException",
];

/// The invocation that a task asks for; `None` when its resource is not a function.
///
/// # Errors
/// When the parameters of `lambda:invoke` name no function, or an unknown type of invocation.
#[must_use]
pub fn invocation(resource: &Resource, input: &Payload) -> Option<Result<Invocation, Failure>> {
    match resource {
        Resource::Function { arn } => {
            let event = json!({ "FunctionName": arn });
            Some(parameters(&event).map(|invocation| Invocation { payload: input.to_json(), ..invocation }))
        }
        Resource::Service { service, action, .. } if service == "lambda" && action == "invoke" => {
            Some(parameters(input.value()))
        }
        Resource::Service { .. } | Resource::Activity { .. } => None,
    }
}

/// Reads the parameters of `Invoke`.
///
/// # Errors
/// As [`invocation`].
pub fn parameters(parameters: &Value) -> Result<Invocation, Failure> {
    let text = |name: &str| parameters.get(name).and_then(Value::as_str).map(str::to_owned);
    let function =
        text("FunctionName").ok_or_else(|| Failure::runtime("The field 'FunctionName' is required but was missing"))?;
    let kind = match text("InvocationType").as_deref() {
        None | Some("RequestResponse") => InvocationType::RequestResponse,
        Some("Event") => InvocationType::Event,
        Some("DryRun") => InvocationType::DryRun,
        Some(other) => {
            let cause = format!("The value '{other}' of the field 'InvocationType' is not a type of invocation");
            return Err(Failure::runtime(cause));
        }
    };
    let wants_log = text("LogType").as_deref() == Some("Tail");
    let (qualifier, client_context) = (text("Qualifier"), text("ClientContext"));
    Ok(Invocation { function, qualifier, payload: event(parameters.get("Payload")), kind, client_context, wants_log })
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
        return Err(function_failure(body.ok().as_ref(), &answer.payload));
    }
    let payload = body.unwrap_or_else(|_| Value::String(answer.payload.clone()));
    match resource {
        Resource::Service { .. } => Ok(response(answer, &payload).into()),
        Resource::Function { .. } | Resource::Activity { .. } => Ok(payload.into()),
    }
}

/// A function that fails without a type, as one that ran out of time did for long, is `Lambda.Unknown`.
fn function_failure(body: Option<&Value>, text: &str) -> Failure {
    match body.and_then(|body| body.get("errorType")?.as_str()) {
        Some(error) if !error.is_empty() => Failure::new(error, text),
        _ => Failure::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {text}"
            ),
        ),
    }
}

/// The failure of an `Invoke` that the service itself refused, in the words of Step Functions.
#[must_use]
pub fn refused(error_code: &str, message: &str, status_code: u16, request_id: &str) -> Failure {
    let cause = format!(
        "{message} (Service: AWSLambda; Status Code: {status_code}; Error Code: {error_code}; Request ID: {request_id}; Proxy: null)"
    );
    let name = if EXCEPTIONS.contains(&error_code) { error_code } else { "AWSLambdaException" };
    Failure::new(format!("Lambda.{name}"), cause)
}

/// The failure of an `Invoke` that did not reach the service.
#[must_use]
pub fn unreachable(message: &str) -> Failure {
    Failure::new("Lambda.SdkClientException", message)
}

/// The output of `lambda:invoke`.
fn response(answer: &Answer, payload: &Value) -> Value {
    let length = answer.payload.len().to_string();
    let pairs = [
        ("Connection", Some("keep-alive")),
        ("Content-Length", Some(length.as_str())),
        ("Content-Type", Some("application/json")),
        ("Date", Some(answer.date.as_str())),
        ("X-Amz-Executed-Version", answer.executed_version.as_deref()),
        ("X-Amz-Log-Result", answer.log_result.as_deref()),
        ("x-amzn-Remapped-Content-Length", Some("0")),
        ("x-amzn-RequestId", Some(answer.request_id.as_str())),
        ("X-Amzn-Trace-Id", Some(answer.trace_id.as_str())),
    ];
    let there = || pairs.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    let single: Map<String, Value> = there().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let listed: Map<String, Value> = there().map(|(name, value)| (name.to_owned(), json!([value]))).collect();
    let mut response = json!({
        "Payload": payload,
        "SdkHttpMetadata": { "AllHttpHeaders": listed, "HttpHeaders": single, "HttpStatusCode": answer.status },
        "SdkResponseMetadata": { "RequestId": answer.request_id },
        "StatusCode": answer.status,
    });
    for (name, value) in [("ExecutedVersion", &answer.executed_version), ("LogResult", &answer.log_result)] {
        if let Some(value) = value {
            response[name] = value.as_str().into();
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{InvocationType, function_failure, parameters, refused};

    #[test]
    fn parameters_of_invoke() {
        let full = json!({
            "FunctionName": "f", "InvocationType": "Event", "Qualifier": "3", "ClientContext": "e30=", "LogType": "Tail",
            "Payload": { "a": 1 },
        });
        let invocation = parameters(&full).unwrap();
        assert_eq!((invocation.kind, invocation.wants_log), (InvocationType::Event, true));
        assert_eq!(invocation.qualifier.as_deref(), Some("3"));
        assert_eq!(invocation.client_context.as_deref(), Some("e30="));
        let payloads = [
            (json!(null), "{}"),
            (json!("{}"), "{}"),
            (json!("\"text\""), "\"text\""),
            (json!("text"), "\"text\""),
            (json!([1, 2.5]), "[1,2.5]"),
        ];
        for (payload, event) in payloads {
            assert_eq!(parameters(&json!({ "FunctionName": "f", "Payload": payload })).unwrap().payload, event);
        }
        assert!(parameters(&json!({ "FunctionName": "f", "InvocationType": "Later" })).is_err());
        assert!(parameters(&json!({ "Payload": 1 })).is_err());
    }

    #[test]
    fn failures_bear_the_names_of_the_service() {
        let named = |body: &Value| function_failure(Some(body), &body.to_string());
        let typed = named(&json!({ "errorType": "Custom", "errorMessage": "m" }));
        assert_eq!(typed.error.as_deref(), Some("Custom"));
        let untyped = named(&json!({ "errorMessage": "m" }));
        assert_eq!(untyped.error.as_deref(), Some("Lambda.Unknown"));
        assert!(untyped.cause.unwrap().ends_with("Returned payload: {\"errorMessage\":\"m\"}"));
        assert_eq!(function_failure(None, "no JSON").error.as_deref(), Some("Lambda.Unknown"));
        let of = |code| refused(code, "m", 429, "r").error.unwrap();
        assert_eq!(of("TooManyRequestsException"), "Lambda.TooManyRequestsException");
        assert_eq!(of("ThrottlingException"), "Lambda.AWSLambdaException");
    }
}
