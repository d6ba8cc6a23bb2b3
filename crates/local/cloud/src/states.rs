//! Step Functions on one machine: the API over a log for each execution, and the driver of the engine in crate `asl`.
//!
//! An execution is its log. The entries of a step are on disk before what follows from them is done, and a restart
//! replays what is open and does its open work again; tasks must therefore bear being done twice, as on AWS.
//! Not here: EXPRESS machines, versions and aliases, activities, callbacks with task tokens.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html>

mod announce;
mod call;
mod driver;
mod executions;
mod history;
mod load;
mod machines;
mod map_runs;
mod name;
mod page;
mod refusal;
mod scheduler;
mod schema;
mod task;
mod validate;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use asl::{Definition, LogEntry};
use jiff::SignedDuration;
use rusqlite::{Connection, Transaction};
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};

use crate::bus::Rule;
use crate::context::Context;
use crate::lambda::Functions;
use crate::tasks::Tasks;
use crate::wire::{Outcome, ServiceError};
use executions::rows::{self, Closed, Row};
use map_runs::MapRuns;
use scheduler::{Command, Scheduler};

pub(crate) use map_runs::schema::SCHEMA as MAP_RUN_SCHEMA;
pub(crate) use schema::SCHEMA;

/// Tasks under way at once, over all executions; more wait their turn. Below the bound of a function's own queue, so
/// that a flood of executions never throttles itself.
const MOST_CALLS: usize = 512;

/// Definitions kept parsed; a machine has one for each revision that is in use.
const MOST_DEFINITIONS: usize = 64;

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
    rules: Vec<Rule>,
    scheduler: Mutex<Scheduler>,
    calls: Arc<Semaphore>,
    definitions: Mutex<HashMap<i64, Arc<Definition>>>,
    map_runs: Mutex<MapRuns>,
}

impl States {
    /// The surface over the database of `context`, which must have been opened with [`SCHEMA`]; `rules` say who is
    /// told how executions end.
    pub(crate) fn new(context: Context, functions: Functions, tasks: Tasks, rules: Vec<Rule>) -> Self {
        let inner = Inner {
            context,
            functions,
            tasks,
            rules,
            scheduler: Mutex::default(),
            calls: Arc::new(Semaphore::new(MOST_CALLS)),
            definitions: Mutex::default(),
            map_runs: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Goes on with every execution that was open when the cloud last ended.
    pub(crate) async fn resume(&self) -> Result<usize, ServiceError> {
        self.abort_orphans().await?;
        let open = self.read(rows::open).await?;
        for number in &open {
            self.wake(*number);
        }
        Ok(open.len())
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
            "ListTagsForResource" => machines::list_tags(self, body).await,
            "TagResource" => machines::tag(self, body).await,
            "UntagResource" => machines::untag(self, body).await,
            "ValidateStateMachineDefinition" => validate::validate(body),
            "StartExecution" => executions::start(self, body).await,
            "DescribeExecution" => executions::describe(self, body).await,
            "ListExecutions" => executions::list(self, body).await,
            "StopExecution" => executions::stop(self, body).await,
            "RedriveExecution" => executions::redrive(self, body).await,
            "DescribeStateMachineForExecution" => executions::describe_machine(self, body).await,
            "GetExecutionHistory" => history::get(self, body).await,
            "DescribeMapRun" => map_runs::api::describe(self, body).await,
            "ListMapRuns" => map_runs::api::list(self, body).await,
            "UpdateMapRun" => map_runs::api::update(self, body).await,
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

    /// Adds entries to an execution's log and, with its end, the event that tells of it; then whoever waits for the end
    /// is told.
    async fn append(&self, number: i64, entries: Vec<LogEntry>, closed: Option<Closed>) -> Result<(), ServiceError> {
        let (states, status) = (self.clone(), closed.as_ref().map(|closed| closed.status));
        let told = self.write(move |database| {
            rows::append(database, number, &entries, closed.as_ref())?;
            let (rules, region) = (&states.inner.rules, &states.context().region);
            if closed.is_some() { announce::end(database, rules, region, number) } else { Ok(false) }
        });
        if told.await? {
            self.context().store.events_waiting().notify_one();
        }
        if let Some(status) = status {
            self.execution_closed(number, status);
        }
        Ok(())
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

    /// Aborts an execution whose machine was deleted; nobody waits for it.
    fn stop_quietly(&self, arn: String) {
        let states = self.clone();
        self.inner.tasks.spawn(async move {
            let Ok(row) = executions::find(&states, arn).await else {
                return;
            };
            let cause = Some("The state machine was deleted.".to_owned());
            if let Err(error) = states.stop(row.number, None, cause).await {
                tracing::warn!(%error, execution = row.arn, "failed to stop an execution");
            }
        });
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
        let (text, role_arn, ..) = self.read(move |database| machines::revision_of(database, revision)).await?;
        if let Some(parsed) = self.definitions().get(&revision) {
            return Ok((Arc::clone(parsed), role_arn));
        }
        let parsed = Arc::new(machines::parse(&text)?);
        let mut definitions = self.definitions();
        if definitions.len() >= MOST_DEFINITIONS {
            definitions.clear();
        }
        definitions.insert(revision, Arc::clone(&parsed));
        Ok((parsed, role_arn))
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
