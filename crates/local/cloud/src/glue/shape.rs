//! Tables and partitions as Glue describes them, and back.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lakehouse::{Column, Described, Description, External, Format, HiveStorage, Partition, TableName, View};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refused, invalid};
use crate::context::ACCOUNT;
use crate::wire::ServiceError;

/// The name that Hive gives to the partition of nulls.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A column as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ColumnInput {
    name: String,
    #[serde(rename = "Type")]
    column_type: Option<String>,
    comment: Option<String>,
}

/// A row's form, as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SerdeInput {
    serialization_library: Option<String>,
    parameters: Option<BTreeMap<String, String>>,
}

/// Where and how files lie, as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct StorageInput {
    columns: Option<Vec<ColumnInput>>,
    pub(super) location: Option<String>,
    input_format: Option<String>,
    output_format: Option<String>,
    serde_info: Option<SerdeInput>,
}

/// A table as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TableInput {
    pub(super) name: Option<String>,
    description: Option<String>,
    pub(super) table_type: Option<String>,
    pub(super) storage_descriptor: Option<StorageInput>,
    partition_keys: Option<Vec<ColumnInput>>,
    parameters: Option<BTreeMap<String, String>>,
}

/// A partition as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PartitionInput {
    pub(super) values: Option<Vec<String>>,
    pub(super) storage_descriptor: Option<StorageInput>,
}

impl TableInput {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.as_ref()?.get(name).map(String::as_str)
    }

    /// The metadata file of an Iceberg table; nothing for another table.
    pub(super) fn metadata_location(&self) -> Result<Option<String>, ServiceError> {
        if !self.parameter("table_type").is_some_and(|kind| kind.eq_ignore_ascii_case("iceberg")) {
            return Ok(None);
        }
        let location = self.parameter("metadata_location").map(str::to_owned);
        location.map(Some).ok_or_else(|| invalid("an Iceberg table needs the parameter `metadata_location`"))
    }

    /// The files that the input describes.
    pub(super) fn external(&self, partitions: Vec<Partition>) -> Result<External, Refused> {
        let storage = self.storage_descriptor.clone().unwrap_or_default();
        let columns = columns(storage.columns.as_deref())?;
        let serde = storage.serde_info.unwrap_or_default();
        let hive = HiveStorage {
            input_format: storage.input_format.unwrap_or_default(),
            output_format: storage.output_format.unwrap_or_default(),
            serde: serde.serialization_library.unwrap_or_default(),
            parameters: serde.parameters.unwrap_or_default(),
        };
        let properties = self.parameters.clone().unwrap_or_default();
        let format = Format::of_hive(&columns, &hive, &properties)?;
        let location = storage.location.filter(|location| !location.is_empty());
        Ok(External {
            columns,
            partition_columns: self::columns(self.partition_keys.as_deref())?,
            format,
            location: normal(&location.ok_or_else(|| invalid("a table of files needs a Location"))?)?,
            comment: self.description.clone(),
            properties,
            partitions,
        })
    }
}

/// A location as the catalog keeps it: without a slash at its end.
pub(super) fn normal(location: &str) -> Result<String, ServiceError> {
    let trimmed = location.trim_end_matches('/');
    let below = trimmed.strip_prefix("s3://").or_else(|| trimmed.strip_prefix("s3a://"));
    match below.filter(|below| !below.is_empty() && !below.split('/').any(|part| matches!(part, "" | "." | ".."))) {
        Some(below) => Ok(format!("s3://{below}")),
        None => Err(invalid(format!("the location `{location}` is no folder of a bucket; write s3://bucket/folder/"))),
    }
}

fn columns(given: Option<&[ColumnInput]>) -> Result<Vec<Column>, Refused> {
    let column = |given: &ColumnInput| {
        let name = given.name.to_lowercase();
        if name.is_empty() {
            return Err(invalid("a column needs a name").into());
        }
        let column_type = given.column_type.as_deref().unwrap_or("string").to_lowercase().parse()?;
        Ok(Column { name, column_type, comment: given.comment.clone() })
    };
    given.unwrap_or_default().iter().map(column).collect()
}

fn listed(columns: &[Column]) -> Vec<Value> {
    let column = |column: &Column| {
        let mut listed = json!({ "Name": column.name, "Type": column.column_type.to_string() });
        if let Some(comment) = &column.comment {
            listed["Comment"] = comment.as_str().into();
        }
        listed
    };
    columns.iter().map(column).collect()
}

