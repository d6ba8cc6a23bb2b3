//! Executions: start, describe, list, stop; `begin` and `redrive` have files of their own.
//!
//! Starting twice under one name with the same input, while the first runs, is one start; that is what makes an event
//! that is delivered twice harmless.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>

mod begin;
pub(super) mod log;
mod redrive;
pub(super) mod rows;

use asl::{MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, Payload};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) use begin::{New, begin, set_off};
pub(super) use redrive::redrive;

use super::map_runs::list as map_run_list;
use super::name::{self, MachineArn, Qualifier};
use super::request::{self, INCLUDED_DATA, Rule};
use super::{States, aliases, machines, page, refusal, seconds, versions};
use crate::identifier;
use crate::wire::{Outcome, Reply, ServiceError};
use rows::Row;

/// The most bytes of an input.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const MOST_INPUT_BYTES: usize = 262_144;

/// The most bytes of what somebody says who stops an execution.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html>
const MOST_ERROR_BYTES: usize = 256;
const MOST_CAUSE_BYTES: usize = 32_768;

/// What an execution may be.
const STATUSES: &[&str] = &["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"];

const NAMED: Rule = Rule::Arn("executionArn");

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    state_machine_arn: String,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
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

/// The bounds of what starts an execution.
pub(super) const START: [Rule; 4] = [
    Rule::Arn("stateMachineArn"),
    Rule::Length("name", 1, 80),
    Rule::Secret("input", MOST_INPUT_BYTES),
    Rule::Ascii("traceHeader", 256),
];

pub(super) async fn start(states: &States, body: Value) -> Outcome {
    let new = new(states, request::read(body, &START)?, false)?;
    let begun = begin(states, new).await?;
    let answer = json!({"executionArn": begun.row.arn, "startDate": seconds(begun.row.started)});
    set_off(states, begun);
    Ok(Reply::plain(answer))
}

/// What a request wants to start.
pub(super) fn new(states: &States, asked: Start, awaited: bool) -> Result<New, ServiceError> {
    let target = MachineArn::unlabelled(&asked.state_machine_arn)?;
    let name = asked.name.unwrap_or_else(identifier::random);
    name::check(&name)?;
    Ok(New {
        arn: asked.state_machine_arn,
        target,
        name,
        input: checked_input(asked.input)?,
        trace_header: asked.trace_header,
        now: states.now(),
        unique: identifier::random(),
        draw: fastrand::f64(),
        awaited,
    })
}

fn checked_input(input: Option<String>) -> Result<String, ServiceError> {
    let input = input.unwrap_or_else(|| "{}".to_owned());
    let value: Value = serde_json::from_str(&input).map_err(|error| refusal::invalid_input(&error.to_string()))?;
    if Payload::from(value).is_too_large() {
        let bounds = format!("more than {MAX_PAYLOAD_BYTES} bytes, or nested deeper than {MAX_PAYLOAD_DEPTH} levels");
        return Err(refusal::invalid_input(&bounds));
    }
    Ok(input)
}

pub(super) async fn describe(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[NAMED, INCLUDED_DATA])?;
    let row = find(states, asked.execution_arn).await?;
    let obstacle = redrive::obstacle(states, &row).await?;
    let mut answer = summary(&row);
    map_run_list::insert_run(states, &row, &mut answer).await?;
    answer["redriveCount"] = row.redrives.into();
    answer["redriveStatus"] = redrive::status(&row, obstacle.as_deref()).into();
    insert(&mut answer, "redriveStatusReason", obstacle);
    insert(&mut answer, "traceHeader", row.trace_header.clone());
    if asked.included_data.as_deref() != Some("METADATA_ONLY") {
        insert_data(&mut answer, row);
    }
    Ok(Reply::plain(answer))
}

/// Puts what went in and what came out into a description.
pub(super) fn insert_data(answer: &mut Value, row: Row) {
    answer["input"] = row.input.into();
    answer["inputDetails"] = json!({"included": true});
    if row.output.is_some() {
        answer["outputDetails"] = json!({"included": true});
    }
    insert(answer, "output", row.output);
    insert(answer, "error", row.error);
    insert(answer, "cause", row.cause);
}

/// Puts a member into an answer if there is one.
pub(super) fn insert(answer: &mut Value, member: &str, value: Option<String>) {
    if let Some(value) = value {
        answer[member] = value.into();
    }
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
    insert(&mut item, "stateMachineVersionArn", row.version_arn.clone());
    insert(&mut item, "stateMachineAliasArn", row.alias_arn.clone());
    if let Some(stopped) = row.stopped {
        item["stopDate"] = seconds(stopped);
    }
    if let Some(redriven) = row.redriven {
        item["redriveCount"] = row.redrives.into();
        item["redriveDate"] = seconds(redriven);
    }
    item
}

