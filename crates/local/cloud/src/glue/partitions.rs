//! Partitions of tables of files. An Iceberg table has none that Glue knows of.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html>

use lakehouse::{Entry, External, Partition, TableName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape::{self, PartitionInput, kept, normal};
use super::tables::not_found;
use super::{Glue, MOST_ATTEMPTS, Refused, VALIDATION, exists, invalid, missing, moved, page, table_name, with_token};
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// The most partitions of one request.
const MOST_IN_BATCH: usize = 1000;

/// The most partitions of one table, as the lakehouse has it.
const MOST_PARTITIONS: usize = 100_000;

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Values {
    values: Vec<String>,
}

/// One of several readers that share the partitions of a table.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Segment {
    segment_number: usize,
    total_segments: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    database_name: Option<String>,
    table_name: Option<String>,
    partition_values: Option<Vec<String>>,
    partition_value_list: Option<Vec<String>>,
    partitions_to_get: Option<Vec<Values>>,
    partitions_to_delete: Option<Vec<Values>>,
    partition_input: Option<PartitionInput>,
    partition_input_list: Option<Vec<PartitionInput>>,
    expression: Option<String>,
    segment: Option<Segment>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl Asked {
    fn name(&self) -> Result<TableName, ServiceError> {
        table_name(self.database_name.as_ref(), self.table_name.as_ref())
    }
}

/// The table of files that a request is about.
async fn table(glue: &Glue, name: &TableName) -> Result<External, ServiceError> {
    let key = name.clone();
    let entry = glue.with(|lakehouse| async move { Ok(lakehouse.catalog().entry(&key).await?.value) }).await?;
    match entry {
        Some(Entry::External(table)) => Ok(table),
        Some(_) => Err(invalid(format!("`{name}` is no table of files, so it has no partitions here"))),
        None => Err(not_found(name)),
    }
}

fn no_such_partition() -> ServiceError {
    missing("Cannot find partition.")
}

fn of_values<'a>(table: &'a External, values: &[String]) -> Option<&'a Partition> {
    let values = kept(values);
    table.partitions.iter().find(|partition| partition.values == values)
}

pub(super) async fn get(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let (name, values) = (asked.name()?, VALIDATION.required(asked.partition_values.as_ref(), "partitionValues")?);
    let table = table(glue, &name).await?;
    let found = of_values(&table, values).ok_or_else(no_such_partition)?;
    Ok(Reply::plain(json!({ "Partition": shape::partition(&name, &table, found) })))
}

pub(super) async fn get_batch(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let (name, wanted) = (asked.name()?, VALIDATION.required(asked.partitions_to_get.as_ref(), "partitionsToGet")?);
    check_batch(wanted.len())?;
    let table = table(glue, &name).await?;
    let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
    for Values { values } in wanted {
        match of_values(&table, values) {
            Some(partition) => found.push(shape::partition(&name, &table, partition)),
            None => unprocessed.push(json!({ "Values": values })),
        }
    }
    Ok(Reply::plain(json!({ "Partitions": found, "UnprocessedKeys": unprocessed })))
}

fn check_batch(count: usize) -> Result<(), ServiceError> {
    if count > MOST_IN_BATCH {
        return Err(invalid(format!("a request takes at most {MOST_IN_BATCH} partitions")));
    }
    Ok(())
}

pub(super) async fn list(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = asked.name()?;
    let table = table(glue, &name).await?;
    let (key, expression) = (name.clone(), asked.expression.clone().filter(|text| !text.trim().is_empty()));
    let partitions = match expression {
        None => table.partitions.clone(),
        Some(expression) => {
            glue.with(|lakehouse| async move { Ok(lakehouse.partitions(&key, &expression).await?) }).await?
        }
    };
    // The values in the order in which they are kept, in a form that sorts the same way.
    let segment = asked.segment.unwrap_or(Segment { segment_number: 0, total_segments: 1 });
    if segment.segment_number >= segment.total_segments {
        return Err(invalid("SegmentNumber must be less than TotalSegments"));
    }
    let own = |at: &usize| at % segment.total_segments == segment.segment_number;
    let numbered = partitions.into_iter().enumerate().filter(|(at, _)| own(at));
    let all = numbered.map(|(at, partition)| (format!("{at:010}"), partition)).collect();
    let (page, next) = page(all, asked.max_results, asked.next_token.as_deref())?;
    let page: Vec<Value> = page.iter().map(|partition| shape::partition(&name, &table, partition)).collect();
    Ok(Reply::plain(with_token(json!({ "Partitions": page }), next)))
}

pub(super) async fn indexes(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    table(glue, &asked.name()?).await?;
    Ok(Reply::plain(json!({ "PartitionIndexDescriptorList": [] })))
}

