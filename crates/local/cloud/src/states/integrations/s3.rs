//! S3 through the SDK: a task's parameters become a request, and the response becomes what the task gives.
//!
//! Bodies are text both ways, and bounded: what a task may give is smaller by far. Which member stands where on the wire
//! is said by the tables of `model`; nothing here knows a particular action. Configurations of buckets other than
//! versioning are not here.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

mod model;
mod request;
mod response;
mod xml;

use asl::{Failure, MAX_PAYLOAD_BYTES};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use serde_json::Value;

use super::refused::{self, Modelled, Name};
use crate::wire::ServiceError;
use model::{OPERATIONS, Operation};

/// A listing in XML is longer than the same in JSON; what is still too long is refused by the engine.
const MOST_RESPONSE_BYTES: usize = 8 * MAX_PAYLOAD_BYTES;

/// The errors that the SDK has classes for.
const NAME: Name = Name {
    prefix: "S3",
    modelled: Modelled::Only(&[
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "EncryptionTypeMismatch",
        "IdempotencyParameterMismatch",
        "InvalidObjectState",
        "InvalidRequest",
        "InvalidWriteOffset",
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchUpload",
        "ObjectAlreadyInActiveTierError",
        "ObjectNotInActiveTierError",
        "TooManyParts",
    ]),
};

/// Does an action; `None` when the local cloud has none of that name.
pub(super) async fn call(
    service: &crate::s3::Service,
    action: &str,
    parameters: &Value,
) -> Option<Result<Value, Failure>> {
    let operation = OPERATIONS.iter().find(|operation| operation.action == action)?;
    Some(done(service, operation, parameters).await)
}

async fn done(service: &crate::s3::Service, operation: &Operation, parameters: &Value) -> Result<Value, Failure> {
    let request = request::build(operation, parameters)
        .map_err(|why| Failure::new("States.Runtime", format!("The parameters cannot be sent to S3: {why}")))?;
    let response = service.call(request).await.map_err(|error| broken(&format!("{error:?}")))?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MOST_RESPONSE_BYTES).collect().await;
    let body = body.map_err(|_| too_large())?.to_bytes();
    if parts.status.is_success() {
        return Ok(response::read(operation, &parts.headers, &body));
    }
    Err(refused::sdk(&NAME, &refusal(operation, parts.status.as_u16(), &body), true))
}

/// A HEAD has no body to tell the error.
fn refusal(operation: &Operation, status: u16, body: &Bytes) -> ServiceError {
    let error = xml::read(body);
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let unnamed = match (status, operation.action) {
        (404, "headBucket") => "NoSuchBucket",
        (404, _) => "NoSuchKey",
        _ => "S3Exception",
    };
    let code = text("Code").unwrap_or_else(|| unnamed.to_owned());
    let message = text("Message").unwrap_or_else(|| "null".to_owned());
    ServiceError { status, code: code.into(), message }
}

fn broken(why: &str) -> Failure {
    refused::sdk(&NAME, &ServiceError::internal("InternalError", why), true)
}

fn too_large() -> Failure {
    let cause = "The state/task 'aws-sdk:s3' returned a result with a size exceeding the maximum number of bytes service limit.";
    Failure::new("States.DataLimitExceeded", cause)
}

#[cfg(test)]
mod tests;
