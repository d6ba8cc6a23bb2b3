//! An Iceberg table at one snapshot, as the query engine reads it.
//! Files are left out by what the filters say; rows come file by file, so memory does not grow with the table.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef as ArrowSchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt, TryStreamExt};
use iceberg::io::FileIO;
use iceberg::scan::FileScanTask;
use iceberg::spec::SchemaRef;
use iceberg::table::Table;

use super::path::{arranged, with_path};
use super::predicate::{Columns, of, of_filters};
use crate::error::{Result, external};
use crate::table::scan::{arrow_schema, plan, projected, read};

/// A table at a snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    table: Table,
    file_io: FileIO,
    snapshot: Option<i64>,
    /// The columns that the query sees.
    schema: SchemaRef,
    /// The columns that the snapshot was written with, which files are planned by.
    planned: SchemaRef,
    arrow: ArrowSchemaRef,
    /// With the hidden column, if the query names it.
    shown: ArrowSchemaRef,
}

impl Snapshot {
    /// The newest state, with the newest columns.
    pub(crate) fn newest(table: Table, file_io: &FileIO) -> Result<Self> {
        let (schema, snapshot) =
            (Arc::clone(table.metadata().current_schema()), table.metadata().current_snapshot_id());
        Self::new(table, snapshot, schema, file_io)
    }

    /// An older state, with the columns of its time, as Trino shows it.
    pub(crate) fn older(table: Table, snapshot: i64, file_io: &FileIO) -> Result<Self> {
        let schema = schema_of(&table, Some(snapshot));
        Self::new(table, Some(snapshot), schema, file_io)
    }

    fn new(table: Table, snapshot: Option<i64>, schema: SchemaRef, file_io: &FileIO) -> Result<Self> {
        let planned = schema_of(&table, snapshot);
        let arrow = arrow_schema(&schema)?;
        let shown = Arc::clone(&arrow);
        Ok(Self { table, file_io: file_io.clone(), snapshot, schema, planned, arrow, shown })
    }

    /// The same table with the file of each row.
    pub(crate) fn with_path(&self) -> Self {
        let (table, file_io, schema) = (self.table.clone(), self.file_io.clone(), Arc::clone(&self.schema));
        let (planned, arrow, shown) = (Arc::clone(&self.planned), Arc::clone(&self.arrow), with_path(&self.arrow));
        Self { table, file_io, snapshot: self.snapshot, schema, planned, arrow, shown }
    }

    fn columns(&self) -> Columns<'_> {
        Columns { seen: &self.schema, planned: &self.planned }
    }
}

/// The schema of a snapshot, or the current one if it does not say.
pub(crate) fn schema_of(table: &Table, snapshot: Option<i64>) -> SchemaRef {
    let metadata = table.metadata();
    let named = snapshot.and_then(|id| metadata.snapshot_by_id(id)).and_then(|snapshot| snapshot.schema(metadata).ok());
    named.unwrap_or_else(|| Arc::clone(metadata.current_schema()))
}

/// Deals files out to `groups` readers, the largest first.
pub(crate) fn dealt(mut tasks: Vec<FileScanTask>, groups: usize) -> Vec<Vec<FileScanTask>> {
    tasks.sort_by_key(|task| std::cmp::Reverse(task.file_size_in_bytes));
    let groups = groups.clamp(1, tasks.len().max(1));
    let mut dealt = vec![Vec::new(); groups];
    for (nth, task) in tasks.into_iter().enumerate() {
        dealt[nth % groups].push(task);
    }
    dealt
}

#[async_trait]
impl TableProvider for Snapshot {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> ArrowSchemaRef {
        Arc::clone(&self.shown)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match of(filter, &self.columns()) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
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
        let places: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.shown.fields().len()).collect());
        let own: Vec<usize> = places.iter().copied().filter(|place| *place < self.arrow.fields().len()).collect();
        let ids = Ids::of(&self.schema, &own);
        let wanted: Vec<Option<usize>> = places.iter().map(|place| own.iter().position(|one| one == place)).collect();
        let predicate = of_filters(filters, &self.columns());
        let tasks = plan(&self.table, self.snapshot, &self.schema, &ids.read, predicate).await.map_err(external)?;
        let schema = projected(&self.shown, &places);
        let read_schema = projected(&self.arrow, &ids.places);
        let part = |tasks| {
            let (table, schema, read_schema) = (self.table.clone(), Arc::clone(&schema), Arc::clone(&read_schema));
            let (file_io, wanted) = (self.file_io.clone(), wanted.clone());
            Arc::new(Part { table, file_io, tasks, schema, read_schema, wanted }) as Arc<dyn PartitionStream>
        };
        let parts = dealt(tasks, state.config().target_partitions()).into_iter().map(part).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, parts, None, [], false, limit)?))
    }
}

/// The columns to read: at least one, because the number of rows comes with them.
pub(crate) struct Ids {
    pub(crate) read: Vec<i32>,
    pub(crate) places: Vec<usize>,
}

impl Ids {
    pub(crate) fn of(schema: &SchemaRef, places: &[usize]) -> Self {
        let places = if places.is_empty() { vec![0] } else { places.to_vec() };
        let fields = schema.as_struct().fields();
        Self { read: places.iter().map(|place| fields[*place].id).collect(), places }
    }
}

#[derive(Debug)]
struct Part {
    table: Table,
    file_io: FileIO,
    tasks: Vec<FileScanTask>,
    schema: ArrowSchemaRef,
    read_schema: ArrowSchemaRef,
    wanted: Vec<Option<usize>>,
}

impl PartitionStream for Part {
    fn schema(&self) -> &ArrowSchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (table, file_io) = (self.table.clone(), self.file_io.clone());
        let (schema, read_schema, wanted) =
            (Arc::clone(&self.schema), Arc::clone(&self.read_schema), self.wanted.clone());
        let files = futures::stream::iter(self.tasks.clone());
        let rows = files.flat_map(move |task| {
            let (schema, wanted, path) = (Arc::clone(&schema), wanted.clone(), task.data_file_path.clone());
            let batches = read(&table, &file_io, vec![task], Arc::clone(&read_schema)).map_err(external);
            batches.and_then(move |batch| futures::future::ready(arranged(&batch, &wanted, &path, &schema)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows.boxed()))
    }
}
