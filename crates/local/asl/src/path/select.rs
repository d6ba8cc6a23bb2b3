//! Walking a document along a path's segments.

use std::cell::Cell;

use super::{Found, Segment, Selector};
use crate::payload::{MAX_PAYLOAD_BYTES, weight};
use serde_json::Value;

/// The one value that definite segments name.
pub(super) fn one<'a>(segments: &[Segment], document: &'a Value) -> Found<'a> {
    let mut value = document;
    for segment in segments {
        match segment {
            Segment::Child(Selector::Names(names)) => return merged(names, value),
            Segment::Function(function) => return function.apply(value).map_or(Found::Missing, Found::Made),
            Segment::Child(selector) => match child(selector, value) {
                Some(next) => value = next,
                None => return Found::Missing,
            },
            Segment::Descendant(_) => return Found::Missing,
        }
    }
    Found::One(value)
}

/// How many leading segments of a definite path could be followed.
pub(super) fn depth_found(segments: &[Segment], document: &Value) -> usize {
    let mut value = document;
    for (depth, segment) in segments.iter().enumerate() {
        match segment {
            Segment::Child(selector) => match child(selector, value) {
                Some(next) => value = next,
                None => return depth,
            },
            _ => return depth,
        }
    }
    segments.len()
}

/// How much one path may still look at: a few deep scans in a row would else find more values than
/// there is memory for.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    /// Sixteen times what a payload can hold.
    pub(super) fn new() -> Self {
        Self(Cell::new(16 * MAX_PAYLOAD_BYTES))
    }

    fn take(&self, amount: usize) -> bool {
        self.0.set(self.0.get().saturating_sub(amount));
        !self.is_spent()
    }

    fn is_spent(&self) -> bool {
        self.0.get() == 0
    }

    /// Copies of the values; `None` where they are too many or too large.
    pub(super) fn copied(&self, found: Vec<&Value>) -> Option<Value> {
        found.into_iter().map(|value| self.take(weight(value)).then(|| value.clone())).collect()
    }
}

/// Every value that the segments name, in document order; `None` where that takes too much.
pub(super) fn many<'a>(segments: &[Segment], document: &'a Value, budget: &Budget) -> Option<Vec<&'a Value>> {
    let walk = Walk { document, budget };
    let mut found = vec![document];
    for segment in segments {
        let mut next = Vec::new();
        for value in found {
            match segment {
                Segment::Child(selector) => walk.children(selector, value, &mut next),
                Segment::Descendant(selector) => walk.descend(selector, value, &mut next),
                Segment::Function(_) => {}
            }
            if budget.is_spent() {
                return None;
            }
        }
        found = next;
    }
    Some(found)
}

struct Walk<'a, 'b> {
    document: &'a Value,
    budget: &'b Budget,
}

impl<'a> Walk<'a, '_> {
    fn children(&self, selector: &Selector, value: &'a Value, found: &mut Vec<&'a Value>) {
        let before = found.len();
        match selector {
            Selector::Name(_) | Selector::Index(_) => found.extend(child(selector, value)),
            Selector::Names(names) => found.extend(names.iter().filter_map(|name| value.get(&**name))),
            Selector::Indices(indices) => {
                found.extend(indices.iter().filter_map(|index| at(items(value), *index)));
            }
            Selector::Slice { start, end, step } => found.extend(slice(items(value), *start, *end, *step)),
            Selector::Wildcard => found.extend(members(value)),
            Selector::Filter(filter) => {
                // Jayway applies a filter to an object as to an array that holds it alone.
                let candidates: Vec<&Value> =
                    if value.is_object() { vec![value] } else { items(value).iter().collect() };
                self.budget.take(candidates.len());
                found.extend(candidates.into_iter().filter(|item| filter.accepts(item, self.document, self.budget)));
            }
        }
        self.budget.take(1 + found.len() - before);
    }

    fn descend(&self, selector: &Selector, value: &'a Value, found: &mut Vec<&'a Value>) {
        if self.budget.is_spent() {
            return;
        }
        self.children(selector, value, found);
        for member in members(value) {
            self.descend(selector, member, found);
        }
    }
}

fn child<'a>(selector: &Selector, value: &'a Value) -> Option<&'a Value> {
    match selector {
        Selector::Name(name) => value.as_object()?.get(&**name),
        Selector::Index(index) => at(value.as_array()?, *index),
        _ => None,
    }
}

fn members(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn at(items: &[Value], index: i64) -> Option<&Value> {
    items.get(position(index, items.len())?)
}

/// Negative positions count from the end.
fn position(index: i64, length: usize) -> Option<usize> {
    let from_end = || length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
    if index < 0 { from_end() } else { usize::try_from(index).ok() }
}

fn slice(items: &[Value], start: Option<i64>, end: Option<i64>, step: i64) -> impl Iterator<Item = &Value> {
    let bound = |index: i64| position(index, items.len()).unwrap_or(0).min(items.len());
    let (start, end) = (start.map_or(0, bound), end.map_or(items.len(), bound));
    items.get(start..end).unwrap_or_default().iter().step_by(usize::try_from(step).unwrap_or(1).max(1))
}

fn merged<'a>(names: &[Box<str>], value: &'a Value) -> Found<'a> {
    let Some(object) = value.as_object() else {
        return Found::Missing;
    };
    let pairs = names.iter().filter_map(|name| Some((name.to_string(), object.get(&**name)?.clone())));
    Found::Made(Value::Object(pairs.collect()))
}
