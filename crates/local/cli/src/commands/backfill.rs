//! `sluice backfill`: what lies in a bucket already, through the queue, at a bounded rate.
//!
//! A file that an event has brought in is the same run by name, so it is not done twice, where the bucket keeps
//! versions. Where it keeps none, a listing cannot know the sequencer that names the run of an event: only two backfills
//! are then the same run.

mod report;

use std::path::Path;

use anyhow::Context as _;
use domain::object::ObjectRef;
use jiff::Timestamp;

use super::{since, wait};
use crate::arguments::BackfillArguments;
use crate::bulk::candidate::{Candidate, Page};
use crate::bulk::checkpoint::{Checkpoint, Job, Place, Tally};
use crate::bulk::estimate::Estimate;
use crate::bulk::filter::{Filter, Span};
use crate::bulk::inventory::Inventory;
use crate::bulk::listing::Listing;
use crate::bulk::message;
use crate::bulk::sender::{BATCH, Sender};
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::output::{self, Meter, Output};
use crate::problem::{Exit, Problem};
use report::Report;

/// Files between two writings of the checkpoint at most: what a stop makes be sent once more.
const ROUND: usize = 100;

/// What is said, once, of files whose runs a listing cannot name.
const NO_VERSIONS: &str =
    "some files have no version: those that an event has brought in run once more, unless --until leaves them out";

/// Where the files come from.
#[derive(Debug)]
enum Source {
    Listing(Listing),
    Inventory(Box<Inventory>),
}

/// Runs the command.
pub(super) async fn backfill(arguments: &BackfillArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let place = place(&arguments.source)?;
    let span = span(arguments, aws::clock::now())?;
    // A pattern that nobody understands is told of before anything starts.
    Filter::new(&arguments.choice, span)?;
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    refuse_own(&place, &deployment)?;
    let work = Work { arguments, deployment: &deployment, place, span };
    let data = arguments.target.data.as_deref().unwrap_or(&environment.data);
    let exit = tokio::select! {
        exit = work.run(data) => exit,
        () = wait::stop_signal() => {
            output::note("stopped; the same command goes on from here");
            Ok(Exit::Interrupted)
        }
    };
    if !arguments.dry_run {
        wait::tell_what_stands_still(&deployment);
    }
    deployment.close().await;
    exit
}

/// Bucket and prefix.
fn place(uri: &str) -> anyhow::Result<ObjectRef> {
    let rest = uri.strip_prefix("s3://").filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let (bucket, prefix) = rest.map(|rest| rest.split_once('/').unwrap_or((rest, ""))).with_context(|| {
        let message = format!("failed to understand `{uri}`");
        Problem::new(Exit::Usage, message, "write s3://BUCKET, or s3://BUCKET/PREFIX")
    })?;
    Ok(ObjectRef::new(bucket, prefix))
}

fn span(arguments: &BackfillArguments, now: Timestamp) -> anyhow::Result<Span> {
    let time = |text: &Option<String>| text.as_deref().map(|text| since::parse(text, now)).transpose();
    Ok(Span { since: time(&arguments.choice.since)?, until: time(&arguments.choice.until)? })
}

/// An output must never become an input.
fn refuse_own(place: &ObjectRef, deployment: &Deployment) -> anyhow::Result<()> {
    let own = [Some(&deployment.catalog_bucket), deployment.extracted_bucket.as_ref()];
    if !own.into_iter().flatten().any(|own| *own == place.bucket) {
        return Ok(());
    }
    let message = format!("failed to backfill from `{}`: this deployment writes there itself", place.bucket);
    Err(Problem::new(Exit::Usage, message, "name a bucket of files, not one of records or documents").into())
}

/// One backfill.
struct Work<'a> {
    arguments: &'a BackfillArguments,
    deployment: &'a Deployment,
    place: ObjectRef,
    span: Span,
}

