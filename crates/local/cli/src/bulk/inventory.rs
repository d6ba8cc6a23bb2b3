//! Files by an S3 inventory: its manifest, its data files one after the other, their rows in batches.
//!
//! CSV and Parquet are read; ORC is refused by name, since no small reader of it is at hand. A data file goes to a
//! temporary file first, so that memory holds some rows and no more.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html>

mod csv;
mod parquet;
mod row;

use std::fs::File;
use std::io::Seek as _;

use anyhow::Context as _;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use domain::object::ObjectRef;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc::{self, Receiver};

use super::candidate::{Candidate, Page, Position};
use crate::arguments::Versions;
use crate::catalog;
use crate::problem::{Exit, Problem};
use row::Row;

/// A manifest lists its data files; one of this size lists half a million of them.
const MOST_MANIFEST_BYTES: usize = 64 << 20;

/// Rows that go through at once.
const ROWS: usize = 1_000;

/// Objects that are looked at at once, where the inventory does not say their versions.
const LOOKS_AT_ONCE: usize = 16;

/// `manifest.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    source_bucket: String,
    /// As an ARN.
    destination_bucket: String,
    file_format: String,
    #[serde(default)]
    file_schema: String,
    files: Vec<DataFile>,
}

#[derive(Debug, Clone, Deserialize)]
struct DataFile {
    key: String,
    size: u64,
}

/// How the data files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    /// With the names of the columns.
    Csv(Vec<String>),
    Parquet,
}

/// A walk over an inventory.
#[derive(Debug)]
pub(crate) struct Inventory {
    client: Client,
    place: ObjectRef,
    versions: Versions,
    manifest: Manifest,
    format: Format,
    /// The data file at hand, and how many of its rows are behind us.
    file: usize,
    rows: u64,
    reading: Option<Receiver<anyhow::Result<Vec<Row>>>>,
}

impl Inventory {
    /// Reads the manifest; the walk begins behind `position`.
    ///
    /// # Errors
    /// When it cannot be read, is of another bucket, or its data files are of a format that is not read here.
    pub(crate) async fn open(
        client: &Client,
        uri: &str,
        place: &ObjectRef,
        versions: Versions,
        position: Option<Position>,
    ) -> anyhow::Result<Self> {
        let manifest = manifest(client, uri).await?;
        let format = format(&manifest, uri)?;
        if manifest.source_bucket != place.bucket {
            let message =
                format!("failed to use the inventory `{uri}`: it is of the bucket `{}`", manifest.source_bucket);
            return Err(Problem::new(Exit::Usage, message, "name that bucket, or another inventory").into());
        }
        let (file, rows) = match position {
            Some(Position::Inventory { file, rows }) => (file, rows),
            Some(Position::Listing { .. }) | None => (0, 0),
        };
        let (client, place) = (client.clone(), place.clone());
        Ok(Self { client, place, versions, manifest, format, file, rows, reading: None })
    }

    /// The next files; none when all have been given.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Page>> {
        loop {
            let Some(reading) = &mut self.reading else {
                let Some(file) = self.manifest.files.get(self.file).cloned() else { return Ok(None) };
                self.reading = Some(self.read(&file).await?);
                continue;
            };
            match reading.recv().await {
                Some(rows) => return self.page(rows?).await.map(Some),
                None => {
                    (self.file, self.rows, self.reading) = (self.file + 1, 0, None);
                }
            }
        }
    }

    /// Fetches a data file and reads it beside; rows before the position are passed over.
    async fn read(&self, file: &DataFile) -> anyhow::Result<Receiver<anyhow::Result<Vec<Row>>>> {
        let bucket = self.manifest.destination_bucket.rsplit(":::").next().unwrap_or_default();
        let data = fetch(&self.client, bucket, file).await?;
        let (sender, receiver) = mpsc::channel(2);
        let (format, done, key) = (self.format.clone(), self.rows, file.key.clone());
        tokio::task::spawn_blocking(move || {
            let send = |rows| sender.blocking_send(Ok(rows)).is_ok();
            let read = match format {
                Format::Csv(columns) => csv::read(&data, &columns, done, ROWS, send),
                Format::Parquet => parquet::read(&data, done, ROWS, send),
            };
            if let Err(error) = read {
                // Whoever waited for it may be gone.
                let _ =
                    sender.blocking_send(Err(error.context(format!("failed to read the inventory's file `{key}`"))));
            }
        });
        Ok(receiver)
    }

    async fn page(&mut self, rows: Vec<Row>) -> anyhow::Result<Page> {
        let (file, before) = (self.file, self.rows);
        self.rows += rows.len() as u64;
        let places = (1..).map(|row| Position::Inventory { file, rows: before + row });
        let wanted = rows.into_iter().zip(places).filter(|(row, _)| self.wants(row));
        let looks = wanted.map(|(row, position)| self.candidate(row, position));
        let looked: Vec<_> = stream::iter(looks).buffered(LOOKS_AT_ONCE).try_collect().await?;
        let gone = looked.iter().filter(|found| found.is_none()).count() as u64;
        Ok(Page { candidates: looked.into_iter().flatten().collect(), gone })
    }

    fn wants(&self, row: &Row) -> bool {
        let is_current = self.versions == Versions::All || row.is_latest.unwrap_or(true);
        row.key.starts_with(&self.place.key) && !row.is_delete_marker && is_current
    }

    /// The row as a candidate. Where the inventory does not say the version, the object does, if it is there still.
    async fn candidate(&self, row: Row, position: Position) -> anyhow::Result<Option<Candidate>> {
        let bucket = self.place.bucket.clone();
        let mut candidate = Candidate {
            object: ObjectRef { bucket, key: row.key, version_id: row.version_id },
            etag: row.etag,
            size_bytes: row.size_bytes,
            modified: row.modified,
            position,
        };
        if row.has_version {
            return Ok(Some(candidate));
        }
        let object = &candidate.object;
        let head = match self.client.head_object().bucket(&object.bucket).key(&object.key).send().await {
            Ok(head) => head,
            Err(error) if matches!(error.code(), Some("NotFound" | "NoSuchKey")) => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("failed to look at `{object}`")),
        };
        candidate.object.version_id = head.version_id.filter(|id| id != super::listing::NO_VERSION);
        candidate.etag = head.e_tag.map(|etag| etag.trim_matches('"').to_owned());
        candidate.size_bytes = head.content_length.and_then(|size| size.try_into().ok()).unwrap_or(0);
        candidate.modified = head.last_modified.as_ref().and_then(crate::executions::timestamp).unwrap_or(row.modified);
        Ok(Some(candidate))
    }
}

