//! `sluice redrive`: failed executions go on from the state in which they failed.

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use super::executions::{self, Listed};
use super::run::{exit, tell};
use super::since;
use super::wait::{self, Deadline, Rows};
use crate::arguments::{Filter, RedriveArguments};
use crate::bulk::filter::Span;
use crate::bulk::pacer::Pacer;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::executions::name;
use crate::output::{self, Output};
use crate::problem::{Exit, Problem};
use crate::row::Row;
use crate::watch::{Awaited, FoundBy, Watch};

/// The statuses from which Step Functions redrives.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>
const REDRIVABLE: [&str; 3] = ["FAILED", "TIMED_OUT", "ABORTED"];

/// Runs the command.
pub(super) async fn redrive(arguments: &RedriveArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let now = aws::clock::now();
    let time = |text: &Option<String>| text.as_deref().map(|text| since::parse(text, now)).transpose();
    let span = Span { since: time(&arguments.since)?, until: time(&arguments.until)? };
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    let exit = tokio::select! {
        exit = process(arguments, span, &deployment) => exit,
        () = wait::stop_signal() => Ok(Exit::Interrupted),
    };
    if arguments.restraint.no_wait {
        wait::tell_what_stands_still(&deployment);
    }
    deployment.close().await;
    exit
}

/// The executions among which the arguments choose: of all that failed only those are looked at.
async fn candidates(arguments: &RedriveArguments, span: Span, deployment: &Deployment) -> anyhow::Result<Vec<Listed>> {
    if !arguments.all {
        return executions::find(&Filter::default(), None, usize::MAX, deployment).await;
    }
    let is_asked = |status: &str| arguments.status.iter().any(|asked| asked.eq_ignore_ascii_case(status));
    let mut listed = Vec::new();
    for status in REDRIVABLE.into_iter().filter(|status| arguments.status.is_empty() || is_asked(status)) {
        let filter = Filter { status: Some(status.to_owned()), ..Filter::default() };
        listed.extend(executions::find(&filter, span.since, usize::MAX, deployment).await?);
    }
    Ok(listed)
}

/// The failed executions that the arguments mean; each name must mean at least one.
fn chosen(arguments: &RedriveArguments, span: Span, listed: Vec<Listed>) -> anyhow::Result<Vec<Listed>> {
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
    let wanted = |execution: &Listed| {
        if arguments.all {
            passes(arguments, span, execution)
        } else {
            arguments.names.iter().any(|name| is_meant(execution, name))
        }
    };
    Ok(listed.into_iter().filter(|execution| is_redrivable(execution) && wanted(execution)).collect())
}

fn is_meant(execution: &Listed, wanted: &str) -> bool {
    execution.name == name(wanted) && !wanted.is_empty() || execution.key.as_deref() == Some(wanted)
}

fn is_redrivable(execution: &Listed) -> bool {
    REDRIVABLE.contains(&execution.status.as_str())
}

/// Whether the filters of `--all` leave the execution.
fn passes(arguments: &RedriveArguments, span: Span, execution: &Listed) -> bool {
    let holds = |text: &Option<String>, part: &str| {
        text.as_ref().is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
    };
    let begins = |prefix: &String| execution.key.as_ref().is_some_and(|key| key.starts_with(prefix.as_str()));
    let is_status = |status: &String| status.eq_ignore_ascii_case(&execution.status);
    span.holds(execution.started)
        && (arguments.status.is_empty() || arguments.status.iter().any(is_status))
        && arguments.reason.as_ref().is_none_or(|reason| holds(&execution.error, reason))
        && arguments.prefix.as_ref().is_none_or(begins)
}

