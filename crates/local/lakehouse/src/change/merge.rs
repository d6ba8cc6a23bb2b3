//! `MERGE INTO`: one pass over the keys finds which rows match, a second writes the files that hold them anew, and
//! source rows that match nothing are inserted. One commit for all of it.
//! <https://docs.aws.amazon.com/athena/latest/ug/merge-into-statement.html>.

mod clauses;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::MemTable;
use datafusion::sql::sqlparser::ast::{Merge, TableFactor};
use iceberg::spec::Operation;

use self::clauses::{Clauses, INSERT_ACTION};
use super::delete::finish;
use super::marks::Found;
use super::prune::predicate;
use super::{Changed, Counts, attempt_scope, columns_of, quoted};
use crate::error::{Error, Result, query as failed};
use crate::query::target::{ACTION, FILE, Numbered, PLACE, SOURCE_ROW, Target};
use crate::query::{Scope, Shared};
use crate::table::Loaded;
use crate::table::retry::until_committed;
use crate::table::stage::Change;
use crate::table::write::Files;

/// The source of a merge is held in memory while the target streams by it.
const MOST_SOURCE_BYTES: usize = 1 << 30;

/// Merges and says how many rows were inserted, updated and deleted.
pub(crate) async fn merge(shared: &Arc<Shared>, database: &str, statement: &Merge) -> Result<Counts> {
    let changed = Changed::of(&statement.table, database)?;
    let tables = &shared.tables;
    let turn = tables.turn(&changed.name);
    let _turn = turn.lock().await;
    until_committed(tables, &changed.name, async |base: Loaded, _| {
        let scope = attempt_scope(shared, database, &base)?;
        let mut ready = statement.clone();
        scope.ready(&mut ready).await?;
        let attempt = Attempt { scope: &scope, base: &base, changed: &changed };
        attempt.run(&ready).await
    })
    .await
}

struct Attempt<'a> {
    scope: &'a Scope,
    base: &'a Loaded,
    changed: &'a Changed,
}

/// The rows of a source, numbered, and the name by which expressions speak of them.
struct Source {
    batches: Vec<RecordBatch>,
    schema: Arc<Schema>,
    alias: String,
}

