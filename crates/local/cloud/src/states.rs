//! Step Functions on one machine: the API over a log for each execution, and the driver of the engine in crate `asl`.
//!
//! An execution is its log. The entries of a step are on disk before what follows from them is done, and a restart
//! replays what is open and does its open work again; tasks must therefore bear being done twice, as on AWS.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html>

mod activities;
mod aliases;
mod announce;
mod call;
mod deletions;
mod driver;
mod executions;
mod express;
mod history;
pub(crate) mod integrations;
mod jobs;
mod load;
mod machines;
mod map_runs;
mod name;
mod page;
mod prune;
mod refusal;
mod request;
mod scheduler;
mod schema;
mod tags;
mod task_tokens;
mod test_state;
mod validate;
mod versions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use asl::{Definition, LogEntry, TokenKey};
use jiff::SignedDuration;
use rusqlite::{Connection, Transaction};
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};

use crate::bus::Rule;
use crate::context::{ACCOUNT, Context};
use crate::lambda::Functions;
use crate::tasks::Tasks;
use crate::wire::{Outcome, ServiceError};
pub(crate) use task_tokens::key as token_key;

use deletions::Deletions;
use executions::rows::{self, Closed, Row};
use express::Waiters;
use integrations::Services;
use map_runs::MapRuns;
use scheduler::{Command, Scheduler};

pub(crate) use map_runs::schema::SCHEMA as MAP_RUN_SCHEMA;
pub use prune::Retention;
pub(crate) use schema::{FROM_FIRST, FROM_SECOND, SCHEMA};

/// The tables of activities, task tokens and jobs.
pub(crate) const TASK_SCHEMAS: [&str; 3] = [activities::SCHEMA, task_tokens::SCHEMA, jobs::SCHEMA];

/// Tasks under way at once, over all executions; more wait their turn. Below the bound of a function's own queue, so
/// that a flood of executions never throttles itself.
const MOST_CALLS: usize = 512;

/// Definitions kept parsed; a machine has one for each revision that is in use.
const MOST_DEFINITIONS: usize = 64;

/// What never changes of a revision: its parsed definition and its role.
type Revision = (Arc<Definition>, Arc<str>);

/// What a piece of work in the database came to: done, or refused before it wrote anything.
type Decided<T> = rusqlite::Result<Result<T, ServiceError>>;

/// The Step Functions surface; cheap to clone.
#[derive(Debug, Clone)]
pub struct States {
    inner: Arc<Inner>,
    /// The account that new machines and activities belong to: it is in their ARNs, and that is all.
    account: Arc<str>,
}

#[derive(Debug)]
struct Inner {
    context: Context,
    functions: Functions,
    services: Services,
    activities: activities::Queue,
    watched: jobs::Watched,
    token_key: TokenKey,
    tasks: Tasks,
    rules: Vec<Rule>,
    scheduler: Mutex<Scheduler>,
    calls: Arc<Semaphore>,
    definitions: Mutex<HashMap<i64, Revision>>,
    map_runs: Mutex<MapRuns>,
    waiters: Waiters,
    deletions: Deletions,
    retention: Retention,
}

impl States {
    /// The surface over the database of `context`, which must have been opened with [`SCHEMA`]; `rules` say who is
    /// told how executions end.
    pub(crate) fn new(
        context: Context,
        functions: Functions,
        services: Services,
        token_key: TokenKey,
        tasks: Tasks,
        retention: Retention,
        rules: Vec<Rule>,
    ) -> Self {
        let inner = Inner {
            context,
            functions,
            services,
            activities: activities::Queue::default(),
            watched: jobs::Watched::default(),
            token_key,
            tasks,
            rules,
            scheduler: Mutex::default(),
            calls: Arc::new(Semaphore::new(MOST_CALLS)),
            definitions: Mutex::default(),
            map_runs: Mutex::default(),
            waiters: Waiters::default(),
            deletions: Deletions::default(),
            retention,
        };
        Self { inner: Arc::new(inner), account: ACCOUNT.into() }
    }

    /// The same surface for callers of another account.
    pub(crate) fn of_account(&self, account: &str) -> Self {
        Self { inner: Arc::clone(&self.inner), account: account.into() }
    }

