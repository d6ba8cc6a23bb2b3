//! Deleting: a delete marker where the bucket is versioned, the version itself where it is named or is not.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html>

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::error::StoreError;
use super::events::{self, Change, EventKind};
use super::rows::{self, BucketRow, NULL_VERSION};
use super::{Store, put};

/// What a deletion did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletion {
    /// The version that was removed or the delete marker that was made, where the bucket is versioned.
    pub version_id: Option<String>,
    /// A delete marker was made, or the removed version was one.
    pub delete_marker: bool,
    /// A delete marker was made by this deletion.
    pub marker_made: bool,
}

/// What has to be done once the deletions are committed.
#[derive(Default)]
struct Effects {
    freed: Vec<String>,
    events: bool,
}

struct Deleter<'a> {
    transaction: &'a Transaction<'a>,
    row: &'a BucketRow,
    bucket: &'a str,
    now: Timestamp,
    effects: Effects,
}

impl Store {
    /// Deletes the current version, or removes the one named. What does not exist is deleted already.
    ///
    /// # Errors
    /// When the bucket does not exist.
    pub async fn delete(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<Deletion, StoreError> {
        let one = vec![(key.to_owned(), version_id.map(str::to_owned))];
        Ok(self.delete_all(bucket, one).await?.pop().unwrap_or_default())
    }

    /// As [`Store::delete`] for each key and version, in one transaction.
    ///
    /// # Errors
    /// When the bucket does not exist.
    pub async fn delete_all(
        &self,
        bucket: &str,
        objects: Vec<(String, Option<String>)>,
    ) -> Result<Vec<Deletion>, StoreError> {
        let (bucket, now) = (bucket.to_owned(), self.clock.now());
        let deleted = self.database.write(move |transaction| {
            let Some(row) = rows::bucket(transaction, &bucket)? else {
                return Ok(Err(StoreError::NoSuchBucket(bucket)));
            };
            let effects = Effects::default();
            let mut deleter = Deleter { transaction, row: &row, bucket: &bucket, now, effects };
            let each = objects.iter().map(|(key, version_id)| deleter.delete(key, version_id.as_deref()));
            let deletions = each.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(Ok((deletions, deleter.effects)))
        });
        let (deletions, effects) = deleted.await??;
        if effects.events {
            self.events_waiting.notify_one();
        }
        self.collect_quietly(effects.freed).await;
        Ok(deletions)
    }
}

impl Deleter<'_> {
    fn delete(&mut self, key: &str, version_id: Option<&str>) -> rusqlite::Result<Deletion> {
        match (version_id, self.row.versioning) {
            (Some(version_id), _) => self.remove(key, version_id),
            (None, None) => self.remove(key, NULL_VERSION),
            (None, Some(_)) => self.mark(key),
        }
    }

    /// Removes one version for good; the newest of the others becomes the current one.
    fn remove(&mut self, key: &str, version_id: &str) -> rusqlite::Result<Deletion> {
        let named = self.row.versioning.map(|_| version_id.to_owned());
        let sql = "DELETE FROM versions WHERE bucket = ?1 AND key = ?2 AND version_id = ?3 \
                   RETURNING iif(content IS NULL, sha256, ''), delete_marker";
        let removed: Option<(String, bool)> = self
            .transaction
            .prepare_cached(sql)?
            .query_row((self.bucket, key, version_id), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((sha256, delete_marker)) = removed else {
            return Ok(Deletion { version_id: named, ..Deletion::default() });
        };
        let sql = "UPDATE versions SET latest = 1 WHERE latest = 0 AND id = \
                   (SELECT id FROM versions WHERE bucket = ?1 AND key = ?2 ORDER BY id DESC LIMIT 1)";
        self.transaction.prepare_cached(sql)?.execute((self.bucket, key))?;
        self.effects.freed.extend(Some(sha256).filter(|name| !name.is_empty()));
        let sequence = rows::next_in_sequence(self.transaction, self.now)?;
        self.record(EventKind::Delete, key, version_id, sequence)?;
        Ok(Deletion { version_id: named, delete_marker, marker_made: false })
    }

    /// Puts a delete marker on top.
    fn mark(&mut self, key: &str) -> rusqlite::Result<Deletion> {
        let sequence = rows::next_in_sequence(self.transaction, self.now)?;
        let (version_id, freed) = put::make_room(self.transaction, self.row, self.bucket, key, sequence)?;
        self.effects.freed.extend(freed);
        let sql = "INSERT INTO versions (bucket, key, version_id, latest, delete_marker, modified_ms, sequencer) \
                   VALUES (?1, ?2, ?3, 1, 1, ?4, ?5)";
        let now = self.now.as_millisecond();
        self.transaction.prepare_cached(sql)?.execute(params![self.bucket, key, version_id, now, sequence])?;
        self.record(EventKind::DeleteMarkerCreated, key, &version_id, sequence)?;
        Ok(Deletion { version_id: Some(version_id), delete_marker: true, marker_made: true })
    }

    fn record(&mut self, kind: EventKind, key: &str, version_id: &str, sequence: i64) -> rusqlite::Result<()> {
        let change = Change {
            kind,
            bucket: self.bucket,
            key,
            version_id: Some(version_id).filter(|id| *id != NULL_VERSION),
            etag: None,
            size_bytes: None,
            sequence,
            time: self.now,
        };
        self.effects.events |= events::record(self.transaction, &self.row.rules, &change)?;
        Ok(())
    }
}
