//! Tells the default event bus how an execution ended, in the transaction that ends it.
//!
//! Only ends are told, and only those that a rule wants; AWS tells of starts too.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>

use rusqlite::Transaction;
use serde_json::{Value, json};

use super::executions::rows::{self, Row};
use crate::bus::{Event, Rule};

const DETAIL_TYPE: &str = "Step Functions Execution Status Change";

/// Writes down the end of an execution for every rule that wants it; gives back whether there was one.
pub(super) fn end(transaction: &Transaction<'_>, rules: &[Rule], region: &str, number: i64) -> rusqlite::Result<bool> {
    if rules.is_empty() {
        return Ok(false);
    }
    let Some(row) = rows::by_number(transaction, number)? else { return Ok(false) };
    let wanting: Vec<&Rule> = rules.iter().filter(|rule| rule.wants(&row.machine_arn, &row.status)).collect();
    let event = Event {
        source: "aws.states",
        detail_type: DETAIL_TYPE,
        resource: &row.arn,
        time_ms: row.stopped.unwrap_or(row.started),
        detail: &detail(&row),
    };
    wanting.iter().try_for_each(|rule| rule.publish(transaction, region, &event))?;
    Ok(!wanting.is_empty())
}

/// What `DescribeExecution` says, with times in milliseconds.
fn detail(row: &Row) -> Value {
    json!({
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        "stateMachineVersionArn": null,
        "stateMachineAliasArn": null,
        "name": row.name,
        "status": row.status,
        "startDate": row.started,
        "stopDate": row.stopped,
        "input": row.input,
        "inputDetails": { "included": true },
        "output": row.output,
        "outputDetails": row.output.as_ref().map(|_| json!({ "included": true })),
        "error": row.error,
        "cause": row.cause,
        "redriveCount": row.redrives,
        "redriveDate": row.redriven,
        "redriveStatus": if row.status == "SUCCEEDED" { "NOT_REDRIVABLE" } else { "REDRIVABLE" },
        "redriveStatusReason": null,
    })
}
