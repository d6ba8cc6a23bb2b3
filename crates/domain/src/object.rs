//! Objects in S3: names, addresses, and how events order them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use std::cmp::Ordering;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One object, or one version of it where the bucket is versioned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ObjectRef {
    /// Bucket name.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// Version id; absent where the bucket is not versioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

impl ObjectRef {
    /// The current version of `key` in `bucket`.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), version_id: None }
    }

    /// The address as `s3://bucket/key`, the key as it is.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// Reads `s3://bucket/key`.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/')?;
        (!bucket.is_empty() && !key.is_empty()).then(|| Self::new(bucket, key))
    }

    /// The part of the key behind the last `/`.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri())
    }
}

/// Decodes a key of an S3 notification (form-encoded: `+` is a space, `%2B` a plus).
///
/// Keys in `EventBridge` events are plain and must not pass through here.
/// Bytes that are not UTF-8 after decoding become U+FFFD; S3 keys are UTF-8, so none do.
#[must_use]
pub fn decode_notification_key(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let (decoded, used) = decode_byte(byte, tail);
        bytes.push(decoded);
        rest = &tail[used..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn decode_byte(byte: u8, tail: &[u8]) -> (u8, usize) {
    match (byte, tail) {
        (b'+', _) => (b' ', 0),
        (b'%', [high, low, ..]) => match (hex_digit(*high), hex_digit(*low)) {
            (Some(high), Some(low)) => (high * 16 + low, 2),
            _ => (byte, 0),
        },
        _ => (byte, 0),
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Orders two sequencers of the same key: the shorter is padded with zeros on the right, case does not count.
#[must_use]
pub fn compare_sequencers(left: &str, right: &str) -> Ordering {
    let width = left.len().max(right.len());
    let padded = |text: &str| format!("{:0<width$}", text.to_ascii_uppercase());
    padded(left).cmp(&padded(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notification_keys_are_decoded_as_forms() {
        let cases = [
            ("a+b.txt", "a b.txt"),
            ("a%2Bb%26c%25.txt", "a+b&c%.txt"),
            ("na%C3%AFve/%E6%97%A5.pdf", "naïve/日.pdf"),
            ("100%", "100%"),
            ("%zz+%4", "%zz %4"),
        ];
        for (encoded, key) in cases {
            assert_eq!(decode_notification_key(encoded), key);
        }
    }

    #[test]
    fn sequencers_compare_with_zeros_on_the_right() {
        assert_eq!(compare_sequencers("0055AED6DCD90281E5", "0055AED6DCD90281E6"), Ordering::Less);
        assert_eq!(compare_sequencers("00a1", "00A10"), Ordering::Equal);
        assert_eq!(compare_sequencers("00B", "00AFF"), Ordering::Greater);
    }

    #[test]
    fn uris_read_back() {
        let object = ObjectRef::new("raw", "a b/ü+%.txt");
        assert_eq!(ObjectRef::from_uri(&object.uri()), Some(object));
        assert_eq!(ObjectRef::from_uri("s3://raw/"), None);
        assert_eq!(ObjectRef::from_uri("https://raw/x"), None);
    }
}
