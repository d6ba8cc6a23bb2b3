//! The types of columns: how a cell is read, how it is staged, and what the table makes of it.
//!
//! Numbers, texts and booleans are staged as themselves; what JSON has no type for is staged as text and cast.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Number, Value};

/// Longer than any sequencer of S3, which has 16 or 18 digits.
const SEQUENCER_CHARS: usize = 32;

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// 32 bits.
    Int,
    /// 64 bits.
    BigInt,
    /// Binary floating point.
    Double,
    /// Precision and scale.
    Decimal(u8, u8),
    /// Text.
    String,
    /// A day.
    Date,
    /// Microseconds, in UTC.
    Timestamp,
    /// A sequencer of S3, in a form that compares as text.
    Sequencer,
    /// Texts.
    Texts,
}

impl Kind {
    /// Reads a type as the settings spell it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.to_ascii_lowercase().split_whitespace().collect();
        Some(match text.as_str() {
            "boolean" => Self::Boolean,
            "int" | "integer" => Self::Int,
            "bigint" => Self::BigInt,
            "double" => Self::Double,
            "string" => Self::String,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "sequencer" => Self::Sequencer,
            "array<string>" => Self::Texts,
            _ => return decimal(&text),
        })
    }

    /// The type of the table's column.
    #[must_use]
    pub fn declared(self) -> String {
        match self {
            Self::Boolean => "boolean".to_owned(),
            Self::Int => "int".to_owned(),
            Self::BigInt => "bigint".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            Self::String | Self::Sequencer => "string".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Texts => "array<string>".to_owned(),
        }
    }

    /// The type of the staged column.
    #[must_use]
    pub fn staged(self) -> String {
        match self {
            Self::Decimal(..) | Self::Date | Self::Timestamp => "string".to_owned(),
            other => other.declared(),
        }
    }

    /// The expression that makes the table's value of the staged `column`.
    #[must_use]
    pub fn of_staged(self, column: &str) -> String {
        match self {
            Self::Decimal(precision, scale) => format!("CAST({column} AS decimal({precision}, {scale}))"),
            Self::Date => format!("CAST({column} AS date)"),
            Self::Timestamp => format!("CAST({column} AS timestamp(6))"),
            _ => column.to_owned(),
        }
    }

    /// Whether Iceberg can order and partition by it.
    #[must_use]
    pub fn is_scalar(self) -> bool {
        self != Self::Texts
    }

    /// The staged value of a text.
    ///
    /// # Errors
    /// What the text is not; the text itself is not repeated, for it may be personal.
    pub fn read_text(self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        let wrong = || format!("it is no {self}");
        match self {
            Self::String => Ok(Value::from(text)),
            Self::Boolean => boolean(trimmed).map(Value::Bool).ok_or_else(wrong),
            Self::Int => trimmed.parse::<i32>().map(Value::from).map_err(|_| wrong()),
            Self::BigInt => trimmed.parse::<i64>().map(Value::from).map_err(|_| wrong()),
            Self::Double => trimmed.parse().ok().and_then(Number::from_f64).map(Value::Number).ok_or_else(wrong),
            Self::Decimal(precision, scale) => exact(trimmed, precision, scale).map(Value::from).ok_or_else(wrong),
            Self::Date => trimmed.parse::<Date>().map(|date| Value::from(date.to_string())).map_err(|_| wrong()),
            Self::Timestamp => timestamp(trimmed).map(Value::from).ok_or_else(wrong),
            Self::Sequencer => sequencer(trimmed).map(Value::from).ok_or_else(wrong),
            Self::Texts => {
                let texts: Result<Vec<String>, _> = serde_json::from_str(trimmed);
                texts.map(Value::from).map_err(|_| wrong())
            }
        }
    }

    /// The staged value of a JSON value that is not null.
    ///
    /// # Errors
    /// As [`Kind::read_text`].
    pub fn read_json(self, value: &Value) -> Result<Value, String> {
        let wrong = || format!("it is no {self}");
        match (self, value) {
            (_, Value::String(text)) => self.read_text(text),
            (Self::String, other) => Ok(Value::from(other.to_string())),
            (Self::Boolean, Value::Bool(_)) => Ok(value.clone()),
            (Self::Int | Self::BigInt | Self::Double | Self::Decimal(..), Value::Number(number)) => {
                self.read_text(&number.to_string())
            }
            (Self::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => Ok(value.clone()),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequencer => f.write_str("sequencer"),
            other => f.write_str(&other.declared()),
        }
    }
}

