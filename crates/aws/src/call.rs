//! What a failed call of an SDK means: classified here, by code, from the typed error.
//!
//! Some services leave throttling unmodelled, so it arrives as an unhandled error with its code;
//! that is why codes count, not variants. Nobody matches on message text.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::failure::{Failure, FailureName};

/// Why a call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No engine here does this; the text names what is lacking.
    #[error("{0}")]
    Unavailable(String),
    /// The call failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

/// The error type by which the local cloud says that no local engine does what AWS does.
const NOT_AVAILABLE_LOCALLY: &str = "NotAvailableLocally";

/// Codes and what they mean; AWS services add no new spelling for these without notice.
///
/// `LimitExceededException` is how Transcribe, Textract and Rekognition say "too many jobs at once".
const CODES: &[(&[&str], FailureName)] = &[
    (
        &[
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "LimitExceededException",
            "ConcurrentModificationException",
            "ExecutionLimitExceeded",
            "SlowDown",
        ],
        FailureName::Throttled,
    ),
    (
        &[
            "AccessDenied",
            "AccessDeniedException",
            "AllAccessDisabled",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidAccessKeyId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
            "KMS.AccessDeniedException",
        ],
        FailureName::AccessDenied,
    ),
    (&["NoSuchKey", "NoSuchVersion", "NotFound", "PreconditionFailed"], FailureName::ObjectGone),
    (&["InvalidObjectState"], FailureName::ServiceRejected),
    (
        &[
            "DocumentTooLargeException",
            "ImageTooLargeException",
            "TextSizeLimitExceededException",
            "VideoTooLargeException",
        ],
        FailureName::ObjectTooLarge,
    ),
    (
        &["UnsupportedDocumentException", "InvalidImageFormatException", "UnsupportedLanguageException"],
        FailureName::UnsupportedMedia,
    ),
    (
        &[
            "InternalServerError",
            "InternalServerException",
            "InternalFailure",
            "InternalFailureException",
            "InternalError",
            "ServiceUnavailable",
            "RequestTimeout",
            "RequestTimeoutException",
            "ConditionalRequestConflict",
        ],
        FailureName::Transient,
    ),
];

/// What a failed `operation` (service and operation, for the message) means for the state machine.
pub fn call_error<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let detail = detail(error);
    if error.code() == Some(NOT_AVAILABLE_LOCALLY) {
        return CallError::Unavailable(detail);
    }
    CallError::Failed(Failure::new(name(error), format!("failed to call `{operation}`: {detail}")))
}

/// Like [`call_error`] where being unavailable is a failure like any other.
pub fn failure<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match call_error(operation, error) {
        CallError::Failed(failure) => failure,
        CallError::Unavailable(reason) => Failure::rejected(reason),
    }
}

fn name<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> FailureName {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => FailureName::Transient,
        SdkError::ServiceError(context) => {
            let code = context.err().code().unwrap_or_default();
            by_code(code).unwrap_or_else(|| by_status(context.raw().status().as_u16()))
        }
        _ => FailureName::Internal,
    }
}

fn by_code(code: &str) -> Option<FailureName> {
    CODES.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, name)| *name)
}

fn by_status(status: u16) -> FailureName {
    match status {
        429 => FailureName::Throttled,
        403 => FailureName::AccessDenied,
        404 => FailureName::ObjectGone,
        500.. => FailureName::Transient,
        _ => FailureName::ServiceRejected,
    }
}

fn detail<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{message} ({code})"),
        (Some(code), None) => code.to_owned(),
        _ => DisplayErrorContext(error).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_statuses() {
        assert_eq!(by_code("SlowDown"), Some(FailureName::Throttled));
        assert_eq!(by_code("ProvisionedThroughputExceededException"), Some(FailureName::Throttled));
        assert_eq!(by_code("BadDocumentException"), None);
        assert_eq!(by_status(400), FailureName::ServiceRejected);
        assert_eq!(by_status(503), FailureName::Transient);
    }

    #[test]
    fn no_code_means_two_things() {
        let mut codes: Vec<_> = CODES.iter().flat_map(|(codes, _)| codes.iter()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }
}
