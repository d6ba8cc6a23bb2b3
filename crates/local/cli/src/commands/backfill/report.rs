//! What a backfill says when it is done, or what it would do.

use serde::Serialize;

use crate::bulk::checkpoint::Tally;
use crate::bulk::estimate::Estimate;
use crate::bulk::size::Size;
use crate::output;

/// The members are a contract with scripts.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) source: String,
    /// Whether it went on where an earlier one had stopped; the counts are of both.
    pub(super) resumed: bool,
    /// In a dry run `sent` is what would be.
    #[serde(flatten)]
    pub(super) tally: Tally,
    /// List prices; only of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) estimate: Option<Estimate>,
    pub(super) seconds: f64,
}

impl Report {
    /// Files of any kind.
    pub(super) fn found(&self) -> u64 {
        let Tally { sent, filtered, folders, gone, .. } = self.tally;
        sent + filtered + folders + gone
    }

    pub(super) fn lines(&self, option: &str) -> Vec<String> {
        let Tally { sent, sent_bytes, filtered, folders, gone } = self.tally;
        let files = if sent == 1 { "file" } else { "files" };
        let passed =
            [(filtered, "passed over by the filters"), (folders, "folder markers"), (gone, "not there any more")];
        let passed = passed.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
        let passed: String = passed.collect();
        let size = Size(sent_bytes);
        let Some(estimate) = &self.estimate else {
            return vec![
                format!("{sent} {files} sent, {size}{passed}, in {:.0} s", self.seconds),
                format!("next: sluice executions{option}    how far they are"),
            ];
        };
        let total = estimate.total;
        vec![
            output::estimate(estimate),
            String::new(),
            format!("{sent} {files} would be sent, {size}{passed}"),
            format!(
                "estimate: {} to {} USD, if none of them has been through it before",
                usd(total.least_usd),
                usd(total.most_usd)
            ),
            "at list prices of us-east-1, from names and sizes alone; without Lambda, S3, SQS, discounts and taxes"
                .to_owned(),
        ]
    }
}

/// Cents, or where there are few of them, what is less than one.
fn usd(amount: f64) -> String {
    if amount < 1.0 { format!("{amount:.4}") } else { format!("{amount:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_what_it_passed_over() {
        let tally = Tally { sent: 1, sent_bytes: 2_048, filtered: 3, folders: 0, gone: 1 };
        let report = Report { source: "s3://b".into(), resumed: false, tally, estimate: None, seconds: 2.4 };
        let lines = report.lines(" --data d");
        assert_eq!(lines[0], "1 file sent, 2.0 KiB, 3 passed over by the filters, 1 not there any more, in 2 s");
        assert!(lines[1].starts_with("next: sluice executions --data d "), "{}", lines[1]);
        assert_eq!(report.found(), 5);
    }

    #[test]
    fn small_amounts_are_not_nothing() {
        assert_eq!([0.0018, 0.999, 1.0, 1234.5].map(usd), ["0.0018", "0.9990", "1.00", "1234.50"]);
    }
}
