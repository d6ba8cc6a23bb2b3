//! Filters in paths: `[?(@.status == 0 && @.year > 1990)]`.

use std::cmp::Ordering;

use super::Segment;
use super::select::{self, Budget};
use crate::number;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) enum Filter {
    Or(Vec<Filter>),
    And(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
}

#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Item(Vec<Segment>),
    Document(Vec<Segment>),
    Literal(Value),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    NotIn,
}

impl Filter {
    pub(super) fn accepts(&self, item: &Value, document: &Value, budget: &Budget) -> bool {
        match self {
            Self::Or(either) => either.iter().any(|filter| filter.accepts(item, document, budget)),
            Self::And(both) => both.iter().all(|filter| filter.accepts(item, document, budget)),
            Self::Not(inner) => !inner.accepts(item, document, budget),
            Self::Exists(operand) => operand.value(item, document, budget).is_some(),
            Self::Compare(left, comparison, right) => {
                let sides = (left.value(item, document, budget), right.value(item, document, budget));
                match sides {
                    (Some(left), Some(right)) => comparison.holds(left, right),
                    (left, right) => matches!(comparison, Comparison::NotEqual) && left.is_some() != right.is_some(),
                }
            }
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, item: &'a Value, document: &'a Value, budget: &Budget) -> Option<&'a Value> {
        match self {
            Self::Item(segments) => select::many(segments, item, budget)?.first().copied(),
            Self::Document(segments) => select::many(segments, document, budget)?.first().copied(),
            Self::Literal(value) => Some(value),
        }
    }
}

impl Comparison {
    fn holds(self, left: &Value, right: &Value) -> bool {
        let order = compare(left, right);
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::In => is_in(left, right),
            Self::NotIn => !is_in(left, right),
        }
    }
}

fn is_in(item: &Value, list: &Value) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|other| compare(item, other) == Some(Ordering::Equal)))
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => number::compare(left, right),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => (left == right).then_some(Ordering::Equal),
    }
}
