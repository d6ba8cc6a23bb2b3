//! Counting what an evaluation makes, so that a small expression cannot fill the memory.
//!
//! `jsonata-core` bounds time, depth and the length of sequences, not bytes: `$s & $s` forty times
//! over is a terabyte, and so is the text of a value whose parts are shared. So a parsed
//! expression is given calls of functions of our own, whose names no expression can spell: what
//! makes text, arrays or objects is weighed as soon as it is there, and functions whose result can
//! be a product of their arguments look at these first. The weights are those by which the service
//! was seen to draw the line.

use std::cell::Cell;
use std::rc::Rc;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::functions;
use jsonata_core::value::JValue;

/// The most bytes of one value: 873,782 numbers and the array they are in.
pub(super) const MAX_VALUE_BYTES: usize = 6_990_264;

/// The most bytes of all values that one evaluation makes, those it let go of too.
const MAX_TOTAL_BYTES: usize = 8 * MAX_VALUE_BYTES;

/// The longest text that is searched: each match of one character is an object.
const MAX_SEARCHED_BYTES: usize = 300_000;

/// The longest replacement for a text that is not known: all of it may match.
const MAX_UNKNOWN_BYTES: usize = 256;

/// Gives its argument back once it is weighed.
pub(super) const HELD: &str = " held";
/// A text that may be searched.
pub(super) const SEARCHED: &str = " searched";
/// A width to pad to.
pub(super) const WIDTH: &str = " width";
/// A replacement, for a text and a pattern that come first.
pub(super) const FITTING: &str = " fitting";
/// `$join` and `$distinct`, which the evaluator has without a bound.
pub(super) const JOIN: &str = " join";
pub(super) const DISTINCT: &str = " distinct";

/// Whether a node calls a function of this file.
pub(super) fn is_ours(node: &AstNode) -> bool {
    matches!(node, AstNode::Function { name, .. } if name.starts_with(' '))
}

type Answer = Result<JValue, EvaluatorError>;

/// Said of whatever is too large; `words.rs` has the service's words.
pub(super) fn too_large() -> EvaluatorError {
    EvaluatorError::EvaluationError(format!("D2015: a value holds more than {MAX_VALUE_BYTES} bytes"))
}

pub(super) fn register(evaluator: &mut Evaluator) -> Result<(), EvaluatorError> {
    let left = Rc::new(Cell::new(MAX_TOTAL_BYTES));
    evaluator.register_fn(HELD, move |arguments: &[JValue]| held(arguments, &left))?;
    evaluator.register_fn(SEARCHED, searched)?;
    evaluator.register_fn(WIDTH, width)?;
    evaluator.register_fn(FITTING, fitting)?;
    evaluator.register_fn(JOIN, join)?;
    evaluator.register_fn(DISTINCT, distinct)
}

fn first(arguments: &[JValue]) -> JValue {
    arguments.first().cloned().unwrap_or(JValue::Undefined)
}

fn held(arguments: &[JValue], left: &Cell<usize>) -> Answer {
    let value = first(arguments);
    let most = left.get().min(MAX_VALUE_BYTES);
    let mut room = most;
    weigh(&value, &mut room)?;
    left.set(left.get() - (most - room));
    Ok(value)
}

/// Takes the weight of a value, shared parts as often as they are met, from the room there is.
fn weigh(value: &JValue, room: &mut usize) -> Result<(), EvaluatorError> {
    let own = match value {
        JValue::String(text) => text.len(),
        _ => size_of::<f64>(),
    };
    *room = room.checked_sub(own).ok_or_else(too_large)?;
    match value {
        JValue::Array(items) => jsonata_core::value::with_stack(|| items.iter().try_for_each(|item| weigh(item, room))),
        JValue::Object(members) => jsonata_core::value::with_stack(|| {
            members.iter().try_for_each(|(name, member)| {
                *room = room.checked_sub(name.len()).ok_or_else(too_large)?;
                weigh(member, room)
            })
        }),
        _ => Ok(()),
    }
}

