//! What S3 says has happened, freed from its three envelopes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::object::ObjectRef;

/// Whether an object came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// Put, post, copy or completed multipart upload.
    Created,
    /// Deleted, delete marker, or expired by a lifecycle rule.
    Removed,
}

/// One event for one object version: the whole input of an execution, stable facts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectEvent {
    /// Created or removed.
    pub kind: EventKind,
    /// The object, key decoded.
    pub object: ObjectRef,
    /// Entity tag without quotes; absent for removals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Size as the event said.
    #[serde(default)]
    pub size_bytes: u64,
    /// Orders events of the same key; see [`crate::object::compare_sequencers`].
    #[serde(default)]
    pub sequencer: String,
    /// When S3 says it happened.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The replay that asks for the version anew; absent for what S3 told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
}

/// Versions that are to run once more, under a name of the asker's: the envelope that `sluice replay` sends.
///
/// The same versions under the same name are one run each, however often they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The replay's name: [`is_replay_name`].
    pub replay: String,
    /// What S3 once told of each version.
    pub events: Vec<ObjectEvent>,
}

/// Whether `name` may name a replay: 1 to 64 of letters, digits, `-`, `_`, `.` and `:`.
#[must_use]
pub fn is_replay_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

impl EventKind {
    /// Reads an S3 event name, with or without `s3:` before it, or an `EventBridge` detail type.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix("s3:").unwrap_or(name);
        let removed = ["ObjectRemoved:", "LifecycleExpiration:", "Object Deleted"];
        if name.starts_with("ObjectCreated:") || name == "Object Created" {
            Some(Self::Created)
        } else if removed.iter().any(|prefix| name.starts_with(prefix)) {
            Some(Self::Removed)
        } else {
            None
        }
    }
}

/// Whether `event` is for a folder marker: an object without bytes whose key ends in `/`.
#[must_use]
pub fn is_folder_marker(event: &ObjectEvent) -> bool {
    event.size_bytes == 0 && event.object.key.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_replays_are_short_and_plain() {
        for name in ["nightly", "2026-05-01T12:00:00.5Z", "a_b", &"x".repeat(64)] {
            assert!(is_replay_name(name), "{name}");
        }
        for name in ["", "a b", "a/b", "ü", "a\n", &"x".repeat(65)] {
            assert!(!is_replay_name(name), "{name}");
        }
    }

    #[test]
    fn names_of_events_are_sorted_into_kinds() {
        let cases = [
            ("ObjectCreated:Put", Some(EventKind::Created)),
            ("s3:ObjectCreated:CompleteMultipartUpload", Some(EventKind::Created)),
            ("Object Created", Some(EventKind::Created)),
            ("ObjectRemoved:DeleteMarkerCreated", Some(EventKind::Removed)),
            ("LifecycleExpiration:Delete", Some(EventKind::Removed)),
            ("Object Deleted", Some(EventKind::Removed)),
            ("ObjectTagging:Put", None),
            ("s3:TestEvent", None),
        ];
        for (name, kind) in cases {
            assert_eq!(EventKind::parse(name), kind, "{name}");
        }
    }
}
