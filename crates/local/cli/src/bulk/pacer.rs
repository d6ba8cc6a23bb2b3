//! A bound on how much is done in a second: pure, the time comes in.

use std::time::Duration;

/// Says how long to wait before the next files, so that no more than a rate's worth go in a second.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Time of one file.
    each: Duration,
    /// Since the beginning: when the next file may go.
    next: Duration,
}

impl Pacer {
    /// At most `rate` files a second.
    pub(crate) fn new(rate: u32) -> Self {
        Self { each: Duration::from_secs(1) / rate.max(1), next: Duration::ZERO }
    }

    /// Reserves the time of `files` and gives the wait before them; `now` counts from the beginning.
    ///
    /// Time that passed unused is not made up for.
    pub(crate) fn reserve(&mut self, now: Duration, files: usize) -> Duration {
        let start = self.next.max(now);
        self.next = start + self.each * u32::try_from(files).unwrap_or(u32::MAX);
        start.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_no_faster_than_the_rate() {
        let mut pacer = Pacer::new(10);
        let ms = Duration::from_millis;
        let cases = [(0, 10, 0), (0, 5, 1_000), (1_500, 1, 0), (5_000, 20, 0), (5_001, 1, 1_999)];
        for (now, files, wait) in cases {
            assert_eq!(pacer.reserve(ms(now), files), ms(wait), "{files} files at {now} ms");
        }
    }
}