fn storage(columns: &[Column], location: &str, hive: &HiveStorage) -> Value {
    json!({
        "Columns": listed(columns),
        "Location": location,
        "InputFormat": hive.input_format,
        "OutputFormat": hive.output_format,
        "Compressed": false,
        "NumberOfBuckets": -1,
        "SerdeInfo": { "SerializationLibrary": hive.serde, "Parameters": hive.parameters },
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": {},
        "StoredAsSubDirectories": false,
    })
}

/// A table.
pub(super) fn table(description: &Description) -> Value {
    let TableName { database, table } = &description.name;
    let mut described = json!({
        "Name": table,
        "DatabaseName": database,
        "CatalogId": ACCOUNT,
        "Retention": 0,
        "PartitionKeys": [],
        "TableType": "EXTERNAL_TABLE",
        "IsRegisteredWithLakeFormation": false,
        "VersionId": description.number.to_string(),
    });
    let nothing = HiveStorage::default();
    match &description.what {
        Described::Iceberg { metadata_location, location, columns, properties } => {
            let mut parameters = properties.clone();
            parameters.insert("table_type".to_owned(), "ICEBERG".to_owned());
            parameters.insert("metadata_location".to_owned(), metadata_location.clone());
            described["Description"] = properties.get("comment").cloned().map_or(Value::Null, Value::from);
            described["StorageDescriptor"] = storage(columns, location, &nothing);
            described["Parameters"] = json!(parameters);
        }
        Described::Damaged { metadata_location, why } => {
            described["Description"] = why.as_str().into();
            described["StorageDescriptor"] = storage(&[], "", &nothing);
            described["Parameters"] = json!({ "table_type": "ICEBERG", "metadata_location": metadata_location });
        }
        Described::External(external) => of_files(&mut described, external),
        Described::View(view) => of_view(&mut described, view),
    }
    if let Some(members) = described.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    described
}

fn of_files(described: &mut Value, external: &External) {
    let mut parameters = external.properties.clone();
    parameters.insert("EXTERNAL".to_owned(), "TRUE".to_owned());
    described["Description"] = external.comment.clone().map_or(Value::Null, Value::from);
    described["PartitionKeys"] = listed(&external.partition_columns).into();
    described["StorageDescriptor"] =
        storage(&external.columns, &format!("{}/", external.location), &external.format.hive());
    described["Parameters"] = json!(parameters);
}

/// Athena keeps a view's text in Presto's way: JSON in Base64 in a comment.
fn of_view(described: &mut Value, view: &View) {
    let column = |column: &Column| json!({ "name": column.name, "type": column.column_type.to_string() });
    let text = json!({
        "originalSql": view.sql,
        "catalog": "awsdatacatalog",
        "schema": view.database,
        "columns": view.columns.iter().map(column).collect::<Vec<_>>(),
    });
    described["TableType"] = "VIRTUAL_VIEW".into();
    described["StorageDescriptor"] = storage(&view.columns, "", &HiveStorage::default());
    described["ViewOriginalText"] = format!("/* Presto View: {} */", STANDARD.encode(text.to_string())).into();
    described["ViewExpandedText"] = "/* Presto View */".into();
    described["Parameters"] = json!({ "presto_view": "true", "comment": "Presto View" });
}

/// A partition's values, as they are written.
pub(super) fn values(partition: &Partition) -> Vec<String> {
    partition.values.iter().map(|value| value.clone().unwrap_or_else(|| NULL_PARTITION.to_owned())).collect()
}

/// A partition's values, as they are kept.
pub(super) fn kept(values: &[String]) -> Vec<Option<String>> {
    values.iter().map(|value| (value != NULL_PARTITION).then(|| value.clone())).collect()
}

/// A partition of a table.
pub(super) fn partition(name: &TableName, external: &External, partition: &Partition) -> Value {
    json!({
        "Values": values(partition),
        "DatabaseName": name.database,
        "TableName": name.table,
        "CatalogId": ACCOUNT,
        "StorageDescriptor":
            storage(&external.columns, &format!("{}/", partition.location), &external.format.hive()),
        "Parameters": {},
    })
}
