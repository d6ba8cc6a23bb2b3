//! State machines in the database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use crate::states::refusal;
use crate::wire::ServiceError;

/// A state machine at its newest revision.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) definition: String,
    pub(crate) role_arn: String,
    /// None until the first update, as on AWS.
    pub(crate) revision_id: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) settings: Value,
    pub(crate) tags: Value,
}

/// A state machine in a list.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) created: i64,
}

/// What an update changes.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) arn: String,
    pub(crate) definition: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) settings: Value,
    pub(crate) updated: i64,
    pub(crate) revision_id: String,
}

const SELECT: &str = "
SELECT arn, name, definition, role_arn, id, created, updated, settings, tags
FROM state_machine JOIN state_machine_revision ON number = revision";

/// The machine at `arn`.
pub(crate) fn by_arn(database: &Connection, arn: &str) -> rusqlite::Result<Option<Machine>> {
    database.prepare_cached(&format!("{SELECT} WHERE arn = ?1"))?.query_row([arn], machine).optional()
}

/// Definition, role, id and time of a revision; it outlives its machine as long as executions need it.
pub(crate) fn revision_of(
    database: &Connection,
    revision: i64,
) -> rusqlite::Result<(String, String, Option<String>, i64)> {
    let sql = "SELECT definition, role_arn, id, updated FROM state_machine_revision WHERE number = ?1";
    database.prepare_cached(sql)?.query_row([revision], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
}

/// Makes `machine`; one that is there already stands, if it is the same.
pub(crate) fn insert_or_find(
    database: &Connection,
    machine: Machine,
) -> rusqlite::Result<Result<Machine, ServiceError>> {
    if let Some(there) = by_arn(database, &machine.arn)? {
        let same = there.definition == machine.definition && there.settings == machine.settings;
        return Ok(if same { Ok(there) } else { Err(refusal::machine_exists(&machine.arn)) });
    }
    let revision = insert_revision(database, &machine)?;
    database.execute(
        "INSERT INTO state_machine (arn, name, revision, created, settings, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            machine.arn,
            machine.name,
            revision,
            machine.created,
            machine.settings.to_string(),
            machine.tags.to_string()
        ],
    )?;
    Ok(Ok(machine))
}

/// Gives a machine a new revision. Executions that run keep theirs.
pub(crate) fn change(database: &Connection, change: Change) -> rusqlite::Result<Result<(), ServiceError>> {
    let Some(mut machine) = by_arn(database, &change.arn)? else {
        return Ok(Err(refusal::no_such_machine(&change.arn)));
    };
    machine.definition = change.definition.unwrap_or(machine.definition);
    machine.role_arn = change.role_arn.unwrap_or(machine.role_arn);
    machine.updated = change.updated;
    machine.revision_id = Some(change.revision_id);
    if let (Value::Object(settings), Value::Object(new)) = (&mut machine.settings, change.settings) {
        settings.extend(new);
    }
    let revision = insert_revision(database, &machine)?;
    database.execute(
        "UPDATE state_machine SET revision = ?2, settings = ?3 WHERE arn = ?1",
        params![machine.arn, revision, machine.settings.to_string()],
    )?;
    Ok(Ok(()))
}

/// Removes a machine; gives the ARNs of its executions that still run.
pub(crate) fn delete(database: &Connection, arn: &str) -> rusqlite::Result<Vec<String>> {
    database.execute("DELETE FROM state_machine WHERE arn = ?1", [arn])?;
    let sql = "SELECT arn FROM execution WHERE machine_arn = ?1 AND status = 'RUNNING'";
    database.prepare_cached(sql)?.query_map([arn], |row| row.get(0))?.collect()
}

pub(crate) fn after(database: &Connection, arn: &str, most: usize) -> rusqlite::Result<Vec<Item>> {
    let sql = "SELECT arn, name, created FROM state_machine WHERE arn > ?1 ORDER BY arn LIMIT ?2";
    let item = |row: &Row<'_>| Ok(Item { arn: row.get(0)?, name: row.get(1)?, created: row.get(2)? });
    database.prepare_cached(sql)?.query_map(params![arn, i64::try_from(most).unwrap_or(i64::MAX)], item)?.collect()
}

pub(crate) fn set_tags(database: &Connection, arn: &str, tags: &Value) -> rusqlite::Result<()> {
    database.execute("UPDATE state_machine SET tags = ?2 WHERE arn = ?1", params![arn, tags.to_string()])?;
    Ok(())
}

fn insert_revision(database: &Connection, machine: &Machine) -> rusqlite::Result<i64> {
    database.execute(
        "INSERT INTO state_machine_revision (id, machine_arn, definition, role_arn, updated) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![machine.revision_id, machine.arn, machine.definition, machine.role_arn, machine.updated],
    )?;
    Ok(database.last_insert_rowid())
}

fn machine(row: &Row<'_>) -> rusqlite::Result<Machine> {
    let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Machine {
        arn: row.get(0)?,
        name: row.get(1)?,
        definition: row.get(2)?,
        role_arn: row.get(3)?,
        revision_id: row.get(4)?,
        created: row.get(5)?,
        updated: row.get(6)?,
        settings: json(row.get(7)?),
        tags: json(row.get(8)?),
    })
}
