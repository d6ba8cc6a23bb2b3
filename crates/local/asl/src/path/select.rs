//! Walking a document along a path's segments.

use super::{Found, Segment, Selector};
use serde_json::Value;

/// The one value that definite segments name.
pub(super) fn one<'a>(segments: &[Segment], document: &'a Value) -> Found<'a> {
    let mut value = document;
    for segment in segments {
        match segment {
            Segment::Child(Selector::Names(names)) => return merged(names, value),
            Segment::Length => return length(value),
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

/// Every value that the segments name, in document order.
pub(super) fn many<'a>(segments: &[Segment], document: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![document];
    for segment in segments {
        let mut next = Vec::new();
        for value in found {
            match segment {
                Segment::Child(selector) => children(selector, value, document, &mut next),
                Segment::Descendant(selector) => descend(selector, value, document, &mut next),
                Segment::Length => {}
            }
        }
        found = next;
    }
    found
}

fn child<'a>(selector: &Selector, value: &'a Value) -> Option<&'a Value> {
    match selector {
        Selector::Name(name) => value.as_object()?.get(&**name),
        Selector::Index(index) => at(value.as_array()?, *index),
        _ => None,
    }
}

fn children<'a>(selector: &Selector, value: &'a Value, document: &'a Value, found: &mut Vec<&'a Value>) {
    match selector {
        Selector::Name(_) | Selector::Index(_) => found.extend(child(selector, value)),
        Selector::Names(names) => found.extend(names.iter().filter_map(|name| value.get(&**name))),
        Selector::Indices(indices) => {
            found.extend(
                value.as_array().into_iter().flat_map(|items| indices.iter().filter_map(|index| at(items, *index))),
            );
        }
        Selector::Slice { start, end, step } => {
            found.extend(slice(items(value), *start, *end, *step));
        }
        Selector::Wildcard => found.extend(members(value)),
        Selector::Filter(filter) => {
            // Jayway applies a filter to an object as to an array that holds it alone.
            let candidates: Vec<&Value> = if value.is_object() { vec![value] } else { items(value).iter().collect() };
            found.extend(candidates.into_iter().filter(|item| filter.accepts(item, document)));
        }
    }
}

fn descend<'a>(selector: &Selector, value: &'a Value, document: &'a Value, found: &mut Vec<&'a Value>) {
    children(selector, value, document, found);
    for member in members(value) {
        descend(selector, member, document, found);
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

fn length(value: &Value) -> Found<'static> {
    match value {
        Value::Array(items) => Found::Made(items.len().into()),
        Value::Object(members) => Found::Made(members.len().into()),
        Value::String(text) => Found::Made(text.chars().count().into()),
        _ => Found::Missing,
    }
}
