//! Step Functions on one machine: the API over a log for each execution, and the driver of the engine in crate `asl`.
//!
//! An execution is its log. The entries of a step are on disk before what follows from them is done, and a restart
//! replays what is open and does its open work again; tasks must therefore bear being done twice, as on AWS.
//! Not here: activities, callbacks with task tokens, distributed Maps.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html>

mod aliases;
mod call;
mod deletions;
mod driver;
mod executions;
mod express;
mod history;
mod load;
mod machines;
mod name;
mod page;
mod prune;
mod refusal;
mod request;
mod scheduler;
mod schema;
mod tags;
mod task;
mod validate;
mod versions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use asl::Definition;
use jiff::SignedDuration;
use rusqlite::{Connection, Transaction};
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};

use crate::context::Context;
use crate::lambda::Functions;
use crate::tasks::Tasks;
use crate::wire::{Outcome, ServiceError};
use deletions::Deletions;
use executions::rows::{self, Row};
use express::Waiters;
use scheduler::{Command, Scheduler};

pub use prune::Retention;
pub(crate) use schema::{FROM_FIRST, SCHEMA};

/// Tasks under way at once, over all executions; more wait their turn. Below the bound of a function's own queue, so
/// that a flood of executions never throttles itself.
const MOST_CALLS: usize = 512;

/// Definitions kept parsed; a machine has one for each revision that is in use.
const MOST_DEFINITIONS: usize = 64;

/// How long a Standard execution may take: a year, in seconds.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const MOST_SECONDS: u64 = 365 * 86_400;

/// What a piece of work in the database came to: done, or refused before it wrote anything.
type Decided<T> = rusqlite::Result<Result<T, ServiceError>>;

/// The Step Functions surface; cheap to clone.
#[derive(Debug, Clone)]
pub struct States {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    context: Context,
    functions: Functions,
    tasks: Tasks,
    scheduler: Mutex<Scheduler>,
    calls: Arc<Semaphore>,
    definitions: Mutex<HashMap<i64, Arc<Definition>>>,
    waiters: Waiters,
    deletions: Deletions,
    retention: Retention,
}

impl States {
    /// The surface over the database of `context`, which must have been opened with [`SCHEMA`].
    pub(crate) fn new(context: Context, functions: Functions, tasks: Tasks, retention: Retention) -> Self {
        let inner = Inner {
            context,
            functions,
            tasks,
            scheduler: Mutex::default(),
            calls: Arc::new(Semaphore::new(MOST_CALLS)),
            definitions: Mutex::default(),
            waiters: Waiters::default(),
            deletions: Deletions::default(),
            retention,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Goes on with every execution that was open when the cloud last ended.
    pub(crate) async fn resume(&self) -> Result<usize, ServiceError> {
        let left = self.write(|database| {
            express::tidy(database)?;
            Ok((machines::finish_deletions(database)?, rows::open(database)?))
        });
        let (deleting, open) = left.await?;
        for arn in deleting {
            self.inner.deletions.insert(arn);
        }
        for number in &open {
            self.wake(*number);
        }
        self.inner.tasks.spawn(prune::run(self.clone()));
        Ok(open.len())
    }

    /// Forgets the closed executions that are not to be kept; gives back how many there were. It also happens by
    /// itself, once a minute.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune(&self) -> Result<usize, ServiceError> {
        prune::prune(self).await
    }

    /// Answers one operation of the API.
    ///
    /// # Errors
    /// The service's own errors; `NotAvailableLocally` for an operation that only AWS has.
    pub async fn handle(&self, operation: &str, body: Value) -> Outcome {
        match operation {
            "CreateStateMachine" => machines::create(self, body).await,
            "UpdateStateMachine" => machines::update(self, body).await,
            "DescribeStateMachine" => machines::describe(self, body).await,
            "ListStateMachines" => machines::list(self, body).await,
            "DeleteStateMachine" => machines::delete(self, body).await,
            "PublishStateMachineVersion" => versions::publish_revision(self, body).await,
            "ListStateMachineVersions" => versions::list(self, body).await,
            "DeleteStateMachineVersion" => versions::delete(self, body).await,
            "CreateStateMachineAlias" => aliases::create(self, body).await,
            "UpdateStateMachineAlias" => aliases::update(self, body).await,
            "DescribeStateMachineAlias" => aliases::describe(self, body).await,
            "ListStateMachineAliases" => aliases::list(self, body).await,
            "DeleteStateMachineAlias" => aliases::delete(self, body).await,
            "ListTagsForResource" => tags::list(self, body).await,
            "TagResource" => tags::tag(self, body).await,
            "UntagResource" => tags::untag(self, body).await,
            "ValidateStateMachineDefinition" => validate::validate(body),
            "StartExecution" => executions::start(self, body).await,
            "StartSyncExecution" => express::start_sync(self, body).await,
            "DescribeExecution" => executions::describe(self, body).await,
            "ListExecutions" => executions::list(self, body).await,
            "StopExecution" => executions::stop(self, body).await,
            "RedriveExecution" => executions::redrive(self, body).await,
            "DescribeStateMachineForExecution" => executions::describe_machine(self, body).await,
            "GetExecutionHistory" => history::get(self, body).await,
            other => Err(ServiceError::not_available_locally(format!(
                "`{other}` of Step Functions is not available locally"
            ))),
        }
    }

    fn context(&self) -> &Context {
        &self.inner.context
    }

    /// Milliseconds since 1970.
    fn now(&self) -> i64 {
        self.inner.context.clock.now().as_millisecond()
    }

    async fn read<T, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.context().database.read(work).await.map_err(|error| refusal::broken(&error))
    }

