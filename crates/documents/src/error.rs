//! Why a document gave nothing.

use domain::failure::{Failure, FailureName};

/// Why a document could not be read; messages fit after "failed to read the document: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It needs a password or a key.
    #[error("it is encrypted: {0}")]
    Encrypted(&'static str),
    /// Its bytes are not what its type demands; nothing of use was found.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// No reader here knows this media type or this old version of it.
    #[error("nothing here reads {0}")]
    Unsupported(String),
    /// It is over one of the [`Limits`](crate::Limits).
    #[error("it is over the limit of {0}")]
    TooLarge(String),
    /// Its reader did not end in time; see [`Limits::max_time`](crate::Limits).
    #[error("reading took longer than `{0}` seconds")]
    TimedOut(u64),
}

impl DocumentError {
    pub(crate) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let name = match &error {
            DocumentError::Encrypted(_) => FailureName::EncryptedObject,
            DocumentError::Damaged(_) => FailureName::ServiceRejected,
            DocumentError::Unsupported(_) => FailureName::UnsupportedMedia,
            DocumentError::TooLarge(_) => FailureName::ObjectTooLarge,
            DocumentError::TimedOut(_) => FailureName::TimedOut,
        };
        Self::new(name, format!("failed to read the document: {error}"))
    }
}
