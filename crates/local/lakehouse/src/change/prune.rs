//! Which files of a target may match a source: those whose statistics and partition values allow the keys that the
//! source has. Only conditions of the form `target.column = source value` tell something.

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};
use iceberg::expr::{Predicate, Reference};
use iceberg::spec::{Datum, PrimitiveType, Type};

use super::Changed;
use crate::error::Result;
use crate::query::Scope;
use crate::query::predicate::datum;
use crate::query::provider::schema_of;
use crate::table::Loaded;

/// As many keys are looked for one by one; more of them by the least and the greatest.
const MOST_KEYS: usize = 200;

/// What the keys of a source say of the files of a target. `source` is how to name it, with its alias.
pub(super) async fn predicate(
    scope: &Scope,
    base: &Loaded,
    changed: &Changed,
    source: &str,
    on: &Expr,
) -> Result<Option<Predicate>> {
    let mut parts = Vec::new();
    for (column, value) in equalities(on, changed) {
        if let Some(part) = of_keys(scope, base, source, &column, &value).await? {
            parts.push(part);
        }
    }
    Ok(parts.into_iter().reduce(Predicate::and))
}

/// The columns of the target that must equal something, and what.
fn equalities(on: &Expr, changed: &Changed) -> Vec<(String, Expr)> {
    match on {
        Expr::Nested(inner) => equalities(inner, changed),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut all = equalities(left, changed);
            all.extend(equalities(right, changed));
            all
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let one = |column: &Expr, value: &Expr| Some((own_column(column, changed)?, value.clone()));
            one(left, right).into_iter().chain(one(right, left)).collect()
        }
        _ => Vec::new(),
    }
}

/// `alias.column` of the target.
fn own_column(expr: &Expr, changed: &Changed) -> Option<String> {
    match expr {
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [table, column] if table.value.eq_ignore_ascii_case(&changed.alias.value) => {
                Some(column.value.to_lowercase())
            }
            _ => None,
        },
        _ => None,
    }
}

async fn of_keys(scope: &Scope, base: &Loaded, source: &str, column: &str, value: &Expr) -> Result<Option<Predicate>> {
    let current = base.metadata().current_schema();
    let planned = schema_of(&base.table, base.metadata().current_snapshot_id());
    let field = current.field_by_name(column).and_then(|field| planned.as_struct().field_by_id(field.id));
    let Some(field) = field else { return Ok(None) };
    let Type::Primitive(of) = field.field_type.as_ref() else { return Ok(None) };
    // A value that speaks of the target cannot be planned over the source alone, and says nothing beforehand.
    let Ok(plan) = scope.plan_text(&format!("SELECT DISTINCT {value} AS key FROM {source}")).await else {
        return Ok(None);
    };
    let batches = scope.collect(plan).await?;
    let Some(keys) = keys(&batches, of) else { return Ok(None) };
    Ok(Some(bounds(field.name.as_str(), keys)))
}

/// The keys as the column has them; `None` if one cannot be had so. Null equals nothing.
fn keys(batches: &[RecordBatch], of: &PrimitiveType) -> Option<Vec<Datum>> {
    let arrow = iceberg::arrow::type_to_arrow_type(&Type::Primitive(of.clone())).ok()?;
    let mut keys = Vec::new();
    for batch in batches {
        // The comparison may be made in a wider type, in which a key that does not fit equals nothing; but a value
        // that would change on the way says nothing either.
        let column: ArrayRef = batch.column(0).clone();
        let as_column = cast(&column, &arrow).ok()?;
        let back = cast(&as_column, column.data_type()).ok()?;
        for row in 0..column.len() {
            if column.is_null(row) {
                continue;
            }
            if as_column.is_null(row)
                || ScalarValue::try_from_array(&back, row).ok()? != ScalarValue::try_from_array(&column, row).ok()?
            {
                return None;
            }
            keys.push(datum(&ScalarValue::try_from_array(&as_column, row).ok()?, of)?);
        }
    }
    Some(keys)
}

fn bounds(column: &str, keys: Vec<Datum>) -> Predicate {
    if keys.is_empty() {
        return Predicate::AlwaysFalse;
    }
    if keys.len() <= MOST_KEYS {
        return Reference::new(column).is_in(keys);
    }
    let least = keys.iter().fold(keys[0].clone(), |least, key| if *key < least { key.clone() } else { least });
    let greatest = keys.iter().fold(keys[0].clone(), |most, key| if *key > most { key.clone() } else { most });
    Reference::new(column).greater_than_or_equal_to(least).and(Reference::new(column).less_than_or_equal_to(greatest))
}
