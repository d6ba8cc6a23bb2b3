//! Comparing JSON numbers by value: `1` equals `1.0`, and large integers keep their last digit.

use std::cmp::Ordering;

use serde_json::Number;

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
