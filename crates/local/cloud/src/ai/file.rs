//! The bytes of a request or an S3 object as a file that stays until the engine is done with it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::media::{Media, internal};
use crate::identifier;
use crate::store::{ObjectVersion, StoreError};
use crate::wire::ServiceError;

/// An object in S3, by the names that Textract and Rekognition use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct S3Object {
    pub(crate) bucket: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

/// A document or image in a request: bytes in Base64, or an object.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Source {
    pub(crate) bytes: Option<String>,
    pub(crate) s3_object: Option<S3Object>,
}

/// A file of our own in the scratch directory, with its folder; both go when it is dropped.
#[derive(Debug)]
pub(crate) struct WorkFile {
    directory: PathBuf,
    path: PathBuf,
    pub(crate) size_bytes: u64,
}

/// Limits on what a source may weigh.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MostBytes {
    pub(crate) inline: u64,
    pub(crate) object: u64,
}

impl WorkFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn make(scratch: &Path, size_bytes: u64, fill: impl FnOnce(&Path) -> std::io::Result<()>) -> std::io::Result<Self> {
        let directory = scratch.join(identifier::random());
        std::fs::create_dir_all(&directory)?;
        let path = directory.join("input");
        let made = Self { directory, path, size_bytes };
        fill(&made.path)?;
        Ok(made)
    }
}

impl Drop for WorkFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            tracing::debug!(%error, "failed to remove a work file");
        }
    }
}

/// Takes what a request names into a work file. `too_large` and `invalid` are the service's own errors.
pub(crate) async fn take(
    media: &Media,
    source: Source,
    most: MostBytes,
    errors: Errors,
) -> Result<WorkFile, ServiceError> {
    match (source.bytes, source.s3_object) {
        (Some(text), None) => {
            let bytes = STANDARD.decode(text.as_bytes()).map_err(|error| {
                ServiceError::client("SerializationException", format!("the bytes are not Base64: {error}"))
            })?;
            write(media, bytes, most.inline, errors).await
        }
        (None, Some(object)) => link(media, &object, most.object, errors).await,
        _ => Err((errors.invalid)()),
    }
}

/// The service's own errors for what a source may lack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errors {
    pub(crate) too_large: fn() -> ServiceError,
    pub(crate) invalid: fn() -> ServiceError,
}

async fn write(media: &Media, bytes: Vec<u8>, most: u64, errors: Errors) -> Result<WorkFile, ServiceError> {
    let size_bytes = bytes.len() as u64;
    if bytes.is_empty() {
        return Err((errors.invalid)());
    }
    if size_bytes > most {
        return Err((errors.too_large)());
    }
    let made = media.block(move |media| {
        WorkFile::make(&media.context().scratch, size_bytes, |path| std::fs::write(path, &bytes))
            .map_err(|error| internal(&error))
    });
    made.await
}

/// Links the object's file, so that it stays readable when the object is deleted meanwhile.
pub(crate) async fn link(
    media: &Media,
    object: &S3Object,
    most: u64,
    errors: Errors,
) -> Result<WorkFile, ServiceError> {
    let found = find(media, object).await?;
    if found.size_bytes > most {
        return Err((errors.too_large)());
    }
    let bytes = media.context().store.open_bytes(&found).await.map_err(|_| unreadable())?;
    let made = media.block(move |media| {
        WorkFile::make(&media.context().scratch, found.size_bytes, |to| bytes.place(to)).map_err(|_| unreadable())
    });
    made.await
}

/// The object that a request names.
pub(crate) async fn find(media: &Media, object: &S3Object) -> Result<ObjectVersion, ServiceError> {
    let found = media.context().store.head(&object.bucket, &object.name, object.version.as_deref()).await;
    found.map_err(|error| match error {
        StoreError::Io(_) | StoreError::Database(_) => internal(&error),
        _ => unreadable(),
    })
}

fn unreadable() -> ServiceError {
    ServiceError::client(
        "InvalidS3ObjectException",
        "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
    )
}
