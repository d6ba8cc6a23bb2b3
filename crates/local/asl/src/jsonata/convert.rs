//! JSON values into JSONata's and back.
//!
//! A JSONata value may share its parts, so a small one can be a huge document; turning it into
//! JSON stops at a bound.

use std::rc::Rc;

use jsonata_core::value::{JMap, JValue};
use serde_json::{Map, Number, Value};

/// The most values that a result may hold. A document within the payload limit has far fewer.
const MAX_VALUES: usize = 1_000_000;

/// How deep a result may nest.
const MAX_DEPTH: usize = 1_000;

/// Why a value is not turned into JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Unsupported,
    TooLarge,
}

pub(super) fn from_json(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(truth) => JValue::Bool(*truth),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or_default()),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(from_json).collect()),
        Value::Object(members) => {
            let members: JMap = members.iter().map(|(name, value)| (name.clone(), from_json(value))).collect();
            JValue::Object(Rc::new(members))
        }
    }
}

pub(super) fn to_json(value: &JValue) -> Result<Value, Refusal> {
    Converter { left: MAX_VALUES }.value(value, 0)
}

struct Converter {
    left: usize,
}

impl Converter {
    fn value(&mut self, value: &JValue, depth: usize) -> Result<Value, Refusal> {
        self.left = self.left.checked_sub(1).filter(|_| depth < MAX_DEPTH).ok_or(Refusal::TooLarge)?;
        match value {
            JValue::Null => Ok(Value::Null),
            JValue::Bool(truth) => Ok(Value::Bool(*truth)),
            JValue::Number(number) => Ok(number_to_json(*number)),
            JValue::String(text) => Ok(Value::String(text.to_string())),
            JValue::Array(items) => items.iter().map(|item| self.value(item, depth + 1)).collect(),
            JValue::Object(members) => self.object(members, depth),
            _ => Err(Refusal::Unsupported),
        }
    }

    fn object(&mut self, members: &JMap, depth: usize) -> Result<Value, Refusal> {
        let defined = members.iter().filter(|(_, value)| !value.is_undefined());
        let pairs = defined.map(|(name, value)| Ok((name.clone(), self.value(value, depth + 1)?)));
        pairs.collect::<Result<Map<_, _>, _>>().map(Value::Object)
    }
}

/// Whole numbers are written without a fraction. What JSON has no number for is written as a
/// string, as the service does.
fn number_to_json(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or_else(|| Value::String(not_finite(number).to_owned()), Value::Number)
}

fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}