fn searched(arguments: &[JValue]) -> Answer {
    let value = first(arguments);
    if value.as_str().is_some_and(|text| text.len() > MAX_SEARCHED_BYTES) { Err(too_large()) } else { Ok(value) }
}

#[expect(clippy::cast_precision_loss, reason = "the bound is far below 53 bits")]
fn width(arguments: &[JValue]) -> Answer {
    let value = first(arguments);
    if value.as_f64().is_some_and(|width| width.abs() > MAX_VALUE_BYTES as f64) { Err(too_large()) } else { Ok(value) }
}

/// The arguments are the text, the pattern and the replacement, which is given back.
fn fitting(arguments: &[JValue]) -> Answer {
    let [text, pattern, replacement] = arguments else {
        return Ok(JValue::Undefined);
    };
    if replacement.is_number() {
        // The text came from the context, so what stands second is the replacement.
        return if pattern.as_str().is_some_and(|new| new.len() > MAX_UNKNOWN_BYTES) {
            Err(too_large())
        } else {
            Ok(replacement.clone())
        };
    }
    if let (Some(text), Some(new)) = (text.as_str(), replacement.as_str()) {
        let longest_group = new.matches('$').count().saturating_mul(text.len().min(1_000));
        let each = new.len().saturating_add(longest_group);
        if matches(text, pattern).saturating_mul(each) > MAX_VALUE_BYTES {
            return Err(too_large());
        }
    }
    Ok(replacement.clone())
}

fn matches(text: &str, pattern: &JValue) -> usize {
    match pattern {
        JValue::String(part) if !part.is_empty() => text.matches(&**part).count(),
        JValue::Regex { pattern, flags } => {
            functions::string::build_regex(pattern, flags).map_or(0, |regex| regex.find_iter(text).count())
        }
        _ => 0,
    }
}

/// `$join`: <https://docs.jsonata.org/string-functions#join>.
fn join(arguments: &[JValue]) -> Answer {
    let separator = match arguments.get(1) {
        None | Some(JValue::Undefined) => "",
        Some(separator) => separator.as_str().ok_or_else(|| mismatch("T0410: Argument 2 of function \"join\""))?,
    };
    let items = match arguments.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::String(text)) => return Ok(JValue::String(text.clone())),
        Some(JValue::Array(items)) => items,
        Some(_) => return Err(not_texts()),
    };
    let texts: Vec<&str> = items.iter().map(JValue::as_str).collect::<Option<_>>().ok_or_else(not_texts)?;
    let separators = separator.len().saturating_mul(texts.len().saturating_sub(1));
    let total = texts.iter().fold(separators, |total, text| total.saturating_add(text.len()));
    if total > MAX_VALUE_BYTES { Err(too_large()) } else { Ok(texts.join(separator).into()) }
}

fn mismatch(head: &str) -> EvaluatorError {
    EvaluatorError::TypeError(format!("{head} does not match function signature"))
}

fn not_texts() -> EvaluatorError {
    EvaluatorError::TypeError("T0412: Argument 1 of function \"join\" must be an array of \"string\"".to_owned())
}

/// `$distinct`: <https://docs.jsonata.org/array-functions#distinct>. Values are equal when their
/// canonical texts are; functions never are.
#[expect(clippy::unnecessary_wraps, reason = "all functions have one shape")]
fn distinct(arguments: &[JValue]) -> Answer {
    let Some(JValue::Array(items)) = arguments.first() else {
        return Ok(first(arguments));
    };
    let mut seen = std::collections::HashSet::new();
    let is_new = |item: &&JValue| canonical(item).is_none_or(|text| seen.insert(text));
    Ok(JValue::Array(items.with_items(items.iter().filter(is_new).cloned().collect())))
}

fn canonical(value: &JValue) -> Option<String> {
    let mut json = super::convert::to_json(value).ok()?;
    json.sort_all_objects();
    Some(json.to_string())
}
