//! Begins executions: what an ARN leads to, and whether the name is free.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>

use rusqlite::{Connection, params};

use super::rows::{self, Kind, Row};
use crate::states::machines::{self, Machine};
use crate::states::name::{self, MachineArn, Qualifier};
use crate::states::{Decided, aliases, prune, refusal, versions};

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
    pub(crate) number: i64,
    pub(crate) arn: String,
    pub(crate) started: i64,
    /// Whether it has been there before: the same, and still running.
    pub(crate) again: bool,
}

/// What of a machine is to be executed.
struct Chosen {
    machine: Machine,
    revision: i64,
    version_arn: Option<String>,
    alias_arn: Option<String>,
}

/// Begins an execution.
pub(crate) fn begin(database: &Connection, new: &New) -> Decided<Begun> {
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
        return insert(database, new, &chosen, arn, kind).map(Ok);
    }
    let arn = name::execution_arn(&chosen.machine.arn, &new.name);
    match rows::by_arn(database, &arn)? {
        Some(there) if there.status == "RUNNING" && there.input == new.input => Ok(Ok(again(there))),
        Some(there) if there.stopped.is_none_or(|stopped| new.now - stopped < NAME_TAKEN_MS) => {
            Ok(Err(refusal::execution_exists(&arn)))
        }
        Some(old) => {
            prune::remove(database, old.number)?;
            insert(database, new, &chosen, arn, kind).map(Ok)
        }
        None => insert(database, new, &chosen, arn, kind).map(Ok),
    }
}

fn again(there: Row) -> Begun {
    Begun { number: there.number, arn: there.arn, started: there.started, again: true }
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

fn insert(database: &Connection, new: &New, chosen: &Chosen, arn: String, kind: Kind) -> rusqlite::Result<Begun> {
    let sql = "INSERT INTO execution
                   (arn, machine_arn, revision, name, status, input, started, kind, version_arn, alias_arn, trace_header)
               VALUES (?1, ?2, ?3, ?4, 'RUNNING', ?5, ?6, ?7, ?8, ?9, ?10)";
    database.prepare_cached(sql)?.execute(params![
        arn,
        chosen.machine.arn,
        chosen.revision,
        new.name,
        new.input,
        new.now,
        kind.name(),
        chosen.version_arn,
        chosen.alias_arn,
        new.trace_header,
    ])?;
    Ok(Begun { number: database.last_insert_rowid(), arn, started: new.now, again: false })
}
