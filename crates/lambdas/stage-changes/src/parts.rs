//! Rows as JSON lines in objects of a few megabytes each, so that no batch is held in memory.

use aws::store::Store;
use bytes::Bytes;
use domain::failure::Failure;
use domain::object::ObjectRef;
use serde_json::Value;

/// An object is written once it has grown to this.
const PART_BYTES: usize = 8 << 20;

/// Rows on their way to objects below one prefix.
pub(crate) struct Parts<'a> {
    store: &'a Store,
    bucket: &'a str,
    prefix: String,
    buffer: Vec<u8>,
    written: u32,
    /// Rows so far.
    pub(crate) rows: u64,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(store: &'a Store, bucket: &'a str, prefix: String) -> Self {
        Self { store, bucket, prefix, buffer: Vec::new(), written: 0, rows: 0 }
    }

    /// Adds a row.
    pub(crate) async fn push(&mut self, row: &Value) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.buffer, row)
            .map_err(|error| Failure::internal(format!("failed to serialise a row: {error}")))?;
        self.buffer.push(b'\n');
        self.rows += 1;
        if self.buffer.len() >= PART_BYTES { self.write().await } else { Ok(()) }
    }

    /// Writes what is left; gives the prefix, if there was any row.
    pub(crate) async fn finish(mut self) -> Result<Option<String>, Failure> {
        if !self.buffer.is_empty() {
            self.write().await?;
        }
        Ok((self.written > 0).then_some(self.prefix))
    }

    async fn write(&mut self) -> Result<(), Failure> {
        let place = ObjectRef::new(self.bucket, format!("{}part-{:05}.jsonl", self.prefix, self.written));
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        self.written += 1;
        self.store.write(&place, "application/x-ndjson", bytes).await
    }
}
