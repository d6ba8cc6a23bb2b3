//! One row of an inventory, whatever it is written in.

use jiff::Timestamp;

/// What is read of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Decoded.
    pub(super) key: String,
    /// None where the bucket kept no versions when the object was put there.
    pub(super) version_id: Option<String>,
    /// Whether the inventory says versions at all.
    pub(super) has_version: bool,
    pub(super) is_latest: Option<bool>,
    pub(super) is_delete_marker: bool,
    pub(super) size_bytes: u64,
    pub(super) modified: Timestamp,
    pub(super) etag: Option<String>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            key: String::new(),
            version_id: None,
            has_version: false,
            is_latest: None,
            is_delete_marker: false,
            size_bytes: 0,
            modified: Timestamp::UNIX_EPOCH,
            etag: None,
        }
    }
}

/// A version as it is meant: an empty one is none.
pub(super) fn version(text: &str) -> Option<String> {
    Some(text).filter(|id| !id.is_empty() && *id != crate::bulk::listing::NO_VERSION).map(str::to_owned)
}
