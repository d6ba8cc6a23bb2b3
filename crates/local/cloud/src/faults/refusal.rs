//! How each service says that it is throttled or broken: the code that its own SDK clients know.

use super::Surface;
use crate::wire::ServiceError;

/// Why an injected fault refuses a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many calls.
    Throttled,
    /// The service broke.
    Failed,
}

impl Refusal {
    /// The error that `surface` itself would send.
    pub(crate) fn error(self, surface: Surface) -> ServiceError {
        let (status, code) = match self {
            Self::Throttled => throttled(surface),
            Self::Failed => failed(surface),
        };
        let message = match self {
            Self::Throttled => "Rate exceeded (a fault that was switched on)",
            Self::Failed => "Internal error (a fault that was switched on)",
        };
        ServiceError { status, code: code.into(), message: message.to_owned() }
    }
}

fn throttled(surface: Surface) -> (u16, &'static str) {
    match surface {
        Surface::S3 => (503, "SlowDown"),
        Surface::Lambda => (429, "TooManyRequestsException"),
        Surface::Athena => (400, "TooManyRequestsException"),
        Surface::Transcribe => (400, "LimitExceededException"),
        Surface::Textract => (400, "ProvisionedThroughputExceededException"),
        Surface::States
        | Surface::Comprehend
        | Surface::Rekognition
        | Surface::Sqs
        | Surface::Glue
        | Surface::Queue => (400, "ThrottlingException"),
    }
}

fn failed(surface: Surface) -> (u16, &'static str) {
    let code = match surface {
        Surface::S3 | Surface::Sqs => "InternalError",
        Surface::Lambda => "ServiceException",
        Surface::Transcribe => "InternalFailureException",
        Surface::Comprehend | Surface::Athena => "InternalServerException",
        Surface::Glue => "InternalServiceException",
        Surface::Textract | Surface::Rekognition => "InternalServerError",
        Surface::States | Surface::Queue => "InternalFailure",
    };
    (500, code)
}
