//! Multipart uploads: parts come in any order, the completion joins them into one file.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

mod completion;
mod rows;

use bytes::Bytes;
use futures::Stream;
use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::blobs::Blob;
use super::digest::{Algorithm, Checksums, Expected};
use super::error::{BoxError, StoreError};
use super::object::{Attributes, Tag};
use super::put::Condition;
use super::{Store, rows as shared, tags};

/// An upload to be begun.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// Bucket name.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Headers and metadata of the object to be.
    pub attributes: Attributes,
    /// Tags of the object to be.
    pub tags: Vec<Tag>,
    /// The checksum that the client chose.
    pub algorithm: Option<Algorithm>,
    /// The checksum is to be of the whole object, not of the parts' checksums.
    pub full_object: bool,
}

/// An upload under way.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its id.
    pub upload_id: String,
    /// What it is to become.
    pub new: NewUpload,
    /// When it was begun.
    pub initiated: Timestamp,
}

/// A part to be stored.
#[derive(Debug, Clone)]
pub struct NewPart {
    /// Bucket name.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// The upload that it belongs to.
    pub upload_id: String,
    /// 1 to 10,000.
    pub number: i32,
    /// The checksum to take; the upload's own choice comes first.
    pub algorithm: Option<Algorithm>,
    /// What the client says about the bytes.
    pub expected: Expected,
}

/// A stored part.
#[derive(Debug, Clone)]
pub struct PartEntry {
    /// 1 to 10,000.
    pub number: i32,
    /// Entity tag without quotes.
    pub etag: String,
    /// Size.
    pub size_bytes: u64,
    /// Its checksum.
    pub checksums: Checksums,
    /// When it was stored.
    pub modified: Timestamp,
    sha256: String,
}

/// A part as the completion names it.
#[derive(Debug, Clone)]
pub struct ChosenPart {
    /// Its number.
    pub number: i32,
    /// The entity tag that the client was given.
    pub etag: Option<String>,
    /// The checksum that the client expects.
    pub checksum: Option<(Algorithm, String)>,
}

/// The end of an upload.
#[derive(Debug, Clone)]
pub struct Completion {
    /// Bucket name.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// The upload.
    pub upload_id: String,
    /// The parts in ascending order.
    pub parts: Vec<ChosenPart>,
    /// When to complete at all.
    pub condition: Condition,
    /// The whole object's checksum or size, as the client expects it.
    pub expected: Expected,
}

impl Store {
    /// Begins an upload; gives back its id.
    ///
    /// # Errors
    /// When the bucket does not exist or the tags break S3's rules.
    pub async fn create_upload(&self, new: NewUpload) -> Result<String, StoreError> {
        tags::check(&new.tags)?;
        let now = self.clock.now();
        let created = self.database.write(move |transaction| {
            if shared::bucket(transaction, &new.bucket)?.is_none() {
                return Ok(Err(StoreError::NoSuchBucket(new.bucket)));
            }
            let upload_id = shared::opaque_id(shared::next_in_sequence(transaction, now)?, &new.key);
            let sql = "INSERT INTO uploads VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            transaction.execute(
                sql,
                params![
                    upload_id,
                    new.bucket,
                    new.key,
                    now.as_millisecond(),
                    shared::to_json(&new.attributes)?,
                    shared::to_json(&new.tags)?,
                    new.algorithm.map(Algorithm::name),
                    new.full_object,
                ],
            )?;
            Ok(Ok(upload_id))
        });
        created.await?
    }

    /// An upload under way.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`].
    pub async fn upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<Upload, StoreError> {
        let (bucket, key, owned) = (bucket.to_owned(), key.to_owned(), upload_id.to_owned());
        let found = self.database.read(move |connection| rows::find(connection, &bucket, &key, &owned)).await?;
        found.ok_or_else(|| StoreError::NoSuchUpload(upload_id.to_owned()))
    }

    /// Stores a part; one of the same number is replaced.
    ///
    /// # Errors
    /// When the upload does not exist or the bytes are not as expected.
    pub async fn put_part<B>(&self, part: NewPart, body: B) -> Result<PartEntry, StoreError>
    where
        B: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let upload = self.upload(&part.bucket, &part.key, &part.upload_id).await?;
        let algorithm = upload.new.algorithm.or(part.algorithm).unwrap_or(Algorithm::Crc64Nvme);
        let blob = self.receive(algorithm, body).await?.finish(part.expected.clone()).await?;
        self.commit_part(part, blob).await
    }

    /// The parts after the number `after`, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn parts(&self, upload_id: &str, after: i32, most: usize) -> Result<Vec<PartEntry>, StoreError> {
        let (upload_id, most) = (upload_id.to_owned(), i64::try_from(most).unwrap_or(i64::MAX));
        Ok(self.database.read(move |connection| rows::parts(connection, &upload_id, after, most)).await?)
    }

    /// The uploads under way, by key and id, after the given pair.
    ///
    /// # Errors
    /// When the bucket does not exist.
    pub async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: (String, String),
        most: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        self.bucket(bucket).await?;
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        let found = self.database.read(move |connection| {
            let sql = "SELECT * FROM uploads WHERE bucket = ?1 AND (key, upload_id) > (?2, ?3) AND substr(key, 1, ?4) = ?5 \
                       ORDER BY key, upload_id LIMIT ?6";
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_map(params![bucket, after.0, after.1, length, prefix, most], rows::upload)?;
            found.collect()
        });
        Ok(found.await?)
    }

    /// Breaks an upload off and frees its parts.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUpload`].
    pub async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<(), StoreError> {
        let (bucket, key, owned) = (bucket.to_owned(), key.to_owned(), upload_id.to_owned());
        let freed = self.database.write(move |transaction| rows::remove(transaction, &bucket, &key, &owned)).await?;
        let freed = freed.ok_or_else(|| StoreError::NoSuchUpload(upload_id.to_owned()))?;
        self.collect_quietly(freed).await;
        Ok(())
    }

    async fn commit_part(&self, part: NewPart, blob: Blob) -> Result<PartEntry, StoreError> {
        let now = self.clock.now();
        let entry = PartEntry {
            number: part.number,
            etag: blob.digests.etag(),
            size_bytes: blob.digests.size_bytes,
            checksums: blob.digests.checksums.clone(),
            modified: now,
            sha256: blob.digests.sha256.clone(),
        };
        let row = entry.clone();
        // The pin travels with the answer, so it outlives the commit.
        let write = move |transaction: &Transaction<'_>| Ok((rows::insert_part(transaction, &part, &row)?, blob.pin));
        let (freed, pin) = self.database.write(write).await?;
        drop(pin);
        match freed {
            Ok(freed) => {
                self.collect_quietly(freed).await;
                Ok(entry)
            }
            Err(refusal) => {
                self.collect_quietly(vec![entry.sha256]).await;
                Err(refusal)
            }
        }
    }
}
