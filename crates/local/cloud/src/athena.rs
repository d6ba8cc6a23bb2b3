//! Amazon Athena over the local lakehouse: queries that run one by one or a few at once, their results as files in a
//! bucket, workgroups with their limits, and what is known of databases and tables.
//!
//! A query is written down before it is acknowledged, and so is its end. What a restart finds waiting is run; what it
//! finds running is run again if it only reads, and has failed otherwise, because nobody can say whether it took effect.
//! Not here: notebooks and calculations, capacity reservations, federated catalogs, encryption of results, and reuse of
//! earlier results.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html>

mod csv;
mod executions;
mod groups;
mod metadata;
mod output;
mod page;
mod refusal;
mod results;
mod rows;
mod run;
mod saved;
mod schema;
mod shape;
mod tags;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::AbortHandle;
use rusqlite::{Connection, Transaction};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::context::Context;
use crate::lake::Lake;
use crate::tasks::Tasks;
use crate::wire::{Outcome, ServiceError};

pub(crate) use schema::SCHEMA;

/// Queries that run at once; others are queued. Each uses all cores as far as it can.
const MOST_RUNNING: usize = 4;

/// Queries that run or wait. Beyond that, further ones are refused, as by Athena's quota.
const MOST_ACTIVE: usize = 200;

/// The Athena surface; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Athena {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    context: Context,
    lake: Lake,
    tasks: Tasks,
    turns: Semaphore,
    active: Mutex<HashMap<String, Active>>,
}

/// A query that runs or waits.
#[derive(Debug)]
struct Active {
    stop: watch::Sender<bool>,
    /// Ends what the query does on its own thread.
    abort: AbortHandle,
    ended: watch::Sender<bool>,
}

impl Athena {
    /// The surface over the database of `context`, which must have been opened with [`SCHEMA`].
    pub(crate) fn new(context: Context, lake: Lake, tasks: Tasks) -> Self {
        let (turns, active) = (Semaphore::new(MOST_RUNNING), Mutex::default());
        Self { inner: Arc::new(Inner { context, lake, tasks, turns, active }) }
    }

    /// Answers one operation of the API.
    ///
    /// # Errors
    /// The service's own errors; `NotAvailableLocally` for an operation that only AWS has.
    pub(crate) async fn handle(&self, operation: &str, body: Value) -> Outcome {
        match operation {
            "StartQueryExecution" => executions::start(self, body).await,
            "GetQueryExecution" => executions::get(self, body).await,
            "BatchGetQueryExecution" => executions::get_batch(self, body).await,
            "ListQueryExecutions" => executions::list(self, body).await,
            "StopQueryExecution" => executions::stop(self, body).await,
            "GetQueryRuntimeStatistics" => executions::statistics(self, body).await,
            "GetQueryResults" => results::get(self, body).await,
            "CreateWorkGroup" => groups::create(self, body).await,
            "GetWorkGroup" => groups::get(self, body).await,
            "ListWorkGroups" => groups::list(self, body).await,
            "UpdateWorkGroup" => groups::update(self, body).await,
            "DeleteWorkGroup" => groups::delete(self, body).await,
            "ListEngineVersions" => Ok(groups::engine_versions()),
            "ListDataCatalogs" => metadata::catalogs(body),
            "GetDataCatalog" => metadata::catalog(body),
            "ListDatabases" => metadata::databases(self, body).await,
            "GetDatabase" => metadata::database(self, body).await,
            "ListTableMetadata" => metadata::tables(self, body).await,
            "GetTableMetadata" => metadata::table(self, body).await,
            "ListTagsForResource" => tags::list(self, body).await,
            "TagResource" => tags::tag(self, body).await,
            "UntagResource" => tags::untag(self, body).await,
            other => match saved::handle(self, other, body).await {
                Some(answered) => answered,
                None => Err(refusal::not_here(other)),
            },
        }
    }

    /// Goes on with the queries that were open when the cloud last ended.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn resume(&self) -> Result<usize, ServiceError> {
        run::resume(self).await
    }

    fn active(&self) -> MutexGuard<'_, HashMap<String, Active>> {
        self.inner.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.inner.context.clock.now().as_millisecond()
    }

    async fn read<T, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.inner.context.database.read(work).await.map_err(|error| refusal::broken(&error))
    }

    async fn write<T, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.inner.context.database.write(work).await.map_err(|error| refusal::broken(&error))
    }
}
