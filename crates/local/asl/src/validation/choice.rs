//! The rules of a Choice state: combinations, comparisons and conditions.
//!
//! Spec: <https://states-language.net/#choice-state>. `Next` belongs to a whole rule, never to a
//! part of one.

use super::json::{Node, Value};
use super::scope::assign;
use super::walk::Language::{JsonPath, Jsonata};
use super::walk::{Check, Place, Walk};
use super::{path, template};

const KINDS: [&str; 5] = ["And", "Or", "Not", "Variable", "Condition"];

const ORDERS: [&str; 5] = ["Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];

const TESTS: [&str; 6] = ["IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"];

pub(super) fn rules(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    for (index, item) in walk.non_empty_array(node, place).iter().enumerate() {
        let place = place.item(index);
        condition(walk, item, &place, true);
        if matches!(item.value, Value::Object(_)) && item.get("Next").is_none() {
            walk.missing(&["Next"], item, &place);
        }
    }
}

fn condition(walk: &mut Walk, node: &Node, place: &Place<'_>, is_rule: bool) {
    if !matches!(node.value, Value::Object(_)) {
        return walk.schema("Expected value of type [OBJECT]", node, place);
    }
    for member in node.members() {
        let inside = place.field(&member.name);
        let is_known = match member.name.as_str() {
            "Next" | "Assign" | "Output" | "Condition" => is_rule,
            "Comment" | "And" | "Or" | "Not" | "Variable" => true,
            other => operand(other).is_some(),
        };
        if !is_known {
            walk.unsupported(&member.name, node, place);
        } else if language(&member.name).is_none_or(|only| walk.speaks(only, &member.name, node, place)) {
            field(walk, &member.name, &member.node, &inside);
        }
    }
    kinds(walk, node, place);
}

fn language(field: &str) -> Option<super::walk::Language> {
    match field {
        "Comment" | "Next" | "Assign" => None,
        "Output" | "Condition" => Some(Jsonata),
        _ => Some(JsonPath),
    }
}

fn field(walk: &mut Walk, name: &str, node: &Node, place: &Place<'_>) {
    match name {
        "Comment" | "Next" => walk.check(Check::Text, node, place),
        "Assign" => assign(walk, node, place),
        "Output" => template::check(walk, node, place),
        "Condition" => written_condition(walk, node, place),
        "And" | "Or" => {
            for (index, item) in walk.non_empty_array(node, place).iter().enumerate() {
                condition(walk, item, &place.item(index), false);
            }
        }
        "Not" => condition(walk, node, place, false),
        "Variable" => path::reference_or_context_path(walk, node, place),
        operator => walk.check(operand(operator).unwrap_or(Check::Anything), node, place),
    }
}

fn written_condition(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    match &node.value {
        Value::Boolean(_) => {}
        Value::Text(text) if !text.starts_with("{%") => {
            walk.schema("JSONata string must start with {% and end with %}", node, place);
        }
        Value::Text(_) => template::check(walk, node, place),
        _ => walk.check(Check::Text, node, place),
    }
}

/// A condition is of one kind; a comparison has one operator.
fn kinds(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    if KINDS.iter().filter(|kind| node.get(kind).is_some()).count() != 1 {
        let kinds = KINDS.join(", ");
        walk.schema(format!("The object must have only one of the following fields, [{kinds}]"), node, place);
    }
    let operators: Vec<&str> =
        node.members().iter().map(|member| member.name.as_str()).filter(|name| operand(name).is_some()).collect();
    if operators.len() > 1 {
        let names = operators.join(", ");
        walk.schema(format!("There should only be one of the following fields: [{names}]"), node, place);
    } else if operators.is_empty() && node.get("Variable").is_some() {
        let names = names().join(", ");
        walk.schema(format!("This object should have only one of the following fields: [{names}]"), node, place);
    }
}

/// What an operator compares with; `None` for what is no operator.
fn operand(name: &str) -> Option<Check> {
    if TESTS.contains(&name) {
        return Some(Check::Boolean);
    }
    let plain = name.strip_suffix("Path");
    let is_ordered = |kind: &str| plain.unwrap_or(name).strip_prefix(kind).is_some_and(|order| ORDERS.contains(&order));
    let literal = match name {
        "StringMatches" => return Some(Check::With(text)),
        _ if is_ordered("String") => Check::With(text),
        _ if is_ordered("Numeric") => Check::With(number),
        _ if is_ordered("Timestamp") => Check::With(timestamp),
        "BooleanEquals" | "BooleanEqualsPath" => Check::Boolean,
        _ => return None,
    };
    Some(if plain.is_some() { Check::With(path::reference_or_context_path) } else { literal })
}

fn names() -> Vec<String> {
    let ordered =
        ["String", "Numeric", "Timestamp"].into_iter().flat_map(|kind| ORDERS.map(|order| format!("{kind}{order}")));
    let both = ordered.chain(["BooleanEquals".to_owned()]).flat_map(|name| [format!("{name}Path"), name]);
    both.chain(["StringMatches".to_owned()]).chain(TESTS.map(str::to_owned)).collect()
}

fn text(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.check(Check::Text, node, place);
    path::warn_of_path(walk, node, place);
}

fn number(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.check(Check::Decimal { least: f64::MIN, most: f64::MAX }, node, place);
}

fn timestamp(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.check(Check::Text, node, place);
    if node.text().is_some_and(|text| crate::timestamp::parse(text).is_none()) {
        walk.schema("String does not match RFC3339 timestamp", node, place);
    }
}
