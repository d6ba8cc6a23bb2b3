//! Jobs of the asynchronous operations: rows in the database, made or adopted once, run in their turn,
//! and run again after a restart where they had not ended.
//!
//! A row is written before a start is acknowledged. Answers of jobs are objects in S3, never rows. It
//! refuses to run more at once than there are turns.

mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::media::{Media, internal};
use super::{textract, transcribe};
use crate::database::DatabaseError;
use crate::wire::ServiceError;
pub use table::SCHEMA;
pub(crate) use table::{Filter, Job, NewJob, Opened, Service, Status};

/// Bucket for answers that no customer bucket was named for; made when first needed.
pub(crate) const SERVICE_BUCKET: &str = "sluice-service-results";

/// How a job ended.
#[derive(Debug)]
pub(crate) enum End {
    /// All was done; where the answer lies, and what else the service wants to know.
    Completed(Value),
    /// Some pages were not read.
    Partial(Value),
    /// Nothing came of it; the reason that the caller is given.
    Failed(String),
}

/// Set when nobody waits for a job any more: its blocking part ends at the next step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }
}

/// Sets the flag when the job's future is dropped.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl Media {
    /// Writes down a new job and starts it, or finds the one of the same name or token.
    pub(crate) async fn open_job(&self, new: NewJob) -> Result<Opened, ServiceError> {
        let (service, name) = (new.service, new.name.clone());
        let created = self.context().clock.now();
        let opened = self.context().database.write(move |transaction| table::open(transaction, &new, created)).await;
        let opened = opened.map_err(|error| internal(&error))?;
        if matches!(opened, Opened::New) {
            self.launch(service, name);
        }
        Ok(opened)
    }

    /// Runs again what had not ended when the last cloud on this data directory did; gives how many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn resume(&self) -> Result<usize, DatabaseError> {
        let open = self.context().database.read(table::unfinished).await?;
        let count = open.len();
        for (service, name) in open {
            self.launch(service, name);
        }
        Ok(count)
    }

    /// The job of that name.
    pub(crate) async fn find_job(&self, service: Service, name: &str) -> Result<Option<Job>, ServiceError> {
        let name = name.to_owned();
        let found = self.context().database.read(move |connection| table::find(connection, service, &name)).await;
        found.map_err(|error| internal(&error))
    }

    /// Jobs, the newest first.
    pub(crate) async fn list_jobs(&self, filter: Filter) -> Result<Vec<Job>, ServiceError> {
        let listed = self.context().database.read(move |connection| table::list(connection, &filter)).await;
        listed.map_err(|error| internal(&error))
    }

    /// How many jobs of a service have not ended.
    pub(crate) async fn count_open_jobs(&self, service: Service) -> Result<usize, ServiceError> {
        let counted =
            self.context().database.read(move |connection| table::count_unfinished(connection, service)).await;
        counted.map_err(|error| internal(&error))
    }

    /// Forgets a job; says whether there was one.
    pub(crate) async fn delete_job(&self, service: Service, name: &str) -> Result<bool, ServiceError> {
        let name = name.to_owned();
        let deleted =
            self.context().database.write(move |transaction| table::delete(transaction, service, &name)).await;
        deleted.map_err(|error| internal(&error))
    }

    fn launch(&self, service: Service, name: String) {
        let media = self.clone();
        self.tasks().spawn(async move {
            let Ok(_turn) = media.job_turns().acquire().await else { return };
            if let Err(error) = media.run(service, &name).await {
                // The row stays open, so the next start of the cloud tries again.
                tracing::error!(service = service.name(), job = name, %error, "failed to run a job");
            }
        });
    }

    async fn run(&self, service: Service, name: &str) -> Result<(), ServiceError> {
        let started = self.context().clock.now();
        let owned = name.to_owned();
        let taken =
            self.context().database.write(move |transaction| table::start(transaction, service, &owned, started)).await;
        // None: it was deleted while it waited.
        let Some(job) = taken.map_err(|error| internal(&error))? else { return Ok(()) };
        let stop = Stop::default();
        let guard = StopOnDrop(stop.clone());
        let end = match service {
            Service::Transcribe => transcribe::run(self, &job, stop).await?,
            Service::Textract => textract::run(self, &job, stop).await?,
        };
        drop(guard);
        self.end(service, job.name, end).await
    }

    async fn end(&self, service: Service, name: String, end: End) -> Result<(), ServiceError> {
        let ended = self.context().clock.now();
        let written = self
            .context()
            .database
            .write(move |transaction| table::end(transaction, service, &name, &end, ended))
            .await;
        written.map_err(|error| internal(&error))
    }
}
