//! A scalar function from a Rust function over one row of arguments. Null in gives null out.

use std::any::Any;
use std::fmt;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// Every function that is made here, for the list of what is known.
pub(super) const NAMES: &[&str] = &[
    "date_add",
    "date_diff",
    "date_format",
    "date_parse",
    "format_datetime",
    "from_base64",
    "from_base64url",
    "from_hex",
    "from_iso8601_timestamp",
    "from_unixtime",
    "from_utf8",
    "hamming_distance",
    "is_json_scalar",
    "json_array_contains",
    "json_array_get",
    "json_array_length",
    "json_extract",
    "json_extract_scalar",
    "json_parse",
    "json_size",
    "last_day_of_month",
    "md5",
    "parse_datetime",
    "regexp_count",
    "regexp_extract",
    "regexp_extract_all",
    "regexp_position",
    "regexp_replace",
    "regexp_split",
    "sha1",
    "sha256",
    "sha512",
    "split_part",
    "to_base64",
    "to_base64url",
    "to_hex",
    "to_iso8601",
    "to_unixtime",
    "to_utf8",
    "url_decode",
    "url_encode",
    "url_extract_fragment",
    "url_extract_host",
    "url_extract_parameter",
    "url_extract_path",
    "url_extract_port",
    "url_extract_protocol",
    "url_extract_query",
];

/// One row's arguments, of the types that the function declared, none of them null.
pub(super) type Row<'a> = &'a [ScalarValue];

type Body = fn(Row<'_>) -> Result<ScalarValue, String>;

/// A function: its name, the types of its arguments in each form, the type of its value, and what it does.
pub(super) struct Made {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) forms: Vec<Vec<DataType>>,
    pub(super) gives: Gives,
    pub(super) body: Body,
}

/// The type of a function's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Gives {
    This(DataType),
    /// The type of the nth argument.
    Argument(usize),
}

struct Function {
    made: Made,
    aliases: Vec<String>,
    signature: Signature,
}

impl Made {
    pub(super) fn udf(self) -> ScalarUDF {
        let signature = Signature::user_defined(Volatility::Immutable);
        let aliases = self.aliases.iter().map(|alias| (*alias).to_owned()).collect();
        ScalarUDF::from(Function { made: self, aliases, signature })
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Function").field("name", &self.made.name).finish_non_exhaustive()
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.made.name == other.made.name
    }
}

impl Eq for Function {}

impl std::hash::Hash for Function {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.made.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        self.made.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let fits = |form: &&Vec<DataType>| {
            form.len() == given.len() && given.iter().zip(form.iter()).all(|(given, wanted)| accepts(given, wanted))
        };
        let none = || {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            DataFusionError::Plan(format!("`{}` does not take ({})", self.made.name, given.join(", ")))
        };
        self.made.forms.iter().find(fits).cloned().ok_or_else(none)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let none = || DataFusionError::Plan(format!("`{}` needs more arguments", self.made.name));
        match &self.made.gives {
            Gives::This(of) => Ok(of.clone()),
            Gives::Argument(nth) => arguments.get(*nth).cloned().ok_or_else(none),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let gives = args.return_field.data_type().clone();
        let is_constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let values = (0..rows).map(|row| self.one(&arrays, row, &gives));
        if is_constant {
            return Ok(ColumnarValue::Scalar(self.one(&arrays, 0, &gives)?));
        }
        let values: Vec<ScalarValue> = values.collect::<Result<_>>()?;
        let array = if values.is_empty() {
            datafusion::arrow::array::new_empty_array(&gives)
        } else {
            ScalarValue::iter_to_array(values)?
        };
        Ok(ColumnarValue::Array(if array.data_type() == &gives { array } else { cast(&array, &gives)? }))
    }
}

impl Function {
    fn one(&self, arrays: &[ArrayRef], row: usize, gives: &DataType) -> Result<ScalarValue> {
        if arrays.iter().any(|array| array.is_null(row)) {
            return ScalarValue::try_from(gives);
        }
        let values = arrays.iter().map(|array| ScalarValue::try_from_array(array, row));
        let values: Vec<ScalarValue> = values.collect::<Result<_>>()?;
        let failed = |why: String| DataFusionError::Execution(format!("`{}`: {why}", self.made.name));
        (self.made.body)(&values).map_err(failed)
    }
}

/// Whether a value may stand for an argument: of the same kind, so that nothing is lost.
fn accepts(given: &DataType, wanted: &DataType) -> bool {
    match wanted {
        _ if given.is_null() => true,
        DataType::Utf8 => matches!(given, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        DataType::Binary => matches!(
            given,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        ),
        DataType::Int64 => given.is_integer(),
        DataType::Float64 => given.is_numeric(),
        DataType::Timestamp(..) => matches!(given, DataType::Timestamp(..) | DataType::Date32),
        other => given == other,
    }
}

pub(super) fn text(value: &ScalarValue) -> &str {
    match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => text,
        _ => "",
    }
}

pub(super) fn bytes(value: &ScalarValue) -> &[u8] {
    match value {
        ScalarValue::Binary(Some(bytes)) => bytes,
        _ => &[],
    }
}

pub(super) fn whole(value: &ScalarValue) -> i64 {
    match value {
        ScalarValue::Int64(Some(number)) => *number,
        _ => 0,
    }
}

/// A moment in microseconds.
pub(super) fn micros(value: &ScalarValue) -> i64 {
    match value {
        ScalarValue::TimestampMicrosecond(Some(micros), _) => *micros,
        _ => 0,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what the functions give back")]
pub(super) fn string(text: Option<String>) -> Result<ScalarValue, String> {
    Ok(ScalarValue::Utf8(text))
}

/// A list of texts.
#[expect(clippy::unnecessary_wraps, reason = "it is what the functions give back")]
pub(super) fn texts<'a>(items: impl Iterator<Item = Option<&'a str>>) -> Result<ScalarValue, String> {
    let items: Vec<ScalarValue> = items.map(|item| ScalarValue::Utf8(item.map(str::to_owned))).collect();
    Ok(ScalarValue::List(ScalarValue::new_list_nullable(&items, &DataType::Utf8)))
}

/// The type of a list of texts.
pub(super) fn texts_type() -> DataType {
    DataType::new_list(DataType::Utf8, true)
}

/// Shared for the tests of the functions: a call with constant arguments.
#[cfg(test)]
pub(super) fn called(function: &Made, arguments: &[ScalarValue]) -> Result<ScalarValue, String> {
    (function.body)(arguments)
}

/// A list of made functions as DataFusion takes them.
pub(super) fn all(made: Vec<Made>) -> Vec<ScalarUDF> {
    made.into_iter().map(Made::udf).collect()
}

/// Keeps the type out of signatures elsewhere.
pub(super) fn micro_type() -> DataType {
    DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Microsecond, None)
}
