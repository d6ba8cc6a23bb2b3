//! Manifests: an S3 inventory, whose rows are the items, or the files of an Athena `UNLOAD`, whose content is.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/unload.html>

use std::io::{BufRead as _, BufReader, Read};

use asl::map_run::{ItemReader, ManifestType};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::Value;

use super::object::{self, Opened};
use super::{Sink, Stop, csv, failed};
use crate::states::map_runs::s3;
use crate::store::Store;

/// The most bytes of a manifest; the files that it lists are not bounded.
const MOST_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

/// `manifest.json` of an inventory.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inventory {
    destination_bucket: String,
    file_format: String,
    #[serde(default)]
    file_schema: Value,
    files: Vec<InventoryFile>,
}

#[derive(Debug, Deserialize)]
struct InventoryFile {
    key: String,
}

pub(super) async fn read(store: &Store, reader: &ItemReader, sink: &mut Sink) -> Result<(), Stop> {
    let bucket = s3::required(&reader.parameters, "Bucket", s3::ITEM_READER_FAILED)?;
    let key = s3::required(&reader.parameters, "Key", s3::ITEM_READER_FAILED)?;
    let version = s3::parameter(&reader.parameters, "VersionId");
    let manifest = whole(object::open(store, bucket, key, version).await?).await?;
    match reader.manifest_type {
        Some(ManifestType::AthenaData) => read_athena(store, reader, &manifest, sink).await,
        Some(ManifestType::S3Inventory) | None => read_inventory(store, &manifest, sink).await,
    }
}

/// A manifest is small enough to be held whole.
async fn whole(opened: Opened) -> Result<Vec<u8>, Stop> {
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        opened.take(MOST_MANIFEST_BYTES).read_to_end(&mut bytes).map(|_| bytes)
    });
    match read.await {
        Ok(Ok(bytes)) => Ok(bytes),
        _ => Err(failed("The manifest cannot be read.").into()),
    }
}

async fn read_inventory(store: &Store, manifest: &[u8], sink: &mut Sink) -> Result<(), Stop> {
    let inventory: Inventory = serde_json::from_slice(manifest)
        .map_err(|error| failed(format!("The manifest is not one of an S3 inventory: {error}")))?;
    if inventory.file_format != "CSV" {
        let format = inventory.file_format;
        return Err(failed(format!("An S3 inventory in the format {format} is not available locally")).into());
    }
    let schema = inventory.file_schema.as_str().unwrap_or_default();
    let headers: Vec<String> = schema.split(',').map(|name| name.trim().to_owned()).collect();
    let bucket = inventory.destination_bucket.rsplit(":::").next().unwrap_or_default();
    for file in &inventory.files {
        let opened = object::open(store, bucket, &file.key, None).await?;
        let headers = headers.clone();
        sink.reads(bucket, Some(&file.key));
        object::off_thread(sink, move |sink| {
            csv::read(Some(&headers), b',', MultiGzDecoder::new(BufReader::new(opened)), sink)
        })
        .await?;
    }
    Ok(())
}

/// Each line names a data file; what the files hold is what the reader says.
async fn read_athena(store: &Store, reader: &ItemReader, manifest: &[u8], sink: &mut Sink) -> Result<(), Stop> {
    for line in manifest.lines() {
        let line = line.map_err(|_| failed("The manifest is not text."))?;
        let name = line.trim().trim_matches('"');
        if name.is_empty() {
            continue;
        }
        let place = name.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let (bucket, key) = place.ok_or_else(|| failed(format!("The manifest names `{name}`, which is no S3 URI.")))?;
        object::read(store, reader, bucket, key, None, sink).await?;
    }
    Ok(())
}