/// Changes a table's partitions, until nobody changes them at the same time.
async fn change(
    glue: &Glue,
    name: TableName,
    change: impl Fn(&mut External) -> Result<(), ServiceError> + Send + Sync + 'static,
) -> Result<(), ServiceError> {
    let changed = glue.with(move |lakehouse| async move {
        for _ in 0..MOST_ATTEMPTS {
            let was = lakehouse.catalog().entry(&name).await?;
            let mut table = match was.value {
                Some(Entry::External(table)) => table,
                Some(_) => return Err(Refused::from(invalid(format!("`{name}` is no table of files")))),
                None => return Err(not_found(&name).into()),
            };
            change(&mut table)?;
            table.partitions.sort();
            if table.partitions.len() > MOST_PARTITIONS {
                return Err(invalid(format!("a table has at most {MOST_PARTITIONS} partitions")).into());
            }
            if lakehouse.catalog().set_entry(&name, was.number, &Entry::External(table)).await? {
                return Ok(());
            }
        }
        Err(moved().into())
    });
    changed.await
}

/// The partition that an input describes.
fn made(table: &External, input: &PartitionInput) -> Result<Partition, ServiceError> {
    let values = VALIDATION.required(input.values.as_ref(), "partitionInput.values")?;
    if values.len() != table.partition_columns.len() {
        let message = "The number of partition keys do not match the number of partition values";
        return Err(invalid(message));
    }
    let given = input.storage_descriptor.as_ref().and_then(|storage| storage.location.as_deref());
    let location = if let Some(location) = given.filter(|location| !location.is_empty()) {
        normal(location)?
    } else {
        let named = table.partition_columns.iter().zip(values);
        let parts: Vec<String> = named.map(|(column, value)| format!("{}={value}", column.name)).collect();
        format!("{}/{}", table.location, parts.join("/"))
    };
    Ok(Partition { values: kept(values), location })
}

/// Adds a partition that is not there.
fn add(table: &mut External, input: &PartitionInput) -> Result<(), ServiceError> {
    let partition = made(table, input)?;
    if table.partitions.iter().any(|other| other.values == partition.values) {
        return Err(exists("Partition already exists."));
    }
    table.partitions.push(partition);
    Ok(())
}

pub(super) async fn create(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let (name, input) = (asked.name()?, asked.partition_input.ok_or_else(|| invalid("PartitionInput is required"))?);
    change(glue, name, move |table| add(table, &input)).await?;
    Ok(Reply::plain(json!({})))
}

/// Those that cannot be added are told, and the others are added, as on AWS.
pub(super) async fn create_batch(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let (name, inputs) = (asked.name()?, asked.partition_input_list.unwrap_or_default());
    check_batch(inputs.len())?;
    let errors = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = std::sync::Arc::clone(&errors);
    change(glue, name, move |table| {
        let mut failed = Vec::new();
        for input in &inputs {
            if let Err(error) = add(table, input) {
                failed.push(json!({
                    "PartitionValues": input.values,
                    "ErrorDetail": { "ErrorCode": error.code, "ErrorMessage": error.message },
                }));
            }
        }
        *told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = failed;
        Ok(())
    })
    .await?;
    let errors = std::mem::take(&mut *errors.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    Ok(Reply::plain(json!({ "Errors": errors })))
}

pub(super) async fn update(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let name = asked.name()?;
    let old = asked.partition_value_list.unwrap_or_default();
    let input = asked.partition_input.ok_or_else(|| invalid("PartitionInput is required"))?;
    change(glue, name, move |table| {
        let new = made(table, &input)?;
        let old = kept(&old);
        let at = table.partitions.iter().position(|partition| partition.values == old);
        let at = at.ok_or_else(no_such_partition)?;
        table.partitions[at] = new;
        Ok(())
    })
    .await?;
    Ok(Reply::plain(json!({})))
}

fn remove(table: &mut External, values: &[String]) -> Result<(), ServiceError> {
    let (values, before) = (kept(values), table.partitions.len());
    table.partitions.retain(|partition| partition.values != values);
    if table.partitions.len() == before { Err(no_such_partition()) } else { Ok(()) }
}

pub(super) async fn delete(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let (name, values) = (asked.name()?, asked.partition_values.unwrap_or_default());
    change(glue, name, move |table| remove(table, &values)).await?;
    Ok(Reply::plain(json!({})))
}

pub(super) async fn delete_batch(glue: &Glue, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let (name, all) = (asked.name()?, asked.partitions_to_delete.unwrap_or_default());
    check_batch(all.len())?;
    let there = table(glue, &name).await?;
    let gone = all.iter().filter(|one| of_values(&there, &one.values).is_none());
    let errors: Vec<Value> = gone
        .map(|one| {
            let error = no_such_partition();
            json!({
                "PartitionValues": one.values,
                "ErrorDetail": { "ErrorCode": error.code, "ErrorMessage": error.message },
            })
        })
        .collect();
    change(glue, name, move |table| {
        for one in &all {
            // What is not there was told before.
            let _ = remove(table, &one.values);
        }
        Ok(())
    })
    .await?;
    Ok(Reply::plain(json!({ "Errors": errors })))
}
