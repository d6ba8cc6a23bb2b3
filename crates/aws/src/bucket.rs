//! A bucket as the steps of `upsert` use it: listings, objects as they stream, removals.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use domain::failure::{Failure, FailureName};
use domain::object::ObjectRef;
use domain::upsert::bookmark::SourceFile;
use jiff::Timestamp;

use crate::call::failure;
use crate::store::Store;

/// The most keys that S3 removes in one call.
const MOST_REMOVED: usize = 1_000;

impl Store {
    /// The objects whose keys begin with `prefix` and end with `suffix`; folder markers are none.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn list(&self, bucket: &str, prefix: &str, suffix: &str) -> Result<Vec<SourceFile>, Failure> {
        let mut pages = self.client().list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        let mut files = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure("s3:ListObjectsV2", &error))?;
            files.extend(page.contents.unwrap_or_default().into_iter().filter_map(listed));
        }
        files.retain(|file: &SourceFile| file.key.ends_with(suffix) && !file.key.ends_with('/'));
        Ok(files)
    }

    /// Opens the bytes that carry `file`'s entity tag, from `start` on; nothing where they are no longer there.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn open(&self, bucket: &str, file: &SourceFile, start: u64) -> Result<Option<GetObjectOutput>, Failure> {
        let request = self.client().get_object().bucket(bucket).key(&file.key).if_match(format!("\"{}\"", file.etag));
        let request = if start > 0 { request.range(format!("bytes={start}-")) } else { request };
        match request.send().await.map_err(|error| failure("s3:GetObject", &error)) {
            Ok(output) => Ok(Some(output)),
            Err(failure) if failure.name == FailureName::ObjectGone => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Reads a whole object of at most `limit_bytes` as text.
    ///
    /// # Errors
    /// `ObjectGone`, `ObjectTooLarge`, `InvalidInput` where it is no UTF-8.
    pub async fn read_text(&self, object: &ObjectRef, limit_bytes: u64) -> Result<String, Failure> {
        let head = self.head(object).await?;
        if head.size_bytes > limit_bytes {
            let message = format!("`{object}` has {} bytes, and {limit_bytes} are allowed", head.size_bytes);
            return Err(Failure::new(FailureName::ObjectTooLarge, message));
        }
        let bytes = self.range(object, &head.etag, 0, limit_bytes).await?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Failure::invalid_input(format!("`{object}` is no UTF-8")))
    }

    /// Removes the objects under `keys`; that one is not there is no error.
    ///
    /// # Errors
    /// When S3 fails, or refuses one of them.
    pub async fn remove(&self, bucket: &str, keys: &[String]) -> Result<(), Failure> {
        for keys in keys.chunks(MOST_REMOVED) {
            let objects: Vec<_> =
                keys.iter().filter_map(|key| ObjectIdentifier::builder().key(key).build().ok()).collect();
            let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
            let delete = delete.map_err(|error| Failure::internal(format!("failed to name objects: {error}")))?;
            let removed = self.client().delete_objects().bucket(bucket).delete(delete).send().await;
            let removed = removed.map_err(|error| failure("s3:DeleteObjects", &error))?;
            if let Some(error) = removed.errors().first() {
                let (key, message) = (error.key().unwrap_or_default(), error.message().unwrap_or_default());
                let message = format!("failed to remove `s3://{bucket}/{key}`: {message}");
                let denied = error.code() == Some("AccessDenied");
                return Err(Failure::new(
                    if denied { FailureName::AccessDenied } else { FailureName::Transient },
                    message,
                ));
            }
        }
        Ok(())
    }

    /// Removes everything whose key begins with `prefix`.
    ///
    /// # Errors
    /// As [`Store::remove`].
    pub async fn remove_below(&self, bucket: &str, prefix: &str) -> Result<(), Failure> {
        let keys: Vec<String> = self.list(bucket, prefix, "").await?.into_iter().map(|file| file.key).collect();
        self.remove(bucket, &keys).await
    }
}

fn listed(object: aws_sdk_s3::types::Object) -> Option<SourceFile> {
    let modified = object.last_modified()?;
    Some(SourceFile {
        modified: Timestamp::from_nanosecond(modified.as_nanos()).ok()?,
        etag: object.e_tag().unwrap_or_default().trim_matches('"').to_owned(),
        size_bytes: object.size().and_then(|size| size.try_into().ok()).unwrap_or(0),
        key: object.key?,
    })
}
