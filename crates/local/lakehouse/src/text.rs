//! Values and types as Athena writes them into results: Trino's texts, in rows of strings.
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_ColumnInfo.html>.

use std::fmt::Write as _;

use datafusion::arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Result, query as failed};

/// A column of an answer, as Athena describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// Its type (`varchar`, `bigint`, `row`).
    pub type_name: String,
    /// How many digits or characters it holds at most.
    pub precision: u32,
    /// How many of them stand behind the point.
    pub scale: u32,
}

/// The columns of an answer.
#[must_use]
pub fn result_columns(schema: &Schema) -> Vec<ResultColumn> {
    let column = |field: &std::sync::Arc<datafusion::arrow::datatypes::Field>| {
        let (type_name, precision, scale) = type_of(field.data_type());
        ResultColumn { name: field.name().clone(), type_name: type_name.to_owned(), precision, scale }
    };
    schema.fields().iter().map(column).collect()
}

/// What Athena says of a text's length.
const ANY_LENGTH: u32 = i32::MAX.unsigned_abs();

fn type_of(of: &DataType) -> (&'static str, u32, u32) {
    match of {
        DataType::Null => ("unknown", 0, 0),
        DataType::Boolean => ("boolean", 0, 0),
        DataType::Int8 => ("tinyint", 3, 0),
        DataType::Int16 | DataType::UInt8 => ("smallint", 5, 0),
        DataType::Int32 | DataType::UInt16 => ("integer", 10, 0),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => ("bigint", 19, 0),
        DataType::Float16 | DataType::Float32 => ("float", 17, 0),
        DataType::Float64 => ("double", 17, 0),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => ("decimal", u32::from(*precision), u32::from(scale.unsigned_abs())),
        DataType::Date32 | DataType::Date64 => ("date", 0, 0),
        DataType::Timestamp(_, None) => ("timestamp", 3, 0),
        DataType::Timestamp(_, Some(_)) => ("timestamp with time zone", 3, 0),
        DataType::Time32(_) | DataType::Time64(_) => ("time", 3, 0),
        DataType::Interval(_) | DataType::Duration(_) => ("interval day to second", 0, 0),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            ("varbinary", 0, 0)
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => ("array", 0, 0),
        DataType::Map(..) => ("map", 0, 0),
        DataType::Struct(_) => ("row", 0, 0),
        DataType::Dictionary(_, value) => type_of(value),
        _ => ("varchar", ANY_LENGTH, 0),
    }
}

/// A row of texts; none is null.
pub type TextRow = Vec<Option<String>>;

/// The rows of a batch as texts.
///
/// # Errors
/// For values of a type that has no text.
pub fn text_rows(batch: &RecordBatch) -> Result<Vec<TextRow>> {
    let row = |row: usize| batch.columns().iter().map(|column| cell(column.as_ref(), row)).collect();
    (0..batch.num_rows()).map(row).collect()
}

/// A column's values as texts.
pub(crate) fn text_column(column: &ArrayRef) -> Result<StringArray> {
    let mut texts = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        texts.push(cell(column.as_ref(), row)?);
    }
    Ok(texts.into_iter().collect())
}

fn cell(column: &dyn Array, row: usize) -> Result<Option<String>> {
    if column.is_null(row) || *column.data_type() == DataType::Null {
        return Ok(None);
    }
    let mut text = String::new();
    write(column, row, &mut text)?;
    Ok(Some(text))
}

/// Writes one value that is not null.
fn write(column: &dyn Array, row: usize, text: &mut String) -> Result<()> {
    macro_rules! plain {
        ($of:ty) => {
            push(text, column.as_primitive::<$of>().value(row))
        };
    }
    match column.data_type() {
        DataType::Boolean => push(text, column.as_boolean().value(row)),
        DataType::Int8 => plain!(Int8Type),
        DataType::Int16 => plain!(Int16Type),
        DataType::Int32 => plain!(Int32Type),
        DataType::Int64 => plain!(Int64Type),
        DataType::UInt8 => plain!(UInt8Type),
        DataType::UInt16 => plain!(UInt16Type),
        DataType::UInt32 => plain!(UInt32Type),
        DataType::UInt64 => plain!(UInt64Type),
        DataType::Float32 => {
            let value = column.as_primitive::<Float32Type>().value(row);
            text.push_str(&float(f64::from(value), &format!("{value:e}")));
        }
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            text.push_str(&float(value, &format!("{value:e}")));
        }
        DataType::Decimal128(..) => text.push_str(&column.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Utf8 => text.push_str(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text.push_str(column.as_string::<i64>().value(row)),
        DataType::Utf8View => text.push_str(column.as_string_view().value(row)),
        DataType::Binary => hex(column.as_binary::<i32>().value(row), text),
        DataType::LargeBinary => hex(column.as_binary::<i64>().value(row), text),
        DataType::BinaryView => hex(column.as_binary_view().value(row), text),
        DataType::FixedSizeBinary(_) => hex(column.as_fixed_size_binary().value(row), text),
        DataType::Date32 => {
            if let Some(date) = column.as_primitive::<Date32Type>().value_as_date(row) {
                push(text, date);
            }
        }
        DataType::Timestamp(unit, zone) => timestamp(column, row, *unit, zone.is_some(), text),
        DataType::List(_) => items(column.as_list::<i32>().value(row).as_ref(), text)?,
        DataType::LargeList(_) => items(column.as_list::<i64>().value(row).as_ref(), text)?,
        DataType::FixedSizeList(..) => items(column.as_fixed_size_list().value(row).as_ref(), text)?,
        DataType::Struct(fields) => {
            let columns = column.as_struct().columns();
            let named = fields.iter().zip(columns).map(|(field, column)| (field.name().as_str(), column.as_ref(), row));
            members(named, text)?;
        }
        DataType::Map(..) => map(column.as_map().value(row).columns(), text)?,
        _ => other(column, row, text)?,
    }
    Ok(())
}

fn push(text: &mut String, value: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = write!(text, "{value}");
}

fn other(column: &dyn Array, row: usize, text: &mut String) -> Result<()> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options);
    let formatter = formatter.map_err(|error| failed("write a value")(error.into()))?;
    push(text, formatter.value(row));
    Ok(())
}

