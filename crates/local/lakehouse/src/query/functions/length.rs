//! `length`: characters of a text, bytes of a binary. DataFusion's would take the bytes for a text.
//! <https://trino.io/docs/current/functions/string.html#length>,
//! <https://trino.io/docs/current/functions/binary.html#length>.

use std::any::Any;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::{cast, kernels};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![ScalarUDF::from(Length { signature: Signature::user_defined(Volatility::Immutable) })]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Length {
    signature: Signature,
}

impl ScalarUDFImpl for Length {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &'static str {
        "length"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        use DataType as Of;
        Ok(vec![match given {
            [Of::Binary | Of::LargeBinary | Of::BinaryView | Of::FixedSizeBinary(_)] => Of::Binary,
            [Of::Utf8 | Of::LargeUtf8 | Of::Utf8View | Of::Null] => Of::Utf8,
            [other] => return plan_err!("`length` takes a text or a binary, not a value of type {other}"),
            _ => return plan_err!("`length` takes one value"),
        }])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let values = ColumnarValue::values_to_arrays(&args.args)?;
        let lengths: ArrayRef = match values[0].data_type() {
            DataType::Utf8 => {
                let texts = values[0].as_string::<i32>().iter();
                let count = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
                Arc::new(texts.map(|text| text.map(count)).collect::<Int64Array>())
            }
            _ => cast(&kernels::length::length(&values[0])?, &DataType::Int64)?,
        };
        if is_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&lengths, 0)?));
        }
        Ok(ColumnarValue::Array(lengths))
    }
}
