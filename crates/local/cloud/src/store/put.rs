//! Storing a new version: a large object's bytes first, then the row, a small object's bytes and its event in one
//! transaction.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::blobs::{Blob, BlobWriter, Pin, Received};
use super::buckets::Versioning;
use super::digest::{Algorithm, Checksums, Digests, Expected};
use super::error::{BoxError, StoreError};
use super::events::{self, Change, EventKind};
use super::object::{Attributes, ObjectPart, ObjectVersion, Tag};
use super::rows::{self, NULL_VERSION};
use super::{Found, Store, read, tags};

/// S3's limit for a key, in UTF-8 bytes.
const MOST_KEY_BYTES: usize = 1024;

/// What must hold for the write to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// `If-None-Match: *`: there is no such object.
    Absent,
    /// `If-Match`: the current object has this entity tag.
    Matches(String),
}

/// An object to be stored.
#[derive(Debug, Clone)]
pub struct NewObject {
    /// Bucket name.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Headers and metadata.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Vec<Tag>,
    /// The checksum to take and keep.
    pub algorithm: Algorithm,
    /// What the client says about the bytes.
    pub expected: Expected,
    /// When to store at all.
    pub condition: Condition,
    /// What the event calls it.
    pub event: EventKind,
}

/// Everything that goes into the row.
pub(super) struct Content {
    pub(super) etag: String,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) checksums: Checksums,
    pub(super) parts: Vec<ObjectPart>,
    /// The bytes of a small object; a larger one's are in its file.
    pub(super) bytes: Option<Bytes>,
}

/// What a committed write leaves to be done.
pub(super) struct Stored {
    pub(super) object: ObjectVersion,
    /// Files that may have lost their last object.
    pub(super) freed: Vec<String>,
    pub(super) events: bool,
}

impl NewObject {
    /// An object without headers, tags or conditions.
    #[must_use]
    pub fn new(bucket: &str, key: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            attributes: Attributes::default(),
            tags: Vec::new(),
            algorithm: Algorithm::Crc64Nvme,
            expected: Expected::default(),
            condition: Condition::None,
            event: EventKind::Put,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.key.len() > MOST_KEY_BYTES {
            return Err(StoreError::KeyTooLong);
        }
        tags::check(&self.tags)
    }
}

impl Content {
    pub(super) fn of(digests: &Digests) -> Self {
        Self {
            etag: digests.etag(),
            size_bytes: digests.size_bytes,
            sha256: digests.sha256.clone(),
            checksums: digests.checksums.clone(),
            parts: Vec::new(),
            bytes: None,
        }
    }
}

impl Store {
    /// Stores what `body` yields as a new version.
    ///
    /// # Errors
    /// When the bucket does not exist, the condition does not hold, the bytes are not as expected, or the disk fails.
    pub async fn put<B>(&self, new: NewObject, body: B) -> Result<ObjectVersion, StoreError>
    where
        B: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        new.check()?;
        let writer = self.receive(new.algorithm, body).await?;
        match writer.finish_small(new.expected.clone()).await? {
            Received::Small(digests, bytes) => {
                let content = Content { bytes: Some(bytes), ..Content::of(&digests) };
                self.commit(new, content, None).await
            }
            Received::Large(Blob { digests, pin }) => self.commit(new, Content::of(&digests), Some(pin)).await,
        }
    }

    /// Stores `source` once more under another key, without touching its bytes.
    ///
    /// # Errors
    /// As for [`Store::put`], and when the source is gone.
    pub async fn copy(&self, source: ObjectVersion, new: NewObject) -> Result<ObjectVersion, StoreError> {
        new.check()?;
        // Pinned first, then looked at once more: a source that is still there now cannot lose its file any more.
        let pin = (!source.is_in_row).then(|| self.blobs.pin(&source.sha256));
        let found = self.find(&source.bucket, &source.key, source.version_id.as_deref()).await?;
        if !matches!(&found, Found::Object(object) if object.sha256 == source.sha256) {
            return Err(StoreError::NoSuchKey(source.key));
        }
        let bytes = if source.is_in_row { Some(self.row_bytes(&source)?) } else { None };
        let content = Content {
            bytes,
            etag: source.etag,
            size_bytes: source.size_bytes,
            sha256: source.sha256,
            checksums: source.checksums,
            parts: source.parts,
        };
        self.commit(new, content, pin).await
    }

    /// Takes in a stream of bytes.
    pub(super) async fn receive<B>(&self, algorithm: Algorithm, body: B) -> Result<BlobWriter, StoreError>
    where
        B: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let mut writer = BlobWriter::new(&self.blobs, algorithm);
        let mut body = std::pin::pin!(body);
        while let Some(bytes) = body.next().await {
            writer = writer.write(bytes.map_err(StoreError::Incoming)?).await?;
        }
        Ok(writer)
    }

    async fn commit(&self, new: NewObject, content: Content, pin: Option<Pin>) -> Result<ObjectVersion, StoreError> {
        let file = pin.as_ref().map(|_| content.sha256.clone());
        let now = self.clock.now();
        // The pin travels with the answer, which is given after the commit, so it outlives the commit in any case.
        let write = move |transaction: &Transaction<'_>| Ok((insert(transaction, &new, &content, now)?, pin));
        let (stored, pin) = self.database.write(write).await?;
        drop(pin);
        match stored {
            Ok(stored) => Ok(self.settle(stored).await),
            Err(refusal) => {
                self.collect_quietly(file.into_iter().collect()).await;
                Err(refusal)
            }
        }
    }

    /// Wakes the deliverer and collects what lost its last object.
    pub(super) async fn settle(&self, stored: Stored) -> ObjectVersion {
        if stored.events {
            self.events_waiting.notify_one();
        }
        self.collect_quietly(stored.freed).await;
        stored.object
    }
}