impl Work<'_> {
    async fn run(&self, data: &Path) -> anyhow::Result<Exit> {
        let began = aws::clock::now();
        let report = if self.arguments.dry_run { self.count(began).await? } else { self.send(data, began).await? };
        if report.found() == 0 {
            let message = format!("failed to find any file at `{}`", self.arguments.source);
            return Err(Problem::new(Exit::NotFound, message, "check bucket and prefix, or the inventory").into());
        }
        let mut output = Output::new();
        if self.arguments.form.json {
            output.json(&report)?;
        } else {
            report.lines(&self.deployment.option).iter().try_for_each(|line| output.line(line))?;
        }
        Ok(Exit::Fine)
    }

    /// Counts what would be sent, and what it would cost.
    async fn count(&self, began: Timestamp) -> anyhow::Result<Report> {
        let settings = aws::settings::load(self.arguments.hosting.settings.as_deref())?;
        let filter = Filter::new(&self.arguments.choice, self.span)?;
        let (mut estimate, mut tally) = (Estimate::new(settings), Tally::default());
        let meter = Meter::new("files counted");
        let mut source = self.source(None).await?;
        while let Some(page) = source.next().await? {
            tally.gone += page.gone;
            for candidate in page.candidates.iter().filter(|candidate| is_meant(candidate, &filter, &mut tally)) {
                estimate.add(candidate);
            }
            meter.set(estimate.total.files);
        }
        meter.finish();
        let seconds = wait::seconds_since(began);
        Ok(Report { source: self.arguments.source.clone(), resumed: false, tally, estimate: Some(estimate), seconds })
    }

    async fn send(&self, data: &Path, began: Timestamp) -> anyhow::Result<Report> {
        let queue = self.deployment.queue_url().await?;
        let job = Job::new(self.arguments, &self.deployment.identity(&queue));
        let named = self.arguments.checkpoint.as_deref();
        let place = Place::new(named, &data.join("backfill"), &job, &self.deployment.s3)?;
        let found = if self.arguments.restart { None } else { place.load(&job).await? };
        let resumed = found.is_some();
        if let Some(found) = &found {
            let (sent, name) = (found.tally.sent, place.name());
            output::note(&format!(
                "goes on behind the {sent} files of before, as `{name}` says; --restart begins anew"
            ));
        }
        let checkpoint = found.unwrap_or_else(|| Checkpoint {
            job,
            since: self.span.since,
            until: self.span.until,
            position: None,
            tally: Tally::default(),
            began,
        });
        let tally = self.all(checkpoint, &place, &queue).await?;
        place.remove().await?;
        let seconds = wait::seconds_since(began);
        Ok(Report { source: self.arguments.source.clone(), resumed, tally, estimate: None, seconds })
    }

    /// Sends everything behind the checkpoint, which follows.
    async fn all(&self, mut checkpoint: Checkpoint, place: &Place, queue: &str) -> anyhow::Result<Tally> {
        let filter = Filter::new(&self.arguments.choice, Span { since: checkpoint.since, until: checkpoint.until })?;
        let mut sender = Sender::new(self.deployment, queue, self.arguments.rate.rate, self.arguments.in_flight);
        let (meter, mut told) = (Meter::new("files sent"), false);
        let mut source = self.source(checkpoint.position.clone()).await?;
        while let Some(Page { candidates, gone }) = source.next().await? {
            checkpoint.tally.gone += gone;
            if !told && self.has_unknown(&candidates) {
                told = true;
                output::note(NO_VERSIONS);
            }
            for round in candidates.chunks(round(self.arguments.rate.rate)) {
                let meant = round.iter().filter(|candidate| is_meant(candidate, &filter, &mut checkpoint.tally));
                let messages: Vec<_> = meant.map(|candidate| self.message(candidate)).collect();
                sender.send(messages).await?;
                checkpoint.position = round.last().map(|last| last.position.clone());
                place.save(&checkpoint).await?;
                meter.set(checkpoint.tally.sent);
            }
        }
        meter.finish();
        Ok(checkpoint.tally)
    }

    /// Whether there are files that cannot be told from those that events have brought in.
    fn has_unknown(&self, candidates: &[Candidate]) -> bool {
        let is_unknown = |candidate: &Candidate| candidate.object.version_id.is_none();
        self.place.bucket == self.deployment.raw_bucket && candidates.iter().any(is_unknown)
    }

    fn message(&self, candidate: &Candidate) -> String {
        let region = self.deployment.s3.config().region().map(ToString::to_string).unwrap_or_default();
        message::notification(&candidate.event(), &region)
    }

    async fn source(&self, position: Option<crate::bulk::candidate::Position>) -> anyhow::Result<Source> {
        let (client, versions) = (&self.deployment.s3, self.arguments.choice.versions);
        match &self.arguments.inventory {
            Some(uri) => {
                let inventory = Inventory::open(client, uri, &self.place, versions, position).await?;
                Ok(Source::Inventory(Box::new(inventory)))
            }
            None => Ok(Source::Listing(Listing::new(client, &self.place, versions, position))),
        }
    }
}

impl Source {
    async fn next(&mut self) -> anyhow::Result<Option<Page>> {
        match self {
            Self::Listing(listing) => listing.next().await,
            Self::Inventory(inventory) => inventory.next().await,
        }
    }
}

/// About a second's worth, in whole batches.
fn round(rate: u32) -> usize {
    usize::try_from(rate).unwrap_or(ROUND).next_multiple_of(BATCH).min(ROUND)
}

/// Whether a file is to be sent; counted either way.
fn is_meant(candidate: &Candidate, filter: &Filter, tally: &mut Tally) -> bool {
    if candidate.is_folder() {
        tally.folders += 1;
        return false;
    }
    if !filter.wants(candidate) {
        tally.filtered += 1;
        return false;
    }
    tally.sent += 1;
    tally.sent_bytes += candidate.size_bytes;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_a_bucket_and_perhaps_a_prefix() {
        let parts = |uri: &str| place(uri).ok().map(|place| (place.bucket, place.key));
        let some = |bucket: &str, prefix: &str| Some((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(parts("s3://b"), some("b", ""));
        assert_eq!(parts("s3://b/"), some("b", ""));
        assert_eq!(parts("s3://b/a b/ü"), some("b", "a b/ü"));
        for uri in ["b", "s3://", "s3:///x", "https://b/x"] {
            assert_eq!(parts(uri), None, "{uri}");
        }
    }

    #[test]
    fn a_round_is_about_a_second() {
        assert_eq!([1, 25, 100, 1000].map(round), [10, 30, 100, 100]);
    }
}
