//! What the store refuses, as S3's error codes.

use s3s::{S3Error, S3ErrorCode, s3_error};

use crate::store::StoreError;

/// The one place where a refusal becomes a code.
pub(super) fn refuse(error: StoreError) -> S3Error {
    let code = match &error {
        StoreError::NoSuchBucket(_) => S3ErrorCode::NoSuchBucket,
        StoreError::NoSuchKey(_) => S3ErrorCode::NoSuchKey,
        StoreError::NoSuchVersion(_) => S3ErrorCode::NoSuchVersion,
        StoreError::NoSuchUpload(_) => S3ErrorCode::NoSuchUpload,
        StoreError::BucketExists(_) => S3ErrorCode::BucketAlreadyOwnedByYou,
        StoreError::BucketNotEmpty(_) => S3ErrorCode::BucketNotEmpty,
        StoreError::PreconditionFailed(_) => S3ErrorCode::PreconditionFailed,
        StoreError::BadDigest("x-amz-content-sha256") => return content_sha256_mismatch(),
        StoreError::BadDigest(_) => S3ErrorCode::BadDigest,
        StoreError::IncompleteBody { .. } | StoreError::Incoming(_) => S3ErrorCode::IncompleteBody,
        StoreError::InvalidPart(_) => S3ErrorCode::InvalidPart,
        StoreError::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
        StoreError::EntityTooSmall(_) => S3ErrorCode::EntityTooSmall,
        StoreError::InvalidTag(_) => S3ErrorCode::InvalidTag,
        StoreError::KeyTooLong => S3ErrorCode::KeyTooLongError,
        StoreError::InvalidRequest(_) => S3ErrorCode::InvalidRequest,
        StoreError::Io(_) | StoreError::Database(_) => return s3_error!(error, InternalError),
    };
    S3Error::with_message(code, error.to_string())
}

fn content_sha256_mismatch() -> S3Error {
    let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
    let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(http::StatusCode::BAD_REQUEST);
    error
}
