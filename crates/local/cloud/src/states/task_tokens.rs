//! Answers to task tokens: success, failure, a sign of life. An answer is on disk before its call is answered.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html>

use asl::{Failure, Payload, TaskToken, TokenKey};
use rusqlite::{Connection, OptionalExtension as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::executions::rows;
use super::scheduler::{Command, TaskAnswer};
use super::{States, refusal};
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// The most that the members may hold.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html>
const MOST_TOKEN_CHARS: usize = 2048;
const MOST_OUTPUT_CHARS: usize = 262_144;
const MOST_ERROR_CHARS: usize = 256;
const MOST_CAUSE_CHARS: usize = 32_768;

/// The one secret of a data directory: tokens stay good over a restart.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS secret (
    name TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) WITHOUT ROWID;
";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Success {
    task_token: String,
    output: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    task_token: String,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alive {
    task_token: String,
}

/// The key of the tokens; made when there is none yet.
pub(crate) fn key(database: &Connection) -> rusqlite::Result<TokenKey> {
    let mut fresh = [0_u8; 32];
    getrandom::fill(&mut fresh).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.to_string().into()))?;
    database.execute("INSERT OR IGNORE INTO secret (name, bytes) VALUES ('task tokens', ?1)", [fresh])?;
    let sql = "SELECT bytes FROM secret WHERE name = 'task tokens'";
    let kept: Option<[u8; 32]> = database.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(TokenKey::new(kept.unwrap_or(fresh)))
}

pub(super) async fn succeed(states: &States, body: Value) -> Outcome {
    let asked: Success = decode(body)?;
    check_length("output", &asked.output, MOST_OUTPUT_CHARS)?;
    // What is no token is told of before what is no output.
    read(states, &asked.task_token)?;
    let output: Value =
        serde_json::from_str(&asked.output).map_err(|error| refusal::invalid_output(&error.to_string()))?;
    answer(states, &asked.task_token, TaskAnswer::Succeeded(Payload::from(output))).await
}

pub(super) async fn fail(states: &States, body: Value) -> Outcome {
    let asked: Failed = decode(body)?;
    check_length("error", asked.error.as_deref().unwrap_or_default(), MOST_ERROR_CHARS)?;
    check_length("cause", asked.cause.as_deref().unwrap_or_default(), MOST_CAUSE_CHARS)?;
    answer(states, &asked.task_token, TaskAnswer::Failed(Failure::of(asked.error, asked.cause))).await
}

pub(super) async fn heartbeat(states: &States, body: Value) -> Outcome {
    let asked: Alive = decode(body)?;
    answer(states, &asked.task_token, TaskAnswer::Alive).await
}

fn read(states: &States, token: &str) -> Result<TaskToken, ServiceError> {
    check_length("taskToken", token, MOST_TOKEN_CHARS)?;
    if token.is_empty() {
        return Err(refusal::out_of_bounds("taskToken", token, "have length greater than or equal to 1"));
    }
    states.inner.token_key.read(token).ok_or_else(refusal::invalid_task_token)
}

async fn answer(states: &States, token: &str, answer: TaskAnswer) -> Outcome {
    let token = read(states, token)?;
    let arn = token.execution_arn;
    let row = states.read(move |database| rows::by_arn(database, &arn)).await?;
    let started = token.start_time.as_millisecond();
    let row = row.filter(|row| row.started == started).ok_or_else(refusal::no_such_task)?;
    let (done, taken) = oneshot::channel();
    states.command(row.number, Command::Answer { task_id: token.task_id, answer, done });
    // Nobody is left to answer when the execution has ended.
    match taken.await {
        Ok(Ok(true)) => Ok(Reply::plain(json!({}))),
        Ok(Err(error)) => Err(error),
        Ok(Ok(false)) | Err(_) => Err(refusal::task_timed_out()),
    }
}

fn check_length(member: &str, value: &str, most: usize) -> Result<(), ServiceError> {
    if value.chars().count() <= most {
        return Ok(());
    }
    // The value itself would make the message as long again.
    Err(refusal::out_of_bounds(member, "…", &format!("have length less than or equal to {most}")))
}
