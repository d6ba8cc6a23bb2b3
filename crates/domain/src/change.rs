//! The catalog change: one small record for each run, appended, never updated in place.

use std::cmp::Ordering;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::EventKind;
use crate::object::{ObjectRef, compare_sequencers};
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

impl Change {
    /// Orders the records of one object version: the greatest tells what is known of it.
    ///
    /// The sequencer decides first, so an older event never hides a newer one however late its run ends. A replay works
    /// on the same event as the run before it: then the run that was started later counts, and of one run the record
    /// that was written later. What a listing found instead of an event has no sequencer and comes before all that has.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        compare_sequencers(&self.sequencer, &other.sequencer)
            .then_with(|| self.event_time.cmp(&other.event_time))
            .then_with(|| self.started.cmp(&other.started))
            .then_with(|| self.recorded.cmp(&other.recorded))
    }
}

/// The key of a change record: sorts by the time of the event, the same for every try of a run.
///
/// A redriven run overwrites its earlier record, so each run has exactly one. A replay is a run of its own, with a record
/// of its own beside the older one: [`Change::order`] says which counts.
#[must_use]
pub fn record_key(event_time: Timestamp, run: &str) -> String {
    let time = event_time.strftime("%Y-%m-%d/%H%M%S%3f");
    format!("changes/dt={time}-{run}.json")
}

/// The prefix that the records of all runs for one event share, replays included, and hardly any others.
#[must_use]
pub fn record_prefix(event_time: Timestamp) -> String {
    record_key(event_time, "").trim_end_matches(".json").to_owned()
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

    /// A record in four words: sequencer, seconds of the event, of the start and of the writing.
    fn change(sequencer: &str, event: i64, started: i64, recorded: i64) -> Change {
        let at = |second| Timestamp::from_second(second).unwrap().to_string();
        serde_json::from_value(serde_json::json!({
            "schema_version": SCHEMA_VERSION, "run": "r", "execution_arn": "arn", "bucket": "raw", "key": "a",
            "object_uri": "s3://raw/a", "size_bytes": 1, "event": "created", "event_time": at(event),
            "sequencer": sequencer, "status": "SUCCEEDED", "sensitivity": "NONE", "text_chars": 0,
            "counts": {}, "services": [], "engines": [], "cost_usd": 0.0,
            "started": at(started), "recorded": at(recorded), "seconds": 1.0,
        }))
        .unwrap()
    }

    #[test]
    fn the_newer_event_counts_and_of_one_event_the_later_run() {
        let cases = [
            ("a late run of an older event", change("0A", 5, 90, 99), change("0B", 6, 7, 8)),
            ("a replay", change("0A", 5, 6, 99), change("0A", 5, 7, 8)),
            ("a redrive", change("0A", 5, 6, 7), change("0A", 5, 6, 8)),
            ("a listing, and then an event", change("", 9, 90, 99), change("0A", 5, 6, 7)),
            ("two listings", change("", 5, 9, 9), change("", 6, 7, 8)),
        ];
        for (what, older, newer) in cases {
            assert_eq!((older.order(&newer), newer.order(&older)), (Ordering::Less, Ordering::Greater), "{what}");
        }
    }

    #[test]
    fn all_runs_of_an_event_share_a_prefix() {
        let time = "2026-05-01T09:59:59.999Z".parse().unwrap();
        assert_eq!(record_prefix(time), "changes/dt=2026-05-01/095959999-");
        assert!(record_key(time, "a-b.c").starts_with(&record_prefix(time)));
    }

    #[test]
    fn record_keys_sort_by_time() {
        let early = record_key("2026-05-01T09:59:59.999Z".parse().unwrap(), "z");
        let late = record_key("2026-05-01T10:00:00Z".parse().unwrap(), "a");
        assert_eq!(early, "changes/dt=2026-05-01/095959999-z.json");
        assert!(early < late);
    }
}
