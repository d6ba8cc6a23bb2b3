//! Workgroups: where results go, what a query may read, and whether queries run at all.
//!
//! The group `primary` is always there. Unlike a fresh account's it has an output location, so that a query runs without
//! any preparation; its bucket is made by the first result, and bears the name that AWS's own tools give such a bucket.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroup.html>

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::executions::{PRIMARY, with_token};
use super::refusal::{self, VALIDATION, invalid};
use super::rows::{json as parsed, text};
use super::{Athena, output, page, shape, tags};
use crate::context::ACCOUNT;
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// The least limit of bytes that a workgroup may set.
const LEAST_CUTOFF_BYTES: i64 = 10_000_000;

/// The most workgroups, as AWS has it.
const MOST_GROUPS: i64 = 1000;

/// A workgroup.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) name: String,
    state: String,
    description: Option<String>,
    configuration: Value,
    created_ms: i64,
}

/// What holds for a query of a group.
#[derive(Debug)]
pub(super) struct Limits {
    /// Where its result goes.
    pub(super) output: String,
    pub(super) most_bytes: Option<u64>,
    /// The result's configuration as it comes back.
    pub(super) configuration: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    name: Option<String>,
    work_group: Option<String>,
    description: Option<String>,
    state: Option<String>,
    configuration: Option<Value>,
    configuration_updates: Option<Value>,
    tags: Option<Vec<tags::Tag>>,
    recursive_delete_option: Option<bool>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// The bucket of results that are asked for nowhere else.
pub(super) fn usual_bucket(region: &str) -> String {
    format!("aws-athena-query-results-{ACCOUNT}-{region}")
}

fn primary(region: &str) -> Group {
    let output = format!("s3://{}/", usual_bucket(region));
    Group {
        name: PRIMARY.to_owned(),
        state: "ENABLED".to_owned(),
        description: None,
        configuration: completed(json!({
            "ResultConfiguration": { "OutputLocation": output },
            "EnforceWorkGroupConfiguration": false,
        })),
        created_ms: 0,
    }
}

/// A configuration with the members that AWS adds.
fn completed(mut configuration: Value) -> Value {
    let usual = [
        ("EnforceWorkGroupConfiguration", json!(true)),
        ("PublishCloudWatchMetricsEnabled", json!(false)),
        ("RequesterPaysEnabled", json!(false)),
        ("ResultConfiguration", json!({})),
    ];
    for (name, value) in usual {
        if configuration.get(name).is_none_or(Value::is_null) {
            configuration[name] = value;
        }
    }
    configuration["EngineVersion"] = json!({
        "SelectedEngineVersion": shape::ENGINE, "EffectiveEngineVersion": shape::ENGINE,
    });
    configuration
}

/// Refuses a configuration that does not fit.
fn check(configuration: &Value) -> Result<(), ServiceError> {
    if let Some(location) = configuration["ResultConfiguration"]["OutputLocation"].as_str() {
        check_location(location)?;
    }
    match &configuration["BytesScannedCutoffPerQuery"] {
        Value::Null => Ok(()),
        Value::Number(number) if number.as_i64().is_some_and(|bytes| bytes >= LEAST_CUTOFF_BYTES) => Ok(()),
        other => Err(VALIDATION.failed(
            &other.to_string(),
            "configuration.bytesScannedCutoffPerQuery",
            &format!("Member must have value greater than or equal to {LEAST_CUTOFF_BYTES}"),
        )),
    }
}

fn check_location(location: &str) -> Result<(), ServiceError> {
    let with_slash = format!("{}/", location.trim_end_matches('/'));
    if output::place(&with_slash).is_some() {
        return Ok(());
    }
    Err(invalid(format!("outputLocation is not a valid S3 path: `{location}`; write s3://bucket/prefix/")))
}

/// What holds for a query of a group, where it says so itself and where the group does.
pub(super) async fn limits(athena: &Athena, name: &str, asked: Option<Value>) -> Result<Limits, ServiceError> {
    let group = found(athena, name).await?;
    if group.state != "ENABLED" {
        return Err(invalid(format!("WorkGroup {name} is disabled.")));
    }
    let of = |configuration: &Value| {
        configuration["OutputLocation"].as_str().filter(|location| !location.is_empty()).map(str::to_owned)
    };
    let own = &group.configuration["ResultConfiguration"];
    let enforced = group.configuration["EnforceWorkGroupConfiguration"].as_bool().unwrap_or(false);
    let asked = asked.filter(Value::is_object).unwrap_or_else(|| json!({}));
    let configuration = if enforced { own.clone() } else { asked };
    let output = of(&configuration).or_else(|| of(own)).ok_or_else(|| {
        invalid("No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.")
    })?;
    check_location(&output)?;
    let most_bytes = group.configuration["BytesScannedCutoffPerQuery"].as_u64();
    Ok(Limits { output, most_bytes, configuration })
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        name: row.get(0)?,
        state: row.get(1)?,
        description: row.get(2)?,
        configuration: parsed(row, 3)?,
        created_ms: row.get(4)?,
    })
}