fn decimal(text: &str) -> Option<Kind> {
    let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.parse().ok()?, scale.parse().ok()?);
    ((1..=38).contains(&precision) && scale <= precision).then_some(Kind::Decimal(precision, scale))
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" => Some(true),
        "false" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// A decimal number that fits without rounding.
fn exact(text: &str, precision: u8, scale: u8) -> Option<String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = whole.trim_start_matches('0').len() <= usize::from(precision - scale)
        && fraction.trim_end_matches('0').len() <= usize::from(scale);
    let is_number = plain(whole) && plain(fraction) && !(whole.is_empty() && fraction.is_empty());
    (is_number && fits).then(|| text.trim_start_matches('+').to_owned())
}

/// A point in time, with or without an offset (without one it is in UTC), or a day.
fn timestamp(text: &str) -> Option<String> {
    let instant: Option<Timestamp> = text.parse().ok();
    let civil = match instant {
        Some(instant) => instant.to_zoned(TimeZone::UTC).datetime(),
        None => text.parse::<DateTime>().ok()?,
    };
    Some(civil.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

/// Hexadecimal digits, the shorter padded with zeros on the right, as [`crate::object::compare_sequencers`] compares.
fn sequencer(text: &str) -> Option<String> {
    let is_hex = text.len() <= SEQUENCER_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| format!("{:0<SEQUENCER_CHARS$}", text.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_fit_their_types_or_are_refused() {
        for (kind, text, staged) in [
            ("int", " 12 ", Some("12")),
            ("int", "2147483648", None),
            ("bigint", "-9223372036854775808", Some("-9223372036854775808")),
            ("bigint", "1.0", None),
            ("double", "1e3", Some("1000.0")),
            ("double", "NaN", None),
            ("decimal(5,2)", "123.450", Some("\"123.450\"")),
            ("decimal(5,2)", "1234.5", None),
            ("decimal(5,2)", "1.234", None),
            ("decimal(5,2)", ".", None),
            ("boolean", "TRUE", Some("true")),
            ("boolean", "yes", None),
            ("string", " a ", Some("\" a \"")),
            ("date", "2022-03-02", Some("\"2022-03-02\"")),
            ("date", "2022-02-30", None),
            ("timestamp", "2022-03-02 11:34:01", Some("\"2022-03-02 11:34:01.000000\"")),
            ("timestamp", "2022-03-02T11:34:01.5+02:00", Some("\"2022-03-02 09:34:01.500000\"")),
            ("timestamp", "2022-03-02", Some("\"2022-03-02 00:00:00.000000\"")),
            ("timestamp", "yesterday", None),
            ("sequencer", "00a1", Some("\"00A10000000000000000000000000000\"")),
            ("sequencer", "x", None),
            ("array<string>", "[\"a\"]", Some("[\"a\"]")),
            ("array<string>", "a", None),
        ] {
            let kind = Kind::parse(kind).unwrap();
            assert_eq!(kind.read_text(text).ok().map(|value| value.to_string()).as_deref(), staged, "{kind}: {text}");
        }
    }

    #[test]
    fn json_values_keep_their_meaning() {
        for (kind, json, staged) in [
            ("bigint", "9007199254740993", Some("9007199254740993")),
            ("bigint", "true", None),
            ("string", "{\"a\":1}", Some("\"{\\\"a\\\":1}\"")),
            ("array<string>", "[\"a\",\"b\"]", Some("[\"a\",\"b\"]")),
            ("array<string>", "[1]", None),
            ("decimal(3,1)", "1.5", Some("\"1.5\"")),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            let read = Kind::parse(kind).unwrap().read_json(&value).ok();
            assert_eq!(read.map(|value| value.to_string()).as_deref(), staged, "{kind}: {json}");
        }
    }

    #[test]
    fn types_that_are_none_are_refused() {
        for text in ["decimal(39,1)", "decimal(2,3)", "decimal", "float4", "array<int>", ""] {
            assert_eq!(Kind::parse(text), None, "{text}");
        }
    }
}
