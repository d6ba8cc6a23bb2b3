//! `states:startExecution`: starts another execution, and says how it ended where the task waits for that.
//!
//! A task starts one execution, however often it is done: what it is about to start is written down first, and an
//! execution that is there already is the task's own if it began after that.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html>

use asl::{Failure, Pattern, Payload, Resource};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::executions::rows::{self, Row};
use super::super::jobs::Job;
use super::super::{States, name};
use super::{Caller, case, refused};
use crate::identifier;
use crate::wire::ServiceError;

/// Members whose text is JSON; a task may give the JSON itself.
const JSON_TEXTS: [&str; 3] = ["input", "output", "definition"];

/// Starts an execution by the optimized integration.
pub(super) async fn start(
    states: &States,
    caller: &Caller,
    resource: &Resource,
    parameters: &Value,
) -> Result<Payload, Failure> {
    let started = begin(states, caller, resource.pattern(), request(parameters)).await;
    let started = started.map_err(|error| refused::optimized("StepFunctions", &refused::STEP_FUNCTIONS, &error))?;
    let milliseconds = started["startDate"].as_f64().unwrap_or_default() * 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
    let answer = json!({ "ExecutionArn": started["executionArn"], "StartDate": milliseconds.round() as i64 });
    let date = states.context().clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    Ok(with_metadata(answer, started.to_string().len(), &date).into())
}

/// A request's members as they are on the wire; where the wire has text that is JSON, JSON is written as that.
pub(super) fn request(parameters: &Value) -> Value {
    let members = parameters.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let on_wire = |(name, value): (&String, &Value)| {
        let lower = case::lower(&json!({ name: 0 })).as_object().and_then(|one| one.keys().next().cloned());
        let lower = lower.unwrap_or_default();
        let is_text = JSON_TEXTS.contains(&lower.as_str()) && !value.is_string();
        let value = if is_text { value.to_string().into() } else { case::lower(value) };
        (lower, value)
    };
    members.map(on_wire).collect::<Map<_, _>>().into()
}

/// Starts an execution once for a task, and gives the service's own answer.
pub(super) async fn begin(
    states: &States,
    caller: &Caller,
    pattern: Pattern,
    mut body: Value,
) -> Result<Value, ServiceError> {
    let text = |body: &Value, member: &str| body.get(member).and_then(Value::as_str).map(str::to_owned);
    let machine_arn = text(&body, "stateMachineArn").unwrap_or_default();
    let name = text(&body, "name").unwrap_or_else(|| derived_name(caller));
    body["name"] = name.as_str().into();
    let child_arn = name::execution_arn(&unqualified(&machine_arn), &name);
    let (task_id, waits, now) = (caller.task_id, pattern.is_sync(), states.now());
    let begun = match caller.number {
        Some(parent) => {
            states.note_job(Job { parent, task_id, child_arn: child_arn.clone(), waits, begun: now }).await?
        }
        None => i64::MAX,
    };
    match states.handle("StartExecution", body).await {
        Err(error) if error.code == "ExecutionAlreadyExists" => match own(states, child_arn, begun).await? {
            Some(started) => Ok(started),
            None => Err(error),
        },
        answered => answered.map(|reply| reply.body),
    }
}

/// The execution that is there already, when it is the task's own.
async fn own(states: &States, child_arn: String, begun: i64) -> Result<Option<Value>, ServiceError> {
    let arn = child_arn.clone();
    let row = states.read(move |database| rows::by_arn(database, &arn)).await?;
    let row = row.filter(|row| row.started >= begun);
    Ok(row.map(|row| json!({ "executionArn": child_arn, "startDate": super::super::seconds(row.started) })))
}

