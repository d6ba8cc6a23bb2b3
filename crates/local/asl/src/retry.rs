//! `Retry`: which errors are tried again, how often and after how long.
//!
//! Spec: <https://states-language.net/#errors>, "Retrying after error".

use jiff::{SignedDuration, Timestamp};

use crate::definition::Reader;
use crate::failure::{ALL, Failure};
use crate::intrinsic::Random;

/// Defaults and bounds of the specification.
const DEFAULT_INTERVAL_SECONDS: u64 = 1;
const DEFAULT_MAX_ATTEMPTS: u64 = 3;
const DEFAULT_BACKOFF_RATE: f64 = 2.0;
/// The service's bound on `MaxAttempts`, `IntervalSeconds` and, as a year, on `MaxDelaySeconds`.
const MAX_ATTEMPTS: u64 = 99_999_999;
const MAX_DELAY_SECONDS: u64 = 31_622_400;

/// One rule of a `Retry` list.
#[derive(Debug)]
pub(crate) struct Retrier {
    error_equals: Vec<String>,
    interval_seconds: u64,
    max_attempts: u64,
    backoff_rate: f64,
    max_delay_seconds: u64,
    full_jitter: bool,
}

impl Retrier {
    pub(crate) fn read_all(reader: &mut Reader<'_, '_>) -> Vec<Self> {
        let rules = reader.array("Retry").map_or(&[][..], Vec::as_slice);
        let mut retriers = Vec::with_capacity(rules.len());
        for (at, rule) in rules.iter().enumerate() {
            if let Some(mut inner) = reader.item("Retry", at, rule) {
                retriers.push(Self::read(&mut inner, at + 1 == rules.len()));
                inner.finish();
            }
        }
        retriers
    }

    fn read(reader: &mut Reader<'_, '_>, is_last: bool) -> Self {
        reader.ignore(&["Comment"]);
        Self {
            error_equals: read_error_equals(reader, is_last),
            interval_seconds: at_most(reader, "IntervalSeconds", MAX_ATTEMPTS).unwrap_or(DEFAULT_INTERVAL_SECONDS),
            max_attempts: at_most(reader, "MaxAttempts", MAX_ATTEMPTS).unwrap_or(DEFAULT_MAX_ATTEMPTS),
            backoff_rate: read_backoff_rate(reader),
            max_delay_seconds: at_most(reader, "MaxDelaySeconds", MAX_DELAY_SECONDS).unwrap_or(MAX_DELAY_SECONDS),
            full_jitter: read_jitter(reader),
        }
    }

    pub(crate) fn matches(&self, failure: &Failure) -> bool {
        failure.is_matched_by(&self.error_equals)
    }

    /// When to try again after `attempts` retries by this rule; `None` when there were enough.
    pub(crate) fn due(&self, attempts: u32, now: Timestamp, random: Random<'_>) -> Option<Timestamp> {
        if u64::from(attempts) >= self.max_attempts {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds below a year")]
        let (interval, bound) = (self.interval_seconds as f64, self.max_delay_seconds as f64);
        let delay = (interval * self.backoff_rate.powf(f64::from(attempts))).min(bound);
        let delay = if self.full_jitter { delay * random().clamp(0.0, 1.0) } else { delay };
        Some(now.saturating_add(SignedDuration::from_secs_f64(delay)).unwrap_or(Timestamp::MAX))
    }
}

/// `ErrorEquals` of a `Retry` or `Catch` rule.
pub(crate) fn read_error_equals(reader: &mut Reader<'_, '_>, is_last: bool) -> Vec<String> {
    let names = reader.required_array("ErrorEquals").map_or(&[][..], Vec::as_slice);
    let names: Vec<String> = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    if names.is_empty() && reader.has("ErrorEquals") {
        reader.problem("ErrorEquals", "the value must be an array of error names");
    }
    if names.iter().any(|name| name == ALL) && (names.len() > 1 || !is_last) {
        reader.problem("ErrorEquals", format!("`{ALL}` must be alone and in the last rule"));
    }
    names
}

fn at_most(reader: &mut Reader<'_, '_>, field: &str, most: u64) -> Option<u64> {
    let number = reader.integer(field)?;
    if number > most {
        reader.problem(field, format!("the value must be at most {most}"));
    }
    Some(number.min(most))
}

fn read_backoff_rate(reader: &mut Reader<'_, '_>) -> f64 {
    let rate = reader.number("BackoffRate").unwrap_or(DEFAULT_BACKOFF_RATE);
    if rate < 1.0 {
        reader.problem("BackoffRate", "the value must be at least 1.0");
    }
    rate.max(1.0)
}

fn read_jitter(reader: &mut Reader<'_, '_>) -> bool {
    match reader.string("JitterStrategy") {
        Some("FULL") => true,
        None | Some("NONE") => false,
        Some(other) => {
            reader.problem("JitterStrategy", format!("there is no jitter strategy `{other}`"));
            false
        }
    }
}
