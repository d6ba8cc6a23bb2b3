//! `sluice run`: files in, a row for each out.

use std::collections::BTreeMap;

use domain::event::{EventKind, ObjectEvent};
use domain::object::ObjectRef;
use futures::stream::{self, Stream, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::wait::{self, Deadline, Rows};
use crate::arguments::RunArguments;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::files::{self, Found, SourceFile};
use crate::output::{self, Output};
use crate::problem::{Exit, Problem};
use crate::row::Row;
use crate::upload;
use crate::watch::{Awaited, FoundBy, Watch};

/// Uploads at once: enough to hide a round trip, few enough for a home connection.
const UPLOADS_AT_ONCE: usize = 8;

/// An uploaded file and the version that it became, or why it did not.
pub(super) type Uploaded = (SourceFile, anyhow::Result<String>);

/// Runs the command.
pub(super) async fn run(arguments: &RunArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let data = arguments.target.data.as_deref().unwrap_or(&environment.data);
    let found = find(&arguments.files, data)?;
    super::doctor::warn_of_missing();
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    let exit = tokio::select! {
        exit = process(arguments, &deployment, found) => exit,
        () = wait::stop_signal() => {
            output::note("stopped; what has not ended goes on at the next `sluice run` or `sluice up` on the same directory");
            Ok(Exit::Interrupted)
        }
    };
    deployment.close().await;
    exit
}

/// Finds the files and tells of what is left out.
pub(super) fn find(paths: &[std::path::PathBuf], data: &std::path::Path) -> anyhow::Result<Found> {
    let found = files::find(paths, Some(data))?;
    for skipped in &found.skipped {
        output::note(&format!("left out `{}`: {}", output::plain(&files::display(&skipped.path)), skipped.reason));
    }
    if found.files.is_empty() && found.refused.is_empty() {
        return Err(Problem::new(
            Exit::NotFound,
            "failed to find any file there",
            "name files, or folders with files in them",
        )
        .into());
    }
    Ok(found)
}

async fn process(arguments: &RunArguments, deployment: &Deployment, found: Found) -> anyhow::Result<Exit> {
    let start = aws::clock::now();
    let mut output = Output::new();
    let mut rows = Rows::new(found.files.len() + found.refused.len(), arguments.form.json.then_some(&mut output));
    for refused in &found.refused {
        rows.add(Row::refused(&files::display(&refused.path), None, refused.reason.clone()))?;
    }
    let runs = follow(found.files, deployment, Deadline::in_seconds(arguments.patience.timeout), &mut rows).await?;
    wait::settle(deployment, &runs).await?;
    rows.progress().finish();
    let rows = rows.rows;
    if !arguments.form.json {
        tell(&mut output, &rows, start, deployment)?;
    }
    Ok(exit(&rows))
}

/// Uploads and waits at the same time; gives back the runs.
async fn follow(
    files: Vec<SourceFile>,
    deployment: &Deployment,
    deadline: Deadline,
    rows: &mut Rows<'_>,
) -> anyhow::Result<Vec<String>> {
    let mut watch = Watch::default();
    let mut runs = Vec::new();
    let mut uploads = in_background(uploads(files, deployment));
    loop {
        // A round must not be broken off: what it found would be lost. So uploads are taken between rounds.
        let first = if watch.len() == 0 { uploads.recv().await } else { uploads.try_recv().ok() };
        let Some((file, uploaded)) = first else {
            if uploads.is_closed() && uploads.is_empty() || deadline.has_passed() {
                break;
            }
            wait::round(&mut watch, deployment, rows).await?;
            continue;
        };
        match uploaded {
            Ok(version) => {
                let run = run_name(&deployment.raw_bucket, &file.key, version);
                runs.push(run.clone());
                watch.add(run, awaited(&file));
            }
            Err(error) => rows.add(not_uploaded(&file, &error))?,
        }
    }
    wait::wait(watch, deployment, deadline, rows).await?;
    Ok(runs)
}

/// Drives `uploads` while nobody looks.
fn in_background(uploads: impl Stream<Item = Uploaded> + Send + 'static) -> UnboundedReceiver<Uploaded> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut uploads = std::pin::pin!(uploads);
        while let Some(uploaded) = uploads.next().await {
            if sender.send(uploaded).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The files with the versions that they become, some at once.
pub(super) fn uploads(files: Vec<SourceFile>, deployment: &Deployment) -> impl Stream<Item = Uploaded> + Send + use<> {
    let (client, bucket) = (deployment.s3.clone(), deployment.raw_bucket.clone());
    let uploads = files.into_iter().map(move |file| {
        let (client, bucket) = (client.clone(), bucket.clone());
        async move {
            let version = upload::upload(&client, &bucket, &file).await;
            (file, version)
        }
    });
    stream::iter(uploads).buffer_unordered(UPLOADS_AT_ONCE)
}

fn awaited(file: &SourceFile) -> Awaited {
    Awaited {
        file: files::display(&file.path),
        key: file.key.clone(),
        since: aws::clock::now(),
        found_by: FoundBy::Record,
    }
}

/// The row of a file that could not be uploaded.
pub(super) fn not_uploaded(file: &SourceFile, error: &anyhow::Error) -> Row {
    let (message, _) = crate::problem::explain(error);
    let reason = message.trim_start_matches("error: ").to_owned();
    Row::refused(&files::display(&file.path), Some(&file.key), reason)
}

/// The execution that `start` makes of a version: its name follows from the version alone.
pub(super) fn run_name(bucket: &str, key: &str, version: String) -> String {
    domain::run::execution_name(&ObjectEvent {
        kind: EventKind::Created,
        object: ObjectRef { bucket: bucket.to_owned(), key: key.to_owned(), version_id: Some(version) },
        etag: None,
        size_bytes: 0,
        sequencer: String::new(),
        time: Timestamp::UNIX_EPOCH,
    })
}

/// The table, the sum, and what to do next.
pub(super) fn tell(output: &mut Output, rows: &[Row], start: Timestamp, deployment: &Deployment) -> anyhow::Result<()> {
    let mut rows = rows.to_vec();
    rows.sort_by(|left, right| left.file.cmp(&right.file));
    output.line(&output::files(&rows))?;
    output.line("")?;
    output.line(&sum(&rows, wait::seconds_since(start)))?;
    next(&rows, &deployment.option).iter().try_for_each(|line| output.line(line))
}

/// `58 files in 41 s: 49 SUCCEEDED, 2 PARTIAL, 7 FAILED`.
fn sum(rows: &[Row], seconds: f64) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(&row.status).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
    let files = if rows.len() == 1 { "file" } else { "files" };
    format!("{} {files} in {seconds:.0} s: {}", rows.len(), counts.join(", "))
}

/// What a person may want to do next.
fn next(rows: &[Row], option: &str) -> Vec<String> {
    let shown = rows
        .iter()
        .find(|row| row.extraction_uri.is_some())
        .or_else(|| rows.iter().find(|row| row.execution_arn.is_some()));
    let key = shown.and_then(|row| row.key.as_deref()).map(output::shell_word);
    let show = key.map(|key| format!("next: sluice show{option} {key}    what one file says, and the way it took"));
    let failed = rows.iter().any(|row| row.has_failed() && row.execution_arn.is_some());
    let redrive = failed.then(|| format!("      sluice redrive{option} --all    try the failed ones again"));
    let sql =
        format!("      sluice sql{option} \"SELECT status, count(*) FROM catalog GROUP BY status\"    ask the catalog");
    let sql = show.is_some().then_some(sql);
    show.into_iter().chain(sql).chain(redrive).collect()
}

/// The exit code that these rows deserve.
pub(super) fn exit(rows: &[Row]) -> Exit {
    if rows.iter().any(Row::has_failed) { Exit::FileFailed } else { Exit::Fine }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_counts_each_status() {
        let rows = [Row::refused("a", None, String::new()), Row::unfinished("b", "b", String::new())];
        assert_eq!(sum(&rows, 41.4), "2 files in 41 s: 1 FAILED, 1 UNFINISHED");
        assert_eq!(exit(&rows), Exit::FileFailed);
    }

    #[test]
    fn the_run_is_the_one_that_start_makes() {
        let name = run_name("sluice-raw", "a/ü b.txt", "v1".into());
        let event = ObjectEvent {
            kind: EventKind::Created,
            object: ObjectRef { bucket: "sluice-raw".into(), key: "a/ü b.txt".into(), version_id: Some("v1".into()) },
            etag: Some("e".into()),
            size_bytes: 7,
            sequencer: "00A1".into(),
            time: "2026-05-01T12:00:00Z".parse().unwrap(),
        };
        assert_eq!(name, domain::run::execution_name(&event));
    }
}
