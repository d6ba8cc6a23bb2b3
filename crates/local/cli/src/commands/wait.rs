//! Waiting until runs have ended, with a bound on the time and an ear for signals.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use crate::deployment::Deployment;
use crate::output::{self, Output, Progress};
use crate::row::Row;
use crate::watch::{self, Watch};

/// The shortest pause between two rounds: a person does not see less.
const LEAST_PAUSE: Duration = Duration::from_millis(150);

/// The longest pause between two rounds.
const MOST_PAUSE: Duration = Duration::from_secs(3);

/// A round may cost this share of the time; the rest is left to the work itself.
const PAUSE_PER_ROUND: u32 = 5;

/// A record is written a moment before its execution ends; no longer than this is waited for the rest.
const SETTLING: Duration = Duration::from_secs(5);

/// Rows as they come: into the list, onto the screen, and as JSON where that is asked for.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "rows are what it holds")]
pub(super) struct Rows<'a> {
    pub(super) rows: Vec<Row>,
    progress: Progress,
    /// Where rows go at once, as JSON.
    json: Option<&'a mut Output>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(all: usize, json: Option<&'a mut Output>) -> Self {
        Self { rows: Vec::new(), progress: Progress::new(all), json }
    }

    pub(super) fn add(&mut self, row: Row) -> anyhow::Result<()> {
        self.progress.done(&row);
        if let Some(output) = &mut self.json {
            output.json(&row)?;
        }
        self.rows.push(row);
        Ok(())
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// Pauses between rounds: short while rounds are cheap, longer where they cost.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
}

impl Pace {
    pub(super) fn round() -> Self {
        Self { began: tokio_now() }
    }

    pub(super) async fn pause(self) {
        let cost = tokio_now().duration_since(self.began);
        sleep((cost * PAUSE_PER_ROUND).clamp(LEAST_PAUSE, MOST_PAUSE)).await;
    }
}

/// The timer's own clock, which is for bounds and nothing else.
fn tokio_now() -> Instant {
    Instant::now()
}

/// When to stop waiting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    seconds: u64,
}

impl Deadline {
    pub(super) fn in_seconds(seconds: u64) -> Self {
        let far = tokio_now() + Duration::from_secs(u64::from(u32::MAX));
        Self { at: tokio_now().checked_add(Duration::from_secs(seconds)).unwrap_or(far), seconds }
    }

    pub(super) fn has_passed(&self) -> bool {
        tokio_now() >= self.at
    }

    /// What a row says of a file that was still awaited then.
    pub(super) fn reason(&self) -> String {
        format!(
            "not ended within {} s; it goes on when its deployment runs, and `sluice executions` tells how far it is",
            self.seconds
        )
    }
}

/// Waits until nothing is awaited or the deadline has passed.
pub(super) async fn wait(
    mut watch: Watch,
    deployment: &Deployment,
    deadline: Deadline,
    rows: &mut Rows<'_>,
) -> anyhow::Result<()> {
    while watch.len() > 0 && !deadline.has_passed() {
        round(&mut watch, deployment, rows).await?;
    }
    for row in watch.give_up(&deadline.reason()) {
        rows.add(row)?;
    }
    Ok(())
}

/// One round and the pause behind it.
pub(super) async fn round(watch: &mut Watch, deployment: &Deployment, rows: &mut Rows<'_>) -> anyhow::Result<()> {
    let pace = Pace::round();
    for row in watch.look(deployment, aws::clock::now()).await? {
        rows.add(row)?;
    }
    if let Some(oldest) = watch.oldest() {
        rows.progress().waits_for(&oldest.file);
        pace.pause().await;
    }
    Ok(())
}

/// Lets executions whose records are there come to their end, so that none is cut off at its last step.
pub(super) async fn settle(deployment: &Deployment, runs: &[String]) -> anyhow::Result<()> {
    let deadline = tokio_now() + SETTLING;
    let runs: HashSet<&str> = runs.iter().map(String::as_str).collect();
    while !runs.is_empty() && tokio_now() < deadline && watch::any_runs(deployment, &runs).await? {
        sleep(LEAST_PAUSE).await;
    }
    Ok(())
}

/// Seconds since `start`, for people.
pub(super) fn seconds_since(start: Timestamp) -> f64 {
    let span: SignedDuration = aws::clock::now().duration_since(start);
    span.as_secs_f64()
}

/// Says that work which nobody waits for stands still, where this command's own cloud ends with it.
pub(super) fn tell_what_stands_still(deployment: &Deployment) {
    if deployment.is_ours() {
        output::note(&format!(
            "nothing runs on this directory now; the files are taken up by the next `sluice up{}`",
            deployment.option
        ));
    }
}

/// Resolves when somebody asks the program to stop.
pub(super) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the system's own ending applies.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
