//! External tables: files that others wrote, read as Athena's SerDes read them.
//! Partitions come from the catalog and not from the folders, and a filter on partition columns leaves out theirs.
//! Hidden files (`_`, `.`) and empty ones are not read; what is compressed in a way that is not known is refused.
//! <https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html>.

mod csv;
mod delimited;
mod json;
mod lines;
mod parquet;
mod values;
pub(crate) mod write;

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};

use crate::catalog::{self, External, Format};
use crate::error::{Error, Result, external, query as failed, store};
use crate::query::path::{PATH, with_path};
use crate::table::scan::projected;
use crate::warehouse::Warehouse;

/// The number of a partition, beside its values.
pub(crate) const NUMBER: &str = "__sluice_number";

/// An external table as the query engine reads it.
#[derive(Debug)]
pub(crate) struct ExternalTable {
    warehouse: Warehouse,
    table: Arc<External>,
    schema: SchemaRef,
    /// The last column is the file that a row comes from.
    shows_path: bool,
}

fn field(column: &catalog::Column) -> Field {
    Field::new(&column.name, column.column_type.arrow(), true)
}

impl ExternalTable {
    pub(crate) fn new(warehouse: Warehouse, table: External) -> Self {
        let fields: Vec<Field> = table.columns.iter().chain(&table.partition_columns).map(field).collect();
        Self { warehouse, table: Arc::new(table), schema: Arc::new(Schema::new(fields)), shows_path: false }
    }

    /// The same table with the file of each row.
    pub(crate) fn with_path(&self) -> Self {
        let (warehouse, table) = (self.warehouse.clone(), Arc::clone(&self.table));
        Self { warehouse, table, schema: with_path(&self.schema), shows_path: true }
    }

    /// The values of every partition, a row each.
    fn partition_values(&self) -> Result<RecordBatch> {
        let columns = &self.table.partition_columns;
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let column = |(nth, field): (usize, &Arc<Field>)| {
            let texts = self.table.partitions.iter().map(|partition| partition.values.get(nth).cloned().flatten());
            let texts: StringArray = texts.collect();
            cast(&texts, field.data_type()).map_err(|error| failed("read partition values")(error.into()))
        };
        let values = schema.fields().iter().enumerate().map(column).collect::<Result<Vec<ArrayRef>>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(self.table.partitions.len()));
        RecordBatch::try_new_with_options(Arc::clone(&schema), values, &rows)
            .map_err(|error| failed("read partition values")(error.into()))
    }

    /// The values of every partition, a row each, and its number.
    pub(crate) fn numbered_partitions(&self) -> Result<RecordBatch> {
        let values = self.partition_values()?;
        let own = values.schema();
        let fields: Vec<_> =
            own.fields().iter().cloned().chain([Arc::new(Field::new(NUMBER, DataType::Int64, false))]).collect();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0_i64..).take(values.num_rows())));
        let columns = values.columns().iter().cloned().chain([numbers]).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| failed("number the partitions")(error.into()))
    }

    /// Which partitions a query wants.
    fn wanted(&self, state: &dyn Session, filters: &[Expr], values: &RecordBatch) -> DataFusionResult<Vec<bool>> {
        wanted_rows(state, filters, values, |name| self.is_partition(name))
    }

    fn is_partition(&self, name: &str) -> bool {
        self.table.partition_columns.iter().any(|column| column.name == name)
    }

    /// The files, with their names behind their values, without those that a filter on the name leaves out.
    fn with_names(&self, state: &dyn Session, filters: &[Expr], mut files: Vec<File>) -> DataFusionResult<Vec<File>> {
        let names: Vec<String> = files.iter().map(|file| self.warehouse.uri(&file.meta.location)).collect();
        for (file, name) in files.iter_mut().zip(&names) {
            file.values.push(ScalarValue::from(name.as_str()));
        }
        let schema = Arc::new(Schema::new(vec![Field::new(PATH, DataType::Utf8, false)]));
        let names = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(StringArray::from(names))])?;
        let wanted = wanted_rows(state, filters, &names, |name| name == PATH)?;
        let mut wanted = wanted.into_iter();
        files.retain(|_| wanted.next().unwrap_or(true));
        Ok(files)
    }

    /// The files to read, each with the values of its partition.
    async fn files(&self, wanted: &[bool], values: &RecordBatch) -> Result<Vec<File>> {
        if self.table.partition_columns.is_empty() {
            return self.below(&self.table.location, &[]).await;
        }
        let mut files = Vec::new();
        for (row, partition) in self.table.partitions.iter().enumerate().filter(|(row, _)| wanted[*row]) {
            let value = |column: &ArrayRef| ScalarValue::try_from_array(column, row);
            let values = values.columns().iter().map(value).collect::<DataFusionResult<Vec<_>>>();
            let values = values.map_err(failed("read partition values"))?;
            files.extend(self.below(&partition.location, &values).await?);
        }
        Ok(files)
    }

    async fn below(&self, location: &str, values: &[ScalarValue]) -> Result<Vec<File>> {
        let folder = self.warehouse.path(location)?;
        let listed = self.warehouse.store().list(Some(&folder)).try_collect::<Vec<_>>().await;
        let mut listed = listed.map_err(store(format!("list `{location}`")))?;
        listed.sort_by(|one, other| one.location.cmp(&other.location));
        let is_read = |meta: &ObjectMeta| {
            let below =
                meta.location.prefix_match(&folder).map(|mut parts| parts.all(|part| !is_hidden(part.as_ref())));
            meta.size > 0 && below.unwrap_or(true)
        };
        Ok(listed.into_iter().filter(is_read).map(|meta| File { meta, values: values.to_vec() }).collect())
    }
}

