//! The plan for one file: tracks that run beside each other, each a sequence of tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::media::Family;
use crate::object::ObjectRef;

/// What classification found out about the object; every later step reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The object version that was read.
    pub object: ObjectRef,
    /// Entity tag without quotes; later reads insist on it.
    pub etag: String,
    /// Size of the object.
    pub size_bytes: u64,
    /// Media type by content, lower case, without parameters.
    pub media_type: String,
    /// `Content-Type` as the uploader declared it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_type: Option<String>,
    /// The family of `media_type`.
    pub family: Family,
}

/// Tasks that run one after the other, each building on what came before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Track {
    /// `text`, `speech`, `vision`: unique in a plan.
    pub name: String,
    /// In order.
    pub tasks: Vec<Task>,
}

/// One call of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The service's id in the registry.
    pub service: String,
    /// The features asked of it, by the service's own names.
    pub features: Vec<String>,
}

/// How a service takes part in the plan for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It reads the object and can carry a track alone.
    Reads(&'static str),
    /// It adds to a track that another service carries; without a reader the track is dropped.
    Joins(&'static str),
}

/// Puts tasks (in the registry's order) onto tracks and drops the tracks that nobody reads.
#[must_use]
pub fn tracks(parts: impl IntoIterator<Item = (Place, Task)>) -> Vec<Track> {
    let mut tracks: Vec<(Track, bool)> = Vec::new();
    for (place, task) in parts {
        let (name, reads) = match place {
            Place::Reads(name) => (name, true),
            Place::Joins(name) => (name, false),
        };
        match tracks.iter_mut().find(|(track, _)| track.name == name) {
            Some((track, read)) => {
                track.tasks.push(task);
                *read |= reads;
            }
            None => tracks.push((Track { name: name.to_owned(), tasks: vec![task] }, reads)),
        }
    }
    tracks.into_iter().filter_map(|(track, read)| read.then_some(track)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(service: &str) -> Task {
        Task { service: service.into(), features: Vec::new() }
    }

    #[test]
    fn a_track_needs_a_reader() {
        let plan = tracks([
            (Place::Joins("text"), task("metadata")),
            (Place::Reads("vision"), task("labels")),
            (Place::Joins("text"), task("language")),
        ]);
        assert_eq!(plan, [Track { name: "vision".into(), tasks: vec![task("labels")] }]);
    }

    #[test]
    fn tasks_keep_the_registry_order_within_a_track() {
        let plan = tracks([
            (Place::Joins("text"), task("metadata")),
            (Place::Reads("text"), task("ocr")),
            (Place::Joins("text"), task("language")),
        ]);
        let services: Vec<_> = plan[0].tasks.iter().map(|task| task.service.as_str()).collect();
        assert_eq!(services, ["metadata", "ocr", "language"]);
    }
}
