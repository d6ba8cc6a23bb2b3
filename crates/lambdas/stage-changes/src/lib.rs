//! `stage-changes`: finds the files that came since the last batch, and stages the rows of the next one.
//!
//! | module | what |
//! | --- | --- |
//! | `hold` | which execution works on the table: one at a time |
//! | `gather` | files into staged and refused rows, within the limits of a batch |
//! | `records` | bytes into records, as they stream |
//! | `parts` | rows into objects, a few megabytes each |
//!
//! The bookmark decides: a batch counts as staged once a conditional write has put it there.

mod gather;
mod hold;
mod parts;
mod records;

use aws::Deployment;
use aws::table::Kept;
use domain::failure::{Failure, FailureName};
use domain::run::request_token;
use domain::table::sql;
use domain::upsert::bookmark::{Batch, Bookmark};
use domain::upsert::stage::{Progress, StageRequest, Staged};

use crate::hold::Hold;

/// How often a bookmark that others write to is read anew.
const TRIES: u32 = 20;

/// Stages the next batch, or says why there is none.
///
/// # Errors
/// `InvalidInput` where the settings cannot be used; what S3 says; `Transient` where others write to the bookmark all
/// the time.
pub async fn handle(deployment: Deployment, request: StageRequest) -> Result<Staged, Failure> {
    let kept = Kept::find(&deployment, request.input.clone()).await?;
    let step = Step { deployment: &deployment, kept: &kept, request: &request };
    for _ in 0..TRIES {
        let (bookmark, etag) = kept.bookmark(&deployment).await?;
        if let Some(progress) = Box::pin(step.turn(bookmark, etag)).await? {
            return Ok(Staged { table: kept.table.name.to_string(), totals: request.totals, progress });
        }
    }
    Err(Failure::new(FailureName::Transient, format!("failed to write `{}`: others do", kept.bookmark_place())))
}

struct Step<'a> {
    deployment: &'a Deployment,
    kept: &'a Kept,
    request: &'a StageRequest,
}

impl Step<'_> {
    /// Goes on from what the bookmark says; `None` where another execution has written to it meanwhile, or this one
    /// has written what the next turn goes on from.
    async fn turn(&self, bookmark: Bookmark, etag: Option<String>) -> Result<Option<Progress>, Failure> {
        match hold::look(self.deployment, &bookmark, &self.request.execution.arn).await? {
            Hold::Others => {
                let told = Bookmark { asked_again: true, ..bookmark };
                Ok(self.write(etag, &told).await?.then_some(Progress::Busy))
            }
            Hold::Free => {
                let holder = Some(self.request.execution.arn.clone());
                self.write(etag, &Bookmark { holder, asked_again: false, ..bookmark }).await?;
                Ok(None)
            }
            Hold::Ours => match &bookmark.pending {
                Some(batch) => Ok(Some(self.pending(&bookmark, batch))),
                None => Box::pin(self.next(bookmark, etag)).await,
            },
        }
    }

    /// Stages what waits, or lets the table go.
    async fn next(&self, bookmark: Bookmark, etag: Option<String>) -> Result<Option<Progress>, Failure> {
        let source = &self.kept.table.source;
        let listed = self.deployment.store.list(&self.kept.source_bucket, &source.prefix, &source.suffix).await?;
        let waiting = bookmark.waiting(listed, source.late_days);
        if waiting.is_empty() {
            return self.idle(bookmark, etag).await;
        }
        let attempt = request_token(&self.request.execution.arn, &aws::clock::now().to_string(), 0, "attempt");
        let batch = gather::gather(self.deployment, self.kept, &bookmark, waiting, &attempt[..8]).await?;
        let pending = Bookmark { pending: Some(batch), ..bookmark };
        self.write(etag, &pending).await?;
        Ok(None)
    }

    async fn idle(&self, bookmark: Bookmark, etag: Option<String>) -> Result<Option<Progress>, Failure> {
        if bookmark.prepared.as_ref() != Some(&self.kept.setup_hash()) {
            return Ok(Some(Progress::Prepare { setup: self.kept.setup.clone() }));
        }
        let free = Bookmark { holder: None, asked_again: false, ..bookmark };
        Ok(self.write(etag, &free).await?.then_some(Progress::Idle))
    }

    /// What is to be done with the batch that the bookmark holds.
    fn pending(&self, bookmark: &Bookmark, batch: &Batch) -> Progress {
        if batch.rows == 0 {
            return Progress::Empty { batch: batch.number };
        }
        let table = &self.kept.table;
        let staging = sql::staging_name(table, batch.number);
        let uri = format!("s3://{}/{}", self.kept.lake_bucket, batch.staged);
        let is_prepared = bookmark.prepared.as_ref() == Some(&self.kept.setup_hash());
        let mut setup = if is_prepared { Vec::new() } else { self.kept.setup.clone() };
        setup.push(sql::create_staging(table, &staging, &uri));
        Progress::Staged {
            batch: batch.number,
            setup,
            count: sql::count(table, &staging),
            // Athena takes tokens of 32 to 128 characters.
            count_token: request_token(&uri, &table.name.to_string(), 0, "count"),
            merge: sql::merge(table, &staging),
            cleanup: sql::drop_staging(&staging),
        }
    }

    async fn write(&self, etag: Option<String>, bookmark: &Bookmark) -> Result<bool, Failure> {
        self.deployment.store.replace_json(&self.kept.bookmark_place(), etag, bookmark).await
    }
}
