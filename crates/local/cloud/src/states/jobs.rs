//! Executions and queries that a task has started and waits for: `.sync` and `.sync:2`.
//!
//! A parent that waits need not be in memory: its child's end calls it. What a task is about to start is on disk before
//! it is started, so a restart finds the child again, and the child of a parent that has ended is stopped.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html>

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use asl::{Failure, Payload, Resource, TaskId};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::executions::rows;
use super::scheduler::Command;
use super::{States, integrations};
use crate::wire::ServiceError;

/// What each task was about to start, and when.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS execution_job (
    parent INTEGER NOT NULL REFERENCES execution (number) ON DELETE CASCADE,
    task INTEGER NOT NULL,
    child_arn TEXT NOT NULL,
    waits INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    PRIMARY KEY (parent, task)
) WITHOUT ROWID;
";

/// Tasks by the ARN of the execution that they wait for.
#[derive(Debug, Default)]
pub(super) struct Watched {
    tasks: Mutex<HashMap<String, Vec<(i64, TaskId)>>>,
}

/// A child that a task is about to start.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) parent: i64,
    pub(super) task_id: TaskId,
    pub(super) child_arn: String,
    /// Whether the task ends with the child.
    pub(super) waits: bool,
    pub(super) begun: i64,
}

/// Before the id of a query, where an execution has its ARN.
const QUERY: &str = "athena:";

/// The name of a query among the jobs.
pub(super) fn query(id: &str) -> String {
    format!("{QUERY}{id}")
}

/// What a task has started, by what its service answered.
pub(super) fn started(submitted: &Value) -> Option<String> {
    let text = |member: &str| submitted.get(member).and_then(Value::as_str);
    text("ExecutionArn").map(str::to_owned).or_else(|| text("QueryExecutionId").map(query))
}

impl Watched {
    /// The tasks that wait for an execution; each is told once.
    pub(super) fn take(&self, child_arn: &str) -> Vec<(i64, TaskId)> {
        self.tasks().remove(child_arn).unwrap_or_default()
    }

    fn add(&self, child_arn: &str, task: (i64, TaskId)) {
        let mut tasks = self.tasks();
        let waiting = tasks.entry(child_arn.to_owned()).or_default();
        if !waiting.contains(&task) {
            waiting.push(task);
        }
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<String, Vec<(i64, TaskId)>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl States {
    /// Writes down what a task is about to start; gives when it first was.
    pub(super) async fn note_job(&self, job: Job) -> Result<i64, ServiceError> {
        self.write(move |database| note(database, &job)).await
    }

    /// Has a task told when an execution ends, or at once when it has ended.
    pub(super) fn watch(&self, child_arn: String, number: i64, task_id: TaskId) {
        self.inner.watched.add(&child_arn, (number, task_id));
        let states = self.clone();
        self.inner.tasks.spawn(async move {
            if let Some(id) = child_arn.strip_prefix(QUERY) {
                states.inner.services.athena.ended(id).await;
                return states.tell_ended(&child_arn);
            }
            // Where the database fails the parent is told too: it looks itself, and is tried again.
            if states.is_open(child_arn.clone()).await.unwrap_or(false) {
                return;
            }
            states.tell_ended(&child_arn);
        });
    }

    /// Tells whoever waits for an execution that it has ended.
    pub(super) fn tell_ended(&self, child_arn: &str) {
        for (number, task_id) in self.inner.watched.take(child_arn) {
            self.command(number, Command::JobEnded { task_id });
        }
    }

    /// How a job has ended; nothing while it has not.
    pub(super) async fn job_outcome(
        &self,
        child_arn: &str,
        resource: &Resource,
    ) -> Result<Option<Result<Payload, Failure>>, ServiceError> {
        if let Some(id) = child_arn.strip_prefix(QUERY) {
            return integrations::query_outcome(self, id).await;
        }
        let arn = child_arn.to_owned();
        let child = self.read(move |database| rows::by_arn(database, &arn)).await?;
        let is_open = child.as_ref().is_some_and(|child| child.status == "RUNNING");
        Ok((!is_open).then(|| integrations::job_outcome(child.as_ref(), resource)))
    }

    /// Stops the child of a task that does not wait for it any more.
    pub(super) fn stop_job(&self, parent: i64, task_id: TaskId) {
        let states = self.clone();
        self.inner.tasks.spawn(async move {
            // A write comes after all writes before it, and so after the child's start.
            let child = states.write(move |database| child_of(database, parent, task_id)).await;
            if let Ok(Some(child_arn)) = child {
                states.stop_child(child_arn).await;
            }
        });
    }

    /// Stops the children of parents that ended just before the cloud did.
    pub(super) async fn stop_orphans(&self) -> Result<(), ServiceError> {
        for child_arn in self.read(orphans).await? {
            self.stop_child(child_arn).await;
        }
        Ok(())
    }

    async fn stop_child(&self, child_arn: String) {
        if let Some(id) = child_arn.strip_prefix(QUERY) {
            return self.inner.services.athena.stop(id).await;
        }
        let arn = child_arn.clone();
        let stopped = match self.read(move |database| rows::by_arn(database, &arn)).await {
            Ok(Some(row)) if row.status == "RUNNING" => self.stop(row.number, None, None).await.map(drop),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = stopped {
            tracing::warn!(%error, execution = child_arn, "failed to stop the execution that a task had started");
        }
    }

    async fn is_open(&self, arn: String) -> Result<bool, ServiceError> {
        let row = self.read(move |database| rows::by_arn(database, &arn)).await?;
        Ok(row.is_some_and(|row| row.status == "RUNNING"))
    }
}

fn note(database: &Connection, job: &Job) -> rusqlite::Result<i64> {
    let Job { parent, task_id, child_arn, waits, begun } = job;
    let sql = "INSERT OR IGNORE INTO execution_job (parent, task, child_arn, waits, begun) VALUES (?1, ?2, ?3, ?4, ?5)";
    database.prepare_cached(sql)?.execute(params![parent, number(*task_id), child_arn, waits, begun])?;
    let sql = "SELECT begun FROM execution_job WHERE parent = ?1 AND task = ?2";
    database.prepare_cached(sql)?.query_row(params![parent, number(*task_id)], |row| row.get(0))
}

fn child_of(database: &Connection, parent: i64, task_id: TaskId) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT child_arn FROM execution_job WHERE parent = ?1 AND task = ?2 AND waits";
    database.prepare_cached(sql)?.query_row(params![parent, number(task_id)], |row| row.get(0)).optional()
}

fn orphans(database: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT child_arn FROM execution AS child JOIN execution_job ON child_arn = child.arn
               JOIN execution AS parent ON parent.number = execution_job.parent
               WHERE child.status = 'RUNNING' AND waits AND parent.status <> 'RUNNING'
               AND child.started >= execution_job.begun
               UNION ALL
               SELECT child_arn FROM athena_query AS child JOIN execution_job ON child_arn = 'athena:' || child.id
               JOIN execution AS parent ON parent.number = execution_job.parent
               WHERE child.completed_ms IS NULL AND waits AND parent.status <> 'RUNNING'";
    database.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// The database counts with a sign; no log comes near that bound.
fn number(task_id: TaskId) -> i64 {
    i64::try_from(task_id.0).unwrap_or(i64::MAX)
}
