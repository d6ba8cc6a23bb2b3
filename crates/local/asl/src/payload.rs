//! JSON documents that are shared, never copied, between states and log entries.
//!
//! A document may hold 262,144 bytes and passes through every state of an execution, so it lives
//! behind an `Arc` and remembers its size.

mod shared;

use std::sync::{Arc, OnceLock};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use self::shared::Place;
pub(crate) use self::shared::within_piece;

/// The most bytes of JSON text that a state may take or give:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>.
pub const MAX_PAYLOAD_BYTES: usize = 262_144;

/// How deep a document may nest. JSON that nests deeper than 128 is not read back from the log, whose
/// entries add some levels of their own.
pub const MAX_PAYLOAD_DEPTH: usize = 100;

/// An immutable, shared JSON document.
#[derive(Clone, Debug)]
pub struct Payload(Arc<Document>);

#[derive(Debug)]
struct Document {
    value: Value,
    size_bytes: OnceLock<usize>,
}

impl Payload {
    /// The document itself.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The document as compact JSON text, as the service's history shows it.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.value.to_string()
    }

    /// Whether the JSON text is longer, or the document deeper, than a state may take or give.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.size_bytes() > MAX_PAYLOAD_BYTES || nests_deeper(self.value(), MAX_PAYLOAD_DEPTH)
    }

    /// How long the JSON text is.
    pub(crate) fn size_bytes(&self) -> usize {
        *self.0.size_bytes.get_or_init(|| json_size(&self.0.value))
    }

    /// Whether both are one and the same document in memory.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self(Arc::new(Document { value, size_bytes: OnceLock::new() }))
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.value() == other.value()
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match shared::place(self) {
            Place::Plain => self.value().serialize(serializer),
            Place::First => [self.value()].serialize(serializer),
            Place::Again(number) => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        shared::document(value).ok_or_else(|| D::Error::custom("a document that the log does not hold"))
    }
}

/// About how many bytes a value takes: cheaper to know than the length of its text.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len(),
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => 1 + members.iter().map(|(name, member)| name.len() + weight(member)).sum::<usize>(),
        _ => 1,
    }
}

fn nests_deeper(value: &Value, most: usize) -> bool {
    let Some(rest) = most.checked_sub(1) else {
        return value.is_array() || value.is_object();
    };
    match value {
        Value::Array(items) => items.iter().any(|item| nests_deeper(item, rest)),
        Value::Object(members) => members.values().any(|member| nests_deeper(member, rest)),
        _ => false,
    }
}

fn json_size(value: &Value) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).expect("a value in memory serialises to a counter");
    counter.0
}
