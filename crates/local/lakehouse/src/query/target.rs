//! The files that a statement may change, with each row's place in them, and with what was decided about it.
//! A place is a file and a number in the order of reading; files never change, so it means the same in both passes.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef as ArrowSchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt, TryStreamExt};
use iceberg::expr::Predicate;
use iceberg::io::FileIO;
use iceberg::scan::FileScanTask;
use iceberg::spec::SchemaRef;
use iceberg::table::Table;

use super::predicate::{Columns, of_filters};
use super::provider::{Ids, schema_of};
use crate::error::{Result, external};
use crate::table::scan::{arrow_schema, plan, projected, read};

/// The place of a row: its file's number.
pub(crate) const FILE: &str = "__sluice_file";
/// The place of a row in its file.
pub(crate) const PLACE: &str = "__sluice_place";
/// What is to be done with a row; null if nothing.
pub(crate) const ACTION: &str = "__sluice_action";
/// The row of the source that it is to be done with.
pub(crate) const SOURCE_ROW: &str = "__sluice_row";

/// What is to be done with one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) place: i64,
    pub(crate) action: i32,
    pub(crate) source_row: i64,
}

/// The marks of each file, sorted by place.
pub(crate) type Marks = HashMap<i32, Vec<Mark>>;

/// The files of a target that were read, numbered in the order in which they were planned.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    files: Mutex<Vec<FileScanTask>>,
}

impl Numbered {
    fn number(&self, tasks: Vec<FileScanTask>) -> Vec<(i32, FileScanTask)> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        // A statement that reads the target once, as nearly all do, has nothing to look up.
        let is_first = files.is_empty();
        let number = |task: FileScanTask| {
            let known = files.iter().position(|file| !is_first && file.data_file_path == task.data_file_path);
            let at = known.unwrap_or_else(|| {
                files.push(task.clone());
                files.len() - 1
            });
            (i32::try_from(at).unwrap_or(i32::MAX), task)
        };
        tasks.into_iter().map(number).collect()
    }

    /// How many rows a file has.
    pub(crate) fn rows(&self, number: i32) -> Option<u64> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        usize::try_from(number).ok().and_then(|at| files.get(at)?.record_count)
    }

    /// The file of a number.
    pub(crate) fn file(&self, number: i32) -> Option<FileScanTask> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        usize::try_from(number).ok().and_then(|at| files.get(at).cloned())
    }
}

/// Which files a target has.
#[derive(Debug, Clone)]
enum Files {
    /// Those that may hold rows for a predicate and the query's own filters; they are numbered as they are planned.
    Planned { predicate: Option<Predicate>, numbered: Arc<Numbered> },
    /// These, with what is to be done with their rows.
    Marked { files: Vec<(i32, FileScanTask)>, marks: Arc<Marks> },
}

/// Files as a table: its columns, then two more.
#[derive(Debug)]
pub(crate) struct Target {
    table: Table,
    file_io: FileIO,
    files: Files,
    schema: SchemaRef,
    arrow: ArrowSchemaRef,
    full: ArrowSchemaRef,
}

impl Target {
    /// The rows that a predicate may want, with their places.
    pub(crate) fn places(
        table: Table,
        file_io: &FileIO,
        predicate: Option<Predicate>,
        numbered: Arc<Numbered>,
    ) -> Result<Self> {
        let added = [Field::new(FILE, DataType::Int32, false), Field::new(PLACE, DataType::Int64, false)];
        Self::new(table, file_io, Files::Planned { predicate, numbered }, added)
    }

    /// The rows of the marked files, with what is to be done with them.
    pub(crate) fn marked(table: Table, file_io: &FileIO, numbered: &Numbered, marks: Arc<Marks>) -> Result<Self> {
        let mut numbers: Vec<i32> = marks.keys().copied().collect();
        numbers.sort_unstable();
        let files = numbers.into_iter().filter_map(|number| Some((number, numbered.file(number)?))).collect();
        let added = [Field::new(ACTION, DataType::Int32, true), Field::new(SOURCE_ROW, DataType::Int64, true)];
        Self::new(table, file_io, Files::Marked { files, marks }, added)
    }

    fn new(table: Table, file_io: &FileIO, files: Files, added: [Field; 2]) -> Result<Self> {
        let schema = Arc::clone(table.metadata().current_schema());
        let arrow = arrow_schema(&schema)?;
        let own = arrow.fields().iter().cloned();
        let full = Arc::new(ArrowSchema::new(own.chain(added.map(Arc::new)).collect::<Vec<_>>()));
        Ok(Self { table, file_io: file_io.clone(), files, schema, arrow, full })
    }

    async fn files(&self, filters: &[Expr], columns: &[i32]) -> Result<Vec<(i32, FileScanTask)>> {
        let (predicate, numbered) = match &self.files {
            Files::Marked { files, .. } => {
                let projected = |(number, task): &(i32, FileScanTask)| {
                    let mut task = task.clone();
                    task.project_field_ids = columns.to_vec();
                    (*number, task)
                };
                return Ok(files.iter().map(projected).collect());
            }
            Files::Planned { predicate, numbered } => (predicate.clone(), numbered),
        };
        let snapshot = self.table.metadata().current_snapshot_id();
        let planned = schema_of(&self.table, snapshot);
        let filters = of_filters(filters, &Columns { seen: &self.schema, planned: &planned });
        let predicate = predicate.into_iter().chain(filters).reduce(Predicate::and);
        let mut tasks = plan(&self.table, snapshot, &self.schema, columns, predicate).await?;
        for task in &mut tasks {
            // Every row is read, so that places are counted right.
            task.predicate = None;
        }
        Ok(numbered.number(tasks))
    }
}

