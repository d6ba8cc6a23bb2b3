//! A JSON file: the elements of its array, or of the array that `ItemsPointer` points to, one after the other.
//!
//! The array is never held whole. <https://www.rfc-editor.org/rfc/rfc6901>

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::object::{Gauge, Gauged};
use super::{Sink, Stop, failed};

/// What AWS says of a file that holds no array.
const NOT_ITERABLE: &str = "Attempting to map over non-iterable node.";

pub(super) fn read(pointer: Option<&str>, bytes: impl Read, sink: &mut Sink) -> Result<(), Stop> {
    let (bytes, gauge) = Gauged::over(bytes);
    let names = names_in(pointer.unwrap_or_default());
    let mut outcome = Ok(false);
    let mut deserializer = serde_json::Deserializer::from_reader(bytes);
    let seed = Pointed { names: &names, sink, gauge: &gauge, outcome: &mut outcome };
    let read = seed.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (outcome?, read) {
        (_, Err(error)) => Err(failed(format!("The file is not valid JSON: {error}")).into()),
        (true, Ok(())) => Ok(()),
        (false, Ok(())) => Err(failed(NOT_ITERABLE).into()),
    }
}

/// The names and indices of a pointer.
fn names_in(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
}

/// The value that the rest of a pointer leads to.
struct Pointed<'a> {
    names: &'a [String],
    sink: &'a mut Sink,
    gauge: &'a Gauge,
    /// Whether the array was there, or why reading stopped.
    outcome: &'a mut Result<bool, Stop>,
}

impl Pointed<'_> {
    fn stop<E: serde::de::Error>(self, stop: Stop) -> E {
        *self.outcome = Err(stop);
        E::custom("reading stopped")
    }

    /// A value that is no array and leads to none.
    fn not_iterable<E: serde::de::Error>(self) -> E {
        self.stop(failed(NOT_ITERABLE).into())
    }
}

impl<'de> DeserializeSeed<'de> for Pointed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pointed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.names.split_first() else {
            *self.outcome = Ok(true);
            self.gauge.reset();
            while let Some(item) = items.next_element::<Value>()? {
                if let Err(stop) = self.sink.put_blocking(item) {
                    return Err(self.stop(stop));
                }
                self.gauge.reset();
            }
            return Ok(());
        };
        let wanted: Option<usize> = first.parse().ok();
        for at in 0.. {
            self.gauge.reset();
            let inner = Pointed { names: rest, sink: &mut *self.sink, gauge: self.gauge, outcome: &mut *self.outcome };
            let more = match wanted {
                Some(wanted) if wanted == at => items.next_element_seed(inner)?.is_some(),
                _ => items.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.names.split_first() else {
            return Err(self.not_iterable());
        };
        while let Some(name) = members.next_key::<String>()? {
            self.gauge.reset();
            if name == *first {
                let inner =
                    Pointed { names: rest, sink: &mut *self.sink, gauge: self.gauge, outcome: &mut *self.outcome };
                members.next_value_seed(inner)?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(self.not_iterable())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.not_iterable())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.not_iterable())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.not_iterable())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.not_iterable())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Err(self.not_iterable())
    }
}
