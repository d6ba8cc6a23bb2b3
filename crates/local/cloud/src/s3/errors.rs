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
    let message = words(&error).map_or_else(|| error.to_string(), str::to_owned);
    S3Error::with_message(code, message)
}

/// S3's own words, which clients show and which the errors of state machines hold.
fn words(error: &StoreError) -> Option<&'static str> {
    Some(match error {
        StoreError::NoSuchBucket(_) => "The specified bucket does not exist",
        StoreError::NoSuchKey(_) => "The specified key does not exist.",
        StoreError::NoSuchVersion(_) => "The specified version does not exist.",
        StoreError::NoSuchUpload(_) => {
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
        }
        StoreError::BucketExists(_) => {
            "Your previous request to create the named bucket succeeded and you already own it."
        }
        StoreError::BucketNotEmpty(_) => "The bucket you tried to delete is not empty",
        StoreError::PreconditionFailed(_) => "At least one of the pre-conditions you specified did not hold",
        StoreError::InvalidPart(_) => {
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
        }
        StoreError::EntityTooSmall(_) => "Your proposed upload is smaller than the minimum allowed size",
        StoreError::KeyTooLong => "Your key is too long",
        _ => return None,
    })
}

fn content_sha256_mismatch() -> S3Error {
    let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
    let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(http::StatusCode::BAD_REQUEST);
    error
}
