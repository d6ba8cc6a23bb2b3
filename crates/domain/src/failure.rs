//! The one list of failure names that the state machine may match.
//!
//! A name here is the Lambda `errorType`, the Step Functions error name and the catalog's reason
//! code, so renaming one is a breaking change of the deployed definition.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::Status;

/// What went wrong, in the words that `statemachine/*.asl.json` matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FailureName {
    /// A service asked for fewer calls; retried with jitter.
    Throttled,
    /// A fault that passes by itself (connection, HTTP 5xx); retried with jitter.
    Transient,
    /// A job did not end before its deadline.
    TimedOut,
    /// Nothing here reads this kind of file.
    UnsupportedMedia,
    /// The object has no bytes.
    EmptyObject,
    /// The object cannot be read without a password.
    EncryptedObject,
    /// The object is over a service's limit.
    ObjectTooLarge,
    /// The object, or this version of it, no longer exists.
    ObjectGone,
    /// A service refused the input for good (damaged file, invalid media).
    ServiceRejected,
    /// The payload or the settings do not fit the contract.
    InvalidInput,
    /// A role lacks a permission.
    AccessDenied,
    /// A fault of Sluice itself.
    Internal,
}

/// Names that Lambda and Step Functions themselves give to a worker that died or was throttled.
///
/// They are retried like [`FailureName::Transient`], a few times only: a file that kills its
/// worker each time must end in the catalog.
pub const PLATFORM_FAILURES: &[&str] = &[
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
];

impl FailureName {
    /// Every name, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Throttled,
        Self::Transient,
        Self::TimedOut,
        Self::UnsupportedMedia,
        Self::EmptyObject,
        Self::EncryptedObject,
        Self::ObjectTooLarge,
        Self::ObjectGone,
        Self::ServiceRejected,
        Self::InvalidInput,
        Self::AccessDenied,
        Self::Internal,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "Throttled",
            Self::Transient => "Transient",
            Self::TimedOut => "TimedOut",
            Self::UnsupportedMedia => "UnsupportedMedia",
            Self::EmptyObject => "EmptyObject",
            Self::EncryptedObject => "EncryptedObject",
            Self::ObjectTooLarge => "ObjectTooLarge",
            Self::ObjectGone => "ObjectGone",
            Self::ServiceRejected => "ServiceRejected",
            Self::InvalidInput => "InvalidInput",
            Self::AccessDenied => "AccessDenied",
            Self::Internal => "Internal",
        }
    }

    /// The name in `text`, if it is one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    /// Whether the state machine retries it.
    #[must_use]
    pub fn is_retried(self) -> bool {
        matches!(self, Self::Throttled | Self::Transient)
    }

    /// The catalog status of a file whose run ended with this failure.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::UnsupportedMedia => Status::Unsupported,
            Self::EmptyObject => Status::Empty,
            Self::EncryptedObject => Status::Encrypted,
            Self::ObjectTooLarge => Status::TooLarge,
            Self::ObjectGone => Status::Removed,
            _ => Status::Failed,
        }
    }
}

impl fmt::Display for FailureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure with its reason: what the catalog shows and a person reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The name that the state machine matches.
    pub name: FailureName,
    /// What happened and, where there is something to do, what to do next.
    pub message: String,
}

impl Failure {
    /// A failure of the given name.
    pub fn new(name: FailureName, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }

    /// A fault of Sluice itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FailureName::Internal, message)
    }

    /// Input that does not fit the contract.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(FailureName::InvalidInput, message)
    }

    /// A service refused the input for good.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::new(FailureName::ServiceRejected, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_serialises_as_itself() {
        for name in FailureName::ALL {
            assert_eq!(FailureName::parse(name.as_str()), Some(name));
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
        assert_eq!(FailureName::parse("throttled"), None);
    }
}
