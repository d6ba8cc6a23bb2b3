//! JSON and newline-delimited JSON: keys and values a line each, so that people's words stand out.
//!
//! What does not parse (a cut file, a comment, a stray comma) is read as plain text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Input, plain};
use crate::draft::Draft;

/// Reads JSON.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    let text = plain::decode(input, draft);
    if is_whole(&text) {
        write_values(&text, draft);
    } else {
        draft.warn("the JSON is incomplete or malformed; it was read as plain text");
        draft.push(&text);
    }
}

fn is_whole(text: &str) -> bool {
    let values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut found = false;
    for value in values {
        if value.is_err() {
            return false;
        }
        found = true;
    }
    found
}

fn write_values(text: &str, draft: &mut Draft<'_>) {
    // One deserializer reads value after value and fails at the end of the text.
    let mut deserializer = serde_json::Deserializer::from_str(text);
    while !draft.is_full() && (Lines { draft: &mut *draft, key: None }).deserialize(&mut deserializer).is_ok() {}
}

/// Writes one value as lines into the draft; its depth is bounded by `serde_json` itself (128).
struct Lines<'k, 'd, 'l> {
    draft: &'d mut Draft<'l>,
    key: Option<&'k str>,
}

impl Lines<'_, '_, '_> {
    fn write<E: Error>(self, value: &str) -> Result<(), E> {
        self.draft.end_line();
        if let Some(key) = self.key {
            self.draft.push(key);
            self.draft.push(": ");
        }
        self.draft.push(value);
        self.draft.end_line();
        if self.draft.is_full() { Err(E::custom("full")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Lines<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lines<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.write(if value { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.write(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.write(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.write(&value.to_string())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.write(value)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Lines { draft: &mut *self.draft, key: self.key })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            entries.next_value_seed(Lines { draft: &mut *self.draft, key: Some(&key) })?;
        }
        Ok(())
    }
}