#[async_trait]
impl TableProvider for Target {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> ArrowSchemaRef {
        Arc::clone(&self.full)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        // Only files are left out by them, and a filter that is of no use to that does no harm.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.full.fields().len()).collect());
        let own: Vec<usize> = wanted.iter().copied().filter(|place| *place < self.arrow.fields().len()).collect();
        let ids = Ids::of(&self.schema, &own);
        let files = self.files(filters, &ids.read).await.map_err(external)?;
        let groups = state.config().target_partitions().clamp(1, files.len().max(1));
        let mut parts: Vec<Vec<(i32, FileScanTask)>> = vec![Vec::new(); groups];
        for (nth, file) in files.into_iter().enumerate() {
            parts[nth % groups].push(file);
        }
        let marks = match &self.files {
            Files::Marked { marks, .. } => Some(Arc::clone(marks)),
            Files::Planned { .. } => None,
        };
        let schema = projected(&self.full, &wanted);
        let part = |files| {
            let part = Part {
                table: self.table.clone(),
                file_io: self.file_io.clone(),
                files,
                read_schema: projected(&self.arrow, &ids.places),
                // Each wanted column is one that was read, or one of the two.
                wanted: wanted.iter().map(|place| placed(*place, &own, self.arrow.fields().len())).collect(),
                schema: Arc::clone(&schema),
                marks: marks.clone(),
            };
            Arc::new(part) as Arc<dyn PartitionStream>
        };
        let parts = parts.into_iter().map(part).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, parts, None, [], false, limit)?))
    }
}

/// Where a wanted column comes from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    Read(usize),
    First,
    Second,
}

fn placed(place: usize, own: &[usize], own_count: usize) -> Origin {
    match own.iter().position(|one| *one == place) {
        Some(at) => Origin::Read(at),
        None if place == own_count => Origin::First,
        None => Origin::Second,
    }
}

#[derive(Debug)]
struct Part {
    table: Table,
    file_io: FileIO,
    files: Vec<(i32, FileScanTask)>,
    read_schema: ArrowSchemaRef,
    wanted: Vec<Origin>,
    schema: ArrowSchemaRef,
    marks: Option<Arc<Marks>>,
}

impl PartitionStream for Part {
    fn schema(&self) -> &ArrowSchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (table, file_io, read_schema) = (self.table.clone(), self.file_io.clone(), Arc::clone(&self.read_schema));
        let (wanted, schema, marks) = (self.wanted.clone(), Arc::clone(&self.schema), self.marks.clone());
        let files = futures::stream::iter(self.files.clone());
        let rows = files.flat_map(move |(number, task)| {
            let (wanted, schema, marks) = (wanted.clone(), Arc::clone(&schema), marks.clone());
            let mut place = 0;
            let batches = read(&table, &file_io, vec![task], Arc::clone(&read_schema)).map_err(external);
            batches.and_then(move |batch| {
                let start = place;
                place += i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
                futures::future::ready(completed(&batch, number, start, marks.as_deref(), &wanted, &schema))
            })
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows.boxed()))
    }
}

fn completed(
    batch: &RecordBatch,
    number: i32,
    start: i64,
    marks: Option<&Marks>,
    wanted: &[Origin],
    schema: &ArrowSchemaRef,
) -> DataFusionResult<RecordBatch> {
    let rows = batch.num_rows();
    let (first, second) = match marks {
        None => places(number, start, rows),
        Some(marks) => marked(marks.get(&number).map_or(&[], Vec::as_slice), start, rows),
    };
    let column = |from: &Origin| match from {
        Origin::Read(at) => Arc::clone(batch.column(*at)),
        Origin::First => Arc::clone(&first),
        Origin::Second => Arc::clone(&second),
    };
    let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    let columns = wanted.iter().map(column).collect();
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn places(number: i32, start: i64, rows: usize) -> (ArrayRef, ArrayRef) {
    let end = start + i64::try_from(rows).unwrap_or(0);
    (Arc::new(Int32Array::from(vec![number; rows])), Arc::new(Int64Array::from_iter_values(start..end)))
}

/// The marks of the rows from `start` on.
fn marked(marks: &[Mark], start: i64, rows: usize) -> (ArrayRef, ArrayRef) {
    let (mut actions, mut source_rows) = (vec![None; rows], vec![None; rows]);
    let first = marks.partition_point(|mark| mark.place < start);
    for mark in &marks[first..] {
        let Some(at) = usize::try_from(mark.place - start).ok().filter(|at| *at < rows) else { break };
        actions[at] = Some(mark.action);
        source_rows[at] = Some(mark.source_row);
    }
    (Arc::new(Int32Array::from(actions)), Arc::new(Int64Array::from(source_rows)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Array, AsArray};
    use datafusion::arrow::datatypes::Int32Type;

    #[test]
    fn marks_find_their_rows_in_any_batch() {
        let mark = |place| Mark { place, action: 7, source_row: place * 10 };
        let marks = [mark(0), mark(5), mark(9)];
        let actions = |start, rows| {
            let (actions, _) = marked(&marks, start, rows);
            let actions = actions.as_primitive::<Int32Type>().clone();
            (0..rows).filter(|at| actions.is_valid(*at)).collect::<Vec<_>>()
        };
        assert_eq!(actions(0, 5), [0]);
        assert_eq!(actions(5, 4), [0]);
        assert_eq!(actions(9, 3), [0]);
        assert_eq!(actions(0, 12), [0, 5, 9]);
        assert_eq!(actions(12, 3), Vec::<usize>::new());
    }
}
