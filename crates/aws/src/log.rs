//! What a function writes down about itself, as Lambda's advanced logging controls ask.
//!
//! Nothing below `INFO`: the steps say nothing there, and what the SDK says there holds what was sent and answered,
//! which is the text of documents. A filter with patterns, as of `lambda_runtime`, would make each package larger by a
//! library of regular expressions.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html>

use tracing_subscriber::filter::LevelFilter;

/// Writes to standard output from now on: lines of text, or JSON where `AWS_LAMBDA_LOG_FORMAT` says so, from the level
/// of `AWS_LAMBDA_LOG_LEVEL` or, where there is none, `RUST_LOG`.
pub fn init() {
    let level = variable("AWS_LAMBDA_LOG_LEVEL").or_else(|| variable("RUST_LOG"));
    let lines = tracing_subscriber::fmt().with_target(false).without_time().with_ansi(false);
    let lines = lines.with_max_level(level_of(level.as_deref()));
    // A second subscriber is refused, and the first one serves as well.
    let _ = if variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        lines.json().try_init()
    } else {
        lines.try_init()
    };
}

fn level_of(asked: Option<&str>) -> LevelFilter {
    let asked: Option<LevelFilter> = asked.and_then(|level| level.parse().ok());
    asked.unwrap_or(LevelFilter::INFO).min(LevelFilter::INFO)
}

#[expect(clippy::disallowed_methods, reason = "the logs begin before the deployment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sdk_says_of_documents_is_never_written() {
        let levels = [
            (None, LevelFilter::INFO),
            (Some("ERROR"), LevelFilter::ERROR),
            (Some("warn"), LevelFilter::WARN),
            (Some("TRACE"), LevelFilter::INFO),
            (Some("aws_smithy_runtime=trace"), LevelFilter::INFO),
            (Some("off"), LevelFilter::OFF),
        ];
        for (asked, level) in levels {
            assert_eq!(level_of(asked), level, "{asked:?}");
        }
    }
}