pub(super) async fn list(states: &States, body: Value) -> Outcome {
    let rules = [
        Rule::Length("stateMachineArn", 1, 256),
        Rule::Length("mapRunArn", 1, 2000),
        Rule::OneOf("statusFilter", STATUSES),
        Rule::OneOf("redriveFilter", &["REDRIVEN", "NOT_REDRIVEN"]),
    ];
    let asked: List = request::read_page(body, &rules)?;
    let redriven = asked.redrive_filter.as_deref().map(|filter| filter == "REDRIVEN");
    if let (None, Some(map_run_arn)) = (&asked.state_machine_arn, asked.map_run_arn.clone()) {
        let (status, max_results, next_token) = (asked.status_filter, asked.max_results, asked.next_token);
        let filter = map_run_list::Filter { map_run_arn, status, redriven, max_results, next_token };
        return map_run_list::children(states, filter).await;
    }
    let arn = listed(&asked)?.to_owned();
    let size = page::size(asked.max_results)?;
    let of = whose(states, &arn).await?;
    let list = format!("executions {arn} {:?} {redriven:?}", asked.status_filter);
    let before = page::moment(&list, asked.next_token.as_deref())?;
    let filter = rows::Filter { of, status: asked.status_filter, redriven, before, most: size + 1 };
    let mut found = states.read(move |database| rows::newest(database, &filter)).await?;
    let next = page::cut(&mut found, size, &list, |row| format!("{} {}", row.time(), row.number));
    let mut answer = json!({"executions": found.iter().map(summary).collect::<Vec<Value>>()});
    super::insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

/// The ARN whose executions are listed.
fn listed(asked: &List) -> Result<&str, ServiceError> {
    match (asked.state_machine_arn.as_deref(), asked.map_run_arn.as_deref()) {
        (Some(_), Some(_)) => Err(request::invalid("Must specify either stateMachineArn or mapRunArn, but not both")),
        (None, _) => Err(request::invalid("Must specify either stateMachineArn or mapRunArn")),
        (Some(_), None) if asked.status_filter.as_deref() == Some("PENDING_REDRIVE") => {
            Err(request::invalid("Must specify mapRunArn for the status filter PENDING_REDRIVE"))
        }
        (Some(arn), None) => Ok(arn),
    }
}

/// Whose executions an ARN asks for: a machine's, a version's or an alias's.
async fn whose(states: &States, arn: &str) -> Result<rows::Of, ServiceError> {
    let MachineArn { machine, qualifier, .. } = MachineArn::unlabelled(arn)?;
    let found = machines::find(states, machine.clone()).await?;
    if found.revision.kind == "EXPRESS" {
        return Err(refusal::type_not_supported());
    }
    let (machine_arn, qualified) = (machine.clone(), arn.to_owned());
    let (version_arn, alias_arn) = match qualifier {
        None => return Ok(rows::Of { machine_arn, version_arn: None, alias_arn: None }),
        Some(Qualifier::Version(number)) => {
            let there = states.read(move |database| versions::by_number(database, &machine, number)).await?;
            (there.map(|_| qualified), None)
        }
        Some(Qualifier::Alias(_)) => {
            let there = states.read(move |database| aliases::by_arn(database, &qualified)).await?;
            (None, there.map(|alias| alias.arn))
        }
    };
    if version_arn.is_none() && alias_arn.is_none() {
        return Err(refusal::no_such_resource(arn));
    }
    Ok(rows::Of { machine_arn, version_arn, alias_arn })
}

pub(super) async fn stop(states: &States, body: Value) -> Outcome {
    let rules = [NAMED, Rule::Secret("error", MOST_ERROR_BYTES), Rule::Secret("cause", MOST_CAUSE_BYTES)];
    let asked: Stop = request::read(body, &rules)?;
    let row = find(states, asked.execution_arn).await?;
    let stopped = match row.stopped {
        Some(stopped) if row.status != "RUNNING" => stopped,
        _ => states.stop(row.number, asked.error, asked.cause).await?,
    };
    Ok(Reply::plain(json!({"stopDate": seconds(stopped)})))
}

pub(super) async fn describe_machine(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[NAMED, INCLUDED_DATA])?;
    let row = find(states, asked.execution_arn).await?;
    let revision = row.revision;
    let revision = states.read(move |database| machines::revision_of(database, revision)).await?;
    let mut answer = json!({
        "stateMachineArn": row.machine_arn,
        "name": name::machine_name(&row.machine_arn),
        "updateDate": seconds(revision.updated),
    });
    if let Some((_, label)) = row.machine_arn.split_once('/') {
        answer["label"] = label.into();
    }
    map_run_list::insert_run(states, &row, &mut answer).await?;
    machines::describe_revision(&mut answer, revision, asked.included_data.as_deref());
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
