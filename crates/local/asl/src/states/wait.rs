//! Wait: delays for a time or until a moment.
//!
//! Spec: <https://states-language.net/#wait-state>.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Moment;
use crate::definition::Reader;
use crate::failure::{Failure, Fault};
use crate::jsonata::Located;
use crate::path::{Found, Path};
use crate::timestamp;

/// The longest wait that the language allows, in seconds.
const MAX_SECONDS: u64 = 99_999_999;

#[derive(Debug)]
pub(crate) enum Wait {
    Seconds(u64),
    SecondsPath(Path),
    Timestamp(Timestamp),
    TimestampPath(Path),
    SecondsQuery(Located),
    TimestampQuery(Located),
}

impl Wait {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        if reader.is_jsonata() { Self::read_jsonata(reader) } else { Self::read_paths(reader) }
    }

    fn read_jsonata(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match (reader.has("Seconds"), reader.has("Timestamp")) {
            (true, false) => {
                let located = reader.located("Seconds").map(Self::SecondsQuery);
                located.or_else(|| read_seconds(reader).map(Self::Seconds))
            }
            (false, true) => {
                let located = reader.located("Timestamp").map(Self::TimestampQuery);
                located.or_else(|| read_timestamp(reader).map(Self::Timestamp))
            }
            _ => {
                reader.problem("", "a Wait state has exactly one of `Seconds` and `Timestamp`");
                None
            }
        }
    }

    fn read_paths(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let fields = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        let present: Vec<&str> = fields.into_iter().filter(|field| reader.has(field)).collect();
        let [field] = present[..] else {
            reader.problem(
                "",
                "a Wait state has exactly one of `Seconds`, `SecondsPath`, `Timestamp` and `TimestampPath`",
            );
            return None;
        };
        match field {
            "Seconds" => read_seconds(reader).map(Self::Seconds),
            "SecondsPath" => reader.path(field).map(Self::SecondsPath),
            "TimestampPath" => reader.path(field).map(Self::TimestampPath),
            _ => read_timestamp(reader).map(Self::Timestamp),
        }
    }

    /// The moment at which the wait ends.
    pub(super) fn run(&self, moment: &mut Moment<'_, '_>) -> Result<Timestamp, Fault> {
        let now = moment.now;
        match self {
            Self::Seconds(seconds) => Ok(after(now, *seconds)),
            Self::Timestamp(at) => Ok(*at),
            Self::SecondsPath(path) => Ok(after(now, seconds_of(&find(moment, path, "SecondsPath")?, path)?)),
            Self::TimestampPath(path) => Ok(timestamp_of(&find(moment, path, "TimestampPath")?, path)?),
            Self::SecondsQuery(located) => {
                let scope = moment.scope(moment.input.value());
                let seconds = located.typed("number", &scope, moment.random, seconds_in)?;
                Ok(after(now, seconds))
            }
            Self::TimestampQuery(located) => {
                let scope = moment.scope(moment.input.value());
                let text = located.typed("string", &scope, moment.random, |value| value.as_str().map(str::to_owned))?;
                timestamp::parse(&text).ok_or_else(|| not_a_timestamp(located, &text))
            }
        }
    }
}

fn find(moment: &Moment<'_, '_>, path: &Path, name: &str) -> Result<Value, Fault> {
    let input = moment.filtered_input()?;
    let scope = moment.scope(moment.input.value());
    match path.find(&scope.over(input.value())) {
        Found::One(value) => Ok(value.clone()),
        Found::Made(value) => Ok(value),
        Found::Missing => {
            let cause = format!("The {name} parameter does not reference an input value: {}", path.text());
            Err(Failure::runtime(cause).into())
        }
    }
}

fn seconds_in(value: &Value) -> Option<u64> {
    value.as_u64().filter(|seconds| *seconds <= MAX_SECONDS)
}

fn not_a_timestamp(located: &Located, text: &str) -> Fault {
    located.fault(format!(
        "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {text}"
    ))
}

fn read_seconds(reader: &mut Reader<'_, '_>) -> Option<u64> {
    let seconds = reader.integer("Seconds")?;
    if seconds > MAX_SECONDS {
        reader.problem("Seconds", format!("the value must be at most {MAX_SECONDS}"));
    }
    Some(seconds.min(MAX_SECONDS))
}

fn read_timestamp(reader: &mut Reader<'_, '_>) -> Option<Timestamp> {
    let text = reader.string("Timestamp")?;
    let at = timestamp::parse(text);
    if at.is_none() {
        reader.problem("Timestamp", format!("`{text}` is not an RFC 3339 timestamp"));
    }
    at
}

fn after(now: Timestamp, seconds: u64) -> Timestamp {
    let delay = SignedDuration::from_secs(i64::try_from(seconds.min(MAX_SECONDS)).expect("the bound fits"));
    now.saturating_add(delay).unwrap_or(Timestamp::MAX)
}

fn seconds_of(value: &Value, path: &Path) -> Result<u64, Failure> {
    if let Some(seconds) = value.as_i64().filter(|seconds| *seconds < 0) {
        return Err(Failure::runtime(format!(
            "The SecondsPath parameter cannot be negative: {} == {seconds}",
            path.text()
        )));
    }
    seconds_in(value).ok_or_else(|| {
        Failure::runtime(format!(
            "The SecondsPath parameter does not reference a valid integer: {} == {value}",
            path.text()
        ))
    })
}

fn timestamp_of(value: &Value, path: &Path) -> Result<Timestamp, Failure> {
    value.as_str().and_then(timestamp::parse).ok_or_else(|| {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Failure::runtime(format!(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: {} == {shown}",
            path.text()
        ))
    })
}
