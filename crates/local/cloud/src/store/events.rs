//! Which changes a bucket tells whom about; an event is written down with the change itself.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html>

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

/// The target of events that go to `EventBridge`'s default bus.
pub(crate) const EVENT_BUS: &str = "event-bus/default";

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// `PutObject`.
    Put,
    /// A form upload.
    Post,
    /// `CopyObject`.
    Copy,
    /// `CompleteMultipartUpload`.
    CompleteMultipartUpload,
    /// A version was removed for good.
    Delete,
    /// A delete marker was put on top.
    DeleteMarkerCreated,
}

/// A bucket's notification configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRules {
    /// Who is told about what.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Everything also goes to `EventBridge`.
    #[serde(default)]
    pub event_bridge: bool,
}

/// One target and the events it wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The configuration's id; it comes back in each event as `configurationId`.
    pub id: String,
    /// ARN of the queue, function or topic.
    pub target: String,
    /// Event types: `s3:ObjectCreated:*`, `s3:ObjectRemoved:Delete` …
    pub events: Vec<String>,
    /// The key must begin with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The key must end with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

/// What is written down of one change.
pub(super) struct Change<'a> {
    pub(super) kind: EventKind,
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) version_id: Option<&'a str>,
    pub(super) etag: Option<&'a str>,
    pub(super) size_bytes: Option<u64>,
    pub(super) sequence: i64,
    pub(super) time: Timestamp,
}

impl EventKind {
    /// `eventName` as in the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "ObjectCreated:Put",
            Self::Post => "ObjectCreated:Post",
            Self::Copy => "ObjectCreated:Copy",
            Self::CompleteMultipartUpload => "ObjectCreated:CompleteMultipartUpload",
            Self::Delete => "ObjectRemoved:Delete",
            Self::DeleteMarkerCreated => "ObjectRemoved:DeleteMarkerCreated",
        }
    }
}

impl Rule {
    fn wants(&self, kind: EventKind, key: &str) -> bool {
        self.events.iter().any(|pattern| matches(pattern, kind.name()))
            && self.prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix.as_str()))
            && self.suffix.as_ref().is_none_or(|suffix| key.ends_with(suffix.as_str()))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let pattern = pattern.strip_prefix("s3:").unwrap_or(pattern);
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// Writes an event for each target that wants the change; gives back whether there was one.
pub(super) fn record(
    transaction: &Transaction<'_>,
    rules: &NotificationRules,
    change: &Change<'_>,
) -> rusqlite::Result<bool> {
    let wanting = rules.rules.iter().filter(|rule| rule.wants(change.kind, change.key));
    let told = wanting.map(|rule| (rule.target.as_str(), rule.id.as_str()));
    let targets: Vec<_> = told.chain(rules.event_bridge.then_some((EVENT_BUS, ""))).collect();
    for (target, rule) in &targets {
        insert(transaction, target, rule, change)?;
    }
    Ok(!targets.is_empty())
}

fn insert(transaction: &Transaction<'_>, target: &str, rule: &str, change: &Change<'_>) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO events (target, rule, name, time_ms, bucket, key, sequencer, etag, size_bytes, version_id) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    transaction.prepare_cached(sql)?.execute(params![
        target,
        rule,
        change.kind.name(),
        change.time.as_millisecond(),
        change.bucket,
        change.key,
        change.sequence,
        change.etag,
        change.size_bytes.map(u64::cast_signed),
        change.version_id,
    ])
}
