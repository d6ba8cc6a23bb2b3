//! Which files of a snapshot may hold rows that a predicate wants, and reading them.
//! Pruning is by partition values and column statistics, as <https://iceberg.apache.org/spec/#scan-planning> has it.
//! A table's columns are read by their ids, so a file from before a rename or a new column is read right.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef as ArrowSchemaRef};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use iceberg::Runtime;
use iceberg::arrow::{ArrowReaderBuilder, schema_to_arrow_schema};
use iceberg::expr::Predicate;
use iceberg::io::FileIO;
use iceberg::scan::FileScanTask;
use iceberg::spec::{Schema, SchemaRef};
use iceberg::table::Table;

use crate::error::{Error, Result, iceberg as failed};

/// Rows in a batch that is read.
pub(crate) const BATCH_ROWS: usize = 8192;

/// The columns of an Iceberg schema in memory, without the ids that only files need.
pub(crate) fn arrow_schema(schema: &Schema) -> Result<ArrowSchemaRef> {
    let with_ids = schema_to_arrow_schema(schema).map_err(failed("read the table's schema"))?;
    Ok(Arc::new(ArrowSchema::new(with_ids.fields().iter().map(plain).collect::<Vec<_>>())))
}

/// A field without what is noted beside it, and so are those in it. The library's own way of it breaks on lists.
fn plain(field: &Arc<Field>) -> Arc<Field> {
    let of = match field.data_type() {
        DataType::List(item) => DataType::List(plain(item)),
        DataType::LargeList(item) => DataType::LargeList(plain(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(plain(item), *length),
        DataType::Map(entries, sorted) => DataType::Map(plain(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain).collect()),
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), of, field.is_nullable()))
}

/// The files of a snapshot that may hold rows for a predicate, each to be read with `columns` of `schema`.
pub(crate) async fn plan(
    table: &Table,
    snapshot: Option<i64>,
    schema: &SchemaRef,
    columns: &[i32],
    predicate: Option<Predicate>,
) -> Result<Vec<FileScanTask>> {
    let Some(snapshot) = snapshot else { return Ok(Vec::new()) };
    let mut scan = table.scan().snapshot_id(snapshot).select_empty();
    if let Some(predicate) = predicate {
        scan = scan.with_filter(predicate);
    }
    let damaged = |error| Error::damaged(format!("snapshot {snapshot} of `{}`", table.identifier()), error);
    let tasks = scan.build().map_err(failed("plan a scan"))?.plan_files().await.map_err(damaged)?;
    let mut tasks: Vec<FileScanTask> = tasks.try_collect().await.map_err(damaged)?;
    for task in &mut tasks {
        task.schema = Arc::clone(schema);
        task.project_field_ids = columns.to_vec();
    }
    tasks.sort_by(|one, other| one.data_file_path.cmp(&other.data_file_path));
    Ok(tasks)
}

/// The rows of these files, file by file and in the order of each, as `schema` says.
pub(crate) fn read(
    table: &Table,
    file_io: &FileIO,
    tasks: Vec<FileScanTask>,
    schema: ArrowSchemaRef,
) -> BoxStream<'static, Result<RecordBatch>> {
    let files: Vec<String> = tasks.iter().map(|task| task.data_file_path.clone()).collect();
    let what = match files.as_slice() {
        [one] => format!("the data file `{one}`"),
        several => format!("one of {} data files of `{}`", several.len(), table.identifier()),
    };
    let opened = Runtime::try_current().and_then(|runtime| {
        let reader = ArrowReaderBuilder::new(file_io.clone(), runtime).with_batch_size(BATCH_ROWS);
        let reader = reader.with_data_file_concurrency_limit(1).build();
        reader.read(futures::stream::iter(tasks.into_iter().map(Ok)).boxed())
    });
    let stream = match opened {
        Ok(result) => result.stream(),
        Err(error) => futures::stream::once(async move { Err(error) }).boxed(),
    };
    let damaged = move |error| Error::damaged(what.clone(), error);
    stream.map_err(damaged).and_then(move |batch| futures::future::ready(conform(&batch, &schema))).boxed()
}

/// A batch with its columns, by place, in the types that a schema says. A value that does not fit is an error.
pub(crate) fn conform(batch: &RecordBatch, schema: &ArrowSchemaRef) -> Result<RecordBatch> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let column = |(column, field): (&ArrayRef, &Arc<Field>)| {
        if column.data_type() == field.data_type() {
            return Ok(Arc::clone(column));
        }
        cast_with_options(column, field.data_type(), &options)
            .map_err(|error| Error::Mismatch(format!("a value does not fit into `{}`: {error}", field.name())))
    };
    let columns: Vec<ArrayRef> = batch.columns().iter().zip(schema.fields()).map(column).collect::<Result<_>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
        .map_err(|error| Error::Mismatch(format!("rows do not fit the table: {error}")))
}

/// The fields of a schema at these places.
pub(crate) fn projected(schema: &ArrowSchemaRef, places: &[usize]) -> ArrowSchemaRef {
    let fields: Vec<_> = places.iter().map(|place| Arc::clone(&schema.fields()[*place])).collect();
    Arc::new(ArrowSchema::new(fields))
}
