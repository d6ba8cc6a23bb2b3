//! Lines of a text file, some thousand at a time. A line is bounded, and so is what a compressed file may grow to.

use std::io::Read;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use datafusion::arrow::array::RecordBatch;
use flate2::read::MultiGzDecoder;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::bad;
use crate::error::{Result, store};
use crate::table::scan::BATCH_ROWS;

/// The longest line.
const LONGEST_LINE: usize = 64 * 1024 * 1024;
/// What a compressed file may grow to; it is unpacked in memory.
const LARGEST_UNPACKED: u64 = 1 << 30;

/// A line with its number in the file, from 1.
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) text: String,
}

/// Reads a file's lines without its header, and makes rows of them.
pub(super) fn read(
    files: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    uri: String,
    skip: usize,
    rows: impl Fn(&[Line], &str) -> Result<RecordBatch> + Send + Sync + 'static,
) -> BoxStream<'static, Result<RecordBatch>> {
    let rows = Arc::new(rows);
    let named = uri.clone();
    let batches = futures::stream::once(async move { opened(files, meta, &uri).await.map(|bytes| (bytes, uri)) })
        .map_ok(move |(bytes, uri)| batched(bytes, uri, skip))
        .try_flatten();
    batches.and_then(move |lines| futures::future::ready(rows(&lines, &named))).boxed()
}

async fn opened(files: Arc<dyn ObjectStore>, meta: ObjectMeta, uri: &str) -> Result<BoxStream<'static, Result<Bytes>>> {
    let doing = || format!("read `{uri}`");
    let got = files.get(&meta.location).await.map_err(store(doing()))?;
    let name = meta.location.filename().unwrap_or_default().to_ascii_lowercase();
    if name.rsplit('.').next() == Some("gz") {
        let packed = got.bytes().await.map_err(store(doing()))?;
        return Ok(futures::stream::iter([unpacked(&packed, uri)]).boxed());
    }
    if let Some(ending) =
        [".bz2", ".zst", ".snappy", ".lz4", ".lzo", ".zip", ".xz"].iter().find(|end| name.ends_with(**end))
    {
        return Err(bad(uri, format!("files that end with `{ending}` are not read; write them plain or as `.gz`")));
    }
    let doing = doing();
    Ok(got.into_stream().map_err(move |error| store(doing.clone())(error)).boxed())
}

fn unpacked(packed: &[u8], uri: &str) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(packed).take(LARGEST_UNPACKED + 1).read_to_end(&mut bytes);
    read.map_err(|error| bad(uri, format!("it is no gzip file: {error}")))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST_UNPACKED {
        return Err(bad(uri, format!("it unpacks to more than {LARGEST_UNPACKED} bytes")));
    }
    Ok(bytes.into())
}

/// What is left of a file on the way.
struct Reading {
    bytes: BoxStream<'static, Result<Bytes>>,
    buffer: BytesMut,
    number: usize,
    skip: usize,
    uri: String,
    ended: bool,
}

fn batched(
    bytes: BoxStream<'static, Result<Bytes>>,
    uri: String,
    skip: usize,
) -> impl futures::Stream<Item = Result<Vec<Line>>> + Send {
    let reading = Reading { bytes, buffer: BytesMut::new(), number: 0, skip, uri, ended: false };
    futures::stream::try_unfold(reading, |mut reading| async move {
        let lines = reading.next().await?;
        Ok((!lines.is_empty()).then_some((lines, reading)))
    })
}

impl Reading {
    async fn next(&mut self) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        while lines.len() < BATCH_ROWS {
            let Some(line) = self.line().await? else { break };
            if line.number > self.skip && !line.text.is_empty() {
                lines.push(line);
            }
        }
        Ok(lines)
    }

    async fn line(&mut self) -> Result<Option<Line>> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line = self.buffer.split_to(searched + at + 1);
                line.truncate(searched + at);
                return self.decoded(&line).map(Some);
            }
            searched = self.buffer.len();
            if searched > LONGEST_LINE {
                return Err(bad(&self.uri, format!("line {} is longer than {LONGEST_LINE} bytes", self.number + 1)));
            }
            let more = if self.ended { None } else { self.bytes.next().await };
            let Some(more) = more else {
                self.ended = true;
                let rest = self.buffer.split();
                return if rest.is_empty() { Ok(None) } else { self.decoded(&rest).map(Some) };
            };
            self.buffer.extend_from_slice(&more?);
        }
    }

    fn decoded(&mut self, line: &[u8]) -> Result<Line> {
        self.number += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let text =
            std::str::from_utf8(line).map_err(|_| bad(&self.uri, format!("line {} is no UTF-8", self.number)))?;
        Ok(Line { number: self.number, text: text.to_owned() })
    }
}