/// Whether a filter speaks of these columns alone.
fn is_of(filter: &Expr, is_one: &dyn Fn(&str) -> bool) -> bool {
    let columns = filter.column_refs();
    !filter.is_volatile() && !columns.is_empty() && columns.iter().all(|column| is_one(&column.name))
}

/// Which rows the filters want that speak of these columns alone.
fn wanted_rows(
    state: &dyn Session,
    filters: &[Expr],
    values: &RecordBatch,
    is_one: impl Fn(&str) -> bool,
) -> DataFusionResult<Vec<bool>> {
    let mut wanted = vec![true; values.num_rows()];
    let schema = DFSchema::try_from(values.schema())?;
    for filter in filters.iter().filter(|filter| is_of(filter, &is_one)) {
        let answer = state.create_physical_expr(unqualified(filter)?, &schema)?.evaluate(values)?;
        let answer = answer.into_array(values.num_rows())?;
        let answer = answer.as_boolean();
        for (row, wanted) in wanted.iter_mut().enumerate() {
            *wanted &= answer.is_valid(row) && answer.value(row);
        }
    }
    Ok(wanted)
}

/// Whatever table a filter's columns are qualified with, it is this one.
fn unqualified(filter: &Expr) -> DataFusionResult<Expr> {
    let bare = |expr: Expr| match expr {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(Column::from_name(column.name)))),
        other => Ok(Transformed::no(other)),
    };
    Ok(filter.clone().transform(bare)?.data)
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

/// A file and the values of its partition.
#[derive(Debug, Clone)]
struct File {
    meta: ObjectMeta,
    values: Vec<ScalarValue>,
}

#[async_trait]
impl TableProvider for ExternalTable {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| {
            if is_of(filter, &|name| self.is_partition(name)) || is_of(filter, &|name| name == PATH) {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let values = self.partition_values().map_err(external)?;
        let wanted = self.wanted(state, filters, &values)?;
        let files = self.files(&wanted, &values).await.map_err(external)?;
        let files = if self.shows_path { self.with_names(state, filters, files)? } else { files };
        let places: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = projected(&self.schema, &places);
        let groups = state.config().target_partitions().clamp(1, files.len().max(1));
        let mut dealt = vec![Vec::new(); groups];
        for (nth, file) in files.into_iter().enumerate() {
            dealt[nth % groups].push(file);
        }
        let part = |files| {
            let (warehouse, table) = (self.warehouse.clone(), Arc::clone(&self.table));
            let part = Part { warehouse, table, files, places: places.clone(), schema: Arc::clone(&schema) };
            Arc::new(part) as Arc<dyn PartitionStream>
        };
        let parts = dealt.into_iter().map(part).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, parts, None, [], false, limit)?))
    }
}

#[derive(Debug)]
struct Part {
    warehouse: Warehouse,
    table: Arc<External>,
    files: Vec<File>,
    places: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (warehouse, table) = (self.warehouse.clone(), Arc::clone(&self.table));
        let (places, schema) = (self.places.clone(), Arc::clone(&self.schema));
        let files = futures::stream::iter(self.files.clone());
        let rows = files.flat_map(move |file| {
            let (places, schema, count) = (places.clone(), Arc::clone(&schema), table.columns.len());
            let batches = read(&warehouse, &table, &file.meta);
            batches
                .and_then(move |batch| futures::future::ready(completed(&batch, &file.values, &places, count, &schema)))
        });
        let rows = rows.map_err(external).boxed();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

/// The rows of a file, with every declared column.
fn read(warehouse: &Warehouse, table: &Arc<External>, meta: &ObjectMeta) -> BoxStream<'static, Result<RecordBatch>> {
    let (files, table, meta) = (Arc::clone(warehouse.store()), Arc::clone(table), meta.clone());
    let uri = warehouse.uri(&meta.location);
    match &table.format {
        Format::Parquet => parquet::read(files, meta, uri, table),
        Format::Json { .. } => lines::read(files, meta, uri, 0, move |lines, uri| json::batch(&table, lines, uri)),
        Format::Delimited { skip_lines, .. } => {
            let skip = *skip_lines;
            lines::read(files, meta, uri, skip, move |lines, uri| delimited::batch(&table, lines, uri))
        }
        Format::Csv { skip_lines, .. } => {
            let skip = *skip_lines;
            lines::read(files, meta, uri, skip, move |lines, uri| csv::batch(&table, lines, uri))
        }
    }
}

/// The wanted columns: of the file, and of its partition.
fn completed(
    batch: &RecordBatch,
    values: &[ScalarValue],
    places: &[usize],
    count: usize,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let column = |place: &usize| match place.checked_sub(count) {
        None => Ok(Arc::clone(batch.column(*place))),
        Some(nth) => values[nth].to_array_of_size(rows).map_err(failed("add partition values")),
    };
    let columns = places.iter().map(column).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|error| failed("read an external table")(error.into()))
}

/// The schema of the declared columns.
fn declared(table: &External) -> SchemaRef {
    Arc::new(Schema::new(table.columns.iter().map(field).collect::<Vec<_>>()))
}

fn bad(uri: &str, message: impl Into<String>) -> Error {
    Error::BadData { file: uri.to_owned(), message: message.into() }
}