fn nested(column: &dyn Array, row: usize, text: &mut String) -> Result<()> {
    if column.is_null(row) {
        text.push_str("null");
        return Ok(());
    }
    write(column, row, text)
}

fn items(values: &dyn Array, text: &mut String) -> Result<()> {
    text.push('[');
    for at in 0..values.len() {
        text.push_str(if at > 0 { ", " } else { "" });
        nested(values, at, text)?;
    }
    text.push(']');
    Ok(())
}

fn members<'a>(named: impl Iterator<Item = (&'a str, &'a dyn Array, usize)>, text: &mut String) -> Result<()> {
    text.push('{');
    for (at, (name, column, row)) in named.enumerate() {
        text.push_str(if at > 0 { ", " } else { "" });
        text.push_str(name);
        text.push('=');
        nested(column, row, text)?;
    }
    text.push('}');
    Ok(())
}

fn map(columns: &[ArrayRef], text: &mut String) -> Result<()> {
    text.push('{');
    if let [keys, values] = columns {
        for at in 0..keys.len() {
            text.push_str(if at > 0 { ", " } else { "" });
            nested(keys.as_ref(), at, text)?;
            text.push('=');
            nested(values.as_ref(), at, text)?;
        }
    }
    text.push('}');
    Ok(())
}

fn hex(bytes: &[u8], text: &mut String) {
    for (at, byte) in bytes.iter().enumerate() {
        text.push_str(if at > 0 { " " } else { "" });
        push(text, format_args!("{byte:02x}"));
    }
}

/// Java's text of a number: `1.0`, `1.5E10`. `exponential` has the fewest digits that tell it apart.
fn float(value: f64, exponential: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (digits, exponent) = exponential.split_once('e').unwrap_or((exponential, "0"));
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e7).contains(&magnitude) {
        let point = if digits.contains('.') { "" } else { ".0" };
        return format!("{digits}{point}E{exponent}");
    }
    placed(digits, exponent.parse().unwrap_or(0))
}

/// Digits with the point moved by `exponent`; at least one digit on each side.
fn placed(digits: &str, exponent: i32) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let bare: String = digits.chars().filter(char::is_ascii_digit).collect();
    let whole = 1 + exponent;
    if whole <= 0 {
        return format!("{sign}0.{}{bare}", "0".repeat(usize::try_from(-whole).unwrap_or(0)));
    }
    let whole = usize::try_from(whole).unwrap_or(0);
    let padded = if bare.len() <= whole { format!("{bare}{}0", "0".repeat(whole - bare.len())) } else { bare };
    let (before, after) = padded.split_at(whole);
    format!("{sign}{before}.{after}")
}

/// A moment with as many digits as its unit has, and never fewer than three: what Athena shows of a Hive table's
/// milliseconds and an Iceberg table's microseconds.
fn timestamp(column: &dyn Array, row: usize, unit: TimeUnit, has_zone: bool, text: &mut String) {
    let moment = match unit {
        TimeUnit::Second => column.as_primitive::<TimestampSecondType>().value_as_datetime(row),
        TimeUnit::Millisecond => column.as_primitive::<TimestampMillisecondType>().value_as_datetime(row),
        TimeUnit::Microsecond => column.as_primitive::<TimestampMicrosecondType>().value_as_datetime(row),
        TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().value_as_datetime(row),
    };
    let Some(moment) = moment else { return };
    let nanoseconds = moment.and_utc().timestamp_subsec_nanos();
    let format = match unit {
        TimeUnit::Microsecond => "%Y-%m-%d %H:%M:%S%.6f",
        TimeUnit::Nanosecond if nanoseconds % 1_000_000 != 0 => "%Y-%m-%d %H:%M:%S%.9f",
        _ => "%Y-%m-%d %H:%M:%S%.3f",
    };
    push(text, moment.format(format));
    if has_zone {
        text.push_str(" UTC");
    }
}

#[cfg(test)]
mod tests {
    use super::float;

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        for (value, text) in [
            (1.0, "1.0"),
            (-0.5, "-0.5"),
            (0.0, "0.0"),
            (123.456, "123.456"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1.25e10, "1.25E10"),
            (0.001, "0.001"),
            (0.0123, "0.0123"),
            (0.000_15, "1.5E-4"),
            (100.0, "100.0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(float(value, &format!("{value:e}")), text);
        }
    }
}
