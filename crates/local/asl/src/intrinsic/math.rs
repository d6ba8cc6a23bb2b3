//! Arithmetic, random numbers and UUIDs. Randomness is the caller's.

use super::{Random, integer};
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
    let fraction = if arguments.len() == 3 { seeded(integer(arguments, 2)?) } else { random() };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a random choice may lose the last bits"
    )]
    let offset = (fraction.clamp(0.0, 1.0) * width as f64) as i64;
    Ok((start + offset.min(width - 1)).into())
}

/// A fraction from a seed (the finaliser of `SplitMix64`); the service's own sequence is not published.
fn seeded(seed: i64) -> f64 {
    let mut bits = seed.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let top = u32::try_from((bits ^ (bits >> 31)) >> 32).expect("a shifted word has 32 bits");
    f64::from(top) / (f64::from(u32::MAX) + 1.0)
}

/// A version 4 UUID.
#[expect(clippy::unnecessary_wraps, reason = "all functions have one shape")]
pub(super) fn uuid(_: &[Value], random: Random<'_>) -> Result<Value, String> {
    Ok(crate::random::uuid(random).into())
}
