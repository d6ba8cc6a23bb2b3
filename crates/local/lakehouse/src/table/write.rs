//! Rows into data files, one partition a file.
//! Memory is bounded: a limited number of files is open at once, and each holds at most one row group.
//! Files are named by identifiers and not by partition values, so no value ever has to fit into a path.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef as ArrowSchemaRef;
use futures::{Stream, StreamExt};
use iceberg::arrow::{RecordBatchPartitionSplitter, schema_to_arrow_schema};
use iceberg::spec::{DataFile, PartitionKey, SchemaRef, Struct};
use iceberg::writer::base_writer::data_file_writer::{DataFileWriter, DataFileWriterBuilder};
use iceberg::writer::file_writer::ParquetWriterBuilder;
use iceberg::writer::file_writer::location_generator::{FileNameGenerator, LocationGenerator};
use iceberg::writer::file_writer::rolling_writer::RollingFileWriterBuilder;
use iceberg::writer::{IcebergWriter, IcebergWriterBuilder};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::properties::{Codec, writing};
use super::scan::conform;
use super::{Loaded, Tables};
use crate::effects::file_name;
use crate::error::{Result, iceberg as failed};

/// Files open at once, each with a row group in memory.
const MOST_OPEN: usize = 32;
/// Rows in a row group: small enough that [`MOST_OPEN`] of them fit into memory, large enough to compress well.
const GROUP_ROWS: usize = 65_536;

/// Names data files: all in one folder, by an identifier and a count.
#[derive(Debug, Clone)]
struct Named {
    folder: String,
    prefix: String,
    count: Arc<AtomicU64>,
}

impl LocationGenerator for Named {
    fn generate_location(&self, _partition: Option<&PartitionKey>, file_name: &str) -> String {
        format!("{}/{file_name}", self.folder)
    }
}

impl FileNameGenerator for Named {
    fn generate_file_name(&self) -> String {
        format!("{}-{}.parquet", self.prefix, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

type Builder = DataFileWriterBuilder<ParquetWriterBuilder, Named, Named>;
type Writer = DataFileWriter<ParquetWriterBuilder, Named, Named>;

struct Open {
    writer: Writer,
    used: u64,
}

/// Writes batches into data files of a table's current schema and partition spec.
pub(crate) struct Files {
    builder: Builder,
    arrow: ArrowSchemaRef,
    splitter: Option<RecordBatchPartitionSplitter>,
    open: HashMap<Option<Struct>, Open>,
    written: Vec<DataFile>,
    uses: u64,
    pub(crate) rows: u64,
}

impl Files {
    pub(crate) fn new(tables: &Tables, loaded: &Loaded) -> Result<Self> {
        let metadata = loaded.metadata();
        let schema = Arc::clone(metadata.current_schema());
        let arrow = Arc::new(schema_to_arrow_schema(&schema).map_err(failed("read the table's schema"))?);
        let spec = Arc::clone(metadata.default_partition_spec());
        let splitter = if spec.is_unpartitioned() {
            None
        } else {
            let made = RecordBatchPartitionSplitter::try_new_with_computed_values(Arc::clone(&schema), spec);
            Some(made.map_err(failed("read the partition spec"))?)
        };
        let builder = builder(tables, loaded, &schema);
        let (open, written) = (HashMap::new(), Vec::new());
        Ok(Self { builder, arrow, splitter, open, written, uses: 0, rows: 0 })
    }

    /// Writes one batch. Its columns are the table's, in their order.
    pub(crate) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = conform(batch, &self.arrow)?;
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let Some(splitter) = &self.splitter else { return self.write_part(None, batch).await };
        for (key, part) in splitter.split(&batch).map_err(failed("sort rows into partitions"))? {
            self.write_part(Some(key), part).await?;
        }
        Ok(())
    }

    async fn write_part(&mut self, key: Option<PartitionKey>, part: RecordBatch) -> Result<()> {
        let data = key.as_ref().map(|key| key.data().clone());
        if !self.open.contains_key(&data) {
            self.make_room().await?;
            let writer = self.builder.build(key).await.map_err(failed("open a data file"))?;
            self.open.insert(data.clone(), Open { writer, used: 0 });
        }
        self.uses += 1;
        if let Some(open) = self.open.get_mut(&data) {
            open.used = self.uses;
            open.writer.write(part).await.map_err(failed("write a data file"))?;
        }
        Ok(())
    }

    /// Closes the file that was not written to for the longest time, if as many are open as may be.
    async fn make_room(&mut self) -> Result<()> {
        if self.open.len() < MOST_OPEN {
            return Ok(());
        }
        let oldest = self.open.iter().min_by_key(|(_, open)| open.used).map(|(key, _)| key.clone());
        if let Some(mut open) = oldest.and_then(|key| self.open.remove(&key)) {
            self.written.extend(open.writer.close().await.map_err(failed("finish a data file"))?);
        }
        Ok(())
    }

    /// Writes every batch of a stream.
    pub(crate) async fn write_all(&mut self, mut rows: impl Stream<Item = Result<RecordBatch>> + Unpin) -> Result<()> {
        while let Some(batch) = rows.next().await {
            self.write(&batch?).await?;
        }
        Ok(())
    }

    /// Closes every file. Nobody sees them until they are committed.
    pub(crate) async fn finish(mut self) -> Result<Vec<DataFile>> {
        for (_, mut open) in std::mem::take(&mut self.open) {
            self.written.extend(open.writer.close().await.map_err(failed("finish a data file"))?);
        }
        Ok(self.written)
    }
}

fn builder(tables: &Tables, loaded: &Loaded, schema: &SchemaRef) -> Builder {
    let metadata = loaded.metadata();
    let wanted = writing(metadata);
    let named = Named {
        folder: format!("{}/data", metadata.location().trim_end_matches('/')),
        prefix: file_name(tables.identifiers.next()),
        count: Arc::default(),
    };
    let parquet = ParquetWriterBuilder::new(parquet_properties(wanted.codec), Arc::clone(schema));
    let target = usize::try_from(wanted.target_bytes).unwrap_or(usize::MAX);
    let rolling = RollingFileWriterBuilder::new(parquet, target, tables.file_io().clone(), named.clone(), named);
    DataFileWriterBuilder::new(rolling)
}

pub(crate) fn parquet_properties(codec: Codec) -> WriterProperties {
    let compression = match codec {
        Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        Codec::Snappy => Compression::SNAPPY,
        Codec::Gzip => Compression::GZIP(GzipLevel::default()),
        Codec::None => Compression::UNCOMPRESSED,
    };
    WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(GROUP_ROWS)).build()
}
