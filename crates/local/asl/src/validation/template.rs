//! Payload templates and the expressions in them: `Parameters`, `ResultSelector`, `ItemSelector`,
//! `Assign`, `Arguments`, `Output` and every other field that takes an expression.
//!
//! Spec: <https://states-language.net/#payload-template> and, for `JSONata`,
//! <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.

use super::json::{Node, Value};
use super::walk::{Language, Place, Walk};
use super::{NO_DOLLAR, expression, path};
use crate::template::Expression;

pub(super) fn check(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    match place.language {
        Language::JsonPath => payload(walk, node, place),
        Language::Jsonata => strings(walk, node, place),
    }
}

/// Whether a value is meant as a `JSONata` expression.
pub(super) fn is_expression(node: &Node, place: &Place<'_>) -> bool {
    place.language == Language::Jsonata && node.text().is_some_and(|text| text.starts_with("{%"))
}

/// A name as Unicode's identifiers have it.
pub(super) fn is_variable_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(char::is_alphabetic) && characters.all(|c| c.is_alphanumeric() || c == '_')
}

/// A member whose name ends in `.$` holds an expression; what looks like one elsewhere is warned of.
fn payload(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    for member in node.members() {
        let (name, value) = (&member.name, &member.node);
        if name.ends_with(".$") {
            if value.text().is_none_or(|text| Expression::parse(text).is_err()) {
                let why = "must be a valid JSONPath or a valid intrinsic function call";
                walk.schema(format!("The value for the field '{name}' {why}"), value, place);
            }
        } else if value.text().is_some_and(path::looks_dynamic) {
            let message = format!(
                "The value of the field '{name}' is kept as it is: only a field whose name ends in '.$' is evaluated."
            );
            walk.find(NO_DOLLAR, message, value, place);
        }
        payload(walk, value, &place.field(name));
    }
    for (index, item) in node.items().iter().enumerate() {
        payload(walk, item, &place.item(index));
    }
}

/// Any text that begins with `{%` is an expression, at any depth.
fn strings(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    match &node.value {
        Value::Text(text) if text.starts_with("{%") => {
            match text.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}")) {
                Some(source) => expression::check(walk, source, node, place),
                None => walk.schema("JSONata string must start with {% and end with %}", node, place),
            }
        }
        Value::Object(members) => {
            for member in members {
                strings(walk, &member.node, &place.field(&member.name));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                strings(walk, item, &place.item(index));
            }
        }
        _ => {}
    }
}
