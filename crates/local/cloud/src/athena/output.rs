//! A query's result as an object in the place that the query or its workgroup names, written as its rows are made.
//!
//! A query gives `<id>.csv` with a header; a statement that shows something gives `<id>.txt`, a line a row. A statement
//! that writes files of its own gives a list of them; one that changes rows gives an empty file, as its result is a number. The files' `.metadata`, which only Athena reads, is
//! not written.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html>

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use lakehouse::{Answer, Error, Kind, ResultColumn, TextRow, result_columns, text_rows};

use super::csv::write_row;
use super::groups;
use super::rows::Request;
use crate::store::{BoxError, NewObject, Store, StoreError};

/// What is gathered before it goes to the store.
const GATHER_BYTES: usize = 256 * 1024;

/// What a result came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) columns: Vec<ResultColumn>,
    pub(super) changed_rows: Option<u64>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) manifest: Option<String>,
}

/// Bucket and key of a URI of S3.
pub(super) fn place(uri: &str) -> Option<(&str, &str)> {
    uri.strip_prefix("s3://")?.split_once('/').filter(|(bucket, _)| !bucket.is_empty())
}

/// Whether a file holds a table, and not lines of text.
pub(super) fn is_table(key: &str) -> bool {
    key.rsplit('.').next() == Some("csv")
}

/// Writes an answer to where the query's result goes.
pub(super) async fn write(store: &Store, region: &str, request: &Request, answer: Answer) -> Result<Written, Error> {
    let changes = answer.kind != Kind::Utility && !request.is_read;
    let changed = answer.counts.inserted + answer.counts.updated + answer.counts.deleted;
    let columns = if changes { count_column(answer.kind) } else { result_columns(&answer.schema) };
    let changed_rows = changes.then_some(changed);
    if matches!(request.name.as_deref(), Some("CREATE_TABLE_AS_SELECT" | "UNLOAD")) {
        let manifest = format!("{}-manifest.csv", request.output.trim_end_matches(".csv"));
        let lines: Vec<u8> = answer.files.iter().flat_map(|file| format!("{file}\n").into_bytes()).collect();
        let list = futures::stream::iter([Ok(Bytes::from(lines))]);
        stored(store, region, &manifest, list).await?;
        return Ok(Written { columns, changed_rows, manifest: Some(manifest), ..Written::default() });
    }
    let is_table = answer.kind == Kind::Dml && !changes;
    let header = is_table.then(|| columns.iter().map(|column| Some(column.name.clone())).collect());
    let mut counted = 0_u64;
    let rows = answer.rows.and_then(|batch| futures::future::ready(text_rows(&batch)));
    let rows = rows.inspect_ok(|rows| counted += rows.len() as u64).boxed();
    let bytes = stored(store, region, &request.output, encoded(header, rows, is_table)).await?;
    Ok(Written { columns, changed_rows, rows: counted, bytes, manifest: None })
}

/// What a change gives: the number of its rows.
fn count_column(kind: Kind) -> Vec<ResultColumn> {
    let rows = || ResultColumn { name: "rows".to_owned(), type_name: "bigint".to_owned(), precision: 19, scale: 0 };
    if kind == Kind::Dml { vec![rows()] } else { Vec::new() }
}

/// Rows as the bytes of a file, in pieces.
fn encoded(
    header: Option<TextRow>,
    rows: BoxStream<'_, Result<Vec<TextRow>, Error>>,
    is_table: bool,
) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    let mut buffer = Vec::new();
    if let Some(header) = header {
        write_row(header.iter().map(Option::as_deref), &mut buffer);
    }
    futures::stream::try_unfold((rows, buffer, false), move |(mut rows, mut buffer, ended)| async move {
        if ended {
            return Ok(None);
        }
        while buffer.len() < GATHER_BYTES {
            let Some(some) = rows.try_next().await? else {
                return Ok(Some((Bytes::from(buffer), (rows, Vec::new(), true))));
            };
            for row in some {
                let values = row.iter().map(Option::as_deref);
                if is_table { write_row(values, &mut buffer) } else { write_line(values, &mut buffer) }
            }
        }
        Ok(Some((Bytes::from(std::mem::take(&mut buffer)), (rows, buffer, false))))
    })
}

/// A row of texts as a line. Line feeds and tabs in it would be read as other rows and columns.
fn write_line<'a>(row: impl Iterator<Item = Option<&'a str>>, out: &mut Vec<u8>) {
    for (at, value) in row.enumerate() {
        if at > 0 {
            out.push(b'\t');
        }
        out.extend(value.unwrap_or_default().replace(['\n', '\r', '\t'], " ").bytes());
    }
    out.push(b'\n');
}

/// Stores what `body` yields. The bucket of results that are asked for nowhere else is made on the way.
async fn stored(
    store: &Store,
    region: &str,
    uri: &str,
    body: impl Stream<Item = Result<Bytes, Error>> + Send,
) -> Result<u64, Error> {
    let wrong = || Error::Invalid(format!("the output location `{uri}` is no place in a bucket"));
    let (bucket, key) = place(uri).ok_or_else(wrong)?;
    if bucket == groups::usual_bucket(region) {
        match store.create_bucket(bucket).await {
            Ok(()) | Err(StoreError::BucketExists(_)) => {}
            Err(error) => return Err(refused(uri, &error)),
        }
    }
    let mut failed = None;
    let pieces = body.map_err(|error| {
        failed = Some(error);
        BoxError::from("the query failed on the way")
    });
    let mut new = NewObject::new(bucket, key);
    let kind = if is_table(key) { "text/csv" } else { "text/plain" };
    new.attributes.content_type = Some(kind.to_owned());
    let put = store.put(new, pieces).await;
    match (put, failed) {
        (_, Some(error)) => Err(error),
        (Ok(object), None) => Ok(object.size_bytes),
        (Err(error), None) => Err(refused(uri, &error)),
    }
}

fn refused(uri: &str, error: &StoreError) -> Error {
    Error::Invalid(format!("the result could not be written to `{uri}`: {error}"))
}
