//! What the store knows about one version of one object.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Checksums;

/// One version of one object. Its bytes never change.
#[derive(Debug, Clone)]
pub struct ObjectVersion {
    /// Bucket name.
    pub bucket: String,
    /// Key, as the client gave it.
    pub key: String,
    /// Version id, where the bucket is versioned (`null` for what was written before it was).
    pub version_id: Option<String>,
    /// Entity tag without quotes.
    pub etag: String,
    /// Size of the object.
    pub size_bytes: u64,
    /// Declared media type (`Content-Type`).
    pub content_type: Option<String>,
    /// The other headers and the user's metadata.
    pub attributes: Attributes,
    /// Tags, at most ten.
    pub tags: Vec<Tag>,
    /// Checksums that the client sent or asked for.
    pub checksums: Checksums,
    /// The parts it was made of, empty unless it was a multipart upload.
    pub parts: Vec<ObjectPart>,
    /// When it was stored.
    pub modified: Timestamp,
    /// Orders the events of one key: fixed width, upper-case hexadecimal.
    pub sequencer: String,
    /// SHA-256 of its bytes, lower-case hexadecimal: the name of its file, where it has one.
    pub sha256: String,
    /// Its row.
    pub(super) row: i64,
    /// Its bytes are in that row.
    pub(super) is_in_row: bool,
}

/// Headers that are stored with an object and come back with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    /// `Content-Type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Content-Encoding`, without `aws-chunked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Expires`, as an RFC 3339 date and time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
    /// `x-amz-storage-class`: kept and shown, it changes nothing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `x-amz-meta-…`, names in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// One tag of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Unique within the object, 1 to 128 characters.
    pub key: String,
    /// Up to 256 characters.
    pub value: String,
}

/// One part of an object that was uploaded in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectPart {
    /// 1 to 10,000, as the client numbered it.
    pub number: i32,
    /// Its size.
    pub size_bytes: u64,
    /// Its checksums.
    pub checksums: Checksums,
}
