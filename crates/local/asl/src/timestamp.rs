//! Timestamps in documents (RFC 3339 with an upper-case `T` and `Z` or an offset) and in the log.

use jiff::{Timestamp, TimestampRound, Unit};

/// The moment that a text names, if it is a timestamp of the language.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let shape = text.as_bytes();
    // Jiff reads more forms than the language has.
    let has_shape =
        shape.len() >= "2000-01-01T00:00:00Z".len() && shape[4] == b'-' && shape[10] == b'T' && shape[16] == b':';
    let ends_well =
        text.ends_with('Z') || shape[shape.len().saturating_sub(6)..].first().is_some_and(|sign| b"+-".contains(sign));
    if has_shape && ends_well { text.parse().ok() } else { None }
}

/// A moment as the log keeps it: to the microsecond.
pub(crate) fn for_log(at: Timestamp) -> Timestamp {
    let to_microsecond = TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc);
    at.round(to_microsecond).unwrap_or(at)
}
