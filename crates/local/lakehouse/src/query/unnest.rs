//! `UNNEST` in `FROM`, alone or joined to what stands before it: each element of an array becomes a row beside the row
//! that it came from. Arrays of rows give a column a field, maps give keys and values, several arrays go in step.
//! DataFusion plans `UNNEST` of constants only, and has no ordinality.
//! <https://trino.io/docs/current/sql/select.html#unnest>.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, TableReference, UnnestOptions, plan_err};
use datafusion::error::Result as DataFusionResult;
use datafusion::functions::core::expr_fn::{coalesce, get_field, greatest};
use datafusion::functions_nested::expr_fn::{array_length, gen_series, map_keys, map_values};
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr as Planned, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit, when};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, Select, Spanned, TableAlias, TableFactor, TableWithJoins, Value,
};

use super::guard::{names_columns, refused};
use super::labels;
use crate::error::Result;

/// Columns that are unnested, before they have their own names.
const ITEM: &str = "__sluice_item";

/// Rules that move the reading of a field below the node that makes rows of a list, where there is no such field yet.
/// They serve sources that read single fields, which there are none of here.
const HARMFUL_RULES: [&str; 2] = ["extract_leaf_expressions", "push_down_leaf_projections"];

/// Has `UNNEST` planned here.
pub(super) fn register(context: &SessionContext) -> Result<()> {
    for rule in HARMFUL_RULES {
        context.remove_optimizer_rule(rule);
    }
    let registered = context.register_relation_planner(Arc::new(Unnesting));
    registered.map_err(crate::error::query("set up the query engine"))
}

/// Puts each `UNNEST` that speaks of columns into one factor with all that it may speak of: what stands before it.
pub(super) fn gather(select: &mut Select) -> Result<()> {
    for item in &mut select.from {
        fold_joins(item)?;
    }
    let Some(last) = select.from.iter().rposition(|item| is_lateral(&item.relation)) else { return Ok(()) };
    if last == 0 {
        let instead = "put the table before it: FROM table CROSS JOIN UNNEST(column) AS t(item)";
        return refused(select.from[0].relation.span(), "`UNNEST` of a column that no table before it has", instead);
    }
    let rest = select.from.split_off(last + 1);
    let mut items = std::mem::take(&mut select.from).into_iter();
    let Some(mut gathered) = items.next() else { return Ok(()) };
    for item in items {
        let lateral = is_lateral(&item.relation);
        gathered.joins.push(Join {
            relation: item.relation,
            global: false,
            join_operator: JoinOperator::CrossJoin(JoinConstraint::None),
        });
        if lateral {
            gathered = nested(gathered);
        }
        gathered.joins.extend(item.joins);
    }
    select.from = vec![gathered];
    select.from.extend(rest);
    Ok(())
}

fn is_lateral(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::UNNEST { array_exprs, .. } if array_exprs.iter().any(names_columns))
}

fn nested(inner: TableWithJoins) -> TableWithJoins {
    let relation = TableFactor::NestedJoin { table_with_joins: Box::new(inner), alias: None };
    TableWithJoins { relation, joins: Vec::new() }
}

fn fold_joins(item: &mut TableWithJoins) -> Result<()> {
    if !item.joins.iter().any(|join| is_lateral(&join.relation)) {
        return Ok(());
    }
    let joins = std::mem::take(&mut item.joins);
    for join in joins {
        let lateral = is_lateral(&join.relation);
        if lateral && keeps_unmatched(&join.join_operator).is_none() {
            let instead = "write CROSS JOIN UNNEST(…), or LEFT JOIN UNNEST(…) ON TRUE";
            return refused(join.relation.span(), "`UNNEST` of a column in this join", instead);
        }
        item.joins.push(join);
        if lateral {
            let inner = std::mem::replace(item, TableWithJoins { relation: empty(), joins: Vec::new() });
            *item = nested(inner);
        }
    }
    Ok(())
}

/// Something to stand in a place for a moment.
fn empty() -> TableFactor {
    let table_with_joins = TableWithJoins { relation: unnest_of_nothing(), joins: Vec::new() };
    TableFactor::NestedJoin { table_with_joins: Box::new(table_with_joins), alias: None }
}

fn unnest_of_nothing() -> TableFactor {
    let (array_exprs, with_offset, with_ordinality) = (Vec::new(), false, false);
    TableFactor::UNNEST { alias: None, array_exprs, with_offset, with_offset_alias: None, with_ordinality }
}

/// Whether a join keeps a row that has no elements; nothing for a join that `UNNEST` does not have.
fn keeps_unmatched(operator: &JoinOperator) -> Option<bool> {
    let is_true = |expr: &Expr| matches!(expr, Expr::Value(value) if value.value == Value::Boolean(true));
    match operator {
        JoinOperator::CrossJoin(JoinConstraint::None) => Some(false),
        JoinOperator::Join(JoinConstraint::On(on)) | JoinOperator::Inner(JoinConstraint::On(on)) if is_true(on) => {
            Some(false)
        }
        JoinOperator::Left(JoinConstraint::On(on)) | JoinOperator::LeftOuter(JoinConstraint::On(on)) if is_true(on) => {
            Some(true)
        }
        _ => None,
    }
}

#[derive(Debug)]
struct Unnesting;

