//! What the AWS JSON protocols (1.0 and 1.1) share: a reply, and an error with its type.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A successful answer of an operation.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The JSON body, in the service's own member names.
    pub body: Value,
    /// Which local engine gave the answer (`tesseract 5.3.0`); sent as the header [`ENGINE_HEADER`].
    pub engine: Option<String>,
}

/// The response header that names the local engine behind an answer.
pub const ENGINE_HEADER: &str = "x-sluice-engine";

/// An error as an AWS JSON service sends it: an HTTP status, a type, a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// HTTP status: 400 for the caller's faults, 500 for the service's, 501 for what no local engine does.
    pub status: u16,
    /// The error type without namespace (`ThrottlingException`).
    pub code: Cow<'static, str>,
    /// What is wrong and what to do next.
    pub message: String,
}

/// What a handler of one operation gives back.
pub type Outcome = Result<Reply, ServiceError>;

impl Reply {
    /// A reply that no particular engine stands behind.
    #[must_use]
    pub fn plain(body: Value) -> Self {
        Self { body, engine: None }
    }

    /// A reply that `engine` gave.
    #[must_use]
    pub fn from_engine(body: Value, engine: impl Into<String>) -> Self {
        Self { body, engine: Some(engine.into()) }
    }
}

impl ServiceError {
    /// The caller's fault: HTTP 400 with the service's own error type.
    pub fn client(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.into(), message: message.into() }
    }

    /// The service's fault: HTTP 500.
    pub fn internal(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status: 500, code: code.into(), message: message.into() }
    }

    /// What AWS does and no local engine can: HTTP 501, type `NotAvailableLocally`.
    pub fn not_available_locally(message: impl Into<String>) -> Self {
        Self { status: 501, code: "NotAvailableLocally".into(), message: message.into() }
    }
}

/// Reads a request body into its typed form; a mismatch is AWS's `SerializationException`.
///
/// # Errors
/// `SerializationException` (HTTP 400) with the path of the member that does not fit.
pub fn decode<T: DeserializeOwned>(body: Value) -> Result<T, ServiceError> {
    serde_json::from_value(body).map_err(|error| ServiceError::client("SerializationException", error.to_string()))
}