const COLUMNS: &str = "SELECT name, state, description, configuration, created_ms FROM athena_work_group";

fn stored(database: &Connection, name: &str) -> rusqlite::Result<Option<Group>> {
    database.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?.query_row([name], row).optional()
}

async fn found(athena: &Athena, name: &str) -> Result<Group, ServiceError> {
    let named = name.to_owned();
    let group = athena.read(move |database| stored(database, &named)).await?;
    let region = &athena.inner.context.region;
    let group = group.or_else(|| (name == PRIMARY).then(|| primary(region)));
    group.ok_or_else(|| refusal::no_such_group(name))
}

/// Refuses a group that is not there.
pub(super) async fn must_exist(athena: &Athena, name: &str) -> Result<(), ServiceError> {
    found(athena, name).await.map(drop)
}

fn save(database: &Connection, group: &Group) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO athena_work_group (name, state, description, configuration, created_ms)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let Group { name, state, description, configuration, created_ms } = group;
    let parameters = params![name, state, description, text(configuration)?, created_ms];
    database.prepare_cached(sql)?.execute(parameters).map(drop)
}

fn check_name(name: &str) -> Result<(), ServiceError> {
    VALIDATION.length(name, "name", 1, 128)?;
    VALIDATION.characters(name, "name", "._-", "[a-zA-Z0-9._-]{1,128}")
}

fn check_state(state: &str) -> Result<(), ServiceError> {
    VALIDATION.one_of(state, "state", &["ENABLED", "DISABLED"])
}

pub(super) async fn create(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = VALIDATION.required(asked.name.as_ref(), "name")?.clone();
    check_name(&name)?;
    let configuration = completed(asked.configuration.filter(Value::is_object).unwrap_or_else(|| json!({})));
    check(&configuration)?;
    let given = asked.tags.unwrap_or_default();
    tags::check(&given)?;
    let arn = tags::group_arn(&athena.inner.context.region, &name);
    let (state, created_ms) = ("ENABLED".to_owned(), athena.now());
    let group = Group { name: name.clone(), state, description: asked.description, configuration, created_ms };
    let made = athena.write(move |database| {
        let count: i64 = database.query_row("SELECT count(*) FROM athena_work_group", [], |row| row.get(0))?;
        if group.name == PRIMARY || stored(database, &group.name)?.is_some() {
            return Ok(Err(invalid("WorkGroup is already created")));
        }
        if count >= MOST_GROUPS {
            return Ok(Err(invalid(format!("there are {MOST_GROUPS} workgroups already"))));
        }
        save(database, &group)?;
        tags::set(database, &arn, &given)?;
        Ok(Ok(()))
    });
    made.await??;
    Ok(Reply::plain(json!({})))
}

fn described(group: &Group) -> Value {
    let mut described = json!({
        "Name": group.name,
        "State": group.state,
        "Configuration": group.configuration,
        "CreationTime": shape::seconds(group.created_ms),
    });
    if let Some(description) = &group.description {
        described["Description"] = description.as_str().into();
    }
    described
}

pub(super) async fn get(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = VALIDATION.required(asked.work_group.as_ref(), "workGroup")?;
    Ok(Reply::plain(json!({ "WorkGroup": described(&found(athena, name).await?) })))
}

pub(super) async fn list(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let sql = format!("{COLUMNS} ORDER BY name");
    let groups = athena.read(move |database| database.prepare_cached(&sql)?.query_map([], row)?.collect());
    let mut groups: Vec<Group> = groups.await?;
    if !groups.iter().any(|group| group.name == PRIMARY) {
        groups.push(primary(&athena.inner.context.region));
        groups.sort_by(|one, other| one.name.cmp(&other.name));
    }
    let summary = |group: Group| {
        let mut summary = described(&group);
        summary["EngineVersion"] = group.configuration["EngineVersion"].clone();
        if let Some(members) = summary.as_object_mut() {
            members.remove("Configuration");
        }
        (group.name, summary)
    };
    let all = groups.into_iter().map(summary).collect();
    let (page, next) = page::by_name("groups", all, asked.max_results, asked.next_token.as_deref())?;
    Ok(Reply::plain(with_token(json!({ "WorkGroups": page }), next)))
}

