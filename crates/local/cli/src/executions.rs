//! Executions, as the Step Functions API tells of them.

use anyhow::Context as _;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus, HistoryEvent};
use domain::event::ObjectEvent;
use jiff::Timestamp;

/// Calls that a command makes at once; the quotas of Step Functions' reading calls begin at 10 a second.
pub(crate) const CALLS_AT_ONCE: usize = 8;

/// A cause may hold a whole stack trace; this much of it is enough for a row.
const MOST_REASON_CHARS: usize = 400;

/// An execution that ended without a record in the catalog.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    pub(crate) arn: String,
    pub(crate) reason: String,
    pub(crate) seconds: Option<f64>,
}

/// The ARN of the execution `run` of the state machine `machine`.
pub(crate) fn arn(machine: &str, run: &str) -> String {
    format!("{}:{run}", machine.replacen(":stateMachine:", ":execution:", 1))
}

/// The name in an execution's ARN, or the text itself.
pub(crate) fn name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// The execution, if it was ever started.
pub(crate) async fn describe(client: &Client, arn: &str) -> anyhow::Result<Option<DescribeExecutionOutput>> {
    match client.describe_execution().execution_arn(arn).send().await {
        Ok(output) => Ok(Some(output)),
        Err(error)
            if error.as_service_error().is_some_and(
                aws_sdk_sfn::operation::describe_execution::DescribeExecutionError::is_execution_does_not_exist,
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("failed to describe the execution `{}`", name(arn))),
    }
}

/// Executions of `machine`, newest first, while `wanted` says so and at most `limit`.
pub(crate) async fn list(
    client: &Client,
    machine: &str,
    status: Option<ExecutionStatus>,
    wanted: impl Fn(&ExecutionListItem) -> bool,
    limit: usize,
) -> anyhow::Result<Vec<ExecutionListItem>> {
    let request = client.list_executions().state_machine_arn(machine).set_status_filter(status);
    let mut pages = request.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(item) = pages.next().await {
        let item = item.context("failed to list the executions")?;
        if found.len() == limit || !wanted(&item) {
            break;
        }
        found.push(item);
    }
    Ok(found)
}

/// All events of an execution, in order.
pub(crate) async fn history(client: &Client, arn: &str) -> anyhow::Result<Vec<HistoryEvent>> {
    let request = client.get_execution_history().execution_arn(arn).include_execution_data(false);
    let mut events = request.into_paginator().items().send();
    let mut history = Vec::new();
    while let Some(event) = events.next().await {
        history.push(event.with_context(|| format!("failed to read the history of `{}`", name(arn)))?);
    }
    Ok(history)
}

/// The event that an execution works on.
pub(crate) fn event(execution: &DescribeExecutionOutput) -> Option<ObjectEvent> {
    execution.input().and_then(|input| serde_json::from_str(input).ok())
}

/// Whether an execution will not go on by itself.
pub(crate) fn has_ended(status: &ExecutionStatus) -> bool {
    !matches!(status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive)
}

/// What is known of an execution that ended without a record.
pub(crate) fn ended(execution: &DescribeExecutionOutput) -> Ended {
    let error = execution.error().unwrap_or_default();
    let cause = execution.cause().unwrap_or_default();
    let words = [execution.status().as_str(), error, cause].into_iter().filter(|words| !words.is_empty());
    let reason = words.collect::<Vec<_>>().join(": ");
    let reason = format!("the execution ended without a change record: {reason}");
    Ended {
        arn: execution.execution_arn().to_owned(),
        reason: reason.chars().take(MOST_REASON_CHARS).collect(),
        seconds: seconds(execution.start_date(), execution.stop_date()),
    }
}

/// Seconds from `start` to `stop`.
pub(crate) fn seconds(start: &DateTime, stop: Option<&DateTime>) -> Option<f64> {
    let span = timestamp(stop?)?.duration_since(timestamp(start)?);
    Some(span.as_secs_f64())
}

/// The SDK's time as ours.
pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    time.to_millis().ok().and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_an_execution_follows_from_its_machine() {
        let arn = arn("arn:aws:states:eu-west-1:123456789012:stateMachine:stateMachine-x", "a-1");
        assert_eq!(arn, "arn:aws:states:eu-west-1:123456789012:execution:stateMachine-x:a-1");
        assert_eq!(name(&arn), "a-1");
    }

    #[test]
    fn an_end_without_a_record_has_a_reason() {
        let execution = DescribeExecutionOutput::builder()
            .execution_arn("arn:a")
            .state_machine_arn("arn:m")
            .status(ExecutionStatus::Failed)
            .start_date(DateTime::from_secs(10))
            .stop_date(DateTime::from_millis(12_500))
            .error("Internal")
            .cause("x".repeat(5000))
            .build()
            .unwrap();
        let ended = ended(&execution);
        assert!(ended.reason.starts_with("the execution ended without a change record: FAILED: Internal: xxx"));
        assert_eq!(ended.reason.len(), MOST_REASON_CHARS);
        assert_eq!(ended.seconds, Some(2.5));
    }
}
