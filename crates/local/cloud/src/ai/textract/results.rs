//! Answers of jobs: an object of the service's own bucket, given out in parts.
//!
//! A part's token is the byte at which it begins, so a part costs the same wherever it lies.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use futures::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::job::ReadAll;
use super::{ANALYSIS, INVALID, Kind};
use crate::ai::file::{self, S3Object};
use crate::ai::jobs::{End, Job, SERVICE_BUCKET, Status};
use crate::ai::media::{Media, internal};
use crate::ai::token;
use crate::ai::transcribe::make_bucket;
use crate::store::{BoxError, NewObject, ObjectBytes};
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// Bytes of the file that are read at a time when it is stored.
const CHUNK_BYTES: u64 = 256 * 1024;

/// What is kept of an answer beside its blocks.
#[derive(Debug, Serialize, Deserialize)]
struct Summary {
    key: String,
    version: Option<String>,
    pages: u32,
    unread: Vec<u32>,
    engine: String,
}

/// Stores what a job read.
pub(super) async fn store(media: &Media, job: &Job, read: ReadAll) -> Result<End, ServiceError> {
    let store = &media.context().store;
    make_bucket(store).await?;
    let key = format!("textract/{}.jsonl", job.name);
    let mut new = NewObject::new(SERVICE_BUCKET, &key);
    new.attributes.content_type = Some("application/x-ndjson".to_owned());
    let file = File::open(&read.blocks.path).map_err(|error| internal(&error))?;
    let chunks = stream::iter(Chunks(file));
    let object = store.put(new, chunks).await.map_err(|error| internal(&error))?;
    let summary =
        Summary { key, version: object.version_id, pages: read.pages, unread: read.unread, engine: read.engine };
    let is_partial = !summary.unread.is_empty();
    let summary = serde_json::to_value(summary).map_err(|error| internal(&error))?;
    Ok(if is_partial { End::Partial(summary) } else { End::Completed(summary) })
}

/// A file in chunks; local disks answer at once, so reading them blocks for no time worth a thread.
struct Chunks(File);

impl Iterator for Chunks {
    type Item = Result<Bytes, BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Vec::new();
        match (&mut self.0).take(CHUNK_BYTES).read_to_end(&mut chunk) {
            Ok(0) => None,
            Ok(_) => Some(Ok(Bytes::from(chunk))),
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// One part of a job's answer, as a Get operation gives it.
pub(super) async fn part(media: &Media, job: &Job, token: Option<&str>, most: usize) -> Outcome {
    match job.status {
        Status::Queued | Status::InProgress => Ok(Reply::plain(json!({"JobStatus": "IN_PROGRESS"}))),
        Status::Failed => Ok(Reply::plain(json!({"JobStatus": "FAILED", "StatusMessage": job.reason}))),
        Status::Completed | Status::Partial => finished(media, job, token, most).await,
    }
}

async fn finished(media: &Media, job: &Job, token: Option<&str>, most: usize) -> Outcome {
    let summary: Summary = decode(job.result.clone())?;
    let offset = token.map(|token| offset(job, token)).transpose()?.unwrap_or(0);
    let object =
        S3Object { bucket: SERVICE_BUCKET.to_owned(), name: summary.key.clone(), version: summary.version.clone() };
    let object = file::find(media, &object).await?;
    let bytes = media.context().store.open_bytes(&object).await.map_err(|error| internal(&error))?;
    let name = job.name.clone();
    let (blocks, next) = media.block(move |_| read(bytes, object.size_bytes, offset, most)).await?;
    let kind = if job.kind == ANALYSIS { Kind::Analysis } else { Kind::Detection };
    let mut body = json!({
        "JobStatus": if job.status == Status::Partial { "PARTIAL_SUCCESS" } else { "SUCCEEDED" },
        "DocumentMetadata": {"Pages": summary.pages},
        "Blocks": blocks,
    });
    body[kind.model_member()] = summary.engine.clone().into();
    if let Some(next) = next {
        body["NextToken"] = token::seal(&(name, next)).into();
    }
    if !summary.unread.is_empty() {
        body["Warnings"] = json!([{"ErrorCode": "UNREADABLE_PAGE", "Pages": summary.unread}]);
    }
    Ok(Reply::from_engine(body, summary.engine))
}

fn offset(job: &Job, token: &str) -> Result<u64, ServiceError> {
    match token::open::<(String, u64)>(token) {
        Ok((name, offset)) if name == job.name => Ok(offset),
        _ => Err(bad_token()),
    }
}

fn bad_token() -> ServiceError {
    INVALID.error("Request has invalid Pagination Token")
}

/// Blocks from a byte on, and the byte at which the next part begins.
fn read(
    mut file: ObjectBytes,
    length: u64,
    offset: u64,
    most: usize,
) -> Result<(Vec<Value>, Option<u64>), ServiceError> {
    if !begins_a_line(&mut file, offset, length) {
        return Err(bad_token());
    }
    let mut reader = BufReader::new(file);
    let (mut blocks, mut next, mut line) = (Vec::new(), offset, String::new());
    while blocks.len() < most && next < length {
        line.clear();
        next += reader.read_line(&mut line).map_err(|error| internal(&error))? as u64;
        blocks.push(serde_json::from_str(&line).map_err(|error| internal(&error))?);
    }
    Ok((blocks, (next < length).then_some(next)))
}

/// Whether a line begins at that byte; leaves the file there.
fn begins_a_line(file: &mut ObjectBytes, offset: u64, length: u64) -> bool {
    if offset == 0 {
        return true;
    }
    let mut before = [0];
    let found = file.seek(SeekFrom::Start(offset - 1)).and_then(|_| file.read_exact(&mut before));
    offset < length && found.is_ok() && before == [b'\n']
}