/// A configuration with its changes.
fn updated(mut configuration: Value, updates: &Value) -> Value {
    let members = updates.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    for (name, value) in members {
        match name.as_str() {
            "ResultConfigurationUpdates" => {
                let results = configuration["ResultConfiguration"].take();
                configuration["ResultConfiguration"] = changed(&results, value);
            }
            "RemoveBytesScannedCutoffPerQuery" => {
                if value.as_bool() == Some(true) {
                    configuration["BytesScannedCutoffPerQuery"] = Value::Null;
                }
            }
            "EngineVersion" => {}
            _ => configuration[name] = value.clone(),
        }
    }
    if let Some(members) = configuration.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    configuration
}

/// A result's configuration with its changes: `RemoveX` takes `X` away.
fn changed(results: &Value, updates: &Value) -> Value {
    let mut results: Map<String, Value> = results.as_object().cloned().unwrap_or_default();
    for (name, value) in updates.as_object().into_iter().flatten() {
        match name.strip_prefix("Remove") {
            Some(removed) if value.as_bool() == Some(true) => drop(results.remove(removed)),
            Some(_) => {}
            None => drop(results.insert(name.clone(), value.clone())),
        }
    }
    results.into()
}

pub(super) async fn update(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = VALIDATION.required(asked.work_group.as_ref(), "workGroup")?;
    let mut group = found(athena, name).await?;
    if let Some(updates) = asked.configuration_updates.filter(Value::is_object) {
        group.configuration = updated(group.configuration, &updates);
        check(&group.configuration)?;
    }
    if let Some(state) = asked.state {
        check_state(&state)?;
        group.state = state;
    }
    if asked.description.is_some() {
        group.description = asked.description;
    }
    athena.write(move |database| save(database, &group)).await?;
    Ok(Reply::plain(json!({})))
}

pub(super) async fn delete(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = VALIDATION.required(asked.work_group.as_ref(), "workGroup")?.clone();
    if name == PRIMARY {
        return Err(invalid("The primary workgroup cannot be deleted"));
    }
    must_exist(athena, &name).await?;
    let recursive = asked.recursive_delete_option.unwrap_or(false);
    let arn = tags::group_arn(&athena.inner.context.region, &name);
    let deleted = athena.write(move |database| {
        let sql = "SELECT EXISTS (SELECT 1 FROM athena_saved WHERE work_group = ?1) OR
                   EXISTS (SELECT 1 FROM athena_query WHERE work_group = ?1 AND completed_ms IS NULL)";
        if !recursive && database.query_row(sql, [&name], |row| row.get(0))? {
            return Ok(Err(invalid(format!("WorkGroup {name} is not empty"))));
        }
        for table in ["athena_saved", "athena_work_group", "athena_query"] {
            let column = if table == "athena_work_group" { "name" } else { "work_group" };
            let open = if table == "athena_query" { " AND completed_ms IS NOT NULL" } else { "" };
            database.execute(&format!("DELETE FROM {table} WHERE {column} = ?1{open}"), [&name])?;
        }
        tags::remove_all(database, &arn)?;
        Ok(Ok(()))
    });
    deleted.await??;
    Ok(Reply::plain(json!({})))
}

pub(super) fn engine_versions() -> Reply {
    let version = json!({ "SelectedEngineVersion": shape::ENGINE, "EffectiveEngineVersion": shape::ENGINE });
    Reply::plain(json!({ "EngineVersions": [version] }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, completed, updated};

    #[test]
    fn updates_change_and_remove() {
        let before = completed(json!({
            "ResultConfiguration": { "OutputLocation": "s3://a/b/", "EncryptionConfiguration": { "EncryptionOption": "SSE_S3" } },
            "BytesScannedCutoffPerQuery": 10_000_000,
        }));
        let updates = json!({
            "ResultConfigurationUpdates": { "RemoveEncryptionConfiguration": true, "OutputLocation": "s3://c/" },
            "RemoveBytesScannedCutoffPerQuery": true,
            "EnforceWorkGroupConfiguration": false,
        });
        let after = updated(before, &updates);
        assert_eq!(after["ResultConfiguration"], json!({ "OutputLocation": "s3://c/" }));
        assert_eq!(after.get("BytesScannedCutoffPerQuery"), None);
        assert_eq!(after["EnforceWorkGroupConfiguration"], json!(false));
    }

    #[test]
    fn configurations_that_do_not_fit_are_refused() {
        for wrong in [
            json!({ "BytesScannedCutoffPerQuery": 9_999_999 }),
            json!({ "BytesScannedCutoffPerQuery": "many" }),
            json!({ "ResultConfiguration": { "OutputLocation": "/tmp/x" } }),
            json!({ "ResultConfiguration": { "OutputLocation": "s3:///x" } }),
        ] {
            assert_eq!(check(&wrong).unwrap_err().code, "InvalidRequestException", "{wrong}");
        }
        check(&json!({ "ResultConfiguration": { "OutputLocation": "s3://b" } })).unwrap();
    }
}
