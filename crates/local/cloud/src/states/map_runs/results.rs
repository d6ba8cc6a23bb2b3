//! The results of a Map Run's children, in the order of their items, as `WriterConfig` asks for them.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>

use asl::MAX_PAYLOAD_BYTES;
use asl::map_run::{OutputType, WriterTransformation};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::children::{self, Outcome};
use super::run::{Run, Stopped};

/// Children whose results are in memory at once.
pub(super) const PAGE: usize = 100;

/// The statuses of children that have ended.
const ENDED: [&str; 4] = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];

/// The results as the state's own; they must fit a payload.
pub(super) async fn collect(run: &Run<'_>) -> Result<Value, Stopped> {
    let writer = run.order.order.writer.as_ref();
    let transformation = writer.map_or(WriterTransformation::Compact, |writer| writer.transformation);
    let (mut results, mut bytes, mut after) = (Vec::new(), 2, -1);
    loop {
        let number = run.row.number;
        let page = run.states.read(move |database| children::results(database, number, &ENDED, after, PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = last.place;
        for result in page.iter().flat_map(|outcome| transformed(&run.row.machine_arn, outcome, transformation)) {
            bytes += result.to_string().len() + 1;
            results.push(result);
        }
        if bytes > MAX_PAYLOAD_BYTES {
            return Err(Stopped::Failed(run.order.inputs.too_large()));
        }
    }
    match writer.map(|writer| writer.output_type) {
        Some(OutputType::Jsonl) => Ok(lines(&results).into()),
        Some(OutputType::Json) | None => Ok(results.into()),
    }
}

fn lines(results: &[Value]) -> String {
    results.iter().flat_map(|result| [result.to_string(), "\n".to_owned()]).collect()
}

/// What is told of one child; a flattened array gives as many results as it has elements.
pub(super) fn transformed(machine_arn: &str, outcome: &Outcome, transformation: WriterTransformation) -> Vec<Value> {
    let output = outcome.output.as_deref().filter(|_| outcome.status == "SUCCEEDED");
    let output = output.map(|output| serde_json::from_str(output).unwrap_or(Value::Null));
    match (transformation, output) {
        (WriterTransformation::Flatten, Some(Value::Array(items))) => items,
        (WriterTransformation::Compact | WriterTransformation::Flatten, Some(output)) => vec![output],
        // Of a child that failed everything is told in any case.
        (WriterTransformation::None, _) | (_, None) => vec![whole(machine_arn, outcome)],
    }
}

/// A child with everything that is known of it.
fn whole(machine_arn: &str, outcome: &Outcome) -> Value {
    let included = || json!({ "Included": true });
    let (redrive_status, reason) = redrivability(&outcome.status);
    let members = [
        ("Cause", outcome.cause.as_deref().map(Value::from)),
        ("Error", outcome.error.as_deref().map(Value::from)),
        ("ExecutionArn", Some(outcome.arn.as_str().into())),
        ("Input", Some(outcome.input.as_str().into())),
        ("InputDetails", Some(included())),
        ("Name", Some(outcome.name.as_str().into())),
        ("Output", outcome.output.as_deref().map(Value::from)),
        ("OutputDetails", outcome.output.as_ref().map(|_| included())),
        ("RedriveCount", Some(outcome.redrives.into())),
        ("RedriveStatus", Some(redrive_status.into())),
        ("RedriveStatusReason", reason.map(Value::from)),
        ("StartDate", Some(date(outcome.started))),
        ("StateMachineArn", Some(machine_arn.into())),
        ("Status", Some(outcome.status.as_str().into())),
        ("StopDate", outcome.stopped.map(date)),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

fn redrivability(status: &str) -> (&'static str, Option<String>) {
    match status {
        "FAILED" | "TIMED_OUT" | "ABORTED" => ("REDRIVABLE", None),
        other => ("NOT_REDRIVABLE", Some(format!("Execution is {other} and cannot be redriven"))),
    }
}

fn date(milliseconds: i64) -> Value {
    let at = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, WriterTransformation, transformed};
    use serde_json::{Value, json};

    fn outcome(status: &str, output: Option<&str>) -> Outcome {
        Outcome {
            place: 0,
            arn: "arn:aws:states:us-east-1:0:execution:m/l:n".to_owned(),
            name: "n".to_owned(),
            status: status.to_owned(),
            input: "1".to_owned(),
            output: output.map(str::to_owned),
            error: output.is_none().then(|| "E".to_owned()),
            cause: None,
            started: 0,
            stopped: Some(1),
            redrives: 0,
        }
    }

    #[test]
    fn outputs_stay_as_they_are_flat_or_whole() {
        let transformed = |outcome, transformation| transformed("m", &outcome, transformation);
        let array = || outcome("SUCCEEDED", Some("[1,[2]]"));
        assert_eq!(transformed(array(), WriterTransformation::Compact), [json!([1, [2]])]);
        assert_eq!(transformed(array(), WriterTransformation::Flatten), [json!(1), json!([2])]);
        assert_eq!(transformed(outcome("SUCCEEDED", Some("3")), WriterTransformation::Flatten), [json!(3)]);
        let whole = &transformed(array(), WriterTransformation::None)[0];
        assert_eq!((&whole["Output"], &whole["StopDate"]), (&json!("[1,[2]]"), &json!("1970-01-01T00:00:00.001Z")));
        assert_eq!(whole["RedriveStatusReason"], "Execution is SUCCEEDED and cannot be redriven");
    }

    #[test]
    fn of_a_failed_child_everything_is_told() {
        let whole = transformed("m", &outcome("FAILED", None), WriterTransformation::Flatten);
        let names: Vec<&str> =
            whole[0].as_object().map(|members| members.keys().map(String::as_str).collect()).unwrap();
        assert_eq!(
            names,
            [
                "Error",
                "ExecutionArn",
                "Input",
                "InputDetails",
                "Name",
                "RedriveCount",
                "RedriveStatus",
                "StartDate",
                "StateMachineArn",
                "Status",
                "StopDate"
            ]
        );
        assert_eq!(whole[0]["RedriveStatus"], Value::from("REDRIVABLE"));
    }

    #[test]
    fn names_are_sorted_as_aws_writes_them() {
        let whole = transformed("m", &outcome("SUCCEEDED", Some("1")), WriterTransformation::None);
        let names: Vec<String> = whole[0].as_object().map(|members| members.keys().cloned().collect()).unwrap();
        assert!(names.is_sorted());
    }
}
