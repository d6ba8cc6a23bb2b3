//! Executions: start, describe, list, stop, redrive.
//!
//! Starting twice under one name with the same input, while the first runs, is one start; that is what makes an event
//! that is delivered twice harmless.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>

pub(super) mod log;
pub(super) mod rows;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::map_runs::{self, list};
use super::{States, machines, name, page, refusal, seconds};
use crate::identifier;
use crate::wire::{Outcome, Reply, ServiceError, decode};
use rows::{Begun, New, Row};

/// The most bytes of an input.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const MOST_INPUT_BYTES: usize = 262_144;

/// How long after its end an execution may be redriven.
const REDRIVABLE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// An execution whose history is as long as this has no room left to be redriven.
const MOST_REDRIVABLE_EVENTS: i64 = 24_999;

/// What an execution may be.
const STATUSES: [&str; 6] = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    state_machine_arn: String,
    name: Option<String>,
    input: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    execution_arn: String,
    included_data: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    state_machine_arn: Option<String>,
    map_run_arn: Option<String>,
    status_filter: Option<String>,
    redrive_filter: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stop {
    execution_arn: String,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Redrive {
    execution_arn: String,
    client_token: Option<String>,
}

pub(super) async fn start(states: &States, body: Value) -> Outcome {
    let asked: Start = decode(body)?;
    name::check_arn(&asked.state_machine_arn, "stateMachine")?;
    let name = asked.name.unwrap_or_else(identifier::random);
    name::check(&name)?;
    let input = checked_input(asked.input)?;
    let machine_arn = asked.state_machine_arn;
    let new = New { arn: name::execution_arn(&machine_arn, &name), machine_arn, name, input, started: states.now() };
    let (machine_arn, arn) = (new.machine_arn.clone(), new.arn.clone());
    let begun = states.write(move |database| rows::begin(database, &new)).await?;
    let started = match begun {
        Begun::New { number, started } => {
            states.wake(number);
            started
        }
        Begun::Same { started } => started,
        Begun::Other => return Err(refusal::execution_exists(&arn)),
        Begun::NoMachine => return Err(refusal::no_such_machine(&machine_arn)),
    };
    Ok(Reply::plain(json!({"executionArn": arn, "startDate": seconds(started)})))
}

fn checked_input(input: Option<String>) -> Result<String, ServiceError> {
    let input = input.unwrap_or_else(|| "{}".to_owned());
    if input.len() > MOST_INPUT_BYTES {
        return Err(refusal::out_of_bounds("input", "…", "have length less than or equal to 262144"));
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(&input) {
        Ok(_) => Ok(input),
        Err(error) => Err(refusal::invalid_input(&error.to_string())),
    }
}

pub(super) async fn describe(states: &States, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    let row = find(states, asked.execution_arn).await?;
    let (redrive_status, reason) = redrivability(states, &row).await?;
    let mut answer = summary(&row);
    list::insert_run(states, &row, &mut answer).await?;
    let with_data = asked.included_data.as_deref() != Some("METADATA_ONLY");
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            answer[key] = value;
        }
    };
    set("redriveStatus", Some(redrive_status.into()));
    set("redriveStatusReason", reason.map(Value::from));
    set("redriveCount", Some(row.redrives.into()));
    if with_data {
        set("input", Some(row.input.into()));
        set("inputDetails", Some(json!({"included": true})));
        set("outputDetails", row.output.as_ref().map(|_| json!({"included": true})));
        set("output", row.output.map(Value::from));
        set("error", row.error.map(Value::from));
        set("cause", row.cause.map(Value::from));
    }
    Ok(Reply::plain(answer))
}

/// What lists and descriptions both say of an execution.
pub(super) fn summary(row: &Row) -> Value {
    let mut item = json!({
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        "name": row.name,
        "status": row.status,
        "startDate": seconds(row.started),
    });
    if let Some(stopped) = row.stopped {
        item["stopDate"] = seconds(stopped);
    }
    if let Some(redriven) = row.redriven {
        item["redriveCount"] = row.redrives.into();
        item["redriveDate"] = seconds(redriven);
    }
    item
}

/// Whether an execution can be redriven, and why not, in the service's words.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>
async fn redrivability(states: &States, row: &Row) -> Result<(&'static str, Option<String>), ServiceError> {
    let found = row.status.as_str();
    if matches!(found, "FAILED" | "TIMED_OUT" | "ABORTED") && map_runs::is_child(row) {
        let reason = "Execution is a child of a Map Run; redrive its parent";
        return Ok(("REDRIVABLE_BY_MAP_RUN", Some(reason.to_owned())));
    }
    if !matches!(found, "FAILED" | "TIMED_OUT" | "ABORTED") {
        return Ok(("NOT_REDRIVABLE", Some(format!("Execution is {found} and cannot be redriven"))));
    }
    let number = row.number;
    let events = states.read(move |database| log::history_length(database, number)).await?;
    if events >= MOST_REDRIVABLE_EVENTS {
        return Ok(("NOT_REDRIVABLE", Some("Execution history event limit exceeded".to_owned())));
    }
    let stopped = Timestamp::from_millisecond(row.stopped.unwrap_or(row.started)).unwrap_or(Timestamp::UNIX_EPOCH);
    if states.context().clock.now().duration_since(stopped) > REDRIVABLE {
        return Ok(("NOT_REDRIVABLE", Some("Execution redrivable period exceeded".to_owned())));
    }
    Ok(("REDRIVABLE", None))
}

