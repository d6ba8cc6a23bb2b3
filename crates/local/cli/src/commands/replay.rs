//! `sluice replay`: files run anew, by a message that names the replay.
//!
//! The new run reads the same version of the object; nothing is copied or put. Its name follows from the version and the
//! name of the replay, so the same replay may be asked for again and again: after a stop it goes on, after its end it
//! does nothing. Its record counts before the one of the run before it, since it was started later.

use anyhow::Context as _;
use domain::change::Change;
use domain::event::{EventKind, ObjectEvent, is_replay_name};
use domain::run::execution_name;
use jiff::Timestamp;
use serde::Serialize;

use super::run::{exit, tell};
use super::wait::{self, Deadline, Rows};
use super::{show, since};
use crate::arguments::ReplayArguments;
use crate::bulk::filter::Span;
use crate::bulk::message;
use crate::bulk::records::Records;
use crate::bulk::sender::{BATCH, Sender};
use crate::bulk::wanted::Selection;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::executions as api;
use crate::output::{self, Meter, Output};
use crate::problem::{Exit, Problem};
use crate::watch::{Awaited, FoundBy, Watch};

/// A file that runs anew, or would. The members are a contract with scripts.
#[derive(Debug, Serialize)]
struct Replayed {
    replay: String,
    key: String,
    version_id: Option<String>,
    uri: String,
    execution_arn: String,
}

/// One replay.
struct Work<'a> {
    arguments: &'a ReplayArguments,
    deployment: &'a Deployment,
    name: String,
    selection: Selection,
    span: Span,
}

/// Runs the command.
pub(super) async fn replay(arguments: &ReplayArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let now = aws::clock::now();
    let name = name(arguments.id.as_deref(), now)?;
    let time = |text: &Option<String>| text.as_deref().map(|text| since::parse(text, now)).transpose();
    let wanted = &arguments.wanted;
    let span = Span { since: time(&wanted.since)?, until: time(&wanted.until)? };
    let selection = Selection::new(wanted, span, time(&wanted.recorded_before)?)?;
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    let work = Work { arguments, deployment: &deployment, name, selection, span };
    let exit = tokio::select! {
        exit = work.run(now) => exit,
        () = wait::stop_signal() => {
            output::note(&format!("stopped; the same command with --id {} goes on from here", work.name));
            Ok(Exit::Interrupted)
        }
    };
    if arguments.restraint.no_wait {
        wait::tell_what_stands_still(&deployment);
    }
    deployment.close().await;
    exit
}

fn name(given: Option<&str>, now: Timestamp) -> anyhow::Result<String> {
    match given {
        None => Ok(now.strftime("%Y%m%dT%H%M%S%3fZ").to_string()),
        Some(name) if is_replay_name(name) => Ok(name.to_owned()),
        Some(name) => {
            let message = format!("failed to use `{name}` as the name of a replay");
            let next = "write 1 to 64 of letters, digits, `-`, `_`, `.` and `:`";
            Err(Problem::new(Exit::Usage, message, next).into())
        }
    }
}

impl Work<'_> {
    async fn run(&self, start: Timestamp) -> anyhow::Result<Exit> {
        if self.arguments.restraint.dry_run {
            return self.list().await;
        }
        let events = self.send().await?;
        let mut output = Output::new();
        if events.is_empty() {
            if !self.arguments.form.json {
                output.line("nothing to replay")?;
            }
            return Ok(Exit::Fine);
        }
        if self.arguments.restraint.no_wait {
            return self.tell_sent(&mut output, &events).map(|()| Exit::Fine);
        }
        let mut rows = Rows::new(events.len(), self.arguments.form.json.then_some(&mut output));
        let mut watch = Watch::default();
        for event in &events {
            let key = event.object.key.clone();
            let awaited = Awaited { file: key.clone(), key, since: aws::clock::now(), found_by: FoundBy::Asking };
            watch.add(execution_name(event), awaited);
        }
        wait::wait(watch, self.deployment, Deadline::in_seconds(self.arguments.patience.timeout), &mut rows).await?;
        rows.progress().finish();
        let rows = rows.rows;
        if !self.arguments.form.json {
            tell(&mut output, &rows, start, self.deployment)?;
        }
        Ok(exit(&rows))
    }

    /// Sends what is meant, as it is found; gives it back.
    async fn send(&self) -> anyhow::Result<Vec<ObjectEvent>> {
        let queue = self.deployment.queue_url().await?;
        let mut sender = Sender::new(self.deployment, &queue, self.arguments.rate.rate, self.arguments.in_flight);
        output::note(&format!("replay {}", self.name));
        let meter = Meter::new("files sent");
        let mut sent = Vec::new();
        let mut source = self.source().await?;
        while let Some(events) = source.next().await? {
            for round in events.chunks(BATCH) {
                sender.send(round.iter().map(|event| message::replay(event, &self.name)).collect()).await?;
                sent.extend_from_slice(round);
                meter.set(sent.len() as u64);
            }
        }
        meter.finish();
        Ok(sent)
    }

    /// Lists what would be sent.
    async fn list(&self) -> anyhow::Result<Exit> {
        let mut output = Output::new();
        let mut source = self.source().await?;
        let mut events = Vec::new();
        while let Some(found) = source.next().await? {
            events.extend(found);
        }
        self.tell_sent(&mut output, &events)?;
        if !self.arguments.form.json {
            output.line(&format!("{} files would be replayed", events.len()))?;
        }
        Ok(Exit::Fine)
    }

    fn tell_sent(&self, output: &mut Output, events: &[ObjectEvent]) -> anyhow::Result<()> {
        for event in events {
            let replayed = self.replayed(event);
            if self.arguments.form.json {
                output.json(&replayed)?;
            } else {
                output.line(&output::plain(&replayed.uri))?;
            }
        }
        Ok(())
    }

    fn replayed(&self, event: &ObjectEvent) -> Replayed {
        Replayed {
            replay: self.name.clone(),
            key: event.object.key.clone(),
            version_id: event.object.version_id.clone(),
            uri: event.object.uri(),
            execution_arn: self.deployment.execution_arn(&execution_name(event)),
        }
    }

    async fn source(&self) -> anyhow::Result<Source<'_>> {
        if self.arguments.all {
            let records = Records::new(&self.deployment.s3, &self.deployment.catalog_bucket, self.span);
            return Ok(Source::Catalog(self, records));
        }
        let mut events = Vec::new();
        for name in &self.arguments.names {
            events.push(self.named(event(name, self.deployment).await?));
        }
        Ok(Source::Named(Some(events)))
    }

    /// The event in this replay.
    fn named(&self, event: ObjectEvent) -> ObjectEvent {
        ObjectEvent { replay: Some(self.name.clone()), ..event }
    }
}

