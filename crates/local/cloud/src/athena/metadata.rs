//! What Athena tells of catalogs, databases and tables.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_TableMetadata.html>

use lakehouse::{Column, Described, Description, TableName};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::executions::{check_catalog, with_token};
use super::refusal::{VALIDATION, invalid, metadata};
use super::{Athena, page};
use crate::context::ACCOUNT;
use crate::wire::{Outcome, Reply, ServiceError, decode};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    name: Option<String>,
    catalog_name: Option<String>,
    database_name: Option<String>,
    table_name: Option<String>,
    expression: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn catalogs(body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let own = json!({ "CatalogName": "AwsDataCatalog", "Type": "GLUE" });
    let all = vec![("AwsDataCatalog".to_owned(), own)];
    let (page, next) = page::by_name("catalogs", all, asked.max_results, asked.next_token.as_deref())?;
    Ok(Reply::plain(with_token(json!({ "DataCatalogsSummary": page }), next)))
}

pub(super) fn catalog(body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = VALIDATION.required(asked.name.as_ref(), "name")?;
    check_catalog(Some(name))?;
    let catalog = json!({ "Name": "AwsDataCatalog", "Type": "GLUE", "Parameters": { "catalog-id": ACCOUNT } });
    Ok(Reply::plain(json!({ "DataCatalog": catalog })))
}

fn failed(error: &lakehouse::Error) -> ServiceError {
    metadata(error.chain())
}

fn described_database(name: &str, database: &lakehouse::Database) -> Value {
    let mut described = json!({ "Name": name });
    if let Some(comment) = &database.comment {
        described["Description"] = comment.as_str().into();
    }
    described
}

pub(super) async fn databases(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    check_catalog(Some(VALIDATION.required(asked.catalog_name.as_ref(), "catalogName")?))?;
    let read = athena.inner.lake.with(|lakehouse| async move {
        let mut found = Vec::new();
        for name in lakehouse.catalog().databases().await? {
            let database = lakehouse.catalog().database(&name).await?.value.unwrap_or_default();
            found.push((name.clone(), described_database(&name, &database)));
        }
        Ok::<_, lakehouse::Error>(found)
    });
    let all = read.await?.map_err(|error| failed(&error))?;
    let (page, next) = page::by_name("databases", all, asked.max_results, asked.next_token.as_deref())?;
    Ok(Reply::plain(with_token(json!({ "DatabaseList": page }), next)))
}

pub(super) async fn database(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    check_catalog(Some(VALIDATION.required(asked.catalog_name.as_ref(), "catalogName")?))?;
    let name = VALIDATION.required(asked.database_name.as_ref(), "databaseName")?.to_lowercase();
    let key = name.clone();
    let read = athena.inner.lake.with(|lakehouse| async move { lakehouse.catalog().database(&key).await });
    let database = read.await?.map_err(|error| failed(&error))?.value;
    let missing = || metadata(format!("Database {name} not found."));
    Ok(Reply::plain(json!({ "Database": described_database(&name, &database.ok_or_else(missing)?) })))
}

fn listed(columns: &[Column]) -> Vec<Value> {
    let column = |column: &Column| {
        let mut described = json!({ "Name": column.name, "Type": column.column_type.to_string() });
        if let Some(comment) = &column.comment {
            described["Comment"] = comment.as_str().into();
        }
        described
    };
    columns.iter().map(column).collect()
}

/// A table as `GetTableMetadata` tells it.
fn described(description: &Description) -> Value {
    let mut parameters = Map::new();
    let mut set = |name: &str, value: &str| drop(parameters.insert(name.to_owned(), value.into()));
    let (kind, columns, keys) = match &description.what {
        Described::Iceberg { metadata_location, location, columns, properties } => {
            for (name, value) in properties {
                set(name, value);
            }
            set("table_type", "ICEBERG");
            set("metadata_location", metadata_location);
            set("location", location);
            ("EXTERNAL_TABLE", columns.clone(), Vec::new())
        }
        Described::Damaged { metadata_location, why } => {
            set("table_type", "ICEBERG");
            set("metadata_location", metadata_location);
            set("comment", why);
            ("EXTERNAL_TABLE", Vec::new(), Vec::new())
        }
        Described::External(table) => {
            let storage = table.format.hive();
            for (name, value) in &table.properties {
                set(name, value);
            }
            set("EXTERNAL", "TRUE");
            set("location", &table.location);
            set("inputformat", &storage.input_format);
            set("outputformat", &storage.output_format);
            set("serde.serialization.lib", &storage.serde);
            for (name, value) in &storage.parameters {
                set(&format!("serde.param.{name}"), value);
            }
            ("EXTERNAL_TABLE", table.columns.clone(), table.partition_columns.clone())
        }
        Described::View(view) => {
            set("presto_view", "true");
            ("VIRTUAL_VIEW", view.columns.clone(), Vec::new())
        }
    };
    json!({
        "Name": description.name.table,
        "TableType": kind,
        "Columns": listed(&columns),
        "PartitionKeys": listed(&keys),
        "Parameters": parameters,
    })
}

fn table_name(database: &str, table: &str) -> Result<TableName, ServiceError> {
    TableName::new(database, table).map_err(|error| invalid(error.to_string()))
}

pub(super) async fn table(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    check_catalog(Some(VALIDATION.required(asked.catalog_name.as_ref(), "catalogName")?))?;
    let database = VALIDATION.required(asked.database_name.as_ref(), "databaseName")?;
    let name = table_name(database, VALIDATION.required(asked.table_name.as_ref(), "tableName")?)?;
    let missing = metadata(format!("EntityNotFoundException: Table {} not found.", name.table));
    let read = athena.inner.lake.with(|lakehouse| async move { lakehouse.describe(&name).await });
    let found = read.await?.map_err(|error| failed(&error))?.ok_or(missing)?;
    Ok(Reply::plain(json!({ "TableMetadata": described(&found) })))
}

pub(super) async fn tables(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    check_catalog(Some(VALIDATION.required(asked.catalog_name.as_ref(), "catalogName")?))?;
    let database = VALIDATION.required(asked.database_name.as_ref(), "databaseName")?.to_lowercase();
    let pattern = crate::glue::pattern(asked.expression.as_deref()).map_err(invalid)?;
    let (key, list) = (database.clone(), format!("tables {database}"));
    let names = athena.inner.lake.with(|lakehouse| async move {
        let is_there = lakehouse.catalog().database(&key).await?.value.is_some();
        Ok::<_, lakehouse::Error>(if is_there { Some(lakehouse.catalog().tables(&key).await?) } else { None })
    });
    let names = names.await?.map_err(|error| failed(&error))?;
    let names = names.ok_or_else(|| metadata(format!("Database {database} not found.")))?;
    let wanted = names.into_iter().filter(|(name, _)| pattern.is_match(name));
    let all = wanted.map(|(name, _)| (name.clone(), name)).collect();
    let (page, next) = page::by_name(&list, all, asked.max_results, asked.next_token.as_deref())?;
    let found = athena.inner.lake.with(|lakehouse| async move {
        let mut found = Vec::new();
        for table in page {
            found.extend(lakehouse.describe(&TableName::new(&database, &table)?).await?);
        }
        Ok::<_, lakehouse::Error>(found)
    });
    let found = found.await?.map_err(|error| failed(&error))?;
    let found: Vec<Value> = found.iter().map(described).collect();
    Ok(Reply::plain(with_token(json!({ "TableMetadataList": found }), next)))
}
