//! Map Runs over the API: describe, list, update.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html>

use serde::Deserialize;
use serde_json::{Value, json};

use super::children::{self, Count, Counts};
use super::rows::{self, Change, MapRun};
use super::{Heard, parent};
use crate::states::{States, executions, insert_token, name, page, refusal, seconds};
use crate::wire::{Outcome, Reply, ServiceError, decode};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    map_run_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    execution_arn: String,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    map_run_arn: String,
    max_concurrency: Option<i64>,
    tolerated_failure_count: Option<i64>,
    tolerated_failure_percentage: Option<f64>,
}

pub(in crate::states) async fn describe(states: &States, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    let run = find(states, asked.map_run_arn).await?;
    let (number, now) = (run.number, states.now());
    let counts = states.read(move |database| children::counts(database, number, now)).await?;
    let execution_arn = parent(states, run.execution).await?.map(|parent| parent.arn).unwrap_or_default();
    let mut answer = summary(&run, &execution_arn);
    let written = run.results_written;
    let items = json_counts(&counts, |count| count.items, written_items(&counts, written));
    let mut set = |name: &str, value: Value| answer[name] = value;
    set("status", run.status.into());
    set("maxConcurrency", run.max_concurrency.into());
    set("toleratedFailureCount", run.tolerated_count.unwrap_or(0).into());
    set("toleratedFailurePercentage", run.tolerated_percentage.unwrap_or(0.0).into());
    set("itemCounts", items);
    set("executionCounts", json_counts(&counts, |count| count.executions, written));
    set("redriveCount", run.redrives.into());
    if let Some(redriven) = run.redriven {
        set("redriveDate", seconds(redriven));
    }
    Ok(Reply::plain(answer))
}

/// What lists and descriptions both say of a run.
fn summary(run: &MapRun, execution_arn: &str) -> Value {
    let mut item = json!({
        "mapRunArn": run.arn,
        "executionArn": execution_arn,
        "startDate": seconds(run.started),
    });
    if let Some(stopped) = run.stopped {
        item["stopDate"] = seconds(stopped);
    }
    item
}

/// All results are written at the end of a run, or none.
fn written_items(counts: &Counts, written: u64) -> u64 {
    if written == 0 { 0 } else { counts.total().items }
}

fn json_counts(counts: &Counts, of: impl Fn(Count) -> u64, written: u64) -> Value {
    json!({
        "pending": of(counts.of("PENDING")),
        "running": of(counts.of("RUNNING")),
        "succeeded": of(counts.of("SUCCEEDED")),
        "failed": of(counts.of("FAILED")),
        "timedOut": of(counts.of("TIMED_OUT")),
        "aborted": of(counts.of("ABORTED")),
        "total": of(counts.total()),
        "resultsWritten": written,
        "failuresNotRedrivable": of(counts.not_redrivable),
        "pendingRedrive": of(counts.of("PENDING_REDRIVE")),
    })
}

pub(in crate::states) async fn list(states: &States, body: Value) -> Outcome {
    let asked: List = decode(body)?;
    let size = page::size(asked.max_results)?;
    let row = executions::find(states, asked.execution_arn).await?;
    let list = format!("map runs {}", row.number);
    let before = page::number(&list, asked.next_token.as_deref())?.unwrap_or(i64::MAX);
    let number = row.number;
    let mut found = states.read(move |database| rows::of_parent(database, number, before, size + 1)).await?;
    let next = page::cut(&mut found, size, &list, |run| run.number.to_string());
    let item = |run: &MapRun| {
        let mut item = summary(run, &row.arn);
        item["stateMachineArn"] = run.machine_arn.as_str().into();
        item
    };
    let mut answer = json!({ "mapRuns": found.iter().map(item).collect::<Vec<Value>>() });
    insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

/// Changes the bounds of a run; they take effect with the next child that starts or ends.
pub(in crate::states) async fn update(states: &States, body: Value) -> Outcome {
    let asked: Update = decode(body)?;
    let change = change(&asked)?;
    let run = find(states, asked.map_run_arn).await?;
    let number = run.number;
    if !states.write(move |database| rows::change(database, number, change)).await? {
        let message = format!("Map Run is {} and cannot be updated", run.status);
        return Err(ServiceError::client("ValidationException", message));
    }
    states.tell_map_run(&run.arn, Heard::Updated);
    Ok(Reply::plain(json!({})))
}

fn change(asked: &Update) -> Result<Change, ServiceError> {
    let count = |member: &str, value: Option<i64>| match value.map(|value| (value, u64::try_from(value))) {
        None => Ok(None),
        Some((_, Ok(count))) => Ok(Some(count)),
        Some((value, Err(_))) => Err(refusal::out_of_bounds(member, value, "have value greater than or equal to 0")),
    };
    let share = asked.tolerated_failure_percentage;
    if let Some(above) = share.filter(|share| *share > 100.0) {
        return Err(refusal::out_of_bounds(
            "toleratedFailurePercentage",
            above,
            "have value less than or equal to 100",
        ));
    }
    if let Some(below) = share.filter(|share| *share < 0.0) {
        return Err(refusal::out_of_bounds(
            "toleratedFailurePercentage",
            below,
            "have value greater than or equal to 0",
        ));
    }
    Ok(Change {
        max_concurrency: count("maxConcurrency", asked.max_concurrency)?,
        tolerated_count: count("toleratedFailureCount", asked.tolerated_failure_count)?,
        tolerated_percentage: share,
    })
}

/// The run at `arn`, or the service's word for that there is none.
pub(in crate::states) async fn find(states: &States, arn: String) -> Result<MapRun, ServiceError> {
    name::check_arn(&arn, "mapRun")?;
    let wanted = arn.clone();
    let found = states.read(move |database| rows::by_arn(database, &wanted)).await?;
    found.ok_or_else(|| refusal::no_such_resource(&arn))
}
