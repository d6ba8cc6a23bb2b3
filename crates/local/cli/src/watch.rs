//! Waits for runs: a file is done when its change record lies in the catalog.
//!
//! Each round lists only the records since the oldest file that is still awaited, so a thousand files cost a thousand
//! reads and a few listings. An execution that dies without a record is found by asking after a few of the oldest in
//! every round. Nothing here waits by itself.

use std::collections::{HashMap, HashSet};

use aws_sdk_sfn::types::ExecutionStatus;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};

use crate::catalog;
use crate::deployment::Deployment;
use crate::executions::{self, CALLS_AT_ONCE};
use crate::row::Row;

/// The clocks of this machine and of S3 may differ by this much; where they differ more, asking still finds the end.
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// Executions that are asked about in one round, so that rounds stay short however many files wait.
const ASKED_AT_ONCE: usize = 4;

/// An execution whose record will tell is asked about no more often than this.
const ASKED_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// An execution of which only asking tells is asked about this often.
const ASKED_SOON: SignedDuration = SignedDuration::from_millis(500);

/// A run that is awaited.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    /// As the user named the file.
    pub(crate) file: String,
    pub(crate) key: String,
    /// When it was uploaded or redriven.
    pub(crate) since: Timestamp,
    pub(crate) found_by: FoundBy,
}

/// How the end of a run is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// By its record, which appears.
    Record,
    /// By asking, since an older record of the same run may lie there.
    Asking,
}

impl FoundBy {
    fn asked_every(self) -> SignedDuration {
        match self {
            Self::Record => ASKED_EVERY,
            Self::Asking => ASKED_SOON,
        }
    }
}

/// Runs that are awaited.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    awaited: HashMap<String, Awaited>,
    asked: HashMap<String, Timestamp>,
}

impl Watch {
    /// Awaits `run` too.
    pub(crate) fn add(&mut self, run: String, awaited: Awaited) {
        self.asked.insert(run.clone(), awaited.since);
        self.awaited.insert(run, awaited);
    }

    pub(crate) fn len(&self) -> usize {
        self.awaited.len()
    }

    /// The file that has been awaited longest.
    pub(crate) fn oldest(&self) -> Option<&Awaited> {
        self.awaited.values().min_by_key(|awaited| awaited.since)
    }

    /// What is left, as rows that say `reason`.
    pub(crate) fn give_up(self, reason: &str) -> Vec<Row> {
        let mut left: Vec<_> = self.awaited.into_values().collect();
        left.sort_by_key(|awaited| awaited.since);
        left.iter().map(|awaited| Row::unfinished(&awaited.file, &awaited.key, reason.to_owned())).collect()
    }

    /// One round: the rows of all files that have ended since the last.
    pub(crate) async fn look(&mut self, deployment: &Deployment, now: Timestamp) -> anyhow::Result<Vec<Row>> {
        let mut rows = self.recorded(deployment).await?;
        rows.extend(self.asked(deployment, now).await?);
        Ok(rows)
    }

    async fn recorded(&mut self, deployment: &Deployment) -> anyhow::Result<Vec<Row>> {
        let by_record = self.awaited.values().filter(|awaited| awaited.found_by == FoundBy::Record);
        let Some(oldest) = by_record.map(|awaited| awaited.since).min() else { return Ok(Vec::new()) };
        let keys = catalog::records_since(&deployment.s3, &deployment.catalog_bucket, oldest - CLOCK_MARGIN).await?;
        let ours = keys.into_iter().filter(|key| self.awaits_record(key));
        let reads =
            ours.map(|key| async move { catalog::record(&deployment.s3, &deployment.catalog_bucket, &key).await });
        let changes: Vec<_> = stream::iter(reads).buffer_unordered(CALLS_AT_ONCE).try_collect().await?;
        let rows = changes.into_iter().flatten().filter_map(|change| {
            let awaited = self.awaited.remove(&change.run)?;
            Some(Row::recorded(&awaited.file, &change))
        });
        Ok(rows.collect())
    }

    fn awaits_record(&self, key: &str) -> bool {
        let awaited = catalog::run_of(key).and_then(|run| self.awaited.get(run));
        awaited.is_some_and(|awaited| awaited.found_by == FoundBy::Record)
    }

    async fn asked(&mut self, deployment: &Deployment, now: Timestamp) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for run in self.due(now) {
            self.asked.insert(run.clone(), now);
            if let Some(row) = self.ask(deployment, &run).await? {
                self.awaited.remove(&run);
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// The runs that nobody has asked about for longest.
    fn due(&self, now: Timestamp) -> Vec<String> {
        let asked = |run: &String| self.asked.get(run).copied().unwrap_or(Timestamp::MIN);
        let is_due =
            |(run, awaited): &(&String, &Awaited)| now.duration_since(asked(run)) >= awaited.found_by.asked_every();
        let mut due: Vec<_> = self.awaited.iter().filter(is_due).map(|(run, _)| run).collect();
        due.sort_by_key(|run| asked(run));
        due.into_iter().take(ASKED_AT_ONCE).cloned().collect()
    }

    async fn ask(&self, deployment: &Deployment, run: &str) -> anyhow::Result<Option<Row>> {
        let Some(awaited) = self.awaited.get(run) else { return Ok(None) };
        let execution = executions::describe(&deployment.sfn, &deployment.execution_arn(run)).await?;
        let Some(execution) = execution.filter(|execution| executions::has_ended(execution.status())) else {
            return Ok(None);
        };
        let change = match executions::event(&execution) {
            Some(event) => {
                let key = domain::change::record_key(event.time, run);
                catalog::record(&deployment.s3, &deployment.catalog_bucket, &key).await?
            }
            None => None,
        };
        let row = match change {
            Some(change) => Row::recorded(&awaited.file, &change),
            None => Row::lost(&awaited.file, &awaited.key, &executions::ended(&execution)),
        };
        Ok(Some(row))
    }
}

/// Whether any of `runs` still runs: a record is written a moment before its execution ends.
pub(crate) async fn any_runs(deployment: &Deployment, runs: &HashSet<&str>) -> anyhow::Result<bool> {
    let machine = &deployment.state_machine_arn;
    let running =
        executions::list(&deployment.sfn, machine, Some(ExecutionStatus::Running), |_| true, usize::MAX).await?;
    Ok(running.iter().any(|execution| runs.contains(execution.name())))
}