impl Attempt<'_> {
    async fn run(&self, statement: &Merge) -> Result<Option<Counts>> {
        let clauses = Clauses::read(&statement.clauses, &columns_of(self.base))?;
        let source = self.source(&statement.source).await?;
        let named = self.name_source("source", &source, source.batches.clone())?;
        let numbered = Arc::new(Numbered::default());
        let found = self.find(statement, &clauses, &named, &numbered).await?;
        clauses.check(self, &named).await?;
        let unmatched = unmatched(&source, &found)?;
        let mut counts = Counts {
            inserted: 0,
            updated: found.count_of(|action| clauses.is_update(action)),
            deleted: found.count_of(|action| clauses.is_delete(action)),
        };
        let removed = found.touched(&numbered);
        let mut files = Files::new(&self.scope.shared.tables, self.base)?;
        self.rewrite(&clauses, &named, found, &numbered, &mut files).await?;
        let rewritten = files.rows;
        self.insert(&clauses, &source, unmatched, &mut files).await?;
        counts.inserted = files.rows - rewritten;
        let change = Change { operation: Operation::Overwrite, added: files.finish().await?, removed };
        finish(self.scope, self.base, &change, counts).await
    }

    /// Reads the source once. It must fit into memory.
    async fn source(&self, factor: &TableFactor) -> Result<Source> {
        let alias = alias_of(factor)?;
        let plan = self.scope.plan_text(&format!("SELECT * FROM {factor}")).await?;
        let mut fields: Vec<_> = plan.schema().fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(SOURCE_ROW, DataType::Int64, false)));
        let schema = Arc::new(Schema::new(fields));
        let (mut batches, mut bytes, mut rows) = (Vec::new(), 0, 0);
        let mut stream = self.scope.stream(plan).await?;
        while let Some(batch) = futures::StreamExt::next(&mut stream).await {
            let batch = batch?;
            bytes += batch.get_array_memory_size();
            if bytes > MOST_SOURCE_BYTES {
                let message =
                    format!("the source of the MERGE has more than {MOST_SOURCE_BYTES} bytes; merge it in parts");
                return Err(Error::Invalid(message));
            }
            let end = rows + i64::try_from(batch.num_rows()).unwrap_or(0);
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(rows..end));
            rows = end;
            let columns = batch.columns().iter().cloned().chain([numbers]).collect();
            batches.push(RecordBatch::try_new(Arc::clone(&schema), columns).map_err(arrow("number the source"))?);
        }
        Ok(Source { batches, schema, alias })
    }

    /// Names rows of the source for this statement, with the alias.
    fn name_source(&self, name: &str, source: &Source, batches: Vec<RecordBatch>) -> Result<String> {
        let table = MemTable::try_new(Arc::clone(&source.schema), vec![batches]).map_err(failed("keep the source"))?;
        let name = self.scope.temporary(name, Arc::new(table))?;
        Ok(format!("{name} AS {}", source.alias))
    }

    async fn find(
        &self,
        statement: &Merge,
        clauses: &Clauses,
        source: &str,
        numbered: &Arc<Numbered>,
    ) -> Result<Found> {
        let (alias, on) = (&self.changed.alias, &statement.on);
        let keys = predicate(self.scope, self.base, self.changed, source, on).await?;
        let target = Target::places(self.base.table.clone(), &self.scope.shared.file_io, keys, Arc::clone(numbered))?;
        let target = self.scope.temporary("target", Arc::new(target))?;
        let source_alias = source.rsplit(" AS ").next().unwrap_or_default();
        // The source comes first: the first table of a join is the one that is held in memory.
        let text = format!(
            "SELECT {alias}.{FILE}, {alias}.{PLACE}, {source_alias}.{SOURCE_ROW}, CAST({} AS INT) AS action \
             FROM {source} JOIN {target} AS {alias} ON {on}",
            clauses.matched_action()
        );
        let plan = self.scope.plan_text(&text).await?;
        Found::read(self.scope.stream(plan).await?, numbered, &self.changed.name.to_string()).await
    }

    /// Writes the files that hold matched rows anew, with the updated rows and without the deleted ones.
    async fn rewrite(
        &self,
        clauses: &Clauses,
        source: &str,
        found: Found,
        numbered: &Numbered,
        files: &mut Files,
    ) -> Result<()> {
        let marks = found.into_marks();
        if marks.is_empty() {
            return Ok(());
        }
        let marked = Target::marked(self.base.table.clone(), &self.scope.shared.file_io, numbered, marks)?;
        let marked = self.scope.temporary("marked", Arc::new(marked))?;
        let alias = &self.changed.alias;
        let source_alias = source.rsplit(" AS ").next().unwrap_or_default();
        let columns = columns_of(self.base);
        let values: Vec<String> =
            columns.iter().map(|column| clauses.updated_value(column, &alias.to_string())).collect();
        let kept = clauses.kept(&format!("{alias}.{ACTION}"));
        let text = format!(
            "SELECT {} FROM {source} RIGHT JOIN {marked} AS {alias} \
             ON {source_alias}.{SOURCE_ROW} = {alias}.{SOURCE_ROW} WHERE {kept}",
            values.join(", ")
        );
        let plan = self.scope.plan_text(&text).await?;
        files.write_all(self.scope.stream(plan).await?).await
    }

    async fn insert(
        &self,
        clauses: &Clauses,
        source: &Source,
        unmatched: Vec<RecordBatch>,
        files: &mut Files,
    ) -> Result<()> {
        if unmatched.is_empty() || !clauses.inserts() {
            return Ok(());
        }
        let named = self.name_source("unmatched", source, unmatched)?;
        let alias = &source.alias;
        let chosen = format!("(SELECT *, {} AS {INSERT_ACTION} FROM {named}) AS {alias}", clauses.insert_action());
        for (action, values) in clauses.inserted_values(&columns_of(self.base)) {
            let text = format!("SELECT {values} FROM {chosen} WHERE {alias}.{INSERT_ACTION} = {action}");
            let plan = self.scope.plan_text(&text).await?;
            files.write_all(self.scope.stream(plan).await?).await?;
        }
        Ok(())
    }
}

fn arrow(doing: &'static str) -> impl Fn(datafusion::arrow::error::ArrowError) -> Error {
    move |error| failed(doing)(error.into())
}

/// The rows that matched nothing.
fn unmatched(source: &Source, found: &Found) -> Result<Vec<RecordBatch>> {
    let mut rows = 0;
    let mut unmatched = Vec::new();
    for batch in &source.batches {
        let end = rows + i64::try_from(batch.num_rows()).unwrap_or(0);
        let keep: BooleanArray = (rows..end).map(|row| Some(!found.matched.contains(&row))).collect();
        rows = end;
        let kept = filter_record_batch(batch, &keep).map_err(arrow("find the rows that match nothing"))?;
        if kept.num_rows() > 0 {
            unmatched.push(kept);
        }
    }
    Ok(unmatched)
}

/// The name of the source in expressions.
fn alias_of(factor: &TableFactor) -> Result<String> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. } => Ok(alias.name.to_string()),
        TableFactor::Table { name, .. } => {
            let last = name.0.last().and_then(|part| part.as_ident());
            Ok(last.map_or_else(|| quoted("source"), ToString::to_string))
        }
        _ => Err(Error::Invalid("the source of a MERGE needs a name: write USING (SELECT …) AS s".to_owned())),
    }
}
