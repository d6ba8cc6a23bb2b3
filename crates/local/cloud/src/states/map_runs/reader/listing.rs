//! The objects of a bucket: what a listing tells of each, or what is in them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use asl::Payload;
use asl::map_run::ItemReader;
use serde_json::{Value, json};

use super::{Sink, Stop, object};
use crate::states::map_runs::s3;
use crate::store::{Entry, Listing, Next, Page, Store};

/// Objects on a page.
const PAGE: usize = 1000;

/// Puts what the listing tells of each object.
pub(super) async fn read(store: &Store, parameters: &Payload, sink: &mut Sink) -> Result<(), Stop> {
    let bucket = s3::required(parameters, "Bucket", s3::ITEM_READER_FAILED)?;
    sink.reads(bucket, None);
    let mut page = first_page(parameters);
    loop {
        let listing = list(store, bucket, page.clone()).await?;
        for entry in &listing.entries {
            sink.put(item(entry)).await?;
        }
        if !turn(&mut page, listing.next) {
            return Ok(());
        }
    }
}

/// Puts what is in the objects, those of the first object first.
pub(super) async fn load(store: &Store, reader: &ItemReader, sink: &mut Sink) -> Result<(), Stop> {
    let bucket = s3::required(&reader.parameters, "Bucket", s3::ITEM_READER_FAILED)?;
    let mut page = first_page(&reader.parameters);
    loop {
        let listing = list(store, bucket, page.clone()).await?;
        for entry in listing.entries.iter().filter(|entry| !is_folder(entry)) {
            object::read(store, reader, bucket, &entry.key, None, sink).await?;
        }
        if !turn(&mut page, listing.next) {
            return Ok(());
        }
    }
}

async fn list(store: &Store, bucket: &str, page: Page) -> Result<Listing, Stop> {
    let listed = store.list(bucket, page).await;
    listed.map_err(|refusal| s3::refused(s3::ITEM_READER_FAILED, &refusal).into())
}

fn first_page(parameters: &Payload) -> Page {
    let text = |name: &str| s3::parameter(parameters, name).map(str::to_owned);
    Page {
        prefix: text("Prefix").unwrap_or_default(),
        delimiter: text("Delimiter"),
        after: text("StartAfter"),
        after_prefix: None,
        most: PAGE,
    }
}

/// Goes to the next page, if there is one.
fn turn(page: &mut Page, next: Option<Next>) -> bool {
    match next {
        Some(Next::Key(key)) => page.after = Some(key),
        Some(Next::Prefix(prefix)) => page.after_prefix = Some(prefix),
        None => return false,
    }
    true
}

/// The console marks a folder with an empty object.
fn is_folder(entry: &Entry) -> bool {
    entry.size_bytes == 0 && entry.key.ends_with('/')
}

/// Names and forms are those of Step Functions, which are not quite those of S3.
fn item(entry: &Entry) -> Value {
    json!({
        "Etag": format!("\"{}\"", entry.etag),
        "Key": entry.key,
        "LastModified": entry.modified.as_second(),
        "Size": entry.size_bytes,
        "StorageClass": "STANDARD",
    })
}
