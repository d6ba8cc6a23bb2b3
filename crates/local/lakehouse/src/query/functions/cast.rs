//! Casts that mean something else in Trino than in DataFusion: to text, which has Trino's forms of numbers, moments and
//! nested values and may have a length; and to whole numbers, which are rounded and not cut off.
//! <https://trino.io/docs/current/functions/conversion.html>.

use std::any::Any;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr as Planned, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{self, CharacterLength, ExactNumberInfo, Expr};

use super::{template, text};
use crate::error::{Result, external};
use crate::text::text_column;

/// Any value as Trino writes it.
const TEXT: &str = "trino_text";
/// A number with a fraction, rounded to a whole one; any other value as it is.
const ROUNDED: &str = "trino_rounded";

pub(super) fn functions() -> Vec<ScalarUDF> {
    [Kind::Text, Kind::Rounded].map(|kind| ScalarUDF::from(Conversion::new(kind))).to_vec()
}

/// What a cast becomes; nothing if it stays as it is.
pub(super) fn rewritten(of: &Expr, to: &ast::DataType) -> Result<Option<Expr>> {
    use ast::DataType as To;
    let text = match to {
        To::Varchar(length) | To::CharVarying(length) | To::CharacterVarying(length) => {
            match characters(length.as_ref()) {
                Some(most) => format!("{}({TEXT}({of}), 1, {most})", text::SUBSTR),
                None => format!("{TEXT}({of})"),
            }
        }
        To::Char(length) | To::Character(length) => {
            let exactly = characters(length.as_ref()).unwrap_or(1);
            format!("rpad({}({TEXT}({of}), 1, {exactly}), {exactly})", text::SUBSTR)
        }
        To::String(None) | To::Text => format!("{TEXT}({of})"),
        _ => return Ok(None),
    };
    template::parsed(&text).map(Some)
}

/// A cast to a whole number rounds first.
pub(super) fn round(of: &mut Expr, to: &mut ast::DataType) -> Result<()> {
    use ast::DataType as To;
    match to {
        To::TinyInt(_) | To::SmallInt(_) | To::Int(_) | To::Integer(_) | To::BigInt(_) => {
            *of = template::parsed(&format!("{ROUNDED}({of})"))?;
        }
        // Trino's decimal without digits has no fraction.
        To::Decimal(digits @ ExactNumberInfo::None) | To::Numeric(digits @ ExactNumberInfo::None) => {
            *digits = ExactNumberInfo::PrecisionAndScale(38, 0);
        }
        _ => {}
    }
    Ok(())
}

fn characters(length: Option<&CharacterLength>) -> Option<u64> {
    match length {
        Some(CharacterLength::IntegerLength { length, .. }) => Some(*length),
        Some(CharacterLength::Max) | None => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Text,
    Rounded,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Conversion {
    kind: Kind,
    signature: Signature,
}

impl Conversion {
    fn new(kind: Kind) -> Self {
        Self { kind, signature: Signature::any(1, Volatility::Immutable) }
    }

    /// Whether a value of this type is what it becomes.
    fn keeps(&self, of: &DataType) -> bool {
        match self.kind {
            Kind::Text => *of == DataType::Utf8,
            Kind::Rounded => !of.is_floating() && !has_fraction(of),
        }
    }

    fn converted(&self, values: &ArrayRef) -> Result<ArrayRef> {
        if self.keeps(values.data_type()) {
            return Ok(Arc::clone(values));
        }
        let failed = |error: datafusion::arrow::error::ArrowError| crate::error::query("cast")(error.into());
        match (self.kind, values.data_type()) {
            (Kind::Text, DataType::LargeUtf8 | DataType::Utf8View) => cast(values, &DataType::Utf8).map_err(failed),
            (Kind::Text, _) => Ok(Arc::new(text_column(values)?)),
            (Kind::Rounded, DataType::Decimal128(digits, _)) => {
                cast(values, &DataType::Decimal128(*digits, 0)).map_err(failed)
            }
            (Kind::Rounded, DataType::Decimal256(digits, _)) => {
                cast(values, &DataType::Decimal256(*digits, 0)).map_err(failed)
            }
            (Kind::Rounded, of) => {
                let rounded = rounded(&cast(values, &DataType::Float64).map_err(failed)?);
                cast(&rounded, of).map_err(failed)
            }
        }
    }
}

fn has_fraction(of: &DataType) -> bool {
    matches!(of, DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) if *scale > 0)
}

/// Half goes away from zero, as in Java's `Math.round` of a positive number and Trino's of any.
fn rounded(values: &ArrayRef) -> ArrayRef {
    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Float64Type;
    Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round))
}

impl ScalarUDFImpl for Conversion {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        match self.kind {
            Kind::Text => TEXT,
            Kind::Rounded => ROUNDED,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> DataFusionResult<DataType> {
        let of = arguments.first().cloned().unwrap_or(DataType::Null);
        Ok(match (self.kind, of) {
            (Kind::Text, _) => DataType::Utf8,
            (Kind::Rounded, DataType::Decimal128(digits, scale)) if scale > 0 => DataType::Decimal128(digits, 0),
            (Kind::Rounded, DataType::Decimal256(digits, scale)) if scale > 0 => DataType::Decimal256(digits, 0),
            (Kind::Rounded, other) => other,
        })
    }

    fn simplify(&self, mut arguments: Vec<Planned>, info: &SimplifyContext) -> DataFusionResult<ExprSimplifyResult> {
        // What stays as it is may be compared with statistics.
        if arguments.len() == 1 && self.keeps(&info.get_data_type(&arguments[0])?) {
            return Ok(ExprSimplifyResult::Simplified(arguments.remove(0)));
        }
        Ok(ExprSimplifyResult::Original(arguments))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let is_constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let values = ColumnarValue::values_to_arrays(&args.args)?;
        let converted = self.converted(&values[0]).map_err(external)?;
        if is_constant {
            let value = datafusion::common::ScalarValue::try_from_array(&converted, 0)?;
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(converted))
    }
}
