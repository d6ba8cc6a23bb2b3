//! Parquet files for tables of files: a folder for each partition, a limited number of files open at once, and a new
//! file where one has grown large. Files are there when they are closed; nobody reads them before their table says so.
//! <https://docs.aws.amazon.com/athena/latest/ug/ctas-examples.html>.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, UInt64Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use futures::{Stream, StreamExt};
use object_store::ObjectStoreExt;
use object_store::buffered::BufWriter;
use parquet::arrow::AsyncArrowWriter;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::catalog::{Column, Partition};
use crate::error::{Error, Result, query as failed};
use crate::table::properties::Codec;
use crate::table::scan::conform;
use crate::table::write::parquet_properties;
use crate::text::text_rows;
use crate::warehouse::Warehouse;

/// Partitions of one statement, as Athena has it. Each has a file open, with a row group in memory.
const MOST_PARTITIONS: usize = 100;
/// A file that has grown to this is closed.
const TARGET_BYTES: usize = 256 * 1024 * 1024;
/// What a file gathers before it is sent on.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// The name that Hive gives to the partition of nulls.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";
/// What Hive writes in another way in the names of folders.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'\'')
    .add(b'*')
    .add(b'/')
    .add(b':')
    .add(b'=')
    .add(b'?')
    .add(b'\\')
    .add(b'{')
    .add(b'[')
    .add(b']')
    .add(b'^');

/// A partition's values.
type Key = Vec<Option<String>>;

/// What a statement wrote.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    /// The URIs of the files.
    pub(crate) files: Vec<String>,
    pub(crate) partitions: Vec<Partition>,
}

/// Where files go and how they are written.
pub(crate) struct Place<'a> {
    pub(crate) warehouse: &'a Warehouse,
    /// The folder's URI.
    pub(crate) folder: &'a str,
    /// The columns of the rows; the last of them are those of partitions.
    pub(crate) schema: SchemaRef,
    pub(crate) partition_columns: &'a [Column],
    pub(crate) codec: Codec,
    /// Nobody else names a file so.
    pub(crate) prefix: String,
}

struct Open {
    writer: AsyncArrowWriter<BufWriter>,
    uri: String,
}

struct Files<'a> {
    place: &'a Place<'a>,
    open: HashMap<Key, Open>,
    seen: Vec<Key>,
    written: Written,
}

/// Writes every row. If that fails, the files that were written are removed.
pub(crate) async fn write(
    place: &Place<'_>,
    mut rows: impl Stream<Item = Result<RecordBatch>> + Unpin,
) -> Result<Written> {
    let mut files = Files { place, open: HashMap::new(), seen: Vec::new(), written: Written::default() };
    let mut done = Ok(());
    while let (Ok(()), Some(batch)) = (&done, rows.next().await) {
        done = match batch {
            Ok(batch) => files.add(&batch).await,
            Err(error) => Err(error),
        };
    }
    let closed = match done {
        Ok(()) => files.close_all().await,
        Err(error) => Err(error),
    };
    if let Err(error) = closed {
        remove(place.warehouse, &files.written.files).await;
        return Err(error);
    }
    files.written.partitions = files.seen.iter().map(|key| place.partition(key)).collect();
    if place.partition_columns.is_empty() {
        files.written.partitions.clear();
    }
    Ok(files.written)
}

/// Removes files that no table names.
pub(crate) async fn remove(warehouse: &Warehouse, files: &[String]) {
    for file in files {
        let Ok(path) = warehouse.path(file) else { continue };
        if let Err(error) = warehouse.store().delete(&path).await {
            tracing::debug!(%error, "a file of a table that was not made stays");
        }
    }
}

