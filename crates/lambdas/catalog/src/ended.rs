//! An execution that ended where no step could record it: stopped by hand, timed out, or broken by Step Functions
//! itself (`States.Runtime`, `States.DataLimitExceeded`), which no `Catch` sees.
//!
//! `EventBridge` tells of it, at least once and in any order. What it tells is pure data here.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>

use aws::bootstrap::RunName;
use domain::change::{Change, Status};
use domain::event::ObjectEvent;
use domain::stage::{Arrived, CatalogRequest, CaughtError, ExecutionRef};
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What the function is invoked with.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "an invocation has one of them, and moves it once")]
pub enum Request {
    /// A step of an execution.
    Step(CatalogRequest),
    /// `EventBridge`: an execution has ended.
    Ended(Ended),
}

/// "Step Functions Execution Status Change".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ended {
    detail: Detail,
}

/// Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    execution_arn: String,
    name: String,
    status: String,
    start_date: i64,
    #[serde(default)]
    input: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    cause: Option<String>,
    #[serde(default)]
    redrive_count: Option<u32>,
    #[serde(default)]
    redrive_date: Option<i64>,
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let request = if value.get("detail-type").is_some() {
            serde_json::from_value(value).map(Self::Ended)
        } else {
            serde_json::from_value(value).map(Self::Step)
        };
        request.map_err(D::Error::custom)
    }
}

impl RunName for Request {
    fn run_name(&self) -> &str {
        match self {
            Self::Step(step) => step.run_name(),
            Self::Ended(ended) => ended.run_name(),
        }
    }
}

impl Ended {
    pub(crate) fn run_name(&self) -> &str {
        &self.detail.name
    }

    /// What the execution was started with; nothing where that is no event of an object.
    pub(crate) fn arrived(&self) -> Option<Arrived> {
        let event: ObjectEvent = serde_json::from_str(self.detail.input.as_deref()?).ok()?;
        let execution = ExecutionRef {
            arn: self.detail.execution_arn.clone(),
            name: self.detail.name.clone(),
            started: Timestamp::from_millisecond(self.detail.start_date).ok()?,
            redrive_count: self.detail.redrive_count.unwrap_or(0),
        };
        Some(Arrived { event, execution })
    }

    /// Whether `record` was written in the same attempt, or in a later one: then it tells more than this event.
    pub(crate) fn is_told_by(&self, record: &Change) -> bool {
        let redriven = self.detail.redrive_date.and_then(|date| Timestamp::from_millisecond(date).ok());
        redriven.is_none_or(|redriven| record.recorded >= redriven)
    }

    /// Status and reason for the catalog.
    pub(crate) fn outcome(&self) -> (Status, String) {
        let detail = &self.detail;
        match detail.status.as_str() {
            "ABORTED" => (Status::Failed, format!("the execution was stopped{}", said(detail))),
            "TIMED_OUT" => (Status::Failed, format!("the execution timed out{}", said(detail))),
            _ => {
                let error = detail.error.clone().unwrap_or_else(|| "States.Runtime".to_owned());
                let failure = CaughtError { error, cause: detail.cause.clone().unwrap_or_default() }.failure();
                (failure.name.status(), failure.message)
            }
        }
    }
}

/// What whoever stopped it gave as error and cause.
fn said(detail: &Detail) -> String {
    let words = [&detail.error, &detail.cause].into_iter().flatten().filter(|word| !word.is_empty());
    words.fold(String::new(), |said, word| said + ": " + word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record;
    use serde_json::json;

    fn event(status: &str, more: &Value) -> Request {
        let input = json!({
            "kind": "created",
            "object": {"bucket": "raw", "key": "a b.txt", "version_id": "v1"},
            "size_bytes": 7,
            "time": "2026-05-01T12:00:00Z",
        });
        let arn = "arn:aws:states:us-east-1:000000000000:execution:sluice-extract:run";
        let mut event = json!({
            "version": "0",
            "id": "315c1398-40ff-a850-213b-158f73e60175",
            "detail-type": "Step Functions Execution Status Change",
            "source": "aws.states",
            "account": "000000000000",
            "time": "2026-05-01T12:00:05Z",
            "region": "us-east-1",
            "resources": [arn],
            "detail": {
                "executionArn": arn,
                "stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-extract",
                "name": "run",
                "status": status,
                "startDate": 1_777_636_801_000_i64,
                "stopDate": 1_777_636_805_000_i64,
                "input": input.to_string(),
                "inputDetails": {"included": true},
                "output": null,
                "redriveCount": 0,
                "redriveDate": null,
            },
        });
        for (key, value) in more.as_object().unwrap() {
            event["detail"][key] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    }

    fn ended(status: &str, more: &Value) -> Ended {
        let Request::Ended(ended) = event(status, more) else { panic!("read as a step") };
        ended
    }

    fn change(ended: &Ended) -> Change {
        record::of_end(ended, "2026-05-01T12:00:06Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn the_outcome_says_how_it_ended() {
        let cases = [
            ("ABORTED", json!({}), Status::Failed, "the execution was stopped"),
            (
                "ABORTED",
                json!({"error": "ByHand", "cause": "wrong file"}),
                Status::Failed,
                "the execution was stopped: ByHand: wrong file",
            ),
            (
                "TIMED_OUT",
                json!({"error": "States.Timeout"}),
                Status::Failed,
                "the execution timed out: States.Timeout",
            ),
            (
                "FAILED",
                json!({"error": "States.DataLimitExceeded", "cause": "too long"}),
                Status::Failed,
                "States.DataLimitExceeded: too long",
            ),
            (
                "FAILED",
                json!({"error": "EncryptedObject", "cause": r#"{"errorMessage":"it has a password"}"#}),
                Status::Encrypted,
                "it has a password",
            ),
        ];
        for (status, more, expected, reason) in cases {
            let change = change(&ended(status, &more));
            assert_eq!((change.status, change.reason.as_deref()), (expected, Some(reason)));
            assert_eq!((change.run.as_str(), change.object.key.as_str()), ("run", "a b.txt"));
            assert_eq!(change.started.to_string(), "2026-05-01T12:00:01Z");
        }
    }

    #[test]
    fn a_record_of_the_same_attempt_or_a_later_one_stays() {
        let first = ended("FAILED", &json!({}));
        let record = change(&first);
        assert!(first.is_told_by(&record));
        let before = ended("ABORTED", &json!({"redriveCount": 1, "redriveDate": 1_777_636_900_000_i64}));
        assert!(!before.is_told_by(&record), "the record is of the attempt before the redrive");
        let during = ended("ABORTED", &json!({"redriveCount": 1, "redriveDate": 1_777_636_803_000_i64}));
        assert!(during.is_told_by(&record));
    }

    #[test]
    fn an_execution_about_no_object_has_no_record() {
        for input in [json!("{}"), json!("[1"), Value::Null] {
            assert_eq!(ended("ABORTED", &json!({"input": input})).arrived(), None);
        }
    }

    #[test]
    fn steps_are_read_as_before() {
        let step = json!({"catalog": "OUTCOME", "state": {"execution": {"name": "run"}}});
        let request: Request = serde_json::from_value(step).unwrap();
        assert!(matches!(request, Request::Step(CatalogRequest::Outcome { .. })));
        assert_eq!(request.run_name(), "run");
        let unknown = serde_json::from_value::<Request>(json!({"catalog": "NONE"})).unwrap_err().to_string();
        assert!(unknown.contains("NONE"), "{unknown}");
    }
}
