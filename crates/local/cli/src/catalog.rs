//! The change records, as they lie in the catalog bucket.

use anyhow::Context as _;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use domain::change::{Change, record_prefix};
use jiff::Timestamp;
use serde_json::Value;

/// Where all change records lie.
pub(crate) const PREFIX: &str = "changes/";

/// The keys of all records of events after `time`, in the order of time.
pub(crate) async fn records_since(client: &Client, bucket: &str, time: Timestamp) -> anyhow::Result<Vec<String>> {
    let start = format!("{PREFIX}dt={}", time.strftime("%Y-%m-%d/%H%M%S"));
    let request = client.list_objects_v2().bucket(bucket).prefix(PREFIX).start_after(start);
    let mut pages = request.into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.with_context(|| format!("failed to list the change records in `{bucket}`"))?;
        keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
    }
    Ok(keys)
}

/// The records of all runs for events at `time`: those of one event, replays included, and hardly any others.
pub(crate) async fn records_at(client: &Client, bucket: &str, time: Timestamp) -> anyhow::Result<Vec<Change>> {
    let request = client.list_objects_v2().bucket(bucket).prefix(record_prefix(time));
    let mut pages = request.into_paginator().send();
    let mut records = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.with_context(|| format!("failed to list the change records in `{bucket}`"))?;
        for key in page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key) {
            records.extend(record(client, bucket, &key).await?);
        }
    }
    Ok(records)
}

/// The run whose record lies under `key`: what stands behind `changes/dt=DAY/TIME-`.
pub(crate) fn run_of(key: &str) -> Option<&str> {
    let (_, name) = key.strip_prefix(PREFIX)?.rsplit_once('/')?;
    name.split_once('-')?.1.strip_suffix(".json")
}

/// The record under `key`, if there is one.
pub(crate) async fn record(client: &Client, bucket: &str, key: &str) -> anyhow::Result<Option<Change>> {
    let Some(bytes) = read(client, bucket, key).await? else { return Ok(None) };
    let change =
        serde_json::from_slice(&bytes).with_context(|| format!("failed to understand the change record `{key}`"))?;
    Ok(Some(change))
}

/// The extraction document under `key`, if there is one, as it is written.
pub(crate) async fn document(client: &Client, bucket: &str, key: &str) -> anyhow::Result<Option<Value>> {
    let Some(bytes) = read(client, bucket, key).await? else { return Ok(None) };
    let document =
        serde_json::from_slice(&bytes).with_context(|| format!("failed to understand the document `{key}`"))?;
    Ok(Some(document))
}

/// The bytes under `key`, if there are any.
pub(crate) async fn read(client: &Client, bucket: &str, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let output = match client.get_object().bucket(bucket).key(key).send().await {
        Ok(output) => output,
        Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("failed to read `s3://{bucket}/{key}`")),
    };
    let body = output.body.collect().await.with_context(|| format!("failed to read `s3://{bucket}/{key}`"))?;
    Ok(Some(body.to_vec()))
}

#[cfg(test)]
mod tests {
    use domain::change::record_key;

    use super::*;

    #[test]
    fn the_run_is_read_back_from_a_records_key() {
        let time = "2026-05-01T09:59:59.999Z".parse().unwrap();
        assert_eq!(run_of(&record_key(time, "a-b-c-0123")), Some("a-b-c-0123"));
        assert_eq!(run_of("changes/dt=2026-05-01/"), None);
    }
}