pub(super) async fn list(states: &States, body: Value) -> Outcome {
    let asked: List = decode(body)?;
    let size = page::size(asked.max_results)?;
    if let Some(unknown) = asked.status_filter.as_deref().filter(|status| !STATUSES.contains(status)) {
        return Err(refusal::out_of_bounds("statusFilter", unknown, &format!("satisfy enum value set: {STATUSES:?}")));
    }
    let redriven = match asked.redrive_filter.as_deref() {
        None => None,
        Some("REDRIVEN") => Some(true),
        Some("NOT_REDRIVEN") => Some(false),
        Some(other) => {
            return Err(refusal::out_of_bounds(
                "redriveFilter",
                other,
                "satisfy enum value set: [REDRIVEN, NOT_REDRIVEN]",
            ));
        }
    };
    let machine_arn = match (asked.state_machine_arn, asked.map_run_arn) {
        (Some(machine_arn), None) => machine_arn,
        (None, Some(map_run_arn)) => {
            let (status, max_results, next_token) = (asked.status_filter, asked.max_results, asked.next_token);
            let filter = list::Filter { map_run_arn, status, redriven, max_results, next_token };
            return list::children(states, filter).await;
        }
        _ => return Err(no_machine_named()),
    };
    name::check_arn(&machine_arn, "stateMachine")?;
    machines::find(states, machine_arn.clone()).await?;
    let list = format!("executions {machine_arn} {:?} {redriven:?}", asked.status_filter);
    let before = page::number(&list, asked.next_token.as_deref())?;
    let filter = rows::Filter { machine_arn, status: asked.status_filter, redriven, before, most: size + 1 };
    let mut found = states.read(move |database| rows::newest(database, &filter)).await?;
    let next = page::cut(&mut found, size, &list, |row| row.number.to_string());
    let mut answer = json!({"executions": found.iter().map(summary).collect::<Vec<Value>>()});
    super::insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

fn no_machine_named() -> ServiceError {
    ServiceError::client("ValidationException", "Must specify either stateMachineArn or mapRunArn")
}

pub(super) async fn stop(states: &States, body: Value) -> Outcome {
    let asked: Stop = decode(body)?;
    let row = find(states, asked.execution_arn).await?;
    let stopped = match row.stopped {
        Some(stopped) if row.status != "RUNNING" => stopped,
        _ => states.stop(row.number, asked.error, asked.cause).await?,
    };
    Ok(Reply::plain(json!({"stopDate": seconds(stopped)})))
}

pub(super) async fn redrive(states: &States, body: Value) -> Outcome {
    let asked: Redrive = decode(body)?;
    let row = find(states, asked.execution_arn).await?;
    if asked.client_token.is_some() && asked.client_token == row.redrive_token {
        return Ok(Reply::plain(json!({"redriveDate": seconds(row.redriven.unwrap_or(row.started))})));
    }
    if let (_, Some(why)) = redrivability(states, &row).await? {
        return Err(refusal::not_redrivable(&why));
    }
    let redriven = states.redrive(&row, asked.client_token).await?;
    Ok(Reply::plain(json!({"redriveDate": seconds(redriven)})))
}

pub(super) async fn describe_machine(states: &States, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    let row = find(states, asked.execution_arn).await?;
    let revision = row.revision;
    let (definition, role_arn, id, updated) =
        states.read(move |database| machines::revision_of(database, revision)).await?;
    let name = name::last_part(&row.machine_arn).to_owned();
    let mut answer = json!({
        "stateMachineArn": row.machine_arn,
        "name": name,
        "definition": definition,
        "roleArn": role_arn,
        "updateDate": seconds(updated),
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": false},
        "tracingConfiguration": {"enabled": false},
    });
    if let Some(id) = id {
        answer["revisionId"] = id.into();
    }
    Ok(Reply::plain(answer))
}

/// The execution at `arn`, or the service's word for that there is none.
pub(super) async fn find(states: &States, arn: String) -> Result<Row, ServiceError> {
    // Of EXPRESS executions only the children of Map Runs are described.
    name::check_arn(&arn, if name::is_express_child(&arn) { "express" } else { "execution" })?;
    let wanted = arn.clone();
    let found = states.read(move |database| rows::by_arn(database, &wanted)).await?;
    // A child that waits for its turn is no execution yet.
    found.filter(|row| row.status != "PENDING").ok_or_else(|| refusal::no_such_execution(&arn))
}
