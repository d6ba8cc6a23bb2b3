//! The `WHERE` of `OPTIMIZE`: it may only speak of columns that the table is partitioned by, since it chooses files.

use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::Expr;
use iceberg::expr::Predicate;
use iceberg::spec::Transform;

use super::Run;
use crate::catalog::TableName;
use crate::change::quoted;
use crate::error::{Error, Result};
use crate::query::predicate::{Columns, of};
use crate::query::provider::schema_of;

/// The files that a filter over partition columns means.
pub(super) async fn of_partitions(run: &Run<'_>, name: &TableName, mut filter: Expr) -> Result<Predicate> {
    let loaded = run.shop.tables.load(name).await?;
    let scope = run.scope()?;
    scope.ready(&mut filter).await?;
    let text = format!("SELECT 1 FROM {}.{} WHERE {filter}", quoted(&name.database), quoted(&name.table));
    let plan = scope.optimized(&scope.plan_text(&text).await?)?;
    let refused = || {
        let columns = "columns that the table is partitioned by, and compare them with values";
        Error::Invalid(format!("the WHERE of OPTIMIZE may only name {columns}; `{filter}` does more"))
    };
    let filters = filters_of(&plan);
    let schema = loaded.metadata().current_schema();
    let planned = schema_of(&loaded.table, loaded.metadata().current_snapshot_id());
    let spec = loaded.metadata().default_partition_spec();
    let is_partition = |column: &str| {
        let id = schema.field_id_by_name(column);
        spec.fields().iter().any(|field| Some(field.source_id) == id && field.transform == Transform::Identity)
    };
    let known = filters.iter().flat_map(|filter| filter.column_refs()).all(|column| is_partition(&column.name));
    let columns = Columns { seen: schema, planned: &planned };
    let parts: Option<Vec<Predicate>> = filters.iter().map(|filter| of(filter, &columns)).collect();
    let parts = parts.filter(|parts| known && !parts.is_empty()).ok_or_else(refused)?;
    parts.into_iter().reduce(Predicate::and).ok_or_else(refused)
}

/// Every filter of a plan over one table.
fn filters_of(plan: &LogicalPlan) -> Vec<datafusion::logical_expr::Expr> {
    let mut filters = Vec::new();
    let mut plans = vec![Arc::new(plan.clone())];
    while let Some(one) = plans.pop() {
        match one.as_ref() {
            LogicalPlan::Filter(filter) => filters.push(filter.predicate.clone()),
            LogicalPlan::TableScan(scan) => filters.extend(scan.filters.clone()),
            _ => {}
        }
        plans.extend(one.inputs().into_iter().map(|input| Arc::new(input.clone())));
    }
    filters
}
