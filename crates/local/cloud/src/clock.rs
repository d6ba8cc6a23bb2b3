//! The one clock of the local cloud; everything else takes the time as an argument.

use jiff::Timestamp;

/// Where the time comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The time now, to the millisecond (AWS timestamps carry no more).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the permitted caller")]
    pub fn now(self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
