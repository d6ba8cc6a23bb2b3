//! An object that may be sent through the pipeline, as a listing or an inventory tells of it.

use domain::event::{EventKind, ObjectEvent, is_folder_marker};
use domain::object::ObjectRef;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One version of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) object: ObjectRef,
    pub(crate) etag: Option<String>,
    pub(crate) size_bytes: u64,
    pub(crate) modified: Timestamp,
    /// What is behind it when it has been dealt with.
    pub(crate) position: Position,
}

/// How far a walk over a bucket has come: the last file that was dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Position {
    /// In a listing.
    Listing {
        /// The key.
        key: String,
        /// The version; `null` where the bucket kept none.
        version_id: String,
    },
    /// In an inventory.
    Inventory {
        /// Which of its files, from 0.
        file: usize,
        /// How many rows of that file are done.
        rows: u64,
    },
}

/// Some of the files, in order.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) candidates: Vec<Candidate>,
    /// Files that an inventory names and that are not there any more.
    pub(crate) gone: u64,
}

impl Candidate {
    /// The event that S3 would tell of it, as far as a listing knows: without a sequencer, so it comes before all events
    /// that S3 does tell. Where the bucket keeps versions the run has the name that S3's event would give it.
    pub(crate) fn event(&self) -> ObjectEvent {
        ObjectEvent {
            kind: EventKind::Created,
            object: self.object.clone(),
            etag: self.etag.clone(),
            size_bytes: self.size_bytes,
            sequencer: String::new(),
            time: self.modified,
            replay: None,
        }
    }

    /// Whether it only stands for a folder.
    pub(crate) fn is_folder(&self) -> bool {
        is_folder_marker(&self.event())
    }
}
