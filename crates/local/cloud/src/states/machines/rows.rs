//! State machines and their revisions in the database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use crate::states::{Decided, refusal, tags, versions};

/// A state machine at one of its revisions.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) created: i64,
    /// What the creation asked for beside the content.
    pub(crate) creation: Value,
    pub(crate) revision: Revision,
}

/// What an update changes. Executions that run keep theirs.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    /// Zero as long as it is not stored.
    pub(crate) number: i64,
    /// None until the first update, as on AWS.
    pub(crate) id: Option<String>,
    pub(crate) definition: String,
    pub(crate) role_arn: String,
    pub(crate) updated: i64,
    pub(crate) kind: String,
    /// Logging, tracing and encryption, as far as their owner set them.
    pub(crate) settings: Value,
}

/// A state machine in a list.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) created: i64,
}

/// What an update changes, and what it publishes.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) arn: String,
    pub(crate) definition: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) settings: Value,
    pub(crate) updated: i64,
    pub(crate) revision_id: String,
    pub(crate) publish: Option<versions::Publication>,
}

/// A machine, and the version that was published with it.
pub(crate) type Published = (Machine, Option<i64>);

const REVISION: &str = "revision.number, revision.id, definition, role_arn, updated, type, settings";

/// The machine at `arn`, at its newest revision.
pub(crate) fn by_arn(database: &Connection, arn: &str) -> rusqlite::Result<Option<Machine>> {
    let sql = format!(
        "SELECT {REVISION}, arn, name, status, created, creation
         FROM state_machine JOIN state_machine_revision AS revision ON revision.number = revision WHERE arn = ?1"
    );
    database.prepare_cached(&sql)?.query_row([arn], machine).optional()
}

/// A revision; it outlives its machine as long as executions need it.
pub(crate) fn revision_of(database: &Connection, revision: i64) -> rusqlite::Result<Revision> {
    let sql = format!("SELECT {REVISION} FROM state_machine_revision AS revision WHERE number = ?1");
    database.prepare_cached(&sql)?.query_row([revision], self::revision)
}

/// Makes `machine` with its tags; one that is there already stands, if it is the same.
pub(crate) fn insert_or_find(
    database: &Connection,
    mut machine: Machine,
    tags: &[tags::Tag],
    publish: Option<&versions::Publication>,
) -> Decided<Published> {
    if let Some(there) = by_arn(database, &machine.arn)? {
        return found(database, there, &machine);
    }
    machine.revision.number = insert_revision(database, &machine.arn, &machine.revision)?;
    database.execute(
        "INSERT INTO state_machine (arn, name, revision, created, creation) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![machine.arn, machine.name, machine.revision.number, machine.created, machine.creation.to_string()],
    )?;
    tags::set(database, &machine.arn, tags)?;
    publish_with(database, machine, publish)
}

fn found(database: &Connection, there: Machine, asked: &Machine) -> Decided<Published> {
    let (old, new) = (&there.revision, &asked.revision);
    let same = old.definition == new.definition && old.settings == new.settings && old.kind == new.kind;
    if there.status != "ACTIVE" {
        return Ok(Err(refusal::machine_deleting(&there.arn)));
    }
    if !same || there.creation != asked.creation {
        return Ok(Err(refusal::machine_exists(&there.arn)));
    }
    let published = there.creation["publish"] == true;
    let version = if published { versions::oldest(database, &there.arn)? } else { None };
    Ok(Ok((there, version)))
}

fn publish_with(
    database: &Connection,
    machine: Machine,
    publish: Option<&versions::Publication>,
) -> Decided<Published> {
    let Some(publish) = publish else { return Ok(Ok((machine, None))) };
    let version = versions::publish(database, &machine, publish)?;
    Ok(version.map(|version| (machine, Some(version.number))))
}

/// Gives a machine a new revision, unless nothing changes.
pub(crate) fn change(database: &Connection, change: Change) -> Decided<Published> {
    let Some(mut machine) = by_arn(database, &change.arn)? else {
        return Ok(Err(refusal::no_such_machine(&change.arn)));
    };
    if machine.status != "ACTIVE" {
        return Ok(Err(refusal::machine_deleting(&change.arn)));
    }
    if apply(&mut machine.revision, &change) {
        machine.revision.updated = change.updated;
        machine.revision.id = Some(change.revision_id);
        machine.revision.number = insert_revision(database, &machine.arn, &machine.revision)?;
        let sql = "UPDATE state_machine SET revision = ?2 WHERE arn = ?1";
        database.execute(sql, params![machine.arn, machine.revision.number])?;
    }
    publish_with(database, machine, change.publish.as_ref())
}

