//! Parquet files, columns found by name whatever their case; a column that a file does not have is null.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::Field;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::async_reader::ParquetObjectReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};

use super::{bad, declared};
use crate::catalog::External;
use crate::error::{Error, Result};
use crate::table::scan::BATCH_ROWS;

/// The rows of a file.
pub(super) fn read(
    files: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    uri: String,
    table: Arc<External>,
) -> BoxStream<'static, Result<RecordBatch>> {
    let opened = async move {
        let reader = ParquetObjectReader::new(files, meta.location).with_file_size(meta.size);
        let damaged = |error| Error::damaged(format!("the file `{uri}`"), error);
        let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(damaged)?;
        let wanted = |field: &Field| table.columns.iter().any(|column| column.name == field.name().to_lowercase());
        let fields = builder.schema().fields().iter().enumerate();
        let roots: Vec<usize> = fields.filter(|(_, field)| wanted(field)).map(|(at, _)| at).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let stream = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(damaged)?;
        let named = uri.clone();
        let stream = stream.map_err(move |error| Error::damaged(format!("the file `{named}`"), error));
        Ok(stream.and_then(move |batch| futures::future::ready(arranged(&batch, &table, &uri))))
    };
    futures::stream::once(opened).try_flatten().boxed()
}

/// The declared columns in their order and types.
fn arranged(batch: &RecordBatch, table: &External, uri: &str) -> Result<RecordBatch> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let schema = declared(table);
    let column = |field: &Arc<Field>| {
        let own = batch.schema().fields().iter().position(|own| own.name().to_lowercase() == *field.name());
        let Some(at) = own else { return Ok(new_null_array(field.data_type(), batch.num_rows())) };
        cast_with_options(batch.column(at), field.data_type(), &options)
            .map_err(|error| bad(uri, format!("the column `{}` is not as declared: {error}", field.name())))
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<ArrayRef>>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &rows).map_err(|error| bad(uri, error.to_string()))
}
