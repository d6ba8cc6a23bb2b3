//! From rows with places to marks: what is to be done with which row, each row at most once.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int32Type, Int64Type};
use datafusion::arrow::error::ArrowError;
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::error::{Error, Result, query as failed};
use crate::query::target::{Mark, Marks, Numbered};

/// Marks at 24 bytes each that one statement may hold: 1.2 GB.
const MOST_MARKS: usize = 50_000_000;

/// What was found out about the rows of a target, and about those of a source.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) marks: Marks,
    pub(super) matched: HashSet<i64>,
    count: usize,
}

impl Found {
    /// Reads rows of file, place, and, where there is a source, its row and the action.
    pub(super) async fn read(
        mut rows: BoxStream<'static, Result<RecordBatch>>,
        numbered: &Numbered,
        table: &str,
    ) -> Result<Self> {
        let mut found = Self::default();
        while let Some(batch) = rows.next().await {
            found.take(&batch?)?;
            found.bounded(numbered, table)?;
        }
        for marks in found.marks.values_mut() {
            marks.sort_unstable();
            if marks.windows(2).any(|pair| pair[0].place == pair[1].place) {
                return Err(Error::MergeTwice(table.to_owned()));
            }
        }
        Ok(found)
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let wrong = || failed("read the places of rows")(ArrowError::SchemaError("other columns".to_owned()).into());
        let files = batch.column(0).as_primitive_opt::<Int32Type>().ok_or_else(wrong)?;
        let places = batch.column(1).as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
        let has_source = batch.num_columns() > 2;
        for row in 0..batch.num_rows() {
            let (mut source_row, mut action) = (0, 1);
            if has_source {
                source_row = batch.column(2).as_primitive_opt::<Int64Type>().ok_or_else(wrong)?.value(row);
                action = batch.column(3).as_primitive_opt::<Int32Type>().ok_or_else(wrong)?.value(row);
                self.matched.insert(source_row);
            }
            if action > 0 {
                let mark = Mark { place: places.value(row), action, source_row };
                self.marks.entry(files.value(row)).or_default().push(mark);
                self.count += 1;
            }
        }
        Ok(())
    }

    /// More marks than rows in a file are two for one row; that is found before they fill the memory.
    fn bounded(&self, numbered: &Numbered, table: &str) -> Result<()> {
        if self.count > MOST_MARKS {
            let message =
                format!("the statement changes more than {MOST_MARKS} rows of `{table}`; change them in parts");
            return Err(Error::Invalid(message));
        }
        for (number, marks) in &self.marks {
            if numbered.rows(*number).is_some_and(|rows| u64::try_from(marks.len()).unwrap_or(u64::MAX) > rows) {
                return Err(Error::MergeTwice(table.to_owned()));
            }
        }
        Ok(())
    }

    pub(super) fn count_of(&self, actions: impl Fn(i32) -> bool) -> u64 {
        let marks = self.marks.values().flatten();
        u64::try_from(marks.filter(|mark| actions(mark.action)).count()).unwrap_or(u64::MAX)
    }

    /// The paths of the files that hold marked rows.
    pub(super) fn touched(&self, numbered: &Numbered) -> HashSet<String> {
        self.marks.keys().filter_map(|number| numbered.file(*number)).map(|task| task.data_file_path).collect()
    }

    pub(super) fn into_marks(self) -> Arc<Marks> {
        Arc::new(self.marks)
    }
}
