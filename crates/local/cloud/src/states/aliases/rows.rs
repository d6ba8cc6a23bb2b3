//! Aliases in the database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Route;
use crate::states::{Decided, machines, name, refusal, versions};
use crate::wire::ServiceError;

/// The most aliases of a state machine.
const MOST_ALIASES: i64 = 100;

/// An alias.
#[derive(Debug)]
pub(crate) struct Alias {
    /// Counts up; zero as long as it is not stored.
    pub(crate) number: i64,
    pub(crate) arn: String,
    pub(crate) machine_arn: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) routes: Vec<Route>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

const SELECT: &str =
    "SELECT number, arn, machine_arn, name, description, routing, created, updated FROM state_machine_alias";

pub(crate) fn by_arn(database: &Connection, arn: &str) -> rusqlite::Result<Option<Alias>> {
    database.prepare_cached(&format!("{SELECT} WHERE arn = ?1"))?.query_row([arn], alias).optional()
}

/// Makes an alias; one that is there already stands, if it is the same.
pub(super) fn insert_or_find(database: &Connection, alias: Alias) -> Decided<Alias> {
    if let Some(refused) = refuse(database, &alias.machine_arn, &alias.routes)? {
        return Ok(Err(refused));
    }
    if let Some(there) = by_arn(database, &alias.arn)? {
        let same = there.description == alias.description && there.routes == alias.routes;
        let taken =
            "Failed to create alias because an alias with the same name and a different configuration already exists.";
        return Ok(if same { Ok(there) } else { Err(refusal::conflict(taken)) });
    }
    let count = "SELECT count(*) FROM state_machine_alias WHERE machine_arn = ?1";
    if database.query_row(count, [&alias.machine_arn], |row| row.get::<_, i64>(0))? >= MOST_ALIASES {
        let message = format!("A state machine has at most {MOST_ALIASES} aliases");
        return Ok(Err(ServiceError::client("ServiceQuotaExceededException", message)));
    }
    let Alias { arn, machine_arn, name, description, routes, created, updated, .. } = &alias;
    database.execute(
        "INSERT INTO state_machine_alias (arn, machine_arn, name, description, routing, created, updated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![arn, machine_arn, name, description, text(routes), created, updated],
    )?;
    Ok(Ok(alias))
}

/// Changes an alias; gives back when.
pub(super) fn change(
    database: &Connection,
    arn: &str,
    description: Option<String>,
    routes: Option<Vec<Route>>,
    now: i64,
) -> Decided<i64> {
    let Some(alias) = by_arn(database, arn)? else {
        return Ok(Err(refusal::no_such_resource(arn)));
    };
    let routes = routes.unwrap_or_else(|| alias.routes.clone());
    if let Some(refused) = refuse(database, &alias.machine_arn, &routes)? {
        return Ok(Err(refused));
    }
    let description = description.or_else(|| alias.description.clone());
    if (&description, &routes) == (&alias.description, &alias.routes) {
        return Ok(Ok(alias.updated));
    }
    let sql = "UPDATE state_machine_alias SET description = ?2, routing = ?3, updated = ?4 WHERE arn = ?1";
    database.execute(sql, params![arn, description, text(&routes), now])?;
    Ok(Ok(now))
}

/// What speaks against routes that are well formed: the machine is on its way out, or a version is not there.
fn refuse(database: &Connection, machine_arn: &str, routes: &[Route]) -> rusqlite::Result<Option<ServiceError>> {
    match machines::by_arn(database, machine_arn)? {
        None => return Ok(Some(refusal::no_such_resource(machine_arn))),
        Some(machine) if machine.status != "ACTIVE" => return Ok(Some(refusal::machine_deleting(machine_arn))),
        Some(_) => {}
    }
    for route in routes {
        let arn = &route.state_machine_version_arn;
        let number = name::last_part(arn).parse().unwrap_or_default();
        if versions::by_number(database, machine_arn, number)?.is_none() {
            return Ok(Some(refusal::no_such_resource(arn)));
        }
    }
    Ok(None)
}

/// Aliases of a machine, the newest first; only those that lead to `version`, if one is given.
pub(super) fn newest(
    database: &Connection,
    machine_arn: &str,
    version: Option<&str>,
    before: i64,
    most: usize,
) -> rusqlite::Result<Vec<Alias>> {
    let sql = format!(
        "{SELECT} WHERE machine_arn = ?1 AND number < ?2 AND (?3 IS NULL OR EXISTS (
             SELECT 1 FROM json_each(routing) WHERE value ->> 'stateMachineVersionArn' = ?3))
         ORDER BY number DESC LIMIT ?4"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.prepare_cached(&sql)?.query_map(params![machine_arn, before, version, most], alias)?.collect()
}

/// The names of the aliases that lead to a version.
pub(crate) fn names_to(database: &Connection, machine_arn: &str, version: &str) -> rusqlite::Result<Vec<String>> {
    let most = usize::try_from(MOST_ALIASES).unwrap_or(usize::MAX);
    let found = newest(database, machine_arn, Some(version), i64::MAX, most)?;
    Ok(found.into_iter().map(|alias| alias.name).collect())
}

/// Whether there was one to delete.
pub(super) fn delete(database: &Connection, arn: &str) -> rusqlite::Result<bool> {
    Ok(database.execute("DELETE FROM state_machine_alias WHERE arn = ?1", [arn])? > 0)
}

fn text(routes: &[Route]) -> String {
    serde_json::to_string(routes).unwrap_or_default()
}

fn alias(row: &Row<'_>) -> rusqlite::Result<Alias> {
    let routing: String = row.get(5)?;
    Ok(Alias {
        number: row.get(0)?,
        arn: row.get(1)?,
        machine_arn: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        routes: serde_json::from_str(&routing).unwrap_or_default(),
        created: row.get(6)?,
        updated: row.get(7)?,
    })
}
