//! `DELETE FROM`.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{Delete, FromTable};
use iceberg::spec::Operation;

use super::marks::Found;
use super::{Changed, Counts, attempt_scope, columns_of, quoted};
use crate::error::{Error, Result};
use crate::query::target::{ACTION, FILE, Numbered, PLACE, Target};
use crate::query::{Scope, Shared};
use crate::table::Loaded;
use crate::table::retry::{commit, discard, until_committed};
use crate::table::stage::Change;
use crate::table::write::Files;

/// Deletes rows and says how many.
pub(crate) async fn delete(shared: &Arc<Shared>, database: &str, statement: &Delete) -> Result<Counts> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &statement.from;
    let [only] = from.as_slice() else { return Err(Error::Invalid("DELETE takes one table".to_owned())) };
    if !only.joins.is_empty() {
        return Err(Error::Invalid("DELETE takes no join; write WHERE … IN (SELECT …)".to_owned()));
    }
    let changed = Changed::of(&only.relation, database)?;
    let tables = &shared.tables;
    let turn = tables.turn(&changed.name);
    let _turn = turn.lock().await;
    until_committed(tables, &changed.name, async |base: Loaded, _| {
        let scope = attempt_scope(shared, database, &base)?;
        attempt(&scope, &base, &changed, statement).await
    })
    .await
}

async fn attempt(scope: &Scope, base: &Loaded, changed: &Changed, statement: &Delete) -> Result<Option<Counts>> {
    let condition = match statement.selection.clone() {
        Some(mut condition) => {
            scope.ready(&mut condition).await?;
            condition.to_string()
        }
        None => "TRUE".to_owned(),
    };
    let numbered = Arc::new(Numbered::default());
    let found = places(scope, base, changed, &condition, &numbered).await?;
    let deleted = found.count_of(|_| true);
    if deleted == 0 {
        return Ok(Some(Counts::default()));
    }
    let removed = found.touched(&numbered);
    let marked = Target::marked(base.table.clone(), &scope.shared.file_io, &numbered, found.into_marks())?;
    let marked = scope.temporary("marked", Arc::new(marked))?;
    let columns: Vec<String> = columns_of(base).iter().map(|column| quoted(column)).collect();
    let kept = format!("SELECT {} FROM {marked} WHERE {ACTION} IS NULL", columns.join(", "));
    let plan = scope.plan_text(&kept).await?;
    let mut files = Files::new(&scope.shared.tables, base)?;
    files.write_all(scope.stream(plan).await?).await?;
    let added = files.finish().await?;
    let operation = if added.is_empty() { Operation::Delete } else { Operation::Overwrite };
    let change = Change { operation, added, removed };
    finish(scope, base, &change, Counts { deleted, ..Counts::default() }).await
}

/// The rows that a condition means.
pub(super) async fn places(
    scope: &Scope,
    base: &Loaded,
    changed: &Changed,
    condition: &str,
    numbered: &Arc<Numbered>,
) -> Result<Found> {
    let target = Target::places(base.table.clone(), &scope.shared.file_io, None, Arc::clone(numbered))?;
    let target = scope.temporary("target", Arc::new(target))?;
    let text = format!("SELECT {FILE}, {PLACE} FROM {target} AS {} WHERE {condition}", changed.alias);
    let plan = scope.plan_text(&text).await?;
    Found::read(scope.stream(plan).await?, numbered, &changed.name.to_string()).await
}

/// Commits; what was written for nothing is removed.
pub(super) async fn finish(scope: &Scope, base: &Loaded, change: &Change, counts: Counts) -> Result<Option<Counts>> {
    if change.is_empty() {
        return Ok(Some(counts));
    }
    if commit(&scope.shared.tables, base, change).await?.is_some() {
        return Ok(Some(counts));
    }
    discard(&scope.shared.tables, &change.added).await;
    Ok(None)
}
