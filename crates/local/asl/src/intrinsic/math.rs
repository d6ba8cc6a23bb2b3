//! Arithmetic, random numbers and UUIDs. Randomness is the caller's.

use super::{Random, integer};
use crate::random::JavaRandom;
use serde_json::Value;

pub(super) fn add(arguments: &[Value]) -> Result<Value, String> {
    let sum = integer(arguments, 0)?.checked_add(integer(arguments, 1)?);
    sum.map(Value::from).ok_or_else(|| "the sum is out of range".to_owned())
}

/// An integer from the first argument (inclusive) to the second (exclusive); with a seed, always
/// the same one.
pub(super) fn random(arguments: &[Value], random: Random<'_>) -> Result<Value, String> {
    let (start, end) = (integer(arguments, 0)?, integer(arguments, 1)?);
    let width = end.checked_sub(start).filter(|width| *width > 0).ok_or("the start must be below the end")?;
    if let (Ok(width), Some(_)) = (u32::try_from(width), arguments.get(2)) {
        let offset = JavaRandom::new(integer(arguments, 2)?).below(width.min(i32::MAX.unsigned_abs()));
        return Ok((start + i64::from(offset)).into());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a random choice may lose the last bits"
    )]
    let offset = (random().clamp(0.0, 1.0) * width as f64) as i64;
    Ok((start + offset.min(width - 1)).into())
}

/// A version 4 UUID.
#[expect(clippy::unnecessary_wraps, reason = "all functions have one shape")]
pub(super) fn uuid(_: &[Value], random: Random<'_>) -> Result<Value, String> {
    Ok(crate::random::uuid(random).into())
}
