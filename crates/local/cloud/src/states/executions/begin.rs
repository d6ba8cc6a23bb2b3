//! Begins executions: what an ARN leads to, whether the name is free, and the first step.
//!
//! The first step is decided before the execution is there, so that its row, its first events and perhaps its end are
//! one commit.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>

use asl::{Effect, Execution, LogEntry, Step};
use rusqlite::{Connection, Transaction};

use super::rows::{self, Closed, Kind, Row};
use crate::states::driver::{self, Kept};
use crate::states::load::{self, LoadError};
use crate::states::machines::{self, Machine};
use crate::states::name::{self, MachineArn, Qualifier};
use crate::states::{Decided, States, aliases, prune, refusal, versions};
use crate::wire::ServiceError;

/// How long the name of a closed execution stays taken: 90 days, in milliseconds.
const NAME_TAKEN_MS: i64 = 90 * 86_400_000;

/// What somebody wants to start.
#[derive(Debug)]
pub(crate) struct New {
    /// As it was given.
    pub(crate) arn: String,
    pub(crate) target: MachineArn,
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) trace_header: Option<String>,
    pub(crate) now: i64,
    /// What tells executions of one name apart, where names are free.
    pub(crate) unique: String,
    /// From 0 up to 1: which version of an alias is taken.
    pub(crate) draw: f64,
    /// Whether somebody waits for the end.
    pub(crate) awaited: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) row: Row,
    /// Whether it has been there before: the same, and still running.
    pub(crate) again: bool,
    /// The first step, if it is on disk as well.
    first: Option<First>,
}

/// The first step of an execution.
#[derive(Debug)]
struct First {
    execution: Execution,
    effects: Vec<Effect>,
    events: Vec<LogEntry>,
    closed: Option<Closed>,
}

/// What a start comes to.
enum Prepared {
    /// It runs already.
    Again(Row),
    /// A row without a number, and the number of the execution whose name it takes.
    New(Row, Option<i64>),
}

/// What of a machine is to be executed.
struct Chosen {
    machine: Machine,
    revision: i64,
    version_arn: Option<String>,
    alias_arn: Option<String>,
}

/// Begins an execution; `set_off` lets it go on.
pub(crate) async fn begin(states: &States, new: New) -> Result<Begun, ServiceError> {
    let (row, first) = match states.look(|database| prepare(database, &new))?? {
        Prepared::Again(row) => return Ok(Begun { row, again: true, first: None }),
        Prepared::New(row, _) => {
            let first = first(states, &row);
            (row, first?)
        }
    };
    let owned = states.clone();
    let begun = states.write(move |transaction| insert(&owned, transaction, &new, &row, first));
    let (begun, told) = begun.await??;
    if told {
        states.context().store.events_waiting().notify_one();
    }
    Ok(begun)
}

/// Lets an execution go on that has begun.
pub(crate) fn set_off(states: &States, begun: Begun) {
    let Begun { row, again, first } = begun;
    match first {
        _ if again => {}
        Some(First { closed: Some(_), .. }) => {
            states.tell_ended(&row.arn);
            states.ended(&row);
        }
        Some(First { execution, effects, .. }) => states.wake_with(Kept { row, execution, effects }),
        None => states.wake(row.number),
    }
}

fn first(states: &States, row: &Row) -> Result<Option<First>, ServiceError> {
    let (execution, Step { events, effects }) = match load::start(states, row) {
        Ok(started) => started,
        Err(LoadError::Database(error)) => return Err(error),
        // Its driver finds that too, and ends it with the reason.
        Err(LoadError::Log(_)) => return Ok(None),
    };
    let closed = driver::end(&events, &effects);
    Ok(Some(First { execution, effects, events, closed }))
}

