//! Named queries and prepared statements: texts that are kept for later.
//!
//! A prepared statement is run by `EXECUTE name USING values`, as on AWS; `PREPARE` as a statement is refused, the API
//! does the same.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_PreparedStatement.html>

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::executions::{PRIMARY, with_token};
use super::refusal::{self, VALIDATION, invalid};
use super::rows::{json as parsed, text};
use super::{Athena, groups, page, shape};
use crate::identifier;
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// The kinds of what is saved.
const NAMED: &str = "named";
const PREPARED: &str = "prepared";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    name: Option<String>,
    description: Option<String>,
    database: Option<String>,
    query_string: Option<String>,
    work_group: Option<String>,
    named_query_id: Option<String>,
    named_query_ids: Option<Vec<String>>,
    statement_name: Option<String>,
    query_statement: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// Answers the operations on what is saved; nothing for others.
pub(super) async fn handle(athena: &Athena, operation: &str, body: Value) -> Option<Outcome> {
    Some(match operation {
        "CreateNamedQuery" => create_named(athena, body).await,
        "GetNamedQuery" => get_named(athena, body).await,
        "BatchGetNamedQuery" => get_named_batch(athena, body).await,
        "ListNamedQueries" => list_named(athena, body).await,
        "UpdateNamedQuery" => update_named(athena, body).await,
        "DeleteNamedQuery" => delete_named(athena, body).await,
        "CreatePreparedStatement" => put_prepared(athena, body, false).await,
        "UpdatePreparedStatement" => put_prepared(athena, body, true).await,
        "GetPreparedStatement" => get_prepared(athena, body).await,
        "ListPreparedStatements" => list_prepared(athena, body).await,
        "DeletePreparedStatement" => delete_prepared(athena, body).await,
        _ => return None,
    })
}

/// The statement of a request: that of a prepared one where it is executed, with values in the place of its question
/// marks.
pub(super) async fn expanded(
    athena: &Athena,
    group: &str,
    query: &str,
    parameters: &[String],
) -> Result<String, ServiceError> {
    let refused = |error: lakehouse::Error| invalid(error.to_string());
    let Some((name, values)) = lakehouse::execution(query).unwrap_or(None) else {
        // Question marks without values are told when the statement is read.
        let is_plain = parameters.is_empty();
        return if is_plain {
            Ok(query.to_owned())
        } else {
            lakehouse::with_parameters(query, parameters).map_err(refused)
        };
    };
    let saved = one(athena, PREPARED, group, &name).await?;
    let saved = saved.ok_or_else(|| invalid(format!("PreparedStatement {name} was not found in workGroup {group}")))?;
    let statement = saved["QueryStatement"].as_str().unwrap_or_default();
    let values = if values.is_empty() { parameters.to_vec() } else { values };
    lakehouse::with_parameters(statement, &values).map_err(refused)
}

fn find(database: &Connection, kind: &str, group: &str, name: &str) -> rusqlite::Result<Option<Value>> {
    let sql = "SELECT body FROM athena_saved WHERE kind = ?1 AND work_group = ?2 AND name = ?3";
    database.prepare_cached(sql)?.query_row([kind, group, name], |row| parsed(row, 0)).optional()
}

async fn one(athena: &Athena, kind: &'static str, group: &str, name: &str) -> Result<Option<Value>, ServiceError> {
    let (group, name) = (group.to_owned(), name.to_owned());
    athena.read(move |database| find(database, kind, &group, &name)).await
}

fn put(database: &Connection, kind: &str, group: &str, name: &str, body: &Value) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO athena_saved (kind, work_group, name, body) VALUES (?1, ?2, ?3, ?4)";
    database.prepare_cached(sql)?.execute(params![kind, group, name, text(body)?]).map(drop)
}

async fn list(athena: &Athena, kind: &'static str, group: &str) -> Result<Vec<(String, Value)>, ServiceError> {
    let group = group.to_owned();
    let rows = athena.read(move |database| {
        let sql = "SELECT name, body FROM athena_saved WHERE kind = ?1 AND work_group = ?2 ORDER BY name";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, parsed(row, 1)?));
        database.prepare_cached(sql)?.query_map([kind, &group], row)?.collect()
    });
    rows.await
}

/// The group that a request is about, which must be there.
async fn group(athena: &Athena, asked: &Asked) -> Result<String, ServiceError> {
    let group = asked.work_group.clone().unwrap_or_else(|| PRIMARY.to_owned());
    groups::must_exist(athena, &group).await?;
    Ok(group)
}

async fn create_named(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = VALIDATION.required(asked.name.as_ref(), "name")?;
    VALIDATION.length(name, "name", 1, 128)?;
    let database = VALIDATION.required(asked.database.as_ref(), "database")?;
    let query = VALIDATION.required(asked.query_string.as_ref(), "queryString")?;
    VALIDATION.length(query, "queryString", 1, 262_144)?;
    let (group, id) = (group(athena, &asked).await?, identifier::random());
    let mut saved = json!({
        "Name": name, "Database": database, "QueryString": query, "NamedQueryId": id, "WorkGroup": group,
    });
    if let Some(description) = &asked.description {
        saved["Description"] = description.as_str().into();
    }
    let key = id.clone();
    athena.write(move |database| put(database, NAMED, &group, &key, &saved)).await?;
    Ok(Reply::plain(json!({ "NamedQueryId": id })))
}

/// A named query by its id, whatever its group.
async fn named(athena: &Athena, id: &str) -> Result<Value, ServiceError> {
    let key = id.to_owned();
    let found = athena.read(move |database| {
        let sql = "SELECT body FROM athena_saved WHERE kind = ?1 AND name = ?2";
        database.prepare_cached(sql)?.query_row([NAMED, &key], |row| parsed::<Value>(row, 0)).optional()
    });
    found.await?.ok_or_else(|| invalid(format!("NamedQuery {id} was not found")))
}

