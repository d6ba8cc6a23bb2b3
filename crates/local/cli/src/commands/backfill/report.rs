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
                "estimate: {:.2} to {:.2} USD, for {files} that have not been through it before",
                total.least_usd, total.most_usd
            ),
            "at list prices of us-east-1, from names and sizes alone; without Lambda, S3, SQS, discounts and taxes"
                .to_owned(),
        ]
    }
}
