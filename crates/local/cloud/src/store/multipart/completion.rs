//! The end of an upload: the chosen parts become one file, one object and one event.

use std::fs::File;
use std::io::{self, Read as _};

use jiff::Timestamp;
use rusqlite::Transaction;

use super::super::Store;
use super::super::blobs::{Blob, Half, Pin, off_thread};
use super::super::digest::{self, Algorithm, Checksums, Expected};
use super::super::error::StoreError;
use super::super::events::EventKind;
use super::super::object::{ObjectPart, ObjectVersion};
use super::super::put::{self, Content, NewObject, Stored};
use super::{ChosenPart, Completion, PartEntry, Upload, rows};

/// S3's least size of a part that is not the last.
const LEAST_PART_BYTES: u64 = 5 * 1024 * 1024;

/// Bytes that are joined at a time.
const COPY_BYTES: usize = 1024 * 1024;

impl Store {
    /// Joins the chosen parts into an object.
    ///
    /// # Errors
    /// When a part is missing, is another one, is too small, or the condition does not hold.
    pub async fn complete_upload(&self, completion: Completion) -> Result<ObjectVersion, StoreError> {
        let upload = self.upload(&completion.bucket, &completion.key, &completion.upload_id).await?;
        let stored = self.parts(&completion.upload_id, 0, usize::MAX).await?;
        let chosen = choose(&completion.parts, stored)?;
        let blob = self.join(&chosen, upload.new.algorithm.unwrap_or(Algorithm::Crc64Nvme)).await?;
        let content = content(&upload, &chosen, &blob);
        check_whole(&content, &completion.expected)?;
        self.commit_upload(upload, completion, content, blob.pin).await
    }

    /// Makes one file of the parts.
    async fn join(&self, parts: &[PartEntry], algorithm: Algorithm) -> Result<Blob, StoreError> {
        let paths: Vec<_> = parts.iter().map(|part| self.blobs.path(&part.sha256)).collect();
        let mut half = Half::new(&self.blobs, algorithm);
        let joined = off_thread(move || {
            for path in paths {
                copy(File::open(path)?, &mut half)?;
            }
            Ok(half.keep(&Expected::default()))
        });
        joined.await?
    }

    async fn commit_upload(
        &self,
        upload: Upload,
        completion: Completion,
        content: Content,
        pin: Pin,
    ) -> Result<ObjectVersion, StoreError> {
        let (now, name) = (self.clock.now(), content.sha256.clone());
        let new = NewObject {
            attributes: upload.new.attributes,
            tags: upload.new.tags,
            condition: completion.condition,
            event: EventKind::CompleteMultipartUpload,
            ..NewObject::new(&completion.bucket, &completion.key)
        };
        let upload_id = completion.upload_id;
        let write =
            move |transaction: &Transaction<'_>| Ok((finish(transaction, &new, &content, &upload_id, now)?, pin));
        let (stored, pin) = self.database.write(write).await?;
        drop(pin);
        match stored {
            Ok(stored) => Ok(self.settle(stored).await),
            Err(refusal) => {
                self.collect_quietly(vec![name]).await;
                Err(refusal)
            }
        }
    }
}

fn copy(mut file: File, half: &mut Half) -> io::Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            length => half.write(&buffer[..length])?,
        }
    }
}

/// Finds the parts that the completion names, and holds them against S3's rules.
fn choose(named: &[ChosenPart], mut stored: Vec<PartEntry>) -> Result<Vec<PartEntry>, StoreError> {
    if named.is_empty() {
        return Err(StoreError::InvalidRequest("a completion names at least one part"));
    }
    if !named.is_sorted_by(|one, next| one.number < next.number) {
        return Err(StoreError::InvalidPartOrder);
    }
    let mut chosen = Vec::with_capacity(named.len());
    for part in named {
        let place = stored.iter().position(|entry| entry.number == part.number && is_named(entry, part));
        chosen.push(stored.swap_remove(place.ok_or(StoreError::InvalidPart(part.number))?));
    }
    let small = chosen.iter().rev().skip(1).find(|part| part.size_bytes < LEAST_PART_BYTES);
    small.map_or(Ok(chosen.clone()), |part| Err(StoreError::EntityTooSmall(part.number)))
}

fn is_named(entry: &PartEntry, part: &ChosenPart) -> bool {
    part.etag.as_ref().is_none_or(|etag| *etag == entry.etag)
        && part
            .checksum
            .as_ref()
            .is_none_or(|(of, value)| entry.checksums.get(*of).as_ref().is_none_or(|sum| sum == value))
}

fn content(upload: &Upload, parts: &[PartEntry], blob: &Blob) -> Content {
    let etags: Vec<_> = parts.iter().map(|part| part.etag.clone()).collect();
    let checksums = match upload.new.algorithm {
        Some(algorithm) if !upload.new.full_object => composite(algorithm, parts),
        _ => blob.digests.checksums.clone(),
    };
    let each = parts.iter().map(|part| ObjectPart {
        number: part.number,
        size_bytes: part.size_bytes,
        checksums: part.checksums.clone(),
    });
    Content {
        etag: digest::multipart_etag(&etags).unwrap_or_else(|| blob.digests.etag()),
        checksums,
        parts: each.collect(),
        ..Content::of(&blob.digests)
    }
}

fn composite(algorithm: Algorithm, parts: &[PartEntry]) -> Checksums {
    let sums: Option<Vec<_>> = parts.iter().map(|part| part.checksums.get(algorithm)).collect();
    let value = sums.and_then(|sums| digest::composite(algorithm, &sums));
    Checksums { value: value.map(|value| (algorithm, value)), composite: true }
}

fn check_whole(content: &Content, expected: &Expected) -> Result<(), StoreError> {
    if expected.size_bytes.is_some_and(|size_bytes| size_bytes != content.size_bytes) {
        return Err(StoreError::InvalidRequest("the object's size is not the one announced"));
    }
    match &expected.checksum {
        Some((algorithm, value)) if content.checksums.get(*algorithm).is_some_and(|sum| sum != *value) => {
            Err(StoreError::BadDigest(algorithm.header()))
        }
        _ => Ok(()),
    }
}

fn finish(
    transaction: &Transaction<'_>,
    new: &NewObject,
    content: &Content,
    upload_id: &str,
    now: Timestamp,
) -> rusqlite::Result<Result<Stored, StoreError>> {
    // A second completion that ran beside this one finds no upload any more.
    if rows::find(transaction, &new.bucket, &new.key, upload_id)?.is_none() {
        return Ok(Err(StoreError::NoSuchUpload(upload_id.to_owned())));
    }
    let mut stored = match put::insert(transaction, new, content, now)? {
        Ok(stored) => stored,
        Err(refusal) => return Ok(Err(refusal)),
    };
    stored.freed.extend(rows::remove(transaction, &new.bucket, &new.key, upload_id)?.unwrap_or_default());
    Ok(Ok(stored))
}
