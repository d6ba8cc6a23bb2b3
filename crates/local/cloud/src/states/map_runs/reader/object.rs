//! Objects as readers that block, and the choice of the reader for what is in them.

use std::io::{self, BufReader, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asl::map_run::{InputType, ItemReader};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::runtime::Handle;

use super::{MOST_ITEM_BYTES, Sink, Stop, csv, failed, json, lines};
use crate::states::map_runs::s3;
use crate::store::{Store, StoreError};

/// Reads the items of the object that the parameters name.
pub(super) async fn read_named(store: &Store, reader: &ItemReader, sink: &mut Sink) -> Result<(), Stop> {
    let bucket = s3::required(&reader.parameters, "Bucket", s3::ITEM_READER_FAILED)?;
    let key = s3::required(&reader.parameters, "Key", s3::ITEM_READER_FAILED)?;
    let version = s3::parameter(&reader.parameters, "VersionId");
    read(store, reader, bucket, key, version, sink).await
}

/// Reads the items of an object.
pub(super) async fn read(
    store: &Store,
    reader: &ItemReader,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let opened = open(store, bucket, key, version).await?;
    let reader = reader.clone();
    sink.reads(bucket, Some(key));
    off_thread(sink, move |sink| parse(&reader, opened, sink)).await
}

/// Runs a reader that blocks.
pub(super) async fn off_thread<W>(sink: &mut Sink, work: W) -> Result<(), Stop>
where
    W: FnOnce(&mut Sink) -> Result<(), Stop> + Send + 'static,
{
    let mut lent = Sink { sender: sink.sender.clone(), left: sink.left, source: Arc::clone(&sink.source) };
    let worked = tokio::task::spawn_blocking(move || {
        let read = work(&mut lent);
        (read, lent.left)
    });
    let (read, left) = worked.await.map_err(|_| failed("the items could not be read: the reader broke off"))?;
    sink.left = left;
    read
}

fn parse(reader: &ItemReader, opened: Opened, sink: &mut Sink) -> Result<(), Stop> {
    match reader.input_type {
        Some(InputType::Csv) => csv::read(reader.csv_headers.as_deref(), reader.csv_delimiter.byte(), opened, sink),
        Some(InputType::Jsonl) => lines::read(opened, sink),
        Some(InputType::Json) => json::read(reader.items_pointer.as_deref(), opened, sink),
        Some(InputType::Parquet) => {
            Err(failed("Parquet files are not available locally: no local engine reads them").into())
        }
        Some(InputType::Manifest) | None => Err(failed("The field 'InputType' is required but was missing").into()),
    }
}

/// Opens an object for a reader that blocks.
pub(super) async fn open(store: &Store, bucket: &str, key: &str, version: Option<&str>) -> Result<Opened, Stop> {
    let opened = async {
        let object = store.head(bucket, key, version).await?;
        let bytes = store.open_bytes(&object).await?;
        Ok::<_, StoreError>(bytes.stream(0..object.size_bytes))
    };
    let stream = opened.await.map_err(|refusal| s3::refused(s3::ITEM_READER_FAILED, &refusal))?;
    Ok(Opened { stream: Box::pin(stream), runtime: Handle::current(), rest: Bytes::new() })
}

/// The bytes of an object, read by a thread that may block.
pub(super) struct Opened {
    stream: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    runtime: Handle,
    rest: Bytes,
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.runtime.block_on(self.stream.next()).transpose()? {
                Some(bytes) => self.rest = bytes,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

/// Bytes since the last item: one that is too large is not read to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// An item begins.
    pub(super) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A reader whose bytes are counted.
pub(super) struct Gauged<R> {
    inner: R,
    gauge: Gauge,
}

impl<R: Read> Gauged<R> {
    pub(super) fn over(inner: R) -> (BufReader<Self>, Gauge) {
        let gauge = Gauge::default();
        (BufReader::new(Self { inner, gauge: gauge.clone() }), gauge)
    }
}

impl<R: Read> Read for Gauged<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let bytes = u64::try_from(length).unwrap_or(u64::MAX);
        if self.gauge.0.fetch_add(bytes, Ordering::Relaxed) > MOST_ITEM_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "an item is too large to be read"));
        }
        Ok(length)
    }
}
