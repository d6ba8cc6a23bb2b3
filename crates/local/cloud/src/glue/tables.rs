//! Tables.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTable.html>

use std::sync::Arc;

use lakehouse::{Entry, Lakehouse, TableName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape::{self, TableInput};
use super::{
    Glue, MOST_ATTEMPTS, Refused, VALIDATION, exists, invalid, missing, moved, page, pattern, table_name, with_token,
};
use crate::wire::{Outcome, Reply, ServiceError, decode};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    database_name: Option<String>,
    name: Option<String>,
    table_input: Option<TableInput>,
    version_id: Option<String>,
    tables_to_delete: Option<Vec<String>>,
    expression: Option<String>,
    search_text: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn not_found(name: &TableName) -> ServiceError {
    missing(format!("Table {} not found.", name.table))
}

pub(super) async fn get(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = table_name(asked.database_name.as_ref(), asked.name.as_ref())?;
    let key = name.clone();
    let found = glue.with(|lakehouse| async move {
        must_have_database(&lakehouse, &key.database).await?;
        Ok(lakehouse.describe(&key).await?)
    });
    let found = found.await?.ok_or_else(|| not_found(&name))?;
    Ok(Reply::plain(json!({ "Table": shape::table(&found) })))
}

async fn must_have_database(lakehouse: &Lakehouse, name: &str) -> Result<(), Refused> {
    match lakehouse.catalog().database(name).await?.value {
        Some(_) => Ok(()),
        None => Err(missing(format!("Database {name} not found.")).into()),
    }
}

pub(super) async fn list(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let database = VALIDATION.required(asked.database_name.as_ref(), "databaseName")?.to_lowercase();
    let pattern = pattern(asked.expression.as_deref()).map_err(invalid)?;
    let key = database.clone();
    let names = glue.with(|lakehouse| async move {
        must_have_database(&lakehouse, &key).await?;
        Ok(lakehouse.catalog().tables(&key).await?)
    });
    let wanted = names.await?.into_iter().map(|(name, _)| name).filter(|name| pattern.is_match(name));
    let all = wanted.map(|name| (name.clone(), (database.clone(), name))).collect();
    described_page(glue, all, &asked).await
}

/// Tables of all databases whose name holds a text.
pub(super) async fn search(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let text = asked.search_text.clone().unwrap_or_default().trim_matches(['"', '*']).to_lowercase();
    let names = glue.with(|lakehouse| async move {
        let mut names = Vec::new();
        for database in lakehouse.catalog().databases().await? {
            for (table, _) in lakehouse.catalog().tables(&database).await? {
                names.push((database.clone(), table));
            }
        }
        Ok(names)
    });
    let wanted = names.await?.into_iter().filter(|(_, table)| table.contains(&text));
    let all = wanted.map(|(database, table)| (format!("{database}.{table}"), (database, table))).collect();
    described_page(glue, all, &asked).await
}

async fn described_page(glue: &Glue, all: Vec<(String, (String, String))>, asked: &Asked) -> Outcome {
    let (page, next) = page(all, asked.max_results, asked.next_token.as_deref())?;
    let found = glue.with(|lakehouse| async move {
        let mut found = Vec::new();
        for (database, table) in page {
            found.extend(lakehouse.describe(&TableName::new(&database, &table)?).await?);
        }
        Ok(found)
    });
    let found: Vec<Value> = found.await?.iter().map(shape::table).collect();
    Ok(Reply::plain(with_token(json!({ "TableList": found }), next)))
}

fn input(asked: &mut Asked) -> Result<(TableName, TableInput), ServiceError> {
    let input = asked.table_input.take().ok_or_else(|| invalid("TableInput is required"))?;
    let name = table_name(asked.database_name.as_ref(), input.name.as_ref())?;
    if input.table_type.as_deref() == Some("VIRTUAL_VIEW") {
        return Err(invalid("a view is made by the statement CREATE VIEW, which checks its query"));
    }
    Ok((name, input))
}

pub(super) async fn create(glue: &Glue, body: Value) -> Outcome {
    let mut asked: Asked = decode(body)?;
    let (name, input) = input(&mut asked)?;
    let metadata_location = input.metadata_location()?;
    let made = glue.with(|lakehouse| async move {
        must_have_database(&lakehouse, &name.database).await?;
        let was = lakehouse.catalog().entry(&name).await?;
        if was.value.is_some() {
            return Err(Refused::from(exists("Table already exists.")));
        }
        let is_made = if let Some(location) = metadata_location {
            lakehouse.set_iceberg(&name, was.number, &location).await?
        } else {
            let entry = Entry::External(input.external(Vec::new())?);
            lakehouse.catalog().set_entry(&name, was.number, &entry).await?
        };
        if is_made { Ok(()) } else { Err(exists("Table already exists.").into()) }
    });
    made.await?;
    Ok(Reply::plain(json!({})))
}

pub(super) async fn update(glue: &Glue, body: Value) -> Outcome {
    let mut asked: Asked = decode(body)?;
    let (name, input) = input(&mut asked)?;
    let version = match &asked.version_id {
        Some(version) => Some(version.parse::<u64>().map_err(|_| invalid("VersionId is no number of this table"))?),
        None => None,
    };
    let (metadata_location, input) = (input.metadata_location()?, Arc::new(input));
    let updated = glue.with(move |lakehouse| async move {
        for _ in 0..MOST_ATTEMPTS {
            let was = lakehouse.catalog().entry(&name).await?;
            // Whoever names the version that it read wants to know if there is a later one.
            if version.is_some() && version != was.number {
                return Err(moved().into());
            }
            let done = match (was.value, &metadata_location) {
                (None, _) => return Err(not_found(&name).into()),
                (Some(Entry::Iceberg { .. }), Some(location)) => {
                    lakehouse.set_iceberg(&name, was.number, location).await?
                }
                (Some(Entry::External(old)), None) => {
                    let entry = Entry::External(input.external(old.partitions)?);
                    lakehouse.catalog().set_entry(&name, was.number, &entry).await?
                }
                _ => return Err(invalid("a table cannot become one of another kind; delete it first").into()),
            };
            if done {
                return Ok(());
            }
            if version.is_some() {
                break;
            }
        }
        Err(moved().into())
    });
    updated.await?;
    Ok(Reply::plain(json!({})))
}

/// Takes a name out of the catalog. As on AWS the files stay.
pub(super) async fn forget(lakehouse: &Lakehouse, name: &TableName) -> Result<(), Refused> {
    for _ in 0..MOST_ATTEMPTS {
        let was = lakehouse.catalog().entry(name).await?;
        if was.value.is_none() {
            return Err(not_found(name).into());
        }
        if lakehouse.catalog().set_entry(name, was.number, &Entry::Dropped).await? {
            return Ok(());
        }
    }
    Err(moved().into())
}

pub(super) async fn delete(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = table_name(asked.database_name.as_ref(), asked.name.as_ref())?;
    glue.with(|lakehouse| async move { forget(&lakehouse, &name).await }).await?;
    Ok(Reply::plain(json!({})))
}

pub(super) async fn delete_batch(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let names = VALIDATION.required(asked.tables_to_delete.as_ref(), "tablesToDelete")?;
    let mut errors = Vec::new();
    for table in names {
        let name = table_name(asked.database_name.as_ref(), Some(table))?;
        if let Err(error) = glue.with(|lakehouse| async move { forget(&lakehouse, &name).await }).await {
            errors.push(json!({
                "TableName": table, "ErrorDetail": { "ErrorCode": error.code, "ErrorMessage": error.message },
            }));
        }
    }
    Ok(Reply::plain(json!({ "Errors": errors })))
}
