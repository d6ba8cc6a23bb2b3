//! What Lambda says when an invocation or a request fails, word for word as AWS does.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html>

use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::{Invocation, MOST_PAYLOAD_BYTES};
use crate::wire::ServiceError;

/// The worker's process ended amid an invocation.
pub(crate) fn exited(request_id: &str, status: Option<ExitStatus>) -> Invocation {
    let how = match status {
        Some(status) if status.success() => "Runtime exited without providing a reason".to_owned(),
        Some(status) => format!("Runtime exited with error: {}", describe(status)),
        None => "Runtime exited with error: signal: killed".to_owned(),
    };
    failed("Runtime.ExitError", &format!("RequestId: {request_id} Error: {how}"))
}

/// The invocation took longer than the function may.
pub(crate) fn timed_out(request_id: &str, timeout: Duration) -> Invocation {
    let seconds = timeout.as_secs_f64();
    failed("Sandbox.Timedout", &format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds"))
}

/// The worker ran but never asked for an invocation.
pub(crate) fn never_polled(request_id: &str, limit: Duration) -> Invocation {
    let seconds = limit.as_secs_f64();
    let message =
        format!("RequestId: {request_id} Error: the runtime did not ask for an invocation within {seconds:.2} seconds");
    failed("Runtime.InitError", &message)
}

/// The program could not be started at all.
pub(crate) fn not_started(request_id: &str, binary: &str, error: &std::io::Error) -> Invocation {
    let message = format!("RequestId: {request_id} Error: Couldn't start `{binary}`: {error}");
    failed("Runtime.InvalidEntrypoint", &message)
}

/// The function answered with more than an answer may hold.
pub(crate) fn response_too_large() -> Invocation {
    let message = format!("Response payload size exceeded maximum allowed payload size ({MOST_PAYLOAD_BYTES} bytes).");
    failed("Function.ResponseSizeTooLarge", &message)
}

/// An error that the function itself reported.
pub(crate) fn reported(payload: Bytes) -> Invocation {
    Invocation { payload, function_error: Some("Unhandled".to_owned()) }
}

fn failed(error_type: &str, message: &str) -> Invocation {
    let error = json!({"errorType": error_type, "errorMessage": message});
    reported(Bytes::from(error.to_string()))
}

#[cfg(unix)]
fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match status.signal() {
        Some(9) => "signal: killed".to_owned(),
        Some(6) => "signal: aborted".to_owned(),
        Some(11) => "signal: segmentation fault".to_owned(),
        Some(15) => "signal: terminated".to_owned(),
        Some(other) => format!("signal: {other}"),
        None => format!("exit status {}", status.code().unwrap_or_default()),
    }
}

#[cfg(not(unix))]
fn describe(status: ExitStatus) -> String {
    format!("exit status {}", status.code().unwrap_or_default())
}

pub(crate) fn no_such_function(arn: &str) -> ServiceError {
    let message = format!("Function not found: {arn}");
    ServiceError { status: 404, code: "ResourceNotFoundException".into(), message }
}

pub(crate) fn request_too_large(size_bytes: usize) -> ServiceError {
    let message = format!(
        "{size_bytes} byte payload is too large for the RequestResponse invocation type (limit {MOST_PAYLOAD_BYTES} bytes)"
    );
    ServiceError { status: 413, code: "RequestTooLargeException".into(), message }
}

pub(crate) fn too_many_requests() -> ServiceError {
    ServiceError { status: 429, code: "TooManyRequestsException".into(), message: "Rate Exceeded.".to_owned() }
}

pub(crate) fn shutting_down() -> ServiceError {
    ServiceError::internal("ServiceException", "the local cloud is shutting down")
}
