//! Versions of state machines: numbered, and never changed.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html>

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::machines::{self, Machine};
use super::name::{self, MachineArn, Qualifier};
use super::request::{self, Rule};
use super::{Decided, States, aliases, page, refusal, seconds};
use crate::wire::{Outcome, Reply, ServiceError};

/// The most versions of a state machine.
const MOST_VERSIONS: i64 = 1000;

/// The bound of `versionDescription`.
pub(super) const DESCRIPTION: Rule = Rule::Length("versionDescription", 0, 256);

/// How a revision is named that was never updated, and so has no id.
const FIRST_REVISION: &str = "INITIAL";

/// A version of a state machine.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) number: i64,
    pub(super) revision: i64,
    pub(super) description: Option<String>,
    pub(super) created: i64,
}

/// A wish to publish.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) description: Option<String>,
    pub(super) at: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Publish {
    state_machine_arn: String,
    revision_id: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    state_machine_arn: String,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    state_machine_version_arn: String,
}

pub(super) async fn publish_revision(states: &States, body: Value) -> Outcome {
    let asked: Publish = request::read(body, &[Rule::Arn("stateMachineArn"), Rule::Length("description", 0, 256)])?;
    let arn = MachineArn::unqualified(&asked.state_machine_arn)?;
    let wish = Publication { description: asked.description, at: states.now() };
    let owned = arn.clone();
    let published = states.write(move |database| {
        let Some(machine) = machines::by_arn(database, &owned)? else {
            return Ok(Err(refusal::no_such_machine(&owned)));
        };
        if let Err(refused) = check_publication(&machine, asked.revision_id.as_deref()) {
            return Ok(Err(refused));
        }
        publish(database, &machine, &wish)
    });
    let version = published.await??;
    Ok(Reply::plain(json!({
        "stateMachineVersionArn": name::version_arn(&arn, version.number),
        "creationDate": seconds(version.created),
    })))
}

fn check_publication(machine: &Machine, revision_id: Option<&str>) -> Result<(), ServiceError> {
    if machine.status != "ACTIVE" {
        return Err(refusal::machine_deleting(&machine.arn));
    }
    let current = machine.revision.id.as_deref().unwrap_or(FIRST_REVISION);
    match revision_id {
        Some(asked) if asked != current => Err(refusal::conflict(format!(
            "Failed to publish the State Machine version for revision {asked}. The current State Machine revision is {current}."
        ))),
        _ => Ok(()),
    }
}

/// Makes a version of the machine's revision, or finds the one that there is.
pub(super) fn publish(database: &Connection, machine: &Machine, wish: &Publication) -> Decided<Version> {
    let revision = machine.revision.number;
    if let Some(there) = one(database, "machine_arn = ?1 AND revision = ?2", params![machine.arn, revision])? {
        return Ok(Ok(there));
    }
    let count = "SELECT count(*) FROM state_machine_version WHERE machine_arn = ?1";
    if database.query_row(count, [&machine.arn], |row| row.get::<_, i64>(0))? >= MOST_VERSIONS {
        let message = format!("A state machine has at most {MOST_VERSIONS} versions");
        return Ok(Err(ServiceError::client("ServiceQuotaExceededException", message)));
    }
    let next = "UPDATE state_machine SET next_version = next_version + 1 WHERE arn = ?1 RETURNING next_version - 1";
    let number: i64 = database.query_row(next, [&machine.arn], |row| row.get(0))?;
    database.execute(
        "INSERT INTO state_machine_version (machine_arn, version, revision, description, created)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![machine.arn, number, revision, wish.description, wish.at],
    )?;
    Ok(Ok(Version { number, revision, description: wish.description.clone(), created: wish.at }))
}

pub(super) async fn list(states: &States, body: Value) -> Outcome {
    let asked: List = request::read_page(body, &[Rule::Arn("stateMachineArn")])?;
    let arn = MachineArn::unqualified(&asked.state_machine_arn)?;
    machines::find(states, arn.clone()).await?;
    let size = page::size(asked.max_results)?;
    let list = format!("versions {arn}");
    let before = page::number(&list, asked.next_token.as_deref())?.unwrap_or(i64::MAX);
    let owned = arn.clone();
    let mut found = states.read(move |database| newest(database, &owned, before, size + 1)).await?;
    let next = page::cut(&mut found, size, &list, |version| version.number.to_string());
    let item = |version: &Version| {
        json!({
            "stateMachineVersionArn": name::version_arn(&arn, version.number),
            "creationDate": seconds(version.created),
        })
    };
    let mut answer = json!({"stateMachineVersions": found.iter().map(item).collect::<Vec<Value>>()});
    super::insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

pub(super) async fn delete(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[Rule::LongArn("stateMachineVersionArn")])?;
    let arn = asked.state_machine_version_arn;
    let MachineArn { machine, qualifier: Some(Qualifier::Version(number)), label: None } = MachineArn::parse(&arn)?
    else {
        return Err(request::invalid(format!("'{arn}' is not the ARN of a state machine version")));
    };
    let deleted = states.write(move |database| {
        let aliases = aliases::names_to(database, &machine, &arn)?;
        if !aliases.is_empty() {
            return Ok(Err(refusal::conflict(format!(
                "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [{}]",
                aliases.join(", ")
            ))));
        }
        let sql = "DELETE FROM state_machine_version WHERE machine_arn = ?1 AND version = ?2";
        database.execute(sql, params![machine, number]).map(|_| Ok(()))
    });
    deleted.await??;
    Ok(Reply::plain(json!({})))
}

/// Puts what somebody wrote of a version into its description.
pub(super) fn insert_description(answer: &mut Value, description: Option<String>) {
    if let Some(description) = description {
        answer["description"] = description.into();
    }
}

pub(super) fn by_number(database: &Connection, machine_arn: &str, number: i64) -> rusqlite::Result<Option<Version>> {
    one(database, "machine_arn = ?1 AND version = ?2", params![machine_arn, number])
}

/// The first version that is left.
pub(super) fn oldest(database: &Connection, machine_arn: &str) -> rusqlite::Result<Option<i64>> {
    Ok(one(database, "machine_arn = ?1 ORDER BY version LIMIT 1", params![machine_arn])?.map(|version| version.number))
}

fn newest(database: &Connection, machine_arn: &str, before: i64, most: usize) -> rusqlite::Result<Vec<Version>> {
    let sql = format!("{SELECT} WHERE machine_arn = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.prepare_cached(&sql)?.query_map(params![machine_arn, before, most], version)?.collect()
}

const SELECT: &str = "SELECT version, revision, description, created FROM state_machine_version";

fn one(database: &Connection, which: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<Option<Version>> {
    database.prepare_cached(&format!("{SELECT} WHERE {which}"))?.query_row(parameters, version).optional()
}

fn version(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version { number: row.get(0)?, revision: row.get(1)?, description: row.get(2)?, created: row.get(3)? })
}
