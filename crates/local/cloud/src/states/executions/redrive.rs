//! `RedriveExecution`, and what it says of an execution that it would refuse.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{find, log, rows, rows::Row};
use crate::states::request::{self, Rule};
use crate::states::{States, machines, map_runs, refusal, seconds};
use crate::wire::{Outcome, Reply, ServiceError};

/// How long after its end an execution may be redriven.
const REDRIVABLE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How long an execution may be open, from its first start on.
const LONGEST: SignedDuration = SignedDuration::from_hours(365 * 24);

/// An execution whose history is as long as this has no room left to be redriven.
const MOST_EVENTS: i64 = 24_999;

/// For how long, and how many of the last client tokens get the answer that they got before.
const TOKEN_MS: i64 = 15 * 60_000;
const MOST_TOKENS: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Redrive {
    execution_arn: String,
    client_token: Option<String>,
}

pub(in crate::states) async fn redrive(states: &States, body: Value) -> Outcome {
    let asked: Redrive = request::read(body, &[Rule::Arn("executionArn"), Rule::Token("clientToken", 64)])?;
    let row = find(states, asked.execution_arn).await?;
    if let Some(redriven) = redriven_before(states, &row, asked.client_token.clone()).await? {
        return Ok(Reply::plain(json!({"redriveDate": seconds(redriven)})));
    }
    if let Some(why) = obstacle(states, &row).await? {
        return Err(refusal::not_redrivable(&why));
    }
    let redriven = states.redrive(&row, asked.client_token).await?;
    Ok(Reply::plain(json!({"redriveDate": seconds(redriven)})))
}

async fn redriven_before(states: &States, row: &Row, token: Option<String>) -> Result<Option<i64>, ServiceError> {
    let Some(token) = token else { return Ok(None) };
    let (number, since) = (row.number, states.now() - TOKEN_MS);
    states.read(move |database| rows::redrive_of(database, number, &token, since, MOST_TOKENS)).await
}

/// What a description says of an execution with that obstacle to its redrive.
pub(super) fn status(row: &Row, obstacle: Option<&str>) -> &'static str {
    match obstacle {
        None => "REDRIVABLE",
        Some(_) if map_runs::is_child(row) && is_unsuccessful(row) => "REDRIVABLE_BY_MAP_RUN",
        Some(_) => "NOT_REDRIVABLE",
    }
}

fn is_unsuccessful(row: &Row) -> bool {
    matches!(row.status.as_str(), "FAILED" | "TIMED_OUT" | "ABORTED")
}

/// Why an execution cannot be redriven, in the service's words.
pub(super) async fn obstacle(states: &States, row: &Row) -> Result<Option<String>, ServiceError> {
    if !is_unsuccessful(row) {
        return Ok(Some(format!("Execution is {} and cannot be redriven", row.status)));
    }
    if map_runs::is_child(row) {
        return Ok(Some("Execution is a child of a Map Run; redrive its parent".to_owned()));
    }
    let (number, machine_arn) = (row.number, row.machine_arn.clone());
    let facts = states.read(move |database| {
        let machine = machines::by_arn(database, &machine_arn)?;
        Ok((machine.is_some_and(|machine| machine.status == "DELETING"), log::history_length(database, number)?))
    });
    let (deleting, events) = facts.await?;
    let since = |at: i64| {
        let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        states.context().clock.now().duration_since(at)
    };
    let why = match () {
        () if deleting => "State machine is in DELETING status",
        () if events >= MOST_EVENTS => "Execution history event limit exceeded",
        () if since(row.started) > LONGEST => "Execution has exceeded the max execution time",
        () if since(row.stopped.unwrap_or(row.started)) > REDRIVABLE => "Execution redrivable period exceeded",
        () => return Ok(None),
    };
    Ok(Some(why.to_owned()))
}
