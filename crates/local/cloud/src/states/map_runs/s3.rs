//! What S3 says when items cannot be read or results cannot be written, in Step Functions' words.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>

use asl::{Failure, Payload};

use crate::identifier;
use crate::store::StoreError;

pub(super) const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
pub(super) const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";

/// A member of the parameters of an S3 action.
pub(super) fn parameter<'a>(parameters: &'a Payload, name: &str) -> Option<&'a str> {
    parameters.value().get(name)?.as_str()
}

/// As [`parameter`], for one that must be there.
pub(super) fn required<'a>(parameters: &'a Payload, name: &str, error: &str) -> Result<&'a str, Failure> {
    parameter(parameters, name)
        .ok_or_else(|| Failure::new(error, format!("The field '{name}' is required but was missing")))
}

/// The failure of a run that S3 refused something.
pub(super) fn refused(error: &str, refusal: &StoreError) -> Failure {
    let (code, status, message) = match refusal {
        StoreError::NoSuchBucket(_) => ("NoSuchBucket", 404, "The specified bucket does not exist"),
        StoreError::NoSuchKey(_) => ("NoSuchKey", 404, "The specified key does not exist."),
        StoreError::NoSuchVersion(_) => ("NoSuchVersion", 404, "The specified version does not exist."),
        StoreError::KeyTooLong => ("KeyTooLongError", 400, "Your key is too long"),
        _ => ("InternalError", 500, "We encountered an internal error. Please try again."),
    };
    let (request, extended) = (identifier::random(), identifier::random());
    let cause = format!(
        "{message} (Service: Amazon S3; Status Code: {status}; Error Code: {code}; Request ID: {request}; \
         S3 Extended Request ID: {extended}; Proxy: null)"
    );
    Failure::new(error, cause)
}