    /// Goes on with every execution that was open when the cloud last ended.
    pub(crate) async fn resume(&self) -> Result<usize, ServiceError> {
        self.abort_orphans().await?;
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
        self.stop_orphans().await?;
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
            "TestState" => Box::pin(test_state::test(self, body)).await,
            "StartExecution" => executions::start(self, body).await,
            "StartSyncExecution" => express::start_sync(self, body).await,
            "DescribeExecution" => executions::describe(self, body).await,
            "ListExecutions" => executions::list(self, body).await,
            "StopExecution" => executions::stop(self, body).await,
            "RedriveExecution" => executions::redrive(self, body).await,
            "DescribeStateMachineForExecution" => executions::describe_machine(self, body).await,
            "GetExecutionHistory" => history::get(self, body).await,
            "DescribeMapRun" => map_runs::api::describe(self, body).await,
            "ListMapRuns" => map_runs::api::list(self, body).await,
            "UpdateMapRun" => map_runs::api::update(self, body).await,
            "CreateActivity" => activities::create(self, body).await,
            "DescribeActivity" => activities::describe(self, body).await,
            "ListActivities" => activities::list(self, body).await,
            "DeleteActivity" => activities::delete(self, body).await,
            "GetActivityTask" => activities::get_task(self, body).await,
            "SendTaskSuccess" => task_tokens::succeed(self, body).await,
            "SendTaskFailure" => task_tokens::fail(self, body).await,
            "SendTaskHeartbeat" => task_tokens::heartbeat(self, body).await,
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

    /// As [`Self::read`], for a row or two that are found by their key: nobody has to wait for another thread.
    fn look<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, ServiceError> {
        self.context().database.look(work).map_err(|error| refusal::broken(&error))
    }

    async fn write<T, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.context().database.write(work).await.map_err(|error| refusal::broken(&error))
    }

    /// Adds entries to an execution's log; then whoever waits for its end is told.
    async fn append(&self, number: i64, entries: Vec<LogEntry>, closed: Option<Closed>) -> Result<(), ServiceError> {
        let (states, status) = (self.clone(), closed.as_ref().map(|closed| closed.status));
        let told = self.write(move |transaction| states.append_in(transaction, number, &entries, closed.as_ref()));
        if told.await? {
            self.context().store.events_waiting().notify_one();
        }
        if let Some(status) = status {
            self.execution_closed(number, status);
        }
        Ok(())
    }

    /// Adds entries to an execution's log and, with its end, the event that tells of it; gives back whether there was
    /// one.
    fn append_in(
        &self,
        transaction: &Transaction<'_>,
        number: i64,
        entries: &[LogEntry],
        closed: Option<&Closed>,
    ) -> rusqlite::Result<bool> {
        rows::append(transaction, number, entries, closed)?;
        match closed {
            Some(_) => announce::end(transaction, &self.inner.rules, &self.context().region, number),
            None => Ok(false),
        }
    }

    /// Aborts an execution; resolves with the time of its end once that is on disk.
    async fn stop(&self, number: i64, error: Option<String>, cause: Option<String>) -> Result<i64, ServiceError> {
        let (done, stopped) = oneshot::channel();
        self.command(number, Command::Stop { failure: asl::Failure::of(error, cause), done });
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

    /// The parsed definition of a revision, and the role that it acts as.
    fn definition(&self, revision: i64) -> Result<Revision, ServiceError> {
        if let Some(parsed) = self.definitions().get(&revision) {
            return Ok(parsed.clone());
        }
        let stored = self.look(|database| machines::revision_of(database, revision))?;
        let definition = machines::parse(&stored.definition)?;
        let express = stored.kind == "EXPRESS";
        let definition = if express { definition.limited_to(express::MOST_SECONDS) } else { definition };
        let parsed: Revision = (Arc::new(definition), stored.role_arn.into());
        let mut definitions = self.definitions();
        if definitions.len() >= MOST_DEFINITIONS {
            definitions.clear();
        }
        definitions.insert(revision, parsed.clone());
        Ok(parsed)
    }

    fn definitions(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Revision>> {
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
