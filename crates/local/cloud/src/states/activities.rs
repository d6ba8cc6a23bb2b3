//! Activities: work that workers ask for, a task at a time.
//!
//! What waits is a queue in memory, made anew at each start from the logs of the open executions; what was handed out
//! is in a log and is never handed out again. A worker that goes away before it was answered leaves the task in the
//! queue.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html>

mod queue;
mod rows;

use std::time::Duration;

use asl::{TaskId, TaskToken};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::request::{self, Rule};
use super::scheduler::Command;
use super::tags::{self, Tag};
use super::{States, name, page, refusal, seconds};
use crate::wire::{Outcome, Reply, ServiceError};

pub(super) use queue::Queue;
pub(super) use rows::SCHEMA;

/// How long a worker waits for a task.
const LONG_POLL: Duration = Duration::from_mins(1);

const NAMED: Rule = Rule::Arn("activityArn");

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    activity_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetTask {
    activity_arn: String,
    worker_name: Option<String>,
}

/// What a worker is given.
#[derive(Debug)]
pub(super) struct Handed {
    /// The task's input, as JSON text.
    pub(super) input: String,
    /// What the worker answers with.
    pub(super) token: TaskToken,
}

pub(super) async fn create(states: &States, body: Value) -> Outcome {
    let asked: Create = request::read(body, &[Rule::Required("name"), Rule::Length("name", 1, 80)])?;
    name::check(&asked.name)?;
    tags::check(&asked.tags)?;
    let activity =
        rows::Activity { arn: name::activity_arn(states, &asked.name), name: asked.name, created: states.now() };
    let stored = states.write(move |database| rows::insert_or_find(database, activity, &asked.tags)).await?;
    Ok(Reply::plain(json!({"activityArn": stored.arn, "creationDate": seconds(stored.created)})))
}

pub(super) async fn describe(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[NAMED])?;
    find(states, asked.activity_arn).await.map(|activity| Reply::plain(item(&activity)))
}

pub(super) async fn list(states: &States, body: Value) -> Outcome {
    let asked: List = request::read_page(body, &[])?;
    let size = page::size(asked.max_results)?;
    let after = page::place("activities", asked.next_token.as_deref())?.unwrap_or_default();
    let mut found = states.read(move |database| rows::after(database, &after, size + 1)).await?;
    let next = page::cut(&mut found, size, "activities", |activity| activity.arn.clone());
    let mut answer = json!({"activities": found.iter().map(item).collect::<Vec<Value>>()});
    super::insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

fn item(activity: &rows::Activity) -> Value {
    json!({
        "activityArn": activity.arn,
        "name": activity.name,
        "creationDate": seconds(activity.created),
    })
}

/// An activity that is not there is deleted as well. Tasks that wait for it go on waiting.
pub(super) async fn delete(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[NAMED])?;
    name::check_arn(&asked.activity_arn, "activity")?;
    states.write(move |database| rows::delete(database, &asked.activity_arn)).await?;
    Ok(Reply::plain(json!({})))
}

/// Hands out the oldest task of an activity, or nothing when none comes within a minute.
pub(super) async fn get_task(states: &States, body: Value) -> Outcome {
    let asked: GetTask = request::read(body, &[NAMED, Rule::Length("workerName", 1, 80)])?;
    find(states, asked.activity_arn.clone()).await?;
    let handed = tokio::time::timeout(LONG_POLL, next_task(states, &asked.activity_arn, asked.worker_name)).await;
    Ok(Reply::plain(match handed {
        Ok(Handed { input, token }) => {
            json!({"taskToken": states.inner.token_key.write(&token), "input": input})
        }
        Err(_) => json!({"taskToken": null}),
    }))
}

async fn next_task(states: &States, arn: &str, worker: Option<String>) -> Handed {
    loop {
        let (number, task_id) = states.inner.activities.take(arn).await;
        let (done, handed) = oneshot::channel();
        states.command(number, Command::HandOut { task_id, worker: worker.clone(), done });
        // A task that was given up meanwhile is nobody's, and the next one is asked for.
        if let Ok(Some(handed)) = handed.await {
            return handed;
        }
    }
}

/// Whether there is an activity.
pub(super) async fn exists(states: &States, arn: String) -> Result<bool, ServiceError> {
    Ok(states.read(move |database| rows::by_arn(database, &arn)).await?.is_some())
}

async fn find(states: &States, arn: String) -> Result<rows::Activity, ServiceError> {
    name::check_arn(&arn, "activity")?;
    let wanted = arn.clone();
    let found = states.read(move |database| rows::by_arn(database, &wanted)).await?;
    found.ok_or_else(|| refusal::no_such_activity(&arn))
}

/// The queue's name for a task.
pub(super) type Place = (i64, TaskId);
