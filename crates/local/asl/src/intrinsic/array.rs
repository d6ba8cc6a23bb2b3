//! Functions for arrays.

use super::{array, integer};
use serde_json::Value;

/// The service's limit on the length of a range.
const MAX_RANGE: usize = 1000;

#[expect(clippy::unnecessary_wraps, reason = "all functions have one shape")]
pub(super) fn of(arguments: &[Value]) -> Result<Value, String> {
    Ok(arguments.to_vec().into())
}

pub(super) fn partition(arguments: &[Value]) -> Result<Value, String> {
    let size = usize::try_from(integer(arguments, 1)?).ok().filter(|size| *size > 0);
    let size = size.ok_or("the chunk size must be a positive integer")?;
    Ok(array(arguments, 0)?.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect())
}

pub(super) fn contains(arguments: &[Value]) -> Result<Value, String> {
    Ok(array(arguments, 0)?.contains(&arguments[1]).into())
}

pub(super) fn range(arguments: &[Value]) -> Result<Value, String> {
    let (first, last, step) = (integer(arguments, 0)?, integer(arguments, 1)?, integer(arguments, 2)?);
    if step == 0 {
        return Err("the step must not be zero".to_owned());
    }
    let within = |value: &i64| {
        if step > 0 { *value <= last } else { *value >= last }
    };
    let values = std::iter::successors(Some(first), |value| value.checked_add(step)).take_while(within);
    let range: Vec<Value> = values.take(MAX_RANGE + 1).map(Value::from).collect();
    if range.len() > MAX_RANGE { Err(format!("a range holds at most {MAX_RANGE} items")) } else { Ok(range.into()) }
}

pub(super) fn get_item(arguments: &[Value]) -> Result<Value, String> {
    let items = array(arguments, 0)?;
    let at = usize::try_from(integer(arguments, 1)?).ok();
    let item = at.and_then(|at| items.get(at));
    item.cloned().ok_or_else(|| format!("the index is out of bounds for an array of {} items", items.len()))
}

pub(super) fn length(arguments: &[Value]) -> Result<Value, String> {
    Ok(array(arguments, 0)?.len().into())
}

pub(super) fn unique(arguments: &[Value]) -> Result<Value, String> {
    // A set of texts, not a scan for each item: the array may hold a hundred thousand.
    let mut seen = std::collections::HashSet::new();
    Ok(array(arguments, 0)?.iter().filter(|item| seen.insert(item.to_string())).cloned().collect())
}
