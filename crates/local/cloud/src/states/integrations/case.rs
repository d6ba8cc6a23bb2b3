//! How members are written: tasks write every member in Pascal case, whatever the service's wire has; times are text in
//! ISO 8601 there, and members without a value are left out.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Members whose own members are names that somebody chose, and so are left as they are.
const CHOSEN: [&str; 4] = ["assignedVariables", "variableReferences", "Tags", "KMSEncryptionContext"];

/// How a name is turned.
type Turn = fn(char) -> char;

/// A task's parameters as a service with lower camel case on its wire reads them.
pub(super) fn lower(parameters: &Value) -> Value {
    turned(parameters, |c| c.to_ascii_lowercase())
}

/// A service's answer as a task sees it.
pub(super) fn pascal(answer: &Value) -> Value {
    turned(answer, |c| c.to_ascii_uppercase())
}

fn turned(value: &Value, turn: Turn) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| turned(item, turn)).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (first(name, turn), member(name, value, turn)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn member(name: &str, value: &Value, turn: Turn) -> Value {
    if CHOSEN.contains(&name) && value.is_object() { value.clone() } else { turned(value, turn) }
}

fn first(name: &str, turn: Turn) -> String {
    let mut rest = name.chars();
    rest.next().map(turn).into_iter().chain(rest).collect()
}

/// Turns the seconds of the members that tell a time into text.
pub(super) fn with_times(mut answer: Value) -> Value {
    write_times(&mut answer);
    answer
}

fn write_times(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_times),
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| match value.as_f64() {
            Some(seconds) if is_time(name) => *value = iso(seconds).into(),
            _ => write_times(value),
        }),
        _ => {}
    }
}

fn is_time(name: &str) -> bool {
    // A transcript's own times are text already.
    ["Date", "DateTime", "CreationTime", "StartTime", "CompletionTime", "EndTime", "SubmitTime", "LastModifiedTime"]
        .iter()
        .any(|end| name.ends_with(end))
        || name == "Timestamp"
}

/// A time as the SDK writes it: no fraction, or milliseconds.
fn iso(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a time out of bounds is the epoch")]
    let at = Timestamp::from_millisecond((seconds * 1000.0).round() as i64).unwrap_or(Timestamp::UNIX_EPOCH);
    instant(at)
}

pub(super) fn instant(at: Timestamp) -> String {
    let format = if at.as_millisecond() % 1000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.3fZ" };
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{lower, pascal, with_times};

    #[test]
    fn members_are_turned_and_nulls_left_out() {
        let asked = json!({"StateMachineArn": "a", "Input": null, "Tags": [{"Key": "k", "Value": "V"}]});
        assert_eq!(lower(&asked), json!({"stateMachineArn": "a", "tags": [{"key": "k", "value": "V"}]}));
        let answered = json!({"events": [{"id": 1, "assignedVariables": {"x": "1"}}], "nextToken": null});
        assert_eq!(pascal(&answered), json!({"Events": [{"Id": 1, "AssignedVariables": {"x": "1"}}]}));
    }

    #[test]
    fn times_are_text() {
        let answered = json!({"StartDate": 1_767_323_045.678, "Jobs": [{"CreationTime": 1_767_323_045}], "Score": 1.5});
        let seen = json!({
            "StartDate": "2026-01-02T03:04:05.678Z", "Jobs": [{"CreationTime": "2026-01-02T03:04:05Z"}], "Score": 1.5,
        });
        assert_eq!(with_times(answered), seen);
    }
}
