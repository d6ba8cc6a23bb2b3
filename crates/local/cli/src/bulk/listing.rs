//! Files by listing the versions of a bucket, page by page.
//!
//! `ListObjectVersions` serves buckets with and without versions, and it alone says the version that names the run.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>

use anyhow::Context as _;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::ObjectVersion;
use domain::object::ObjectRef;
use jiff::Timestamp;

use super::candidate::{Candidate, Page, Position};
use crate::arguments::Versions;
use crate::executions::timestamp;
use crate::problem::{Exit, Problem};

/// What S3 calls the version of an object in a bucket without versions.
pub(crate) const NO_VERSION: &str = "null";

/// A walk over a bucket.
#[derive(Debug)]
pub(crate) struct Listing {
    client: Client,
    bucket: String,
    prefix: String,
    versions: Versions,
    /// Key and version behind which the next page begins.
    next: Option<(Option<String>, Option<String>)>,
}

impl Listing {
    /// Behind `position`, or from the beginning.
    pub(crate) fn new(client: &Client, place: &ObjectRef, versions: Versions, position: Option<Position>) -> Self {
        let next = match position {
            Some(Position::Listing { key, version_id }) => (Some(key), Some(version_id)),
            Some(Position::Inventory { .. }) | None => (None, None),
        };
        Self {
            client: client.clone(),
            bucket: place.bucket.clone(),
            prefix: place.key.clone(),
            versions,
            next: Some(next),
        }
    }

    /// The next files; none when all have been given.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Page>> {
        let Some((key, version)) = self.next.take() else { return Ok(None) };
        let request = self.client.list_object_versions().bucket(&self.bucket).prefix(&self.prefix);
        let page = request.set_key_marker(key).set_version_id_marker(version).send().await;
        let page = page.with_context(|| {
            let message = format!("failed to list the bucket `{}`", self.bucket);
            Problem::new(Exit::NotFound, message, "check its name, and that you may list its versions")
        })?;
        if page.next_key_marker.is_some() {
            self.next = Some((page.next_key_marker.clone(), page.next_version_id_marker.clone()));
        }
        let wanted = |version: &&ObjectVersion| self.versions == Versions::All || version.is_latest().unwrap_or(false);
        let candidates = page.versions().iter().filter(wanted).filter_map(|version| candidate(&self.bucket, version));
        Ok(Some(Page { candidates: candidates.collect(), gone: 0 }))
    }
}

fn candidate(bucket: &str, version: &ObjectVersion) -> Option<Candidate> {
    let key = version.key()?.to_owned();
    let version_id = version.version_id().unwrap_or(NO_VERSION).to_owned();
    Some(Candidate {
        object: ObjectRef {
            bucket: bucket.to_owned(),
            key: key.clone(),
            version_id: Some(version_id.clone()).filter(|id| id != NO_VERSION),
        },
        etag: version.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
        size_bytes: version.size().and_then(|size| size.try_into().ok()).unwrap_or(0),
        modified: version.last_modified().and_then(timestamp).unwrap_or(Timestamp::UNIX_EPOCH),
        position: Position::Listing { key, version_id },
    })
}
