//! `UPDATE … SET … WHERE …`.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{Expr, Update};
use iceberg::spec::Operation;

use super::assign::{assigned, check_types, fields_of};
use super::delete::{finish, places};
use super::{Changed, Counts, attempt_scope, columns_of, quoted};
use crate::error::Result;
use crate::query::target::{ACTION, Numbered, Target};
use crate::query::{Scope, Shared};
use crate::table::Loaded;
use crate::table::retry::until_committed;
use crate::table::scan::arrow_schema;
use crate::table::stage::Change;
use crate::table::write::Files;

/// Updates rows and says how many.
pub(crate) async fn update(shared: &Arc<Shared>, database: &str, statement: &Update) -> Result<Counts> {
    let changed = Changed::of(&statement.table.relation, database)?;
    let tables = &shared.tables;
    let turn = tables.turn(&changed.name);
    let _turn = turn.lock().await;
    until_committed(tables, &changed.name, async |base: Loaded, _| {
        let scope = attempt_scope(shared, database, &base)?;
        attempt(&scope, &base, &changed, statement.clone()).await
    })
    .await
}

async fn attempt(scope: &Scope, base: &Loaded, changed: &Changed, mut statement: Update) -> Result<Option<Counts>> {
    for assignment in &mut statement.assignments {
        scope.ready(&mut assignment.value).await?;
    }
    let assigned = assigned(&statement.assignments, &columns_of(base))?;
    let condition = match statement.selection {
        Some(mut condition) => {
            scope.ready(&mut condition).await?;
            condition.to_string()
        }
        None => "TRUE".to_owned(),
    };
    let numbered = Arc::new(Numbered::default());
    let found = places(scope, base, changed, &condition, &numbered).await?;
    check(scope, base, changed, &assigned).await?;
    let updated = found.count_of(|_| true);
    if updated == 0 {
        return Ok(Some(Counts::default()));
    }
    let removed = found.touched(&numbered);
    let marked = Target::marked(base.table.clone(), &scope.shared.file_io, &numbered, found.into_marks())?;
    let marked = scope.temporary("marked", Arc::new(marked))?;
    let text = format!("SELECT {} FROM {marked} AS {}", values(base, changed, &assigned), changed.alias);
    let plan = scope.plan_text(&text).await?;
    let mut files = Files::new(&scope.shared.tables, base)?;
    files.write_all(scope.stream(plan).await?).await?;
    let change = Change { operation: Operation::Overwrite, added: files.finish().await?, removed };
    finish(scope, base, &change, Counts { updated, ..Counts::default() }).await
}

/// Refuses values that do not fit before anything is written.
async fn check(scope: &Scope, base: &Loaded, changed: &Changed, assigned: &[(String, Expr)]) -> Result<()> {
    let values: Vec<String> =
        assigned.iter().enumerate().map(|(nth, (_, value))| format!("{value} AS value_{nth}")).collect();
    let target = super::quoted(&changed.name.table);
    let database = super::quoted(&changed.name.database);
    let text = format!("SELECT {} FROM {database}.{target} AS {}", values.join(", "), changed.alias);
    let plan = scope.plan_text(&text).await?;
    let schema = arrow_schema(base.metadata().current_schema())?;
    check_types(&plan, &fields_of(&schema, assigned.iter().map(|(column, _)| column.as_str())))
}

/// Each column with its new value where a row is marked.
fn values(base: &Loaded, changed: &Changed, assigned: &[(String, Expr)]) -> String {
    let alias = &changed.alias;
    let value = |column: &String| {
        let own = quoted(column);
        match assigned.iter().find(|(set, _)| set == column) {
            Some((_, value)) => {
                format!("CASE WHEN {alias}.{ACTION} IS NULL THEN {alias}.{own} ELSE {value} END AS {own}")
            }
            None => format!("{alias}.{own} AS {own}"),
        }
    };
    columns_of(base).iter().map(value).collect::<Vec<_>>().join(", ")
}