    async fn write<T, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.context().database.write(work).await.map_err(|error| refusal::broken(&error))
    }

    /// Aborts an execution; resolves with the time of its end once that is on disk.
    async fn stop(&self, number: i64, error: Option<String>, cause: Option<String>) -> Result<i64, ServiceError> {
        let (done, stopped) = oneshot::channel();
        self.command(number, Command::Stop { failure: asl::Failure { error, cause }, done });
        if let Ok(stopped) = stopped.await {
            return Ok(stopped);
        }
        // It ended by itself just before.
        let row = self.read(move |database| rows::by_number(database, number)).await?;
        Ok(row.and_then(|row| row.stopped).unwrap_or_else(|| self.now()))
    }

    /// An execution has ended, and its end is on disk.
    fn ended(&self, row: &Row) {
        express::ended(self, row);
        if self.inner.deletions.any() {
            deletions::finish(self);
        }
    }

    /// Runs a closed execution again from where it failed; resolves once that is on disk.
    async fn redrive(&self, row: &Row, token: Option<String>) -> Result<i64, ServiceError> {
        let (number, now) = (row.number, self.now());
        if !self.write(move |database| rows::reopen(database, number, now, token.as_deref())).await? {
            return Err(refusal::not_redrivable("Execution is RUNNING and cannot be redriven"));
        }
        self.wake(number);
        Ok(now)
    }

    /// The parsed definition of a revision.
    async fn definition(&self, revision: i64) -> Result<(Arc<Definition>, String), ServiceError> {
        let stored = self.read(move |database| machines::revision_of(database, revision)).await?;
        if let Some(parsed) = self.definitions().get(&revision) {
            return Ok((Arc::clone(parsed), stored.role_arn));
        }
        let most = if stored.kind == "EXPRESS" { express::MOST_SECONDS } else { MOST_SECONDS };
        let parsed = Arc::new(machines::parse(&stored.definition)?.limited_to(most));
        let mut definitions = self.definitions();
        if definitions.len() >= MOST_DEFINITIONS {
            definitions.clear();
        }
        definitions.insert(revision, Arc::clone(&parsed));
        Ok((parsed, stored.role_arn))
    }

    fn definitions(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Arc<Definition>>> {
        self.inner.definitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time on the wire: seconds since 1970 with the milliseconds behind the point.
fn seconds(milliseconds: i64) -> Value {
    SignedDuration::from_millis(milliseconds).as_secs_f64().into()
}

fn insert_token(answer: &mut Value, token: Option<String>) {
    if let Some(token) = token {
        answer["nextToken"] = token.into();
    }
}
