//! `INSERT INTO`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::assign::{check_types, fields_of, known};
use super::{Counts, columns_of};
use crate::error::{Error, Result, query as failed};
use crate::query::Scope;
use crate::sql::Insert;
use crate::table::append::append;
use crate::table::scan::arrow_schema;

/// Inserts rows and says how many.
pub(crate) async fn insert(scope: &Scope, statement: Insert) -> Result<Counts> {
    let name = scope.full(&statement.name)?;
    let tables = Arc::clone(&scope.shared.tables);
    let loaded = tables.load(&name).await?.writable()?;
    let columns = columns_of(&loaded);
    for column in &statement.columns {
        known(column, &columns)?;
    }
    let given = if statement.columns.is_empty() { columns } else { statement.columns };
    let schema = arrow_schema(loaded.metadata().current_schema())?;
    let plan = scope.plan(*statement.query).await?;
    let plan = arranged(plan, &given, &schema)?;
    let rows = scope.stream(plan).await?;
    let inserted = append(&tables, loaded, rows).await?;
    Ok(Counts { inserted, ..Counts::default() })
}

/// A plan's columns in the places of the table's; null where nothing is given.
fn arranged(plan: LogicalPlan, given: &[String], schema: &SchemaRef) -> Result<LogicalPlan> {
    let mut sorted: Vec<&String> = given.iter().collect();
    sorted.sort();
    if let Some((twice, _)) = sorted.iter().zip(sorted.iter().skip(1)).find(|(one, next)| one == next) {
        return Err(Error::Invalid(format!("the column `{twice}` is given twice")));
    }
    check_types(&plan, &fields_of(schema, given.iter().map(String::as_str)))?;
    let columns = plan.schema().columns();
    let value = |field: &Arc<Field>| {
        if let Some(at) = given.iter().position(|name| name == field.name()) {
            return Ok(Expr::Column(columns[at].clone()).alias(field.name()));
        }
        let null = ScalarValue::try_from(field.data_type()).map_err(failed("arrange the values"))?;
        Ok(lit(null).alias(field.name()))
    };
    let values: Vec<Expr> = schema.fields().iter().map(value).collect::<Result<_>>()?;
    let built = LogicalPlanBuilder::from(plan).project(values).and_then(LogicalPlanBuilder::build);
    built.map_err(failed("arrange the values"))
}
