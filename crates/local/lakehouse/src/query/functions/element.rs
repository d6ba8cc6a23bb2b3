//! The nth column of an unnested item: a field of a row, or the item itself where it is no row.
//! Only `query::unnest` writes calls of it.

use std::any::Any;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::{is_null, nullif};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The function's name: item, number of the column from 1, number of columns.
pub(in crate::query) const ELEMENT: &str = "unnest_element";

#[derive(Debug, PartialEq, Eq, Hash)]
struct Element {
    signature: Signature,
}

pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Element { signature: Signature::any(3, Volatility::Immutable) })
}

impl ScalarUDFImpl for Element {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &'static str {
        ELEMENT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(DataFusionError::Internal("the type depends on the numbers".to_owned()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let number = |at: usize| whole(args.scalar_arguments.get(at).copied().flatten());
        let item = args.arg_fields.first().map(|field| field.data_type().clone()).unwrap_or(DataType::Null);
        let of = column_type(&item, number(1), number(2))?;
        Ok(Arc::new(Field::new(ELEMENT, of, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let nth = match args.args.get(1) {
            Some(ColumnarValue::Scalar(number)) => whole(Some(number)),
            _ => 0,
        };
        let item = match args.args.first() {
            Some(item) => item.to_array(args.number_rows)?,
            None => return Err(DataFusionError::Internal("there is no item".to_owned())),
        };
        Ok(ColumnarValue::Array(field(&item, nth)?))
    }
}

fn whole(value: Option<&ScalarValue>) -> usize {
    match value {
        Some(ScalarValue::Int64(Some(number))) => usize::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

/// The type of a column. All fields of a row must be named, as Trino wants it.
fn column_type(item: &DataType, nth: usize, columns: usize) -> Result<DataType> {
    let wrong = |has: usize| {
        DataFusionError::Plan(format!("UNNEST gives {has} columns, and {columns} are named: name each of them"))
    };
    match item {
        DataType::Struct(fields) if fields.len() != columns => Err(wrong(fields.len())),
        DataType::Struct(fields) => {
            nth.checked_sub(1).and_then(|at| fields.get(at)).map(|field| field.data_type().clone()).ok_or_else(|| wrong(fields.len()))
        }
        _ if columns != 1 => Err(wrong(1)),
        other => Ok(other.clone()),
    }
}

/// The nth field of each row, null where the row is.
fn field(item: &ArrayRef, nth: usize) -> Result<ArrayRef> {
    let Some(rows) = item.as_struct_opt() else { return Ok(Arc::clone(item)) };
    let at = nth.checked_sub(1).filter(|at| *at < rows.num_columns());
    let at = at.ok_or_else(|| DataFusionError::Internal(format!("there is no field {nth}")))?;
    let missing: BooleanArray = is_null(item)?;
    Ok(nullif(rows.column(at), &missing)?)
}
