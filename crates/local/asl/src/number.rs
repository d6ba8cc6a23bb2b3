//! JSON numbers: compared by value (`1` equals `1.0`, and large integers keep their last digit),
//! and written as the service's Java writes them.

use std::cmp::Ordering;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Number, Value};

/// The order of two numbers.
pub(crate) fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// The whole number nearest to a value, halves towards positive infinity as Java rounds.
#[expect(clippy::cast_possible_truncation, reason = "the service's integers are Java's, and Java's casts saturate too")]
pub(crate) fn round(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| Some((number.as_f64()? + 0.5).floor() as i64))
}

/// JSON text with numbers as Java writes them.
pub(crate) fn java_json(value: &Value) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, JavaNumbers);
    value.serialize(&mut serializer).expect("a value in memory serialises to memory");
    String::from_utf8(text).expect("JSON is text")
}

struct JavaNumbers;

impl Formatter for JavaNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(java_double(value).as_bytes())
    }
}

/// A double as `Double.toString` writes it: with an exponent from ten millions and below a thousandth.
fn java_double(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::java_double;

    #[test]
    fn doubles_look_as_in_java() {
        let cases = [
            (0.0, "0.0"),
            (-0.5, "-0.5"),
            (100.0, "100.0"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (123_456_789.5, "1.234567895E8"),
            (0.001, "0.001"),
            (0.000_12, "1.2E-4"),
            (-1e300, "-1.0E300"),
        ];
        for (value, expected) in cases {
            assert_eq!(java_double(value), expected);
        }
    }
}
