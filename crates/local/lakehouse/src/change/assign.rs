//! Which values may be put into which columns. Like Trino, nothing is converted that could lose something without a
//! word: text does not become a number, and a number does not lose its decimals. A cast says that it is meant.

use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{Assignment, AssignmentTarget, Expr};

use crate::error::{Error, Result};
use crate::types::ColumnType;

/// Refuses a plan whose columns, by place, do not fit into these.
pub(crate) fn check_types(plan: &LogicalPlan, into: &[Field]) -> Result<()> {
    let given = plan.schema().fields();
    if given.len() != into.len() {
        let message =
            format!("the table takes {} values for each row, and the query gives {}", into.len(), given.len());
        return Err(Error::Mismatch(message));
    }
    for (given, into) in given.iter().zip(into) {
        if !fits(given.data_type(), into.data_type()) {
            let named = |of: &DataType| ColumnType::of_arrow(of).map_or_else(|_| of.to_string(), |of| of.to_string());
            let (given, wanted) = (named(given.data_type()), named(into.data_type()));
            let column = into.name();
            let message =
                format!("the column `{column}` is {wanted} and the value is {given}; write CAST(… AS {wanted})");
            return Err(Error::Mismatch(message));
        }
    }
    Ok(())
}

fn is_text(of: &DataType) -> bool {
    matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_binary(of: &DataType) -> bool {
    matches!(of, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
}

/// Whether a value may be put into a column. A whole number that is too large for it is found when it is written.
fn fits(given: &DataType, into: &DataType) -> bool {
    match (given, into) {
        (DataType::Null, _) => true,
        (DataType::Dictionary(_, value), _) => fits(value, into),
        (given, into) if given == into => true,
        (given, into) if is_text(given) && is_text(into) => true,
        (given, into) if is_binary(given) && is_binary(into) => true,
        (given, into) if given.is_integer() => into.is_numeric(),
        (given, into) if given.is_floating() => into.is_floating(),
        (DataType::Decimal128(_, _) | DataType::Decimal256(_, _), into) if into.is_floating() => true,
        (DataType::Decimal128(_, scale), DataType::Decimal128(_, wanted)) => scale <= wanted,
        (DataType::Date32 | DataType::Timestamp(_, _), DataType::Timestamp(_, _)) => true,
        (DataType::List(given) | DataType::LargeList(given), DataType::List(into)) => {
            fits(given.data_type(), into.data_type())
        }
        (DataType::Struct(given), DataType::Struct(into)) => {
            given.len() == into.len()
                && given
                    .iter()
                    .zip(into)
                    .all(|(given, into)| given.name() == into.name() && fits(given.data_type(), into.data_type()))
        }
        (DataType::Map(given, _), DataType::Map(into, _)) => match (given.data_type(), into.data_type()) {
            (DataType::Struct(given), DataType::Struct(into)) if given.len() == 2 && into.len() == 2 => {
                given.iter().zip(into).all(|(given, into)| fits(given.data_type(), into.data_type()))
            }
            _ => false,
        },
        _ => false,
    }
}

/// `SET` clauses as columns and values.
pub(super) fn assigned(assignments: &[Assignment], columns: &[String]) -> Result<Vec<(String, Expr)>> {
    let mut assigned: Vec<(String, Expr)> = Vec::new();
    for assignment in assignments {
        let AssignmentTarget::ColumnName(name) = &assignment.target else {
            return Err(Error::Invalid(format!("`{}` cannot be set; set one column at a time", assignment.target)));
        };
        let column = name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase());
        let column = column.unwrap_or_default();
        known(&column, columns)?;
        if assigned.iter().any(|(earlier, _)| *earlier == column) {
            return Err(Error::Invalid(format!("the column `{column}` is set twice")));
        }
        assigned.push((column, assignment.value.clone()));
    }
    Ok(assigned)
}

pub(super) fn known(column: &str, columns: &[String]) -> Result<()> {
    if columns.iter().any(|known| known == column) {
        return Ok(());
    }
    Err(Error::Missing(format!("there is no column `{column}`; there are {}", columns.join(", "))))
}

/// The fields of these columns.
pub(super) fn fields_of<'a>(schema: &SchemaRef, columns: impl Iterator<Item = &'a str>) -> Vec<Field> {
    columns.filter_map(|column| schema.field_with_name(column).ok().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::TimeUnit;

    #[test]
    fn nothing_is_lost_without_a_cast() {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        for (given, into, expected) in [
            (DataType::Int64, DataType::Int32, true),
            (DataType::Int64, DataType::Decimal128(10, 2), true),
            (DataType::Float64, DataType::Int64, false),
            (DataType::Decimal128(3, 2), DataType::Int64, false),
            (DataType::Decimal128(3, 2), DataType::Float64, true),
            (DataType::Decimal128(3, 3), DataType::Decimal128(10, 2), false),
            (DataType::Utf8, DataType::Int64, false),
            (DataType::Int64, DataType::Utf8, false),
            (DataType::Utf8, micros.clone(), false),
            (DataType::Date32, micros, true),
            (DataType::Null, DataType::Utf8, true),
        ] {
            assert_eq!(fits(&given, &into), expected, "{given} into {into}");
        }
    }
}
