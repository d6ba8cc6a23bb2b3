//! Buckets and objects: metadata and small objects' bytes in the database, larger ones' as files named by their content.
//!
//! An object, its event and its place in the listing are one transaction; its file is on disk before that. After a
//! crash a file without an object may be left over (the next [`Store::sweep`] takes it away), never an object without
//! its file. No large object is ever held in memory whole.
//! It refuses to know HTTP, XML or signatures: that is `s3`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel>

mod blobs;
mod buckets;
mod delete;
mod digest;
mod error;
mod events;
mod listing;
mod multipart;
mod object;
mod put;
mod read;
mod rows;
mod schema;
mod tags;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::database::Database;

use blobs::Blobs;
pub use buckets::{Bucket, Versioning};
pub use delete::Deletion;
pub(crate) use digest::hex;
pub use digest::{Algorithm, Checksums, Expected, Trailer};
pub use error::{BoxError, StoreError};
pub use events::{EventKind, NotificationRules, Rule};
pub use listing::{Entry, Listing, Next, Page, VersionEntry, VersionListing, VersionPage};
pub use multipart::{ChosenPart, Completion, NewPart, NewUpload, PartEntry, Upload};
pub use object::{Attributes, ObjectPart, ObjectVersion, Tag};
pub use put::{Condition, NewObject};
pub use read::{Found, ObjectBytes};
pub(crate) use rows::sequencer;
pub(crate) use schema::FROM_FIRST;
pub use schema::SCHEMA;

/// Buckets and objects; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    blobs: Arc<Blobs>,
    clock: Clock,
    events_waiting: Arc<Notify>,
}

impl Store {
    /// Opens the store whose bytes lie under `directory`; `database` must have been opened with [`SCHEMA`].
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn open(database: Database, directory: &Path, clock: Clock) -> Result<Self, StoreError> {
        let blobs = Arc::new(Blobs::open(directory)?);
        Ok(Self { database, blobs, clock, events_waiting: Arc::new(Notify::new()) })
    }

    /// Finds the current version of an object, or the one named.
    ///
    /// # Errors
    /// When bucket, key or version does not exist (a delete marker counts as not existing).
    pub async fn head(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<ObjectVersion, StoreError> {
        match self.find(bucket, key, version_id).await? {
            Found::Object(object) => Ok(*object),
            Found::DeleteMarker { .. } => Err(StoreError::NoSuchKey(key.to_owned())),
        }
    }

    /// Stores `bytes` as a new version.
    ///
    /// # Errors
    /// When the bucket does not exist or the disk fails.
    pub async fn put_bytes(
        &self,
        bucket: &str,
        key: &str,
        content_type: Option<&str>,
        bytes: bytes::Bytes,
    ) -> Result<ObjectVersion, StoreError> {
        let mut new = NewObject::new(bucket, key);
        new.attributes.content_type = content_type.map(str::to_owned);
        self.put(new, futures::stream::iter([Ok(bytes)])).await
    }

    /// Takes away the files that no object or part needs, left over by a crash or a broken-off upload.
    ///
    /// # Errors
    /// When the folders cannot be read or the database fails.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let blobs = Arc::clone(&self.blobs);
        let names = tokio::task::spawn_blocking(move || blobs.names()).await.map_err(std::io::Error::other)??;
        self.collect(names).await
    }

    /// Wakes whoever waits on it each time that events were written down.
    #[must_use]
    pub fn events_waiting(&self) -> Arc<Notify> {
        Arc::clone(&self.events_waiting)
    }

    /// Removes those of the named files that nothing refers to; gives back how many.
    async fn collect(&self, names: Vec<String>) -> Result<u64, StoreError> {
        if names.is_empty() {
            return Ok(0);
        }
        let blobs = Arc::clone(&self.blobs);
        Ok(self.database.read(move |connection| blobs.collect(connection, &names)).await?)
    }

    /// Like [`Store::collect`], for callers whose own work is done: a file left behind harms nobody.
    async fn collect_quietly(&self, names: Vec<String>) {
        if let Err(error) = self.collect(names).await {
            tracing::warn!(%error, "failed to collect unused object files");
        }
    }
}