/// Whether the change changes anything.
fn apply(revision: &mut Revision, change: &Change) -> bool {
    let before = revision.clone();
    revision.definition = change.definition.clone().unwrap_or_else(|| before.definition.clone());
    revision.role_arn = change.role_arn.clone().unwrap_or_else(|| before.role_arn.clone());
    if let (Value::Object(settings), Value::Object(new)) = (&mut revision.settings, &change.settings) {
        settings.extend(new.clone());
    }
    (&revision.definition, &revision.role_arn, &revision.settings)
        != (&before.definition, &before.role_arn, &before.settings)
}

/// Begins to delete a machine: its versions and aliases go, and it goes with its last open execution. Whether any is
/// open.
pub(crate) fn delete(database: &Connection, arn: &str) -> rusqlite::Result<bool> {
    database.execute("UPDATE state_machine SET status = 'DELETING' WHERE arn = ?1", [arn])?;
    database.execute("DELETE FROM state_machine_alias WHERE machine_arn = ?1", [arn])?;
    database.execute("DELETE FROM state_machine_version WHERE machine_arn = ?1", [arn])?;
    Ok(finish_deletions(database)?.iter().any(|left| left == arn))
}

/// Takes away the machines that are being deleted and have no open execution; gives back those that have one.
pub(crate) fn finish_deletions(database: &Connection) -> rusqlite::Result<Vec<String>> {
    let open = "EXISTS (SELECT 1 FROM execution WHERE machine_arn = state_machine.arn AND status = 'RUNNING')";
    let done = format!("SELECT arn FROM state_machine WHERE status = 'DELETING' AND NOT {open}");
    database.execute(&format!("DELETE FROM resource_tag WHERE arn IN ({done})"), [])?;
    database.execute(&format!("DELETE FROM state_machine WHERE arn IN ({done})"), [])?;
    let left = "SELECT arn FROM state_machine WHERE status = 'DELETING'";
    database.prepare(left)?.query_map([], |row| row.get(0))?.collect()
}

pub(crate) fn after(database: &Connection, arn: &str, most: usize) -> rusqlite::Result<Vec<Item>> {
    let sql = "SELECT arn, name, type, created FROM state_machine
               JOIN state_machine_revision AS revision ON revision.number = revision
               WHERE arn > ?1 ORDER BY arn LIMIT ?2";
    let item =
        |row: &Row<'_>| Ok(Item { arn: row.get(0)?, name: row.get(1)?, kind: row.get(2)?, created: row.get(3)? });
    database.prepare_cached(sql)?.query_map(params![arn, i64::try_from(most).unwrap_or(i64::MAX)], item)?.collect()
}

fn insert_revision(database: &Connection, arn: &str, revision: &Revision) -> rusqlite::Result<i64> {
    let Revision { id, definition, role_arn, updated, kind, settings, .. } = revision;
    database.execute(
        "INSERT INTO state_machine_revision (id, machine_arn, definition, role_arn, updated, type, settings)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![id, arn, definition, role_arn, updated, kind, settings.to_string()],
    )?;
    Ok(database.last_insert_rowid())
}

fn machine(row: &Row<'_>) -> rusqlite::Result<Machine> {
    Ok(Machine {
        revision: revision(row)?,
        arn: row.get(7)?,
        name: row.get(8)?,
        status: row.get(9)?,
        created: row.get(10)?,
        creation: json(row, 11)?,
    })
}

fn revision(row: &Row<'_>) -> rusqlite::Result<Revision> {
    Ok(Revision {
        number: row.get(0)?,
        id: row.get(1)?,
        definition: row.get(2)?,
        role_arn: row.get(3)?,
        updated: row.get(4)?,
        kind: row.get(5)?,
        settings: json(row, 6)?,
    })
}

fn json(row: &Row<'_>, column: usize) -> rusqlite::Result<Value> {
    Ok(serde_json::from_str(row.get_ref(column)?.as_str()?).unwrap_or_default())
}