/// Where the files come from.
enum Source<'a> {
    Named(Option<Vec<ObjectEvent>>),
    Catalog(&'a Work<'a>, Records),
}

impl Source<'_> {
    async fn next(&mut self) -> anyhow::Result<Option<Vec<ObjectEvent>>> {
        match self {
            Self::Named(events) => Ok(events.take()),
            Self::Catalog(work, records) => {
                let Some(changes) = records.next().await? else { return Ok(None) };
                let wanted = changes.into_iter().filter(|change| work.selection.wants(change));
                Ok(Some(wanted.map(|change| work.named(event_of(change))).collect()))
            }
        }
    }
}

/// What S3 once told, as its record has kept it.
fn event_of(change: Change) -> ObjectEvent {
    ObjectEvent {
        kind: change.event,
        object: change.object,
        etag: change.etag,
        size_bytes: change.size_bytes,
        sequencer: change.sequencer,
        time: change.event_time,
        replay: None,
    }
}

/// The event behind a run's name, or behind the newest version of a key.
async fn event(name: &str, deployment: &Deployment) -> anyhow::Result<ObjectEvent> {
    let run = deployment.execution_arn(api::name(name));
    // A name of a run has no slash and no dot; other words are keys, and need not be asked for.
    if !api::name(name).contains(['/', '.', ' '])
        && let Some(event) = api::describe(&deployment.sfn, &run).await?.as_ref().and_then(api::event)
    {
        return created(event, name);
    }
    let key = show::key_in_bucket(name, &deployment.raw_bucket);
    let object = show::version(deployment, key, None).await?;
    let run = show::run_name(&object);
    let execution = api::describe(&deployment.sfn, &deployment.execution_arn(&run)).await?;
    if let Some(event) = execution.as_ref().and_then(api::event) {
        return created(event, name);
    }
    // The execution is forgotten, or there was none.
    match show::record_without_execution(deployment, &object, &run).await? {
        Some(change) => created(event_of(change), name),
        None => created(of_object(object)?, name),
    }
}

fn created(event: ObjectEvent, name: &str) -> anyhow::Result<ObjectEvent> {
    if event.kind == EventKind::Created {
        return Ok(ObjectEvent { replay: None, ..event });
    }
    let message = format!("failed to replay `{name}`: the object was removed");
    Err(Problem::new(
        Exit::NotFound,
        message,
        "name a run of a version that is there, as `sluice executions` lists them",
    )
    .into())
}

/// The event of a version of which neither Step Functions nor the catalog knows.
fn of_object(object: show::Object) -> anyhow::Result<ObjectEvent> {
    Ok(ObjectEvent {
        kind: if object.removed { EventKind::Removed } else { EventKind::Created },
        time: object.last_modified.context("failed to find when the object was put there")?,
        object: object.object,
        etag: object.etag,
        size_bytes: object.size_bytes,
        sequencer: String::new(),
        replay: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::wanted::tests::change;

    #[test]
    fn a_replay_has_a_name() {
        let now = "2026-05-01T12:00:00.123Z".parse().unwrap();
        assert_eq!(name(None, now).unwrap(), "20260501T120000123Z");
        assert!(is_replay_name(&name(None, now).unwrap()));
        assert_eq!(name(Some("again"), now).unwrap(), "again");
        assert!(name(Some("a b"), now).is_err());
    }

    #[test]
    fn the_event_is_the_one_of_the_record() {
        let event = event_of(change("a.pdf"));
        assert_eq!((event.sequencer.as_str(), event.time.to_string().as_str()), ("0A", "2026-05-01T12:00:00Z"));
        assert_eq!(event.object.version_id.as_deref(), Some("v1"));
    }
}