async fn process(arguments: &RedriveArguments, span: Span, deployment: &Deployment) -> anyhow::Result<Exit> {
    let candidates = candidates(arguments, span, deployment).await?;
    let chosen = chosen(arguments, span, candidates)?;
    let mut output = Output::new();
    if arguments.restraint.dry_run {
        return list(arguments, &chosen, &mut output).map(|()| Exit::Fine);
    }
    if chosen.is_empty() {
        if !arguments.form.json {
            output.line("nothing has failed")?;
        }
        return Ok(Exit::Fine);
    }
    let start = aws::clock::now();
    let mut rows = Rows::new(chosen.len(), arguments.form.json.then_some(&mut output));
    let watch = all(arguments, chosen, deployment, &mut rows).await?;
    if arguments.restraint.no_wait {
        rows.progress().finish();
        let failed = exit(&rows.rows);
        output::note(&format!("{} redriven; `sluice executions{}` tells how they end", watch.len(), deployment.option));
        return Ok(failed);
    }
    wait::wait(watch, deployment, Deadline::in_seconds(arguments.patience.timeout), &mut rows).await?;
    rows.progress().finish();
    let rows = rows.rows;
    if !arguments.form.json {
        tell(&mut output, &rows, start, deployment)?;
    }
    Ok(exit(&rows))
}

/// What would be redriven.
fn list(arguments: &RedriveArguments, chosen: &[Listed], output: &mut Output) -> anyhow::Result<()> {
    if arguments.form.json {
        return chosen.iter().try_for_each(|execution| output.json(execution));
    }
    output.line(&output::executions(chosen))?;
    output.line(&format!("{} would be redriven", chosen.len()))
}

/// Redrives them one after the other, no faster than the rate; what could not be is a row already.
async fn all(
    arguments: &RedriveArguments,
    chosen: Vec<Listed>,
    deployment: &Deployment,
    rows: &mut Rows<'_>,
) -> anyhow::Result<Watch> {
    let (mut pacer, began) = (Pacer::new(arguments.rate.rate), Instant::now());
    let mut watch = Watch::default();
    for execution in chosen {
        sleep(pacer.reserve(began.elapsed(), 1)).await;
        let key = execution.key.clone().unwrap_or_else(|| execution.name.clone());
        match send(&execution, deployment).await {
            Ok(()) => {
                let awaited = Awaited { file: key.clone(), key, since: aws::clock::now(), found_by: FoundBy::Asking };
                watch.add(execution.name, awaited);
            }
            Err(error) => rows.add(Row::refused(&key, Some(&key), format!("{error:#}")))?,
        }
    }
    Ok(watch)
}

async fn send(execution: &Listed, deployment: &Deployment) -> anyhow::Result<()> {
    let request = deployment.sfn.redrive_execution().execution_arn(&execution.execution_arn);
    let sent = request.send().await;
    sent.map(drop).with_context(|| format!("failed to redrive `{}`", execution.name))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

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
    fn filters_leave_some_of_all() {
        let mut one = listed("a-1", "in/a.txt", "FAILED");
        one.error = Some("Throttled: Textract said no".into());
        let cases: [(&[&str], bool); 9] = [
            (&[], true),
            (&["--status", "timed_out"], false),
            (&["--status", "FAILED"], true),
            (&["--reason", "textract"], true),
            (&["--reason", "Transient"], false),
            (&["--prefix", "in/"], true),
            (&["--prefix", "out/"], false),
            (&["--status", "FAILED", "--reason", "no such thing"], false),
            (&["--status", "ABORTED", "--status", "FAILED"], true),
        ];
        for (words, expected) in cases {
            let words = [&["--all"][..], words].concat();
            assert_eq!(passes(&arguments(&words), Span::default(), &one), expected, "{words:?}");
        }
        let later = Span { since: Some(Timestamp::from_second(1).unwrap()), until: None };
        let earlier = Span { since: None, until: Some(Timestamp::from_second(1).unwrap()) };
        let all = arguments(&["--all"]);
        assert!(!passes(&all, later, &one) && passes(&all, earlier, &one));
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
            chosen(&arguments(words), Span::default(), all())
                .map(|found| found.into_iter().map(|one| one.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["--all"]).unwrap(), ["a-1", "b-1"]);
        assert_eq!(names(&["a.txt"]).unwrap(), ["a-1"]);
        assert_eq!(names(&["arn:aws:states:us-east-1:000000000000:execution:extract:b-1"]).unwrap(), ["b-1"]);
        assert!(names(&["a-2"]).unwrap_err().to_string().contains("did not fail"));
        assert!(names(&["c.txt"]).is_err());
    }
}