impl Place<'_> {
    fn partition(&self, key: &Key) -> Partition {
        Partition { values: key.clone(), location: self.folder_of(key) }
    }

    fn folder_of(&self, key: &Key) -> String {
        let mut folder = self.folder.trim_end_matches('/').to_owned();
        for (column, value) in self.partition_columns.iter().zip(key) {
            let value = value.as_deref().unwrap_or(NULL_PARTITION);
            // Writing to a string does not fail.
            let _ = write!(folder, "/{}={}", column.name, utf8_percent_encode(value, ESCAPED));
        }
        folder
    }

    /// How many columns are in the files.
    fn own_columns(&self) -> usize {
        self.schema.fields().len() - self.partition_columns.len()
    }
}

impl Files<'_> {
    async fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = conform(batch, &self.place.schema)?;
        self.written.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let own = self.place.own_columns();
        let arrow = |error: datafusion::arrow::error::ArrowError| failed("sort rows into partitions")(error.into());
        let inner = batch.project(&(0..own).collect::<Vec<_>>()).map_err(arrow)?;
        if self.place.partition_columns.is_empty() {
            return self.write(Vec::new(), &inner).await;
        }
        let keys = batch.project(&(own..batch.num_columns()).collect::<Vec<_>>()).map_err(arrow)?;
        let mut rows: HashMap<Key, Vec<u64>> = HashMap::new();
        for (row, key) in (0_u64..).zip(text_rows(&keys)?) {
            rows.entry(key).or_default().push(row);
        }
        for (key, rows) in rows {
            let part = take_record_batch(&inner, &UInt64Array::from(rows)).map_err(arrow)?;
            self.write(key, &part).await?;
        }
        Ok(())
    }

    async fn write(&mut self, key: Key, part: &RecordBatch) -> Result<()> {
        if part.num_rows() == 0 {
            return Ok(());
        }
        if !self.open.contains_key(&key) {
            let open = self.opened(&key)?;
            self.open.insert(key.clone(), open);
        }
        let Some(open) = self.open.get_mut(&key) else { return Ok(()) };
        open.writer.write(part).await.map_err(|error| broken(&open.uri, error))?;
        if open.writer.bytes_written() + open.writer.in_progress_size() > TARGET_BYTES
            && let Some(open) = self.open.remove(&key)
        {
            close(open).await?;
        }
        Ok(())
    }

    fn opened(&mut self, key: &Key) -> Result<Open> {
        if !self.seen.contains(key) {
            self.seen.push(key.clone());
        }
        if self.seen.len() > MOST_PARTITIONS {
            let message = format!(
                "the statement would write more than {MOST_PARTITIONS} partitions; write it in parts, or an Iceberg table"
            );
            return Err(Error::Invalid(message));
        }
        let (folder, count) = (self.place.folder_of(key), self.written.files.len());
        let uri = format!("{folder}/{}-{count}.parquet", self.place.prefix);
        let path = self.place.warehouse.path(&uri)?;
        let sink = BufWriter::with_capacity(Arc::clone(self.place.warehouse.store()), path, BUFFER_BYTES);
        let own: Vec<usize> = (0..self.place.own_columns()).collect();
        let schema = self.place.schema.project(&own);
        let schema = schema.map_err(|error| failed("read the columns")(error.into()))?;
        let properties = parquet_properties(self.place.codec);
        let writer = AsyncArrowWriter::try_new(sink, Arc::new(schema), Some(properties));
        // Named before it is written, so that it is removed in any case.
        self.written.files.push(uri.clone());
        Ok(Open { writer: writer.map_err(|error| broken(&uri, error))?, uri })
    }

    async fn close_all(&mut self) -> Result<()> {
        for (_, open) in std::mem::take(&mut self.open) {
            close(open).await?;
        }
        Ok(())
    }
}

async fn close(open: Open) -> Result<()> {
    let Open { writer, uri } = open;
    writer.close().await.map(drop).map_err(|error| broken(&uri, error))
}

fn broken(uri: &str, error: parquet::errors::ParquetError) -> Error {
    Error::damaged(format!("the new file `{uri}`"), error)
}
