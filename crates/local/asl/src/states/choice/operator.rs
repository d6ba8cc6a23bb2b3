//! The comparison operators of Choice rules.
//!
//! Spec: <https://states-language.net/#data-test-expression>. A value of the wrong type makes a
//! comparison false, never an error.

use std::cmp::Ordering;

use serde_json::Value;

use crate::definition::Reader;
use crate::number;
use crate::path::Path;
use crate::timestamp;

/// What a variable is compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    BooleanEquals,
    Numeric(Order),
    String(Order),
    Timestamp(Order),
    StringMatches,
    IsPresent,
    Is(Type),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Numeric,
    String,
    Timestamp,
}

/// What the variable is compared with.
#[derive(Debug)]
pub(super) enum Operand {
    Literal(Value),
    Path(Path),
}

impl PartialEq for Operand {
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Literal(left), Self::Literal(right)) if left == right)
    }
}

const ORDERS: [(&str, Order); 5] = [
    ("Equals", Order::Equals),
    ("LessThan", Order::LessThan),
    ("LessThanEquals", Order::LessThanEquals),
    ("GreaterThan", Order::GreaterThan),
    ("GreaterThanEquals", Order::GreaterThanEquals),
];

const TYPES: [(&str, Type); 5] = [
    ("IsNull", Type::Null),
    ("IsBoolean", Type::Boolean),
    ("IsNumeric", Type::Numeric),
    ("IsString", Type::String),
    ("IsTimestamp", Type::Timestamp),
];

/// Every operator with its name, each once.
fn operators() -> impl Iterator<Item = (String, Operator)> {
    let ordered = |prefix: &'static str, make: fn(Order) -> Operator| {
        ORDERS.into_iter().map(move |(suffix, order)| (format!("{prefix}{suffix}"), make(order)))
    };
    let single = [
        ("BooleanEquals", Operator::BooleanEquals),
        ("StringMatches", Operator::StringMatches),
        ("IsPresent", Operator::IsPresent),
    ];
    ordered("Numeric", Operator::Numeric)
        .chain(ordered("String", Operator::String))
        .chain(ordered("Timestamp", Operator::Timestamp))
        .chain(single.into_iter().map(|(name, operator)| (name.to_owned(), operator)))
        .chain(TYPES.into_iter().map(|(name, kind)| (name.to_owned(), Operator::Is(kind))))
}

/// Reads the one operator of a comparison.
pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<(Operator, Operand)> {
    let mut found = None;
    for (name, operator) in operators() {
        let path_name = format!("{name}Path");
        let field = if reader.has(&name) { name } else { path_name };
        if !reader.has(&field) {
            continue;
        }
        if found.is_some() {
            reader.problem(&field, "a comparison has exactly one operator");
        }
        found = Some(read_operand(reader, &field, operator).map(|operand| (operator, operand)));
    }
    if found.is_none() {
        reader.problem("", "a comparison has exactly one operator");
    }
    found.flatten()
}

fn read_operand(reader: &mut Reader<'_, '_>, field: &str, operator: Operator) -> Option<Operand> {
    let may_be_path = !matches!(operator, Operator::IsPresent | Operator::Is(_) | Operator::StringMatches);
    if may_be_path && field.ends_with("Path") {
        return reader.path(field).map(Operand::Path);
    }
    let value = reader.get(field)?;
    if !operator.takes(value) {
        reader.problem(field, "the value is not of the operator's type");
    }
    Some(Operand::Literal(value.clone()))
}

impl Operator {
    fn takes(self, value: &Value) -> bool {
        match self {
            Self::BooleanEquals | Self::IsPresent | Self::Is(_) => value.is_boolean(),
            Self::Numeric(_) => value.is_number(),
            Self::String(_) | Self::StringMatches => value.is_string(),
            Self::Timestamp(_) => value.as_str().and_then(timestamp::parse).is_some(),
        }
    }

    pub(super) fn holds(self, value: &Value, expected: &Value) -> bool {
        match self {
            Self::BooleanEquals => value.is_boolean() && value == expected,
            Self::Numeric(order) => order.accepts(numbers(value, expected)),
            Self::String(order) => order.accepts(strings(value, expected)),
            Self::Timestamp(order) => order.accepts(timestamps(value, expected)),
            Self::StringMatches => match (value, expected) {
                (Value::String(text), Value::String(pattern)) => matches(text, pattern),
                _ => false,
            },
            Self::IsPresent => expected.as_bool() == Some(true),
            Self::Is(kind) => expected.as_bool() == Some(kind.describes(value)),
        }
    }
}

impl Order {
    fn accepts(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Equals => order.is_eq(),
            Self::LessThan => order.is_lt(),
            Self::LessThanEquals => order.is_le(),
            Self::GreaterThan => order.is_gt(),
            Self::GreaterThanEquals => order.is_ge(),
        })
    }
}

impl Type {
    fn describes(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Numeric => value.is_number(),
            Self::String => value.is_string(),
            Self::Timestamp => value.as_str().and_then(timestamp::parse).is_some(),
        }
    }
}

fn numbers(value: &Value, expected: &Value) -> Option<Ordering> {
    number::compare(value.as_number()?, expected.as_number()?)
}

fn strings(value: &Value, expected: &Value) -> Option<Ordering> {
    Some(value.as_str()?.cmp(expected.as_str()?))
}

fn timestamps(value: &Value, expected: &Value) -> Option<Ordering> {
    Some(timestamp::parse(value.as_str()?)?.cmp(&timestamp::parse(expected.as_str()?)?))
}

/// Matches `*` against any text; `\*` and `\\` stand for themselves. Takes at most the product of
/// both lengths.
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    let pattern = wildcards(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut in_pattern, mut retry) = (0, 0, None);
    while at < text.len() {
        match pattern.get(in_pattern) {
            Some(None) => {
                retry = Some((at, in_pattern + 1));
                in_pattern += 1;
            }
            Some(Some(literal)) if *literal == text[at] => {
                at += 1;
                in_pattern += 1;
            }
            _ => {
                let Some((from, after_star)) = retry else {
                    return false;
                };
                retry = Some((from + 1, after_star));
                (at, in_pattern) = (from + 1, after_star);
            }
        }
    }
    pattern[in_pattern..].iter().all(Option::is_none)
}

/// The pattern's characters, `None` for a wildcard.
fn wildcards(pattern: &str) -> Vec<Option<char>> {
    let mut characters = pattern.chars();
    let mut parsed = Vec::new();
    while let Some(character) = characters.next() {
        match character {
            '*' => parsed.push(None),
            '\\' => parsed.push(Some(characters.next().unwrap_or('\\'))),
            other => parsed.push(Some(other)),
        }
    }
    parsed
}