async fn get_named(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let id = VALIDATION.required(asked.named_query_id.as_ref(), "namedQueryId")?;
    Ok(Reply::plain(json!({ "NamedQuery": named(athena, id).await? })))
}

async fn get_named_batch(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let ids = VALIDATION.required(asked.named_query_ids.as_ref(), "namedQueryIds")?;
    if ids.is_empty() || ids.len() > 50 {
        return Err(VALIDATION.error("namedQueryIds takes 1 to 50 ids"));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        match named(athena, id).await {
            Ok(query) => found.push(query),
            Err(error) => {
                missing.push(json!({ "NamedQueryId": id, "ErrorCode": error.code, "ErrorMessage": error.message }));
            }
        }
    }
    Ok(Reply::plain(json!({ "NamedQueries": found, "UnprocessedNamedQueryIds": missing })))
}

async fn list_named(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let group = group(athena, &asked).await?;
    let all = list(athena, NAMED, &group).await?.into_iter().map(|(id, _)| (id.clone(), id)).collect();
    let of = format!("named {group}");
    let (page, next) = page::by_name(&of, all, asked.max_results, asked.next_token.as_deref())?;
    Ok(Reply::plain(with_token(json!({ "NamedQueryIds": page }), next)))
}

async fn update_named(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let id = VALIDATION.required(asked.named_query_id.as_ref(), "namedQueryId")?.clone();
    let name = VALIDATION.required(asked.name.as_ref(), "name")?.clone();
    let query = VALIDATION.required(asked.query_string.as_ref(), "queryString")?.clone();
    let mut saved = named(athena, &id).await?;
    saved["Name"] = name.into();
    saved["QueryString"] = query.into();
    if let Some(description) = asked.description {
        saved["Description"] = description.into();
    }
    let group = saved["WorkGroup"].as_str().unwrap_or(PRIMARY).to_owned();
    athena.write(move |database| put(database, NAMED, &group, &id, &saved)).await?;
    Ok(Reply::plain(json!({})))
}

async fn delete_named(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let id = VALIDATION.required(asked.named_query_id.as_ref(), "namedQueryId")?.clone();
    named(athena, &id).await?;
    let sql = "DELETE FROM athena_saved WHERE kind = ?1 AND name = ?2";
    athena.write(move |database| database.execute(sql, [NAMED, &id])).await?;
    Ok(Reply::plain(json!({})))
}

fn statement_name(asked: &Asked) -> Result<String, ServiceError> {
    let name = VALIDATION.required(asked.statement_name.as_ref(), "statementName")?;
    VALIDATION.length(name, "statementName", 1, 256)?;
    VALIDATION.characters(name, "statementName", "_@:", "[a-zA-Z_][a-zA-Z0-9_@:]{1,256}")?;
    // `EXECUTE` finds it by a name without quotes, which has no case.
    Ok(name.to_lowercase())
}

fn no_such_statement(name: &str) -> ServiceError {
    refusal::no_such_resource(&format!("PreparedStatement {name}"))
}

async fn put_prepared(athena: &Athena, body: Value, is_there: bool) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = statement_name(&asked)?;
    VALIDATION.required(asked.work_group.as_ref(), "workGroup")?;
    let query = VALIDATION.required(asked.query_statement.as_ref(), "queryStatement")?;
    VALIDATION.length(query, "queryStatement", 1, 262_144)?;
    let group = group(athena, &asked).await?;
    let mut saved = json!({
        "StatementName": name, "QueryStatement": query, "WorkGroupName": group,
        "LastModifiedTime": shape::seconds(athena.now()),
    });
    if let Some(description) = &asked.description {
        saved["Description"] = description.as_str().into();
    }
    let written = athena.write(move |database| match (find(database, PREPARED, &group, &name)?, is_there) {
        (Some(_), false) => Ok(Err(invalid(format!("PreparedStatement {name} is already created")))),
        (None, true) => Ok(Err(no_such_statement(&name))),
        _ => put(database, PREPARED, &group, &name, &saved).map(Ok),
    });
    written.await??;
    Ok(Reply::plain(json!({})))
}

async fn get_prepared(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let (name, group) = (statement_name(&asked)?, group(athena, &asked).await?);
    let saved = one(athena, PREPARED, &group, &name).await?.ok_or_else(|| no_such_statement(&name))?;
    Ok(Reply::plain(json!({ "PreparedStatement": saved })))
}

async fn list_prepared(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let group = group(athena, &asked).await?;
    let summary = |(name, saved): (String, Value)| {
        let summary = json!({ "StatementName": saved["StatementName"], "LastModifiedTime": saved["LastModifiedTime"] });
        (name, summary)
    };
    let all = list(athena, PREPARED, &group).await?.into_iter().map(summary).collect();
    let of = format!("prepared {group}");
    let (page, next) = page::by_name(&of, all, asked.max_results, asked.next_token.as_deref())?;
    Ok(Reply::plain(with_token(json!({ "PreparedStatements": page }), next)))
}

async fn delete_prepared(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let (name, group) = (statement_name(&asked)?, group(athena, &asked).await?);
    let key = name.clone();
    let sql = "DELETE FROM athena_saved WHERE kind = ?1 AND work_group = ?2 AND name = ?3";
    let removed = athena.write(move |database| database.execute(sql, [PREPARED, &group, &key])).await?;
    if removed == 0 { Err(no_such_statement(&name)) } else { Ok(Reply::plain(json!({}))) }
}
