//! Databases.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_Database.html>

use lakehouse::{Database, TableName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Glue, MOST_ATTEMPTS, Refused, VALIDATION, exists, invalid, missing, moved, page, with_token};
use crate::context::ACCOUNT;
use crate::wire::{Outcome, Reply, ServiceError, decode};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    name: Option<String>,
    description: Option<String>,
    location_uri: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    name: Option<String>,
    database_input: Option<Input>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

fn described(name: &str, database: &Database) -> Value {
    let mut described = json!({ "Name": name, "CatalogId": ACCOUNT });
    for (member, value) in [("Description", &database.comment), ("LocationUri", &database.location)] {
        if let Some(value) = value {
            described[member] = value.as_str().into();
        }
    }
    described
}

fn not_found(name: &str) -> ServiceError {
    missing(format!("Database {name} not found."))
}

/// A name in lower case. It must be one that a table's full name can begin with.
fn checked(name: Option<&String>) -> Result<String, ServiceError> {
    let name = VALIDATION.required(name, "name")?;
    let as_table = TableName::new(name, "t").map_err(|error| invalid(error.to_string()))?;
    Ok(as_table.database)
}

pub(super) async fn get(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = checked(asked.name.as_ref())?;
    let key = name.clone();
    let read = glue.with(|lakehouse| async move { Ok(lakehouse.catalog().database(&key).await?.value) });
    let database = read.await?.ok_or_else(|| not_found(&name))?;
    Ok(Reply::plain(json!({ "Database": described(&name, &database) })))
}

pub(super) async fn list(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let read = glue.with(|lakehouse| async move {
        let mut found = Vec::new();
        for name in lakehouse.catalog().databases().await? {
            let database = lakehouse.catalog().database(&name).await?.value.unwrap_or_default();
            found.push((name.clone(), described(&name, &database)));
        }
        Ok(found)
    });
    let (page, next) = page(read.await?, asked.max_results, asked.next_token.as_deref())?;
    Ok(Reply::plain(with_token(json!({ "DatabaseList": page }), next)))
}

pub(super) async fn create(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let input = asked.database_input.ok_or_else(|| invalid("DatabaseInput is required"))?;
    let name = checked(input.name.as_ref())?;
    let database = Database { comment: input.description, location: input.location_uri };
    let made = glue.with(|lakehouse| async move {
        let was = lakehouse.catalog().database(&name).await?;
        let is_made =
            was.value.is_none() && lakehouse.catalog().set_database(&name, was.number, Some(&database)).await?;
        if is_made { Ok(()) } else { Err(exists("Database already exists.").into()) }
    });
    made.await?;
    Ok(Reply::plain(json!({})))
}

pub(super) async fn update(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = checked(asked.name.as_ref())?;
    let input = asked.database_input.ok_or_else(|| invalid("DatabaseInput is required"))?;
    if input.name.as_ref().is_some_and(|new| new.to_lowercase() != name) {
        return Err(invalid("a database cannot be renamed"));
    }
    let database = Database { comment: input.description, location: input.location_uri };
    let updated = glue.with(|lakehouse| async move {
        for _ in 0..MOST_ATTEMPTS {
            let was = lakehouse.catalog().database(&name).await?;
            if was.value.is_none() {
                return Err(not_found(&name).into());
            }
            if lakehouse.catalog().set_database(&name, was.number, Some(&database)).await? {
                return Ok(());
            }
        }
        Err(moved().into())
    });
    updated.await?;
    Ok(Reply::plain(json!({})))
}

/// As on AWS the tables go with their database, and the files of the tables stay.
pub(super) async fn delete(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = checked(asked.name.as_ref())?;
    let deleted = glue.with(|lakehouse| async move {
        let catalog = lakehouse.catalog();
        if catalog.database(&name).await?.value.is_none() {
            return Err(Refused::from(not_found(&name)));
        }
        for (table, _) in catalog.tables(&name).await? {
            super::tables::forget(&lakehouse, &TableName::new(&name, &table)?).await?;
        }
        for _ in 0..MOST_ATTEMPTS {
            let was = catalog.database(&name).await?;
            if catalog.set_database(&name, was.number, None).await? {
                return Ok(());
            }
        }
        Err(moved().into())
    });
    deleted.await?;
    Ok(Reply::plain(json!({})))
}