/// Inserts what was prepared, with its first step unless something has come between; gives back whether the event bus
/// was told of its end.
fn insert(
    states: &States,
    transaction: &Transaction<'_>,
    new: &New,
    expected: &Row,
    first: Option<First>,
) -> Decided<(Begun, bool)> {
    let (mut row, old) = match prepare(transaction, new)? {
        Err(refused) => return Ok(Err(refused)),
        Ok(Prepared::Again(row)) => return Ok(Ok((Begun { row, again: true, first: None }, false))),
        Ok(Prepared::New(row, old)) => (row, old),
    };
    let mut first = first.filter(|_| row == *expected);
    if let Some(old) = old {
        prune::remove(transaction, old)?;
    }
    row.number = rows::insert(transaction, &row)?;
    let mut told = false;
    if let Some(first) = &mut first {
        let events = std::mem::take(&mut first.events);
        told = states.append_in(transaction, row.number, &events, first.closed.as_ref())?;
    }
    Ok(Ok((Begun { row, again: false, first }, told)))
}

fn prepare(database: &Connection, new: &New) -> Decided<Prepared> {
    let chosen = match choose(database, new)? {
        Ok(chosen) => chosen,
        Err(refused) => return Ok(Err(refused)),
    };
    let kind = match (chosen.machine.revision.kind.as_str(), new.awaited) {
        ("EXPRESS", false) => Kind::Express,
        ("EXPRESS", true) => Kind::Sync,
        (_, false) => Kind::Standard,
        (_, true) => return Ok(Err(refusal::type_not_supported())),
    };
    if kind != Kind::Standard {
        let arn = name::express_arn(&chosen.machine.arn, &new.name, &new.unique);
        return Ok(Ok(Prepared::New(row(new, chosen, arn, kind), None)));
    }
    let arn = name::execution_arn(&chosen.machine.arn, &new.name);
    Ok(match rows::by_arn(database, &arn)? {
        Some(there) if there.status == "RUNNING" && there.input == new.input => Ok(Prepared::Again(there)),
        Some(there) if there.stopped.is_none_or(|stopped| new.now - stopped < NAME_TAKEN_MS) => {
            Err(refusal::execution_exists(&arn))
        }
        old => Ok(Prepared::New(row(new, chosen, arn, kind), old.map(|old| old.number))),
    })
}

fn choose(database: &Connection, new: &New) -> Decided<Chosen> {
    let Some(machine) = machines::by_arn(database, &new.target.machine)? else {
        return Ok(Err(refusal::no_such_machine(&new.arn)));
    };
    if machine.status != "ACTIVE" {
        return Ok(Err(refusal::machine_deleting(&machine.arn)));
    }
    let version = match &new.target.qualifier {
        None => {
            let revision = machine.revision.number;
            return Ok(Ok(Chosen { machine, revision, version_arn: None, alias_arn: None }));
        }
        Some(Qualifier::Version(version)) => Some(*version),
        Some(Qualifier::Alias(_)) => {
            aliases::by_arn(database, &new.arn)?.and_then(|alias| aliases::choose(&alias, new.draw))
        }
    };
    let found = version.map(|version| versions::by_number(database, &machine.arn, version)).transpose()?.flatten();
    let Some(version) = found else {
        return Ok(Err(refusal::no_such_machine(&new.arn)));
    };
    Ok(Ok(Chosen {
        version_arn: Some(name::version_arn(&machine.arn, version.number)),
        alias_arn: matches!(new.target.qualifier, Some(Qualifier::Alias(_))).then(|| new.arn.clone()),
        revision: version.revision,
        machine,
    }))
}

/// The row of an execution that begins now.
fn row(new: &New, chosen: Chosen, arn: String, kind: Kind) -> Row {
    Row {
        number: 0,
        arn,
        machine_arn: chosen.machine.arn,
        revision: chosen.revision,
        name: new.name.clone(),
        status: "RUNNING".to_owned(),
        input: new.input.clone(),
        output: None,
        error: None,
        cause: None,
        started: new.now,
        stopped: None,
        redrives: 0,
        redriven: None,
        kind,
        version_arn: chosen.version_arn,
        alias_arn: chosen.alias_arn,
        trace_header: new.trace_header.clone(),
    }
}