/// A name in the form of a UUID that is the same whenever the task is done again.
pub(super) fn derived_name(caller: &Caller) -> String {
    let digest = Sha256::digest(format!("{}\n{}", caller.arn, caller.task_id));
    let number = digest.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let hex = format!("{number:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The machine's ARN without a version or an alias.
fn unqualified(arn: &str) -> String {
    arn.split(':').take(7).collect::<Vec<&str>>().join(":")
}

/// How the execution that a task waited for has ended.
pub(crate) fn job_outcome(child: Option<&Row>, resource: &Resource) -> Result<Payload, Failure> {
    let Some(row) = child else {
        return Err(Failure::new("States.TaskFailed", "the execution that the task started is not there any more"));
    };
    let described = described(row, resource.pattern() == Pattern::Sync2);
    match row.status.as_str() {
        "SUCCEEDED" => Ok(described.into()),
        _ => Err(Failure::new("States.TaskFailed", described.to_string())),
    }
}

fn described(row: &Row, is_json: bool) -> Value {
    let document = |text: &String| {
        let parsed = is_json.then(|| serde_json::from_str(text).ok()).flatten();
        parsed.unwrap_or_else(|| Value::from(text.as_str()))
    };
    let members = [
        ("ExecutionArn", Some(row.arn.as_str().into())),
        ("StateMachineArn", Some(row.machine_arn.as_str().into())),
        ("Name", Some(row.name.as_str().into())),
        ("Status", Some(row.status.as_str().into())),
        ("StartDate", Some(row.started.into())),
        ("StopDate", row.stopped.map(Value::from)),
        ("Input", Some(document(&row.input))),
        ("InputDetails", Some(json!({ "Included": true }))),
        ("Output", row.output.as_ref().map(document)),
        ("OutputDetails", row.output.as_ref().map(|_| json!({ "Included": true }))),
        ("Error", row.error.as_deref().map(Value::from)),
        ("Cause", row.cause.as_deref().map(Value::from)),
    ];
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    there.collect::<Map<_, _>>().into()
}

/// An answer with what the SDK tells of its response.
fn with_metadata(mut answer: Value, length: usize, date: &str) -> Value {
    let (length, request_id) = (length.to_string(), identifier::random());
    let pairs = [
        ("connection", "keep-alive"),
        ("Content-Length", &length),
        ("Content-Type", "application/x-amz-json-1.0"),
        ("Date", date),
        ("x-amzn-RequestId", &request_id),
    ];
    let single: Map<String, Value> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let listed: Map<String, Value> = pairs.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    answer["SdkHttpMetadata"] = json!({ "AllHttpHeaders": listed, "HttpHeaders": single, "HttpStatusCode": 200 });
    answer["SdkResponseMetadata"] = json!({ "RequestId": request_id });
    answer
}

#[cfg(test)]
mod tests {
    use asl::TaskId;
    use serde_json::json;

    use super::{Caller, derived_name, request, unqualified};

    #[test]
    fn json_is_written_as_text_where_the_wire_has_text() {
        let asked = json!({"StateMachineArn": "a", "Input": {"b": 1}, "Name": null, "TraceHeader": "t"});
        let on_wire = json!({"stateMachineArn": "a", "input": "{\"b\":1}", "traceHeader": "t"});
        assert_eq!(request(&asked), on_wire);
        assert_eq!(request(&json!({"Input": "[1]", "Output": false})), json!({"input": "[1]", "output": "false"}));
    }

    #[test]
    fn a_task_that_names_nothing_has_one_name() {
        let caller = |task| Caller { number: Some(1), arn: "a".to_owned(), task_id: TaskId(task) };
        assert_eq!(derived_name(&caller(1)), derived_name(&caller(1)));
        assert_ne!(derived_name(&caller(1)), derived_name(&caller(2)));
        assert_eq!(derived_name(&caller(1)).len(), 36);
        let machine = "arn:aws:states:us-east-1:1:stateMachine:m";
        assert_eq!(unqualified(&format!("{machine}:7")), machine);
        assert_eq!(unqualified(machine), machine);
    }
}
