//! The catalog change: one small record for each run, appended, never updated in place.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::EventKind;
use crate::object::ObjectRef;
use crate::stage::Facts;

/// Version of the record's shape; rises when a member changes its meaning or goes.
pub const SCHEMA_VERSION: &str = "1.0";

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// All that was asked for was found or is not available here.
    Succeeded,
    /// Some of it failed; the reason says which and why.
    Partial,
    /// Nothing could be extracted; the reason says why.
    Failed,
    /// Nothing here reads this kind of file.
    Unsupported,
    /// The file has no bytes.
    Empty,
    /// The file cannot be read without a password.
    Encrypted,
    /// The file is over a limit.
    TooLarge,
    /// The object was removed.
    Removed,
}

impl Status {
    /// The name in the catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Partial => "PARTIAL",
            Self::Failed => "FAILED",
            Self::Unsupported => "UNSUPPORTED",
            Self::Empty => "EMPTY",
            Self::Encrypted => "ENCRYPTED",
            Self::TooLarge => "TOO_LARGE",
            Self::Removed => "REMOVED",
        }
    }
}

/// How many of each thing an extraction document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Segments of text with a time or a place.
    pub segments: u32,
    /// Entities.
    pub entities: u32,
    /// Key phrases.
    pub key_phrases: u32,
    /// Spans of personal data.
    pub pii: u32,
    /// Labels.
    pub labels: u32,
    /// Faces.
    pub faces: u32,
    /// Tables.
    pub tables: u32,
    /// Form fields.
    pub forms: u32,
    /// Attachments.
    pub attachments: u32,
}

/// One change of the catalog: what is known of one object version after one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// Name of the execution; the record's identity.
    pub run: String,
    /// ARN of the execution.
    pub execution_arn: String,
    /// The object version.
    #[serde(flatten)]
    pub object: ObjectRef,
    /// `s3://` address of the object.
    pub object_uri: String,
    /// Entity tag without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Size of the object.
    pub size_bytes: u64,
    /// Whether the object came or went.
    pub event: EventKind,
    /// When S3 says it did.
    #[schemars(with = "String")]
    pub event_time: Timestamp,
    /// Orders changes of the same key.
    pub sequencer: String,
    /// What became of it.
    pub status: Status,
    /// Why, unless it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Media type by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Media type as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_type: Option<String>,
    /// What was found, in numbers.
    #[serde(flatten)]
    pub facts: Facts,
    /// When the execution started.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When this record was written.
    #[schemars(with = "String")]
    pub recorded: Timestamp,
    /// Seconds from start to record.
    pub seconds: f64,
}

/// The key of a change record: sorts by the time of the event, the same for every try of a run.
///
/// A redriven run overwrites its earlier record, so each run has exactly one.
#[must_use]
pub fn record_key(event_time: Timestamp, run: &str) -> String {
    let time = event_time.strftime("%Y-%m-%d/%H%M%S%3f");
    format!("changes/dt={time}-{run}.json")
}

/// The key of a run's extraction document.
#[must_use]
pub fn document_key(event_time: Timestamp, run: &str) -> String {
    let day = event_time.strftime("%Y-%m-%d");
    format!("documents/dt={day}/{run}.json")
}

/// The prefix under which a run keeps raw answers of services.
#[must_use]
pub fn work_prefix(run: &str) -> String {
    format!("work/{run}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_keys_sort_by_time() {
        let early = record_key("2026-05-01T09:59:59.999Z".parse().unwrap(), "z");
        let late = record_key("2026-05-01T10:00:00Z".parse().unwrap(), "a");
        assert_eq!(early, "changes/dt=2026-05-01/095959999-z.json");
        assert!(early < late);
    }
}
