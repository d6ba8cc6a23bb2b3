//! Points in time as people type them: a time, or a span before now.

use jiff::{SignedDuration, Timestamp};

use crate::problem::{Exit, Problem};

/// Reads `2026-05-01T12:00:00Z` or `2h`.
///
/// # Errors
/// When it is neither.
pub(super) fn parse(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let span = text.parse::<SignedDuration>().ok().filter(SignedDuration::is_positive);
    let time = span.and_then(|span| now.checked_sub(span).ok());
    time.ok_or_else(|| {
        let message = format!("failed to read the time `{text}`");
        Problem::new(Exit::Usage, message, "write a time such as 2026-05-01T12:00:00Z, or a span such as 2h or 30m")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans_are_read() {
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let cases = [
            ("2h", "2026-05-01T10:00:00Z"),
            ("1h 30m", "2026-05-01T10:30:00Z"),
            ("2026-04-30T00:00:00Z", "2026-04-30T00:00:00Z"),
        ];
        for (text, time) in cases {
            assert_eq!(parse(text, now).unwrap(), time.parse().unwrap(), "{text}");
        }
        assert!(parse("yesterday", now).is_err());
        assert!(parse("-2h", now).is_err());
    }
}
