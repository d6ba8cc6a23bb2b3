//! How long to wait before asking about a job again, and when to give up.

/// The shortest wait: Step Functions counts whole seconds.
const SHORTEST_SECONDS: u32 = 1;
/// The longest wait: a file that is done is seen within a minute.
const LONGEST_SECONDS: u32 = 60;
/// A job gets ten times what is expected of it …
const DEADLINE_FACTOR: u32 = 10;
/// … but at least six hours: services queue what comes at once, and a job is in line as long as those before it take …
const SHORTEST_DEADLINE_SECONDS: u32 = 6 * 60 * 60;
/// … and at most twelve hours: three times the longest recording that Transcribe takes.
const LONGEST_DEADLINE_SECONDS: u32 = 12 * 60 * 60;

/// Seconds to wait after `polls` questions about a job that is expected to take `expected_seconds`.
///
/// The first wait is half of what is expected, each later one half as long again as the one
/// before: a four-hour recording is asked about some thirty times, not five hundred.
#[must_use]
pub fn wait_seconds(expected_seconds: u32, polls: u32) -> u32 {
    let first = (expected_seconds / 2).clamp(SHORTEST_SECONDS, LONGEST_SECONDS);
    (0..polls.min(16)).fold(first, |wait, _| (wait + wait.div_ceil(2)).min(LONGEST_SECONDS))
}

/// Seconds after its start at which a job counts as lost.
#[must_use]
pub fn deadline_seconds(expected_seconds: u32) -> u32 {
    expected_seconds.saturating_mul(DEADLINE_FACTOR).clamp(SHORTEST_DEADLINE_SECONDS, LONGEST_DEADLINE_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_bounds() {
        let waits: Vec<_> = (0..6).map(|polls| wait_seconds(2, polls)).collect();
        assert_eq!(waits, [1, 2, 3, 5, 8, 12]);
        assert_eq!(wait_seconds(4 * 3600, 0), 60);
        assert_eq!(wait_seconds(0, u32::MAX), 60);
    }

    #[test]
    fn deadlines_have_a_floor_and_a_ceiling() {
        assert_eq!(deadline_seconds(1), 21_600);
        assert_eq!(deadline_seconds(3_000), 30_000);
        assert_eq!(deadline_seconds(u32::MAX), 43_200);
    }
}
