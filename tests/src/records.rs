//! The catalog as it lies in its bucket, read by the AWS SDK: all change records, and the jobs of a service.

use domain::change::Change;
use serde_json::Value;

use crate::bucket::{block_on, s3, sdk};

/// All change records in the catalog of the deployment at `endpoint`, as they are written.
///
/// # Panics
/// When the bucket cannot be read, or a record cannot.
#[must_use]
pub fn values(endpoint: &str) -> Vec<Value> {
    block_on(async {
        let client = s3(endpoint).await;
        let mut values = Vec::new();
        let mut pages = client.list_objects_v2().bucket("sluice-catalog").into_paginator().send();
        while let Some(page) = pages.next().await {
            for object in page.expect("the catalog is listed").contents() {
                let key = object.key().expect("an object has a key");
                let output =
                    client.get_object().bucket("sluice-catalog").key(key).send().await.expect("a record is read");
                let bytes = output.body.collect().await.expect("a record is read").into_bytes();
                values.push(serde_json::from_slice(&bytes).expect("a record is JSON"));
            }
        }
        values
    })
}

/// All change records in the catalog of the deployment at `endpoint`.
///
/// # Panics
/// As [`values`].
#[must_use]
pub fn changes(endpoint: &str) -> Vec<Change> {
    let read = |value| serde_json::from_value(value).expect("a change record");
    values(endpoint).into_iter().map(read).collect()
}

/// How many transcription jobs were ever started.
///
/// # Panics
/// When the service does not answer.
#[must_use]
pub fn transcription_jobs(endpoint: &str) -> usize {
    block_on(async {
        let client = aws_sdk_transcribe::Client::new(&sdk(endpoint).await);
        let output = client.list_transcription_jobs().max_results(100).send().await.expect("the jobs are listed");
        output.transcription_job_summaries().len()
    })
}
