//! What a task gave back: stored whole under the run's work prefix, never in a payload.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a task or one of its features ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It gave an answer.
    Succeeded,
    /// There was nothing for it to do (a PDF whose every page has text needs no OCR).
    Skipped,
    /// No engine here does it; nothing was invented.
    Unavailable,
    /// It failed for good.
    Failed,
}

/// How one feature of a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureOutcome {
    /// The service's own name of the feature.
    pub feature: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, unless it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a service found, before the run's facts are added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// The engine that gave the answer: `aws`, or what a local engine says of itself.
    pub engine: String,
    /// Pages that the service bills.
    pub pages: u32,
    /// What the service charges for it in US dollars, by list price.
    pub cost_usd: f64,
    /// How each feature ended; empty where the service has none.
    pub features: Vec<FeatureOutcome>,
    /// Why there was nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// The service's answer in its own words; its shape is known to the service's file alone.
    pub raw: Value,
}

/// [`Findings`] with the identity of the task: the content of a work object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The service's id in the registry.
    pub service: String,
    /// The client token, job name or job tag that the call carried.
    pub request_token: String,
    /// When the task was started.
    pub started: Timestamp,
    /// When its answer was complete.
    pub finished: Timestamp,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

impl Findings {
    /// Findings of a task for which there was nothing to do.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self {
            engine: "none".into(),
            pages: 0,
            cost_usd: 0.0,
            features: Vec::new(),
            skipped: Some(reason.into()),
            raw: Value::Null,
        }
    }

    /// How the task as a whole ended: one feature that worked is a success, else the worst counts.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let has = |outcome| self.features.iter().any(|feature| feature.outcome == outcome);
        if self.skipped.is_some() {
            Outcome::Skipped
        } else if self.features.is_empty() || has(Outcome::Succeeded) {
            Outcome::Succeeded
        } else if has(Outcome::Failed) {
            Outcome::Failed
        } else if has(Outcome::Unavailable) {
            Outcome::Unavailable
        } else {
            Outcome::Skipped
        }
    }
}
