//! The one clock of the Lambdas; everything else takes the time as an argument.

use jiff::Timestamp;

/// The time now, to the millisecond.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the permitted caller")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