/// Puts a new current version on top.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    new: &NewObject,
    content: &Content,
    now: Timestamp,
) -> rusqlite::Result<Result<Stored, StoreError>> {
    let Some(bucket) = rows::bucket(transaction, &new.bucket)? else {
        return Ok(Err(StoreError::NoSuchBucket(new.bucket.clone())));
    };
    if let Err(refusal) = check_condition(transaction, new)? {
        return Ok(Err(refusal));
    }
    let sequence = rows::next_in_sequence(transaction, now)?;
    let (version_id, freed) = make_room(transaction, &bucket, &new.bucket, &new.key, sequence)?;
    insert_row(transaction, new, content, &version_id, sequence, now)?;
    let change = Change {
        kind: new.event,
        bucket: &new.bucket,
        key: &new.key,
        version_id: Some(version_id.as_str()).filter(|id| *id != NULL_VERSION),
        etag: Some(&content.etag),
        size_bytes: Some(content.size_bytes),
        sequence,
        time: now,
    };
    let events = events::record(transaction, &bucket.rules, &change)?;
    let found = read::find(transaction, &new.bucket, &new.key, None)?;
    Ok(found.and_then(|found| match found {
        Found::Object(object) => Ok(Stored { object: *object, freed, events }),
        Found::DeleteMarker { .. } => Err(StoreError::NoSuchKey(new.key.clone())),
    }))
}

fn check_condition(transaction: &Transaction<'_>, new: &NewObject) -> rusqlite::Result<Result<(), StoreError>> {
    if new.condition == Condition::None {
        return Ok(Ok(()));
    }
    let sql = "SELECT etag FROM versions WHERE bucket = ?1 AND key = ?2 AND latest = 1 AND delete_marker = 0";
    let current: Option<String> =
        transaction.prepare_cached(sql)?.query_row((&new.bucket, &new.key), |row| row.get(0)).optional()?;
    Ok(match (&new.condition, current) {
        (Condition::Absent, Some(_)) => Err(StoreError::PreconditionFailed("If-None-Match")),
        (Condition::Matches(_), None) => Err(StoreError::NoSuchKey(new.key.clone())),
        (Condition::Matches(wanted), Some(etag)) if *wanted != etag => Err(StoreError::PreconditionFailed("If-Match")),
        _ => Ok(()),
    })
}

/// Makes the current version an older one, or takes it away where the bucket is not versioned.
///
/// Gives back the id for the next version and the files that lost an object.
pub(super) fn make_room(
    transaction: &Transaction<'_>,
    row: &rows::BucketRow,
    bucket: &str,
    key: &str,
    sequence: i64,
) -> rusqlite::Result<(String, Vec<String>)> {
    let mut freed = Vec::new();
    let mut version_id = rows::opaque_id(sequence, key);
    if row.versioning != Some(Versioning::Enabled) {
        NULL_VERSION.clone_into(&mut version_id);
        let sql = "DELETE FROM versions WHERE bucket = ?1 AND key = ?2 AND version_id = 'null' \
                   RETURNING iif(content IS NULL, sha256, '')";
        let mut statement = transaction.prepare_cached(sql)?;
        let removed = statement.query_map((bucket, key), |row| row.get(0))?;
        freed = removed.collect::<rusqlite::Result<Vec<String>>>()?;
        freed.retain(|name| !name.is_empty());
    }
    let sql = "UPDATE versions SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest = 1";
    transaction.prepare_cached(sql)?.execute((bucket, key))?;
    Ok((version_id, freed))
}

fn insert_row(
    transaction: &Transaction<'_>,
    new: &NewObject,
    content: &Content,
    version_id: &str,
    sequence: i64,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO versions (bucket, key, version_id, latest, modified_ms, sequencer, etag, size_bytes, sha256, \
               attributes, tags, checksums, parts, content) \
               VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    transaction.prepare_cached(sql)?.execute(params![
        new.bucket,
        new.key,
        version_id,
        now.as_millisecond(),
        sequence,
        content.etag,
        content.size_bytes.cast_signed(),
        content.sha256,
        rows::to_json(&new.attributes)?,
        rows::to_json(&new.tags)?,
        rows::to_json(&content.checksums)?,
        rows::to_json(&content.parts)?,
        content.bytes.as_deref(),
    ])
}
