//! The published JSON Schemas, held against what really comes out.

use jsonschema::Validator;
use serde_json::Value;

use crate::checkout;

/// The schema `schemas/NAME.schema.json`.
///
/// # Panics
/// When it is not there, or is no schema.
#[must_use]
pub fn published(name: &str) -> Validator {
    let path = checkout::root().join(format!("schemas/{name}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
    jsonschema::validator_for(&schema).expect("a schema is a schema")
}

/// What is wrong with `value` by `schema`.
#[must_use]
pub fn problems(schema: &Validator, value: &Value) -> Vec<String> {
    schema.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}
