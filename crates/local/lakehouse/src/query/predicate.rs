//! Filters of a query as Iceberg predicates, as far as they go, to leave out files and row groups.
//! Every filter is applied again to the rows that come, so leaving one out here costs time and never a wrong row.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use iceberg::expr::{Predicate, Reference};
use iceberg::spec::{Datum, PrimitiveType, Schema, Type};

/// The longest list that is taken over: longer ones are cut to their bounds by the caller.
const LONGEST_LIST: usize = 1000;

/// Columns as the query names them and as the snapshot's schema does.
pub(crate) struct Columns<'a> {
    /// The schema that the query sees.
    pub(crate) seen: &'a Schema,
    /// The schema that files are planned with.
    pub(crate) planned: &'a Schema,
}

impl Columns<'_> {
    /// A primitive column of both, under the name that planning knows.
    fn find(&self, name: &str) -> Option<(String, PrimitiveType)> {
        let id = self.seen.field_id_by_name(name)?;
        let field = self.planned.as_struct().field_by_id(id)?;
        match field.field_type.as_ref() {
            Type::Primitive(of) => Some((field.name.clone(), of.clone())),
            _ => None,
        }
    }
}

/// All that can be said of these filters together; `None` if nothing can.
pub(crate) fn of_filters(filters: &[Expr], columns: &Columns<'_>) -> Option<Predicate> {
    filters.iter().filter_map(|filter| of(filter, columns)).reduce(Predicate::and)
}

/// A predicate that is true wherever the filter is. `None` if there is none but the trivial one.
pub(crate) fn of(filter: &Expr, columns: &Columns<'_>) -> Option<Predicate> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            match (of(left, columns), of(right, columns)) {
                (Some(left), Some(right)) => Some(left.and(right)),
                (one, other) => one.or(other),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some(of(left, columns)?.or(of(right, columns)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (column(left), column(right)) {
            (Some(name), None) => compared(name, *op, right, columns),
            (None, Some(name)) => compared(name, op.swap()?, left, columns),
            _ => None,
        },
        Expr::InList(InList { expr, list, negated: false }) => listed(column(expr)?, list, columns),
        Expr::Between(between) if !between.negated => {
            let name = column(&between.expr)?;
            let low = compared(name, Operator::GtEq, &between.low, columns);
            let high = compared(name, Operator::LtEq, &between.high, columns);
            low.into_iter().chain(high).reduce(Predicate::and)
        }
        Expr::IsNull(inner) => Some(Reference::new(columns.find(column(inner)?)?.0).is_null()),
        Expr::IsNotNull(inner) => Some(Reference::new(columns.find(column(inner)?)?.0).is_not_null()),
        _ => None,
    }
}

fn column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(&column.name),
        _ => None,
    }
}

fn compared(name: &str, operator: Operator, value: &Expr, columns: &Columns<'_>) -> Option<Predicate> {
    let (name, of) = columns.find(name)?;
    let Expr::Literal(value, _) = value else { return None };
    let (reference, datum) = (Reference::new(name), datum(value, &of)?);
    match operator {
        Operator::Eq => Some(reference.equal_to(datum)),
        Operator::Lt => Some(reference.less_than(datum)),
        Operator::LtEq => Some(reference.less_than_or_equal_to(datum)),
        Operator::Gt => Some(reference.greater_than(datum)),
        Operator::GtEq => Some(reference.greater_than_or_equal_to(datum)),
        _ => None,
    }
}

fn listed(name: &str, list: &[Expr], columns: &Columns<'_>) -> Option<Predicate> {
    if list.len() > LONGEST_LIST {
        return None;
    }
    let (name, of) = columns.find(name)?;
    let value = |item: &Expr| match item {
        Expr::Literal(value, _) => datum(value, &of),
        _ => None,
    };
    let values: Vec<Datum> = list.iter().map(value).collect::<Option<_>>()?;
    Some(Reference::new(name).is_in(values))
}

/// A value as the column's type has it, if it is one of that type exactly.
pub(crate) fn datum(value: &ScalarValue, of: &PrimitiveType) -> Option<Datum> {
    match (of, value) {
        (PrimitiveType::Boolean, ScalarValue::Boolean(Some(value))) => Some(Datum::bool(*value)),
        (PrimitiveType::Int, ScalarValue::Int32(Some(value))) => Some(Datum::int(*value)),
        (PrimitiveType::Int, ScalarValue::Int64(Some(value))) => i32::try_from(*value).ok().map(Datum::int),
        (PrimitiveType::Long, ScalarValue::Int64(Some(value))) => Some(Datum::long(*value)),
        (PrimitiveType::Long, ScalarValue::Int32(Some(value))) => Some(Datum::long(*value)),
        // A comparison with what is not a number follows other rules in files than in SQL.
        (PrimitiveType::Float, ScalarValue::Float32(Some(value))) if !value.is_nan() => Some(Datum::float(*value)),
        (PrimitiveType::Double, ScalarValue::Float64(Some(value))) if !value.is_nan() => Some(Datum::double(*value)),
        (PrimitiveType::Date, ScalarValue::Date32(Some(value))) => Some(Datum::date(*value)),
        (PrimitiveType::Timestamp, ScalarValue::TimestampMicrosecond(Some(value), None)) => {
            Some(Datum::timestamp_micros(*value))
        }
        (
            PrimitiveType::String,
            ScalarValue::Utf8(Some(value)) | ScalarValue::LargeUtf8(Some(value)) | ScalarValue::Utf8View(Some(value)),
        ) => Some(Datum::string(value)),
        _ => None,
    }
}
