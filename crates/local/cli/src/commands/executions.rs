//! `sluice executions`: what runs, what ended, and how.

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde::Serialize;

use super::{since, wait};
use crate::arguments::{ExecutionsArguments, Filter};
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::executions::{self as api, CALLS_AT_ONCE};
use crate::output::{self, Output};
use crate::problem::Exit;

/// One execution.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) execution_arn: String,
    pub(crate) status: String,
    /// Key of the object that it works on.
    pub(crate) key: Option<String>,
    pub(crate) version_id: Option<String>,
    /// Whether the object came or went.
    pub(crate) event: Option<domain::event::EventKind>,
    pub(crate) started: Timestamp,
    pub(crate) stopped: Option<Timestamp>,
    pub(crate) seconds: Option<f64>,
    pub(crate) redrive_count: i32,
    /// Name and cause of the error that ended it.
    pub(crate) error: Option<String>,
}

/// Runs the command.
pub(super) async fn executions(arguments: &ExecutionsArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let earliest = arguments.filter.since.as_deref().map(|text| since::parse(text, aws::clock::now())).transpose()?;
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    let told = tokio::select! {
        told = tell(arguments, earliest, &deployment) => told.map(|()| Exit::Fine),
        () = wait::stop_signal() => Ok(Exit::Interrupted),
    };
    deployment.close().await;
    told
}

async fn tell(
    arguments: &ExecutionsArguments,
    earliest: Option<Timestamp>,
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let limit = if arguments.limit == 0 { usize::MAX } else { arguments.limit };
    let listed = find(&arguments.filter, earliest, limit, deployment).await?;
    let mut output = Output::new();
    if arguments.form.json {
        return listed.iter().try_for_each(|execution| output.json(execution));
    }
    if listed.is_empty() {
        return output.line("no executions; `sluice run FILE` makes one for each file");
    }
    output.line(&output::executions(&listed))
}

/// The executions that pass the filter, newest first.
pub(super) async fn find(
    filter: &Filter,
    earliest: Option<Timestamp>,
    limit: usize,
    deployment: &Deployment,
) -> anyhow::Result<Vec<Listed>> {
    let status = filter.status.as_deref().map(|status| ExecutionStatus::from(status.to_ascii_uppercase().as_str()));
    let recent =
        |item: &ExecutionListItem| earliest.is_none_or(|earliest| api::timestamp(item.start_date()) >= Some(earliest));
    // A key is only known after a look at each, so a limit cannot stop the listing early.
    let listed = if filter.key.is_some() { usize::MAX } else { limit };
    let items = api::list(&deployment.sfn, &deployment.state_machine_arn, status, recent, listed).await?;
    let described = items.into_iter().map(|item| describe(item, deployment));
    let described = stream::iter(described).buffered(CALLS_AT_ONCE);
    let wanted = described.try_filter(|execution| {
        let wanted = filter.key.as_deref().is_none_or(|key| execution.key.as_deref() == Some(key));
        std::future::ready(wanted)
    });
    wanted.take(limit).try_collect().await
}

async fn describe(item: ExecutionListItem, deployment: &Deployment) -> anyhow::Result<Listed> {
    let execution = api::describe(&deployment.sfn, item.execution_arn()).await?;
    let event = execution.as_ref().and_then(api::event);
    let words = execution.as_ref().map(|execution| [execution.error(), execution.cause()]);
    let words: Vec<_> = words.into_iter().flatten().flatten().filter(|words| !words.is_empty()).collect();
    // Between the two calls a running execution may have ended.
    let (status, stopped) = match &execution {
        Some(execution) => (execution.status().as_str(), execution.stop_date()),
        None => (item.status().as_str(), item.stop_date()),
    };
    Ok(Listed {
        name: item.name().to_owned(),
        execution_arn: item.execution_arn().to_owned(),
        status: status.to_owned(),
        key: event.as_ref().map(|event| event.object.key.clone()),
        version_id: event.as_ref().and_then(|event| event.object.version_id.clone()),
        event: event.as_ref().map(|event| event.kind),
        started: api::timestamp(item.start_date()).unwrap_or(Timestamp::UNIX_EPOCH),
        stopped: stopped.and_then(api::timestamp),
        seconds: api::seconds(item.start_date(), stopped),
        redrive_count: execution
            .as_ref()
            .and_then(aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput::redrive_count)
            .unwrap_or(0),
        error: (!words.is_empty()).then(|| words.join(": ")),
    })
}