impl RelationPlanner for Unnesting {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> DataFusionResult<RelationPlanning> {
        let (left, unnest, keeps) = match relation {
            TableFactor::UNNEST { .. } => (LogicalPlanBuilder::empty(true).build()?, relation, false),
            TableFactor::NestedJoin { mut table_with_joins, alias: None } => {
                let last = table_with_joins.joins.pop_if(|join| matches!(join.relation, TableFactor::UNNEST { .. }));
                let keeps = last.as_ref().and_then(|join| keeps_unmatched(&join.join_operator));
                let (Some(last), Some(keeps)) = (last.clone(), keeps) else {
                    table_with_joins.joins.extend(last);
                    let original = TableFactor::NestedJoin { table_with_joins, alias: None };
                    return Ok(RelationPlanning::Original(Box::new(original)));
                };
                let left = if table_with_joins.joins.is_empty() {
                    table_with_joins.relation
                } else {
                    TableFactor::NestedJoin { table_with_joins, alias: None }
                };
                (context.plan(left)?, last.relation, keeps)
            }
            other => return Ok(RelationPlanning::Original(Box::new(other))),
        };
        let plan = unnested(left, unnest, keeps, context)?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
    }
}

/// One list that is unnested, and how many columns it gives.
struct List {
    values: Planned,
    item: DataType,
}

fn unnested(
    left: LogicalPlan,
    unnest: TableFactor,
    keeps: bool,
    context: &mut dyn RelationPlannerContext,
) -> DataFusionResult<LogicalPlan> {
    let TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } = unnest else {
        return plan_err!("this is no UNNEST");
    };
    let mut lists = Vec::new();
    for array in array_exprs {
        let values = context.sql_to_expr(array, left.schema())?;
        lists.extend(lists_of(values, left.schema())?);
    }
    if lists.is_empty() {
        return plan_err!("UNNEST needs an array or a map");
    }
    if with_ordinality {
        lists.push(List { values: numbers(&lists), item: DataType::Int64 });
    }
    let own: Vec<Planned> = left.schema().columns().into_iter().map(Planned::Column).collect();
    let mut projected = own.clone();
    for (nth, list) in lists.iter().enumerate() {
        projected.push(or_null(list.values.clone(), keeps)?.alias(format!("{ITEM}{nth}")));
    }
    let items = (0..lists.len()).map(|nth| Column::from_name(format!("{ITEM}{nth}"))).collect();
    let options = UnnestOptions { preserve_nulls: keeps, recursions: Vec::new() };
    let plan = LogicalPlanBuilder::from(left).project(projected)?.unnest_columns_with_options(items, options)?;
    let named = named(&lists, alias.as_ref(), context)?;
    plan.project(own.into_iter().chain(named))?.build()
}

/// The lists that an argument gives: an array one, a map two.
fn lists_of(values: Planned, schema: &DFSchema) -> DataFusionResult<Vec<List>> {
    match values.get_type(schema)? {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Ok(vec![List { values, item: item.data_type().clone() }])
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return plan_err!("this is no map") };
            let of = |nth: usize| fields.get(nth).map_or(DataType::Null, |field| field.data_type().clone());
            let keys = List { values: map_keys(values.clone()), item: of(0) };
            Ok(vec![keys, List { values: map_values(values), item: of(1) }])
        }
        other => plan_err!("UNNEST takes an array or a map, not a value of type {other}"),
    }
}

/// From 1 to the length of the longest list.
fn numbers(lists: &[List]) -> Planned {
    let length = |list: &List| coalesce(vec![cast(array_length(list.values.clone()), DataType::Int64), lit(0_i64)]);
    let longest = match lists {
        [one] => length(one),
        several => greatest(several.iter().map(length).collect()),
    };
    gen_series(lit(1_i64), longest, lit(1_i64))
}

/// An empty list keeps its row as a null one does, where rows without elements are kept.
fn or_null(values: Planned, keeps: bool) -> DataFusionResult<Planned> {
    if !keeps {
        return Ok(values);
    }
    let is_empty = array_length(values.clone()).gt(lit(0_u64));
    when(is_empty, values).end()
}

/// The columns of the elements under their own names.
fn named(
    lists: &[List],
    alias: Option<&TableAlias>,
    context: &dyn RelationPlannerContext,
) -> DataFusionResult<Vec<Planned>> {
    let mut columns = Vec::new();
    for (nth, list) in lists.iter().enumerate() {
        let item = Planned::Column(Column::from_name(format!("{ITEM}{nth}")));
        match &list.item {
            DataType::Struct(fields) => {
                columns.extend(fields.iter().map(|field| get_field(item.clone(), field.name().as_str())));
            }
            _ => columns.push(item),
        }
    }
    let Some(alias) = alias else {
        let unnamed = columns.into_iter().enumerate();
        return Ok(unnamed.map(|(nth, column)| column.alias(labels::of_unnest(nth))).collect());
    };
    if !alias.columns.is_empty() && alias.columns.len() != columns.len() {
        let (given, there) = (alias.columns.len(), columns.len());
        return plan_err!("`{}` names {given} columns and UNNEST gives {there}", alias.name);
    }
    let table = TableReference::bare(context.normalize_ident(alias.name.clone()));
    let named = columns.into_iter().enumerate().map(|(nth, column)| {
        let given = alias.columns.get(nth).map(|column| context.normalize_ident(column.name.clone()));
        column.alias_qualified(Some(table.clone()), given.unwrap_or_else(|| labels::of_unnest(nth)))
    });
    Ok(named.collect())
}
