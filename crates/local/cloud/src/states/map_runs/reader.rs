//! Reading the items of a Map Run, one at a time and in order: out of the state's input, a listing, or objects.
//!
//! A reader runs beside its run and stops when nobody takes its items. It holds no object whole, and no item that is
//! larger than [`MOST_ITEM_BYTES`]. Parquet files are refused: no local engine reads them.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html>

mod csv;
mod json;
mod lines;
mod listing;
mod manifest;
mod object;

use std::sync::Arc;

use asl::map_run::{InputType, ItemReader, ReaderAction, ReaderTransformation};
use asl::{Failure, Payload};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Order, s3};
use crate::states::States;

/// What the context object calls the source of items that the state's input holds.
const STATE_DATA: &str = "STATE_DATA";

/// Items that are read ahead.
const AHEAD: usize = 256;

/// The most bytes between one item and the next. An item of a quarter of a mebibyte is too large for a child already;
/// the rest is room for white space and for what is skipped.
const MOST_ITEM_BYTES: u64 = 16 * 1024 * 1024;

/// An item as it was read.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) value: Value,
    pub(super) source: Arc<str>,
}

/// Where the items come from.
pub(super) enum Source {
    Input { items: Payload, next: usize, source: Arc<str> },
    Reader(mpsc::Receiver<Result<Raw, Failure>>),
}

/// Why a reader stops before the end.
#[derive(Debug)]
pub(super) enum Stop {
    /// All items that were asked for are read, or nobody wants more.
    Enough,
    /// The items are not what they should be.
    Failed(Failure),
}

/// Where a reader puts its items.
#[derive(Debug)]
pub(super) struct Sink {
    sender: mpsc::Sender<Result<Raw, Failure>>,
    left: Option<u64>,
    source: Arc<str>,
}

/// Begins to read.
pub(super) fn open(states: &States, order: &Order) -> Result<Source, Failure> {
    let Some(reader) = order.order.reader.clone() else {
        let items = order.items.clone().unwrap_or_else(|| Value::Array(Vec::new()).into());
        return Ok(Source::Input { items, next: 0, source: STATE_DATA.into() });
    };
    let (sender, items) = mpsc::channel(AHEAD);
    let sink = Sink { sender, left: most(reader.max_items)?, source: "".into() };
    let states_of_reader = states.clone();
    states.inner.tasks.spawn(async move { run(states_of_reader, reader, sink).await });
    Ok(Source::Reader(items))
}

/// How many items are read at most; 0 sets no bound.
fn most(max_items: Option<i64>) -> Result<Option<u64>, Failure> {
    match max_items {
        None | Some(0) => Ok(None),
        Some(most) => u64::try_from(most).map(Some).map_err(|_| failed("field MaxItems must be positive")),
    }
}

async fn run(states: States, reader: ItemReader, mut sink: Sink) {
    let store = &states.context().store;
    let read = match (reader.action, reader.transformation) {
        (ReaderAction::ListObjectsV2, ReaderTransformation::None) => {
            listing::read(store, &reader.parameters, &mut sink).await
        }
        (ReaderAction::ListObjectsV2, ReaderTransformation::LoadAndFlatten) => {
            listing::load(store, &reader, &mut sink).await
        }
        (ReaderAction::GetObject, _) if is_manifest(&reader) => manifest::read(store, &reader, &mut sink).await,
        (ReaderAction::GetObject, _) => object::read_named(store, &reader, &mut sink).await,
    };
    if let Err(Stop::Failed(failure)) = read {
        // Whoever read is gone when the run was cancelled.
        let _ = sink.sender.send(Err(failure)).await;
    }
}

fn is_manifest(reader: &ItemReader) -> bool {
    reader.manifest_type.is_some() || reader.input_type == Some(InputType::Manifest)
}

impl Source {
    /// The next item; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Raw>, Failure> {
        match self {
            Self::Input { items, next, source } => {
                let item = items.value().get(*next).cloned();
                *next += 1;
                Ok(item.map(|value| Raw { value, source: Arc::clone(source) }))
            }
            Self::Reader(items) => items.recv().await.transpose(),
        }
    }
}

impl Sink {
    /// Says where the items come from that are put from now on.
    fn reads(&mut self, bucket: &str, key: Option<&str>) {
        self.source = match key {
            Some(key) => format!("S3://{bucket}/{key}").into(),
            None => format!("S3://{bucket}").into(),
        };
    }

    fn raw(&self, value: Value) -> Raw {
        Raw { value, source: Arc::clone(&self.source) }
    }

    /// One more item is put; nothing is read behind the last one that was asked for.
    fn count(&mut self) -> Result<(), Stop> {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        if self.left == Some(0) { Err(Stop::Enough) } else { Ok(()) }
    }

    /// Puts an item, from a thread that may block.
    fn put_blocking(&mut self, value: Value) -> Result<(), Stop> {
        let raw = self.raw(value);
        self.sender.blocking_send(Ok(raw)).map_err(|_| Stop::Enough)?;
        self.count()
    }

    async fn put(&mut self, value: Value) -> Result<(), Stop> {
        let raw = self.raw(value);
        self.sender.send(Ok(raw)).await.map_err(|_| Stop::Enough)?;
        self.count()
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn failed(cause: impl Into<String>) -> Failure {
    Failure::new(s3::ITEM_READER_FAILED, cause)
}

#[cfg(test)]
mod tests;
