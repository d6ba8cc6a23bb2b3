//! Functions that turn JSON into text and back, and merge objects.

use super::string;
use crate::number;
use serde_json::Value;

pub(super) fn from_text(arguments: &[Value]) -> Result<Value, String> {
    let text = string(arguments, 0)?;
    // Escapes in a literal reach this function as written.
    serde_json::from_str(text).map_err(|_| "the argument is not valid JSON".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "all functions have one shape")]
pub(super) fn to_text(arguments: &[Value]) -> Result<Value, String> {
    Ok(number::java_json(&arguments[0]).into())
}

pub(super) fn merge(arguments: &[Value]) -> Result<Value, String> {
    let [Value::Object(first), Value::Object(second), Value::Bool(deep)] = arguments else {
        return Err("the arguments must be two objects and a boolean".to_owned());
    };
    if *deep {
        return Err("only the shallow merge is supported: the last argument must be false".to_owned());
    }
    let mut merged = first.clone();
    merged.extend(second.clone());
    Ok(merged.into())
}
