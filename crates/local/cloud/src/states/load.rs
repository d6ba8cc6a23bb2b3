//! Brings an execution from the database into memory: its row, its definition, and the fold of its log.

use std::sync::Arc;

use asl::{Definition, Effect, Execution, Payload, StartContext, Step, Stimulus, TokenKey};
use jiff::Timestamp;
use serde_json::Value;

use super::executions::log;
use super::executions::rows::Row;
use super::map_runs::ChildOf;
use super::{States, name};
use crate::wire::ServiceError;

/// How long an EXPRESS execution may take.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html>
const MOST_EXPRESS_SECONDS: u64 = 300;

/// An execution in memory, with what it has to do next.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) execution: Execution,
    /// What was open when the log ends; it is done again.
    pub(super) open: Vec<Effect>,
    /// What follows from the log and is not in it yet.
    pub(super) step: Step,
}

/// Why an execution cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// Perhaps later.
    #[error("failed to read the execution")]
    Database(#[from] ServiceError),
    /// Never.
    #[error("failed to read the log of the execution: {0}")]
    Log(String),
}

/// Starts the execution of `row`, which has no log and is no child: it in memory, and its first step.
pub(super) fn start(states: &States, row: &Row) -> Result<(Execution, Step), LoadError> {
    let (definition, role_arn) = states.definition(row.revision)?;
    let start = start_context(row, &role_arn, states.inner.token_key)?;
    Ok(Execution::start(definition, start, states.context().clock.now(), &mut fastrand::f64))
}

/// Loads the execution of `row`, which is open.
pub(super) async fn load(states: &States, row: &Row) -> Result<Loaded, LoadError> {
    let (definition, role_arn) = states.definition(row.revision)?;
    let definition = match states.child_of(row).await? {
        None => definition,
        Some(child) => child_definition(&definition, &child)?,
    };
    let (number, start) = (row.number, start_context(row, &role_arn, states.inner.token_key)?);
    let now = states.context().clock.now();
    if !states.look(|database| log::is_there(database, number))? {
        let (execution, step) = Execution::start(definition, start, now, &mut fastrand::f64);
        return Ok(Loaded { execution, open: Vec::new(), step });
    }
    let lines = states.read(move |database| log::whole(database, number)).await?;
    replay(row, definition, start, &lines, now)
}

/// A child runs the states within its Map, an EXPRESS one for five minutes at most.
fn child_definition(whole: &Definition, child: &ChildOf) -> Result<Arc<Definition>, LoadError> {
    let timeout_seconds = child.express.then_some(MOST_EXPRESS_SECONDS);
    let found = whole.child(&child.location, timeout_seconds);
    found.map(Arc::new).ok_or_else(|| LoadError::Log(format!("there is no distributed Map at `{}`", child.location)))
}

fn replay(
    row: &Row,
    definition: Arc<Definition>,
    start: StartContext,
    lines: &[Vec<u8>],
    now: Timestamp,
) -> Result<Loaded, LoadError> {
    let log = lines.iter().map(|lines| asl::read_log(lines)).collect::<Result<Vec<_>, _>>();
    let log = log.map_err(|error| LoadError::Log(error.to_string()))?.into_iter().flatten();
    let replayed = Execution::replay(definition, start, log);
    let mut execution = replayed.map_err(|error| LoadError::Log(error.to_string()))?;
    let open = execution.open_work();
    // The row is opened again before the log tells of it.
    let step = if execution.redrive_count() < row.redrives {
        execution.advance(Stimulus::Redrive, now, &mut fastrand::f64)
    } else {
        execution.resume(now, &mut fastrand::f64)
    };
    Ok(Loaded { execution, open, step })
}

fn start_context(row: &Row, role_arn: &str, token_key: TokenKey) -> Result<StartContext, LoadError> {
    let input: Value = serde_json::from_str(&row.input).map_err(|error| LoadError::Log(error.to_string()))?;
    Ok(StartContext {
        execution_arn: row.arn.clone(),
        name: row.name.clone(),
        state_machine_arn: row.machine_arn.clone(),
        state_machine_name: name::last_part(&row.machine_arn).to_owned(),
        role_arn: role_arn.to_owned(),
        input: Payload::from(input),
        start_time: start_time(row),
        token_key,
    })
}

/// When an execution was started.
pub(super) fn start_time(row: &Row) -> Timestamp {
    Timestamp::from_millisecond(row.started).unwrap_or(Timestamp::UNIX_EPOCH)
}
