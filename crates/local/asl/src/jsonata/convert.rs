//! JSON values into JSONata's and back.
//!
//! A JSONata value may share its parts, so a small one can be a huge document; turning it into
//! JSON stops at a bound.

use std::rc::Rc;

use jsonata_core::value::{JMap, JValue};
use serde_json::{Map, Number, Value};

use crate::payload::MAX_PAYLOAD_DEPTH;

/// The most bytes and values together that a result may hold: twice what one value may weigh.
const MOST: usize = 2 * super::meter::MAX_VALUE_BYTES;

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
    Converter { left: MOST }.value(value, 0)
}

struct Converter {
    left: usize,
}

impl Converter {
    fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(bytes).ok_or(Refusal::TooLarge)?;
        Ok(())
    }

    fn value(&mut self, value: &JValue, depth: usize) -> Result<Value, Refusal> {
        if depth > MAX_PAYLOAD_DEPTH {
            return Err(Refusal::TooLarge);
        }
        self.take(1 + value.as_str().map_or(0, str::len))?;
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
        let pairs = defined.map(|(name, value)| {
            self.take(name.len())?;
            Ok((name.clone(), self.value(value, depth + 1)?))
        });
        pairs.collect::<Result<Map<_, _>, _>>().map(Value::Object)
    }
}

/// Whole numbers are written without a fraction. What JSON has no number for is written as a
/// string, as the service does.
fn number_to_json(number: f64) -> Value {
    /// The largest double below 2^63.
    const MOST_WHOLE: f64 = 9_223_372_036_854_774_784.0;
    if number.fract() == 0.0 && number.abs() <= MOST_WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 63 bits")]
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
