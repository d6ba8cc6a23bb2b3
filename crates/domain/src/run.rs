//! The identity of a run: one name for each object version, so that a second event is no second bill.

use sha2::{Digest, Sha256};

use crate::event::{EventKind, ObjectEvent};

/// Step Functions allows 80 characters in an execution name.
const NAME_CHARS: usize = 80;
/// Half of a SHA-256 as hex: no two of a billion runs meet.
const HASH_CHARS: usize = 32;

/// The execution name of `event`: a readable slug of the file name and a hash of what makes the run.
///
/// A version id alone identifies a version; without one, `ETag` and sequencer do. The kind is
/// part of the hash since a delete of version X and the creation of X are two runs. So is the
/// name of a replay: it makes one new run of the version, however often it is asked for.
#[must_use]
pub fn execution_name(event: &ObjectEvent) -> String {
    let hash = hash(&identity(event));
    let slug = slug(event.object.file_name(), NAME_CHARS - HASH_CHARS - 1);
    if slug.is_empty() { hash } else { format!("{slug}-{hash}") }
}

fn identity(event: &ObjectEvent) -> Vec<&str> {
    let kind = match event.kind {
        EventKind::Created => "created",
        EventKind::Removed => "removed",
    };
    let mut parts = vec![kind, &event.object.bucket, &event.object.key];
    match &event.object.version_id {
        Some(version) => parts.extend(["version", version]),
        None => parts.extend(["etag", event.etag.as_deref().unwrap_or(""), &event.sequencer]),
    }
    if let Some(replay) = &event.replay {
        parts.extend(["replay", replay]);
    }
    parts
}

/// Hashes `parts` so that no shifting of bytes between parts gives the same hash.
fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let mut hash = format!("{:x}", hasher.finalize());
    hash.truncate(HASH_CHARS);
    hash
}

/// A token for one task of one run, the same at every retry: `[0-9a-f]{32}`.
///
/// It fits every service's rule: Transcribe job names, Textract client tokens (at most 64), job tags.
#[must_use]
pub fn request_token(run: &str, track: &str, task: usize, service: &str) -> String {
    hash(&[run, track, &task.to_string(), service])
}

/// Letters, digits, `-` and `_` of `name`, all else one `-`: what Step Functions allows everywhere.
fn slug(name: &str, limit: usize) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == limit {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ObjectRef;

    fn event(key: &str, version: Option<&str>, sequencer: &str) -> ObjectEvent {
        ObjectEvent {
            kind: EventKind::Created,
            object: ObjectRef { bucket: "raw".into(), key: key.into(), version_id: version.map(Into::into) },
            etag: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
            size_bytes: 1,
            sequencer: sequencer.into(),
            time: "2026-05-01T12:00:00Z".parse().unwrap(),
            replay: None,
        }
    }

    #[test]
    fn a_replay_is_one_new_run() {
        let first = event("a", Some("v1"), "1");
        let replayed = |name: &str| execution_name(&ObjectEvent { replay: Some(name.into()), ..first.clone() });
        assert_ne!(execution_name(&first), replayed("a"));
        assert_ne!(replayed("a"), replayed("b"));
        assert_eq!(replayed("a"), replayed("a"));
    }

    #[test]
    fn names_are_readable_and_fit() {
        let name = execution_name(&event("in/naïve name (1).txt", Some("v1"), "1"));
        assert!(name.starts_with("na-ve-name-1-txt-"), "{name}");
        let long = execution_name(&event(&"x".repeat(1000), Some("v1"), "1"));
        assert_eq!(long.len(), NAME_CHARS);
        assert_eq!(execution_name(&event("日本", None, "1")).len(), HASH_CHARS);
    }

    #[test]
    fn one_name_for_a_version_and_another_for_the_next() {
        let first = execution_name(&event("a", Some("v1"), "1"));
        assert_eq!(first, execution_name(&event("a", Some("v1"), "2")), "the sequencer is not part of a version");
        assert_ne!(first, execution_name(&event("a", Some("v2"), "1")));
        assert_ne!(execution_name(&event("a", None, "1")), execution_name(&event("a", None, "2")));
    }

    #[test]
    fn tokens_differ_by_task() {
        assert_ne!(request_token("r", "text", 0, "x"), request_token("r", "text", 1, "x"));
        assert_ne!(request_token("r1", "1", 0, "x"), request_token("r", "11", 0, "x"));
    }
}
