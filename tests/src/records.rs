//! The catalog as it lies in its bucket, read by the AWS SDK: all change records, and the jobs of a service.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Credentials;
use domain::change::Change;
use serde_json::Value;

/// All change records in the catalog of the deployment at `endpoint`, as they are written.
///
/// # Panics
/// When the bucket cannot be read, or a record cannot.
#[must_use]
pub fn values(endpoint: &str) -> Vec<Value> {
    block_on(async {
        let sdk = sdk(endpoint).await;
        let client = Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
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

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

pub(crate) async fn sdk(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("sluice", "sluice", None, None, "tests"))
        .load()
        .await
}
