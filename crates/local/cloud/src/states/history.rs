//! `GetExecutionHistory`: the log of an execution as the service shows it, a page at a time.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html>

use asl::LogEntry;
use serde::Deserialize;
use serde_json::{Value, json};

use super::executions::{self, log};
use super::request::{self, Rule};
use super::{States, page};
use crate::wire::{Outcome, Reply};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Get {
    execution_arn: String,
    max_results: Option<i64>,
    #[serde(default)]
    reverse_order: bool,
    next_token: Option<String>,
    include_execution_data: Option<bool>,
}

/// Members of an event's details that are data of the execution.
const DATA: [&str; 7] =
    ["input", "inputDetails", "output", "outputDetails", "parameters", "assignedVariables", "assignedVariablesDetails"];

pub(super) async fn get(states: &States, body: Value) -> Outcome {
    let asked: Get = request::read_page(body, &[Rule::Arn("executionArn")])?;
    let size = page::size(asked.max_results)?;
    let row = executions::find(states, asked.execution_arn).await?;
    let (number, reverse) = (row.number, asked.reverse_order);
    let list = format!("history {number} {reverse}");
    let from = page::number(&list, asked.next_token.as_deref())?.unwrap_or(if reverse { i64::MAX } else { -1 });
    let mut found = states.read(move |database| log::history(database, number, from, reverse, size + 1)).await?;
    let next = page::cut(&mut found, size, &list, |entry| entry.sequence.to_string());
    let with_data = asked.include_execution_data.unwrap_or(true);
    let events: Vec<Value> = found.iter().map(|entry| event(entry, with_data)).collect();
    let mut answer = json!({"events": events});
    super::insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

fn event(entry: &LogEntry, with_data: bool) -> Value {
    let mut event = entry.to_history_event().unwrap_or_default();
    if !with_data && let Some(members) = event.as_object_mut() {
        for details in members.values_mut().filter_map(Value::as_object_mut) {
            details.retain(|name, _| !DATA.contains(&name.as_str()));
        }
    }
    event
}