async fn manifest(client: &Client, uri: &str) -> anyhow::Result<Manifest> {
    let object = ObjectRef::from_uri(uri).with_context(|| {
        let next = "write s3://BUCKET/…/manifest.json";
        Problem::new(Exit::Usage, format!("failed to understand the inventory `{uri}`"), next)
    })?;
    let bytes = catalog::read(client, &object.bucket, &object.key).await?;
    let bytes = bytes.filter(|bytes| bytes.len() <= MOST_MANIFEST_BYTES).with_context(|| {
        let next = "the manifest of an inventory lies at …/CONFIGURATION/DATE/manifest.json";
        Problem::new(Exit::NotFound, format!("failed to find the inventory `{uri}`"), next)
    })?;
    serde_json::from_slice(&bytes).with_context(|| {
        let next = "name the file manifest.json of an S3 inventory";
        Problem::new(Exit::Usage, format!("failed to understand the inventory `{uri}`"), next)
    })
}

fn format(manifest: &Manifest, uri: &str) -> anyhow::Result<Format> {
    match manifest.file_format.as_str() {
        "CSV" => Ok(Format::Csv(manifest.file_schema.split(',').map(|column| column.trim().to_owned()).collect())),
        "Parquet" => Ok(Format::Parquet),
        other => {
            let message = format!("failed to use the inventory `{uri}`: its files are {}", crate::output::plain(other));
            let next = "let S3 write it as CSV or Parquet, or leave --inventory out to list the bucket";
            Err(Problem::new(Exit::Usage, message, next).into())
        }
    }
}

/// The data file as a temporary file, whole.
async fn fetch(client: &Client, bucket: &str, file: &DataFile) -> anyhow::Result<File> {
    let failed = || format!("failed to fetch the inventory's file `s3://{bucket}/{}`", file.key);
    let output = client.get_object().bucket(bucket).key(&file.key).send().await.with_context(failed)?;
    let data = tokio::task::spawn_blocking(tempfile::tempfile).await.context("failed to make a temporary file")?;
    let mut data = tokio::fs::File::from_std(data.context("failed to make a temporary file")?);
    let (mut body, mut size) = (output.body, 0);
    while let Some(bytes) = body.next().await {
        let bytes = bytes.with_context(failed)?;
        size += bytes.len() as u64;
        if size > file.size {
            break;
        }
        data.write_all(&bytes).await.context("failed to write a temporary file")?;
    }
    data.flush().await.context("failed to write a temporary file")?;
    if size != file.size {
        anyhow::bail!("{}: it has not the {} bytes that the manifest says", failed(), file.size);
    }
    let mut data = data.into_std().await;
    data.rewind().context("failed to read a temporary file")?;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_name() {
        let read = |format: &str, schema: &str| {
            let manifest = serde_json::json!({
                "sourceBucket": "b", "destinationBucket": "arn:aws:s3:::d", "version": "2016-11-30",
                "creationTimestamp": "1514944800000", "fileFormat": format, "fileSchema": schema,
                "files": [{"key": "k", "size": 7, "MD5checksum": "f11166069f1990abeb9c97ace9cdfabc"}],
            });
            super::format(&serde_json::from_value(manifest).unwrap(), "s3://d/manifest.json")
        };
        let columns = vec!["Bucket".to_owned(), "Key".to_owned()];
        assert_eq!(read("CSV", "Bucket, Key").unwrap(), Format::Csv(columns));
        assert_eq!(read("Parquet", "message s3.inventory {…}").unwrap(), Format::Parquet);
        assert!(read("ORC", "struct<…>").unwrap_err().to_string().contains("its files are ORC"));
    }
}
