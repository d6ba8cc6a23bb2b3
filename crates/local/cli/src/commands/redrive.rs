//! `sluice redrive`: failed executions go on from the state in which they failed.

use anyhow::Context as _;
use jiff::Timestamp;

use super::executions::{self, Listed};
use super::run::{exit, tell};
use super::since;
use super::wait::{self, Deadline, Rows};
use crate::arguments::{Filter, RedriveArguments};
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::executions::name;
use crate::output::Output;
use crate::problem::{Exit, Problem};
use crate::row::Row;
use crate::watch::{Awaited, FoundBy, Watch};

/// The statuses from which Step Functions redrives.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>
const REDRIVABLE: [&str; 3] = ["FAILED", "TIMED_OUT", "ABORTED"];

/// Runs the command.
pub(super) async fn redrive(arguments: &RedriveArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let earliest = arguments.since.as_deref().map(|text| since::parse(text, aws::clock::now())).transpose()?;
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    let exit = tokio::select! {
        exit = process(arguments, earliest, &deployment) => exit,
        () = wait::stop_signal() => Ok(Exit::Interrupted),
    };
    deployment.close().await;
    exit
}

/// The failed executions that the arguments mean; each name must mean at least one.
fn chosen(arguments: &RedriveArguments, listed: Vec<Listed>) -> anyhow::Result<Vec<Listed>> {
    for wanted in &arguments.names {
        let mut meant = listed.iter().filter(|execution| is_meant(execution, wanted)).peekable();
        if meant.peek().is_none() {
            let message = format!("failed to find an execution for `{wanted}`");
            return Err(Problem::new(Exit::NotFound, message, "`sluice executions` lists names and keys").into());
        }
        if !meant.any(is_redrivable) {
            let message = format!("failed to redrive `{wanted}`: it did not fail");
            return Err(
                Problem::new(Exit::NotFound, message, "`sluice executions --status FAILED` lists what failed").into()
            );
        }
    }
    let wanted = |execution: &Listed| arguments.all || arguments.names.iter().any(|name| is_meant(execution, name));
    Ok(listed.into_iter().filter(|execution| is_redrivable(execution) && wanted(execution)).collect())
}

fn is_meant(execution: &Listed, wanted: &str) -> bool {
    execution.name == name(wanted) && !wanted.is_empty() || execution.key.as_deref() == Some(wanted)
}

fn is_redrivable(execution: &Listed) -> bool {
    REDRIVABLE.contains(&execution.status.as_str())
}

async fn process(
    arguments: &RedriveArguments,
    earliest: Option<Timestamp>,
    deployment: &Deployment,
) -> anyhow::Result<Exit> {
    let listed = executions::find(&Filter::default(), earliest, usize::MAX, deployment).await?;
    let chosen = chosen(arguments, listed)?;
    let mut output = Output::new();
    if chosen.is_empty() {
        if !arguments.form.json {
            output.line("nothing has failed")?;
        }
        return Ok(Exit::Fine);
    }
    let start = aws::clock::now();
    let mut rows = Rows::new(chosen.len(), arguments.form.json.then_some(&mut output));
    let mut watch = Watch::default();
    for execution in chosen {
        let key = execution.key.clone().unwrap_or_else(|| execution.name.clone());
        match send(&execution, deployment).await {
            Ok(()) => {
                let awaited = Awaited { file: key.clone(), key, since: aws::clock::now(), found_by: FoundBy::Asking };
                watch.add(execution.name, awaited);
            }
            Err(error) => rows.add(Row::refused(&key, Some(&key), format!("{error:#}")))?,
        }
    }
    wait::wait(watch, deployment, Deadline::in_seconds(arguments.patience.timeout), &mut rows).await?;
    rows.progress().finish();
    let rows = rows.rows;
    if !arguments.form.json {
        tell(&mut output, &rows, start, deployment)?;
    }
    Ok(exit(&rows))
}

async fn send(execution: &Listed, deployment: &Deployment) -> anyhow::Result<()> {
    let request = deployment.sfn.redrive_execution().execution_arn(&execution.execution_arn);
    let sent = request.send().await;
    sent.map(drop).with_context(|| format!("failed to redrive `{}`", execution.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, key: &str, status: &str) -> Listed {
        Listed {
            name: name.into(),
            execution_arn: format!("arn:aws:states:us-east-1:000000000000:execution:extract:{name}"),
            status: status.into(),
            key: Some(key.into()),
            version_id: None,
            event: None,
            started: jiff::Timestamp::UNIX_EPOCH,
            stopped: None,
            seconds: None,
            redrive_count: 0,
            error: None,
        }
    }

    fn arguments(words: &[&str]) -> RedriveArguments {
        use clap::Parser as _;
        let words = ["sluice", "redrive"].iter().chain(words);
        match crate::arguments::Arguments::parse_from(words).command {
            crate::arguments::Command::Redrive(arguments) => arguments,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_failed_and_is_meant_is_redriven() {
        let all = || {
            vec![
                listed("a-1", "a.txt", "FAILED"),
                listed("a-2", "a.txt", "SUCCEEDED"),
                listed("b-1", "b.txt", "ABORTED"),
            ]
        };
        let names = |words: &[&str]| {
            chosen(&arguments(words), all()).map(|found| found.into_iter().map(|one| one.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["--all"]).unwrap(), ["a-1", "b-1"]);
        assert_eq!(names(&["a.txt"]).unwrap(), ["a-1"]);
        assert_eq!(names(&["arn:aws:states:us-east-1:000000000000:execution:extract:b-1"]).unwrap(), ["b-1"]);
        assert!(names(&["a-2"]).unwrap_err().to_string().contains("did not fail"));
        assert!(names(&["c.txt"]).is_err());
    }
}
