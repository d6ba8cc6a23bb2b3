//! Why the store refuses, each in the terms of S3's own error codes.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use crate::database::DatabaseError;

/// Any error that a stream of incoming bytes may end with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such bucket.
    #[error("failed to find bucket `{0}`")]
    NoSuchBucket(String),
    /// No such key.
    #[error("failed to find object `{0}`")]
    NoSuchKey(String),
    /// The key may exist, the version does not.
    #[error("failed to find version `{0}`")]
    NoSuchVersion(String),
    /// No such multipart upload.
    #[error("failed to find upload `{0}`")]
    NoSuchUpload(String),
    /// The bucket is already there.
    #[error("failed to create bucket `{0}`: it exists")]
    BucketExists(String),
    /// A bucket with objects, versions or uploads is not deleted.
    #[error("failed to delete bucket `{0}`: it is not empty")]
    BucketNotEmpty(String),
    /// A condition of the request does not hold; the header's name.
    #[error("failed to meet the condition `{0}`")]
    PreconditionFailed(&'static str),
    /// The bytes are not what the caller said they are; the header's name.
    #[error("failed to verify the bytes against `{0}`")]
    BadDigest(&'static str),
    /// Fewer or more bytes came than were announced.
    #[error("failed to receive the body: `{received}` of `{announced}` bytes came")]
    IncompleteBody {
        /// Bytes that the caller announced.
        announced: u64,
        /// Bytes that came.
        received: u64,
    },
    /// A part named in the completion was not uploaded, or is another one.
    #[error("failed to find part `{0}` as named")]
    InvalidPart(i32),
    /// The parts of a completion do not ascend.
    #[error("failed to complete the upload: the parts are not in ascending order")]
    InvalidPartOrder,
    /// A part that is not the last is under 5 MiB.
    #[error("failed to complete the upload: part `{0}` is smaller than 5 MiB")]
    EntityTooSmall(i32),
    /// The tags break S3's rules.
    #[error("failed to accept the tags: {0}")]
    InvalidTag(&'static str),
    /// The key is longer than 1,024 bytes.
    #[error("failed to accept the key: it is longer than 1,024 bytes")]
    KeyTooLong,
    /// A request whose members do not fit one another.
    #[error("failed to accept the request: {0}")]
    InvalidRequest(&'static str),
    /// The stream of incoming bytes broke.
    #[error("failed to receive the object's bytes")]
    Incoming(#[source] BoxError),
    /// A file could not be read or written.
    #[error("failed to use the object store")]
    Io(#[from] std::io::Error),
    /// The database failed.
    #[error("failed to use the object store's database")]
    Database(#[from] DatabaseError),
}
