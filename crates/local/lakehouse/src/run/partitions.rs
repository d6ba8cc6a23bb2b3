//! Partitions of external tables: `MSCK REPAIR TABLE`, `ALTER TABLE … ADD`/`DROP PARTITION`, and the other changes that
//! an external table knows. <https://docs.aws.amazon.com/athena/latest/ug/msck-repair-table.html>.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::catalog::MemTable;
use futures::TryStreamExt;
use object_store::ObjectStore;
use percent_encoding::percent_decode_str;

use super::Run;
use super::ddl::{until_done, was};
use crate::catalog::{Entry, External, Partition, TableName};
use crate::error::{Error, Result, query as failed, store};
use crate::external::{ExternalTable, NUMBER};
use crate::lakehouse::Shop;
use crate::session::Meter;
use crate::sql::{Alteration, Name, parse_query};

/// As many partitions one table may have; they are kept in one object.
const MOST_PARTITIONS: usize = 100_000;
/// The name that Hive gives to the partition of nulls.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Changes an external table's entry.
async fn change(
    run: &Run<'_>,
    name: &TableName,
    mut change: impl AsyncFnMut(External) -> Result<External>,
) -> Result<()> {
    until_done(&name.to_string(), async || {
        let was = was(run, name).await?;
        let Some(Entry::External(table)) = was.value else {
            return Err(Error::Invalid(format!("`{name}` is no external table")));
        };
        let mut table = change(table).await?;
        table.partitions.sort();
        if table.partitions.len() > MOST_PARTITIONS {
            let message = format!("`{name}` would have more than {MOST_PARTITIONS} partitions; use an Iceberg table");
            return Err(Error::Invalid(message));
        }
        Ok(run.shop.tables.catalog.set_entry(name, was.number, &Entry::External(table)).await?.then_some(()))
    })
    .await
}

/// Adds the partitions that lie below the table's location in folders named `column=value`.
pub(super) async fn repair(run: &Run<'_>, name: &Name) -> Result<()> {
    let name = name.full(run.database)?;
    change(run, &name, async |mut table| {
        if table.partition_columns.is_empty() {
            return Err(Error::Invalid(format!("`{name}` is not partitioned")));
        }
        let known: BTreeSet<Vec<Option<String>>> =
            table.partitions.iter().map(|partition| partition.values.clone()).collect();
        let found = found(run, &table).await?;
        table.partitions.extend(found.into_iter().filter(|partition| !known.contains(&partition.values)));
        Ok(table)
    })
    .await
}

/// The partitions of a table that a condition on its partition columns wants.
pub(crate) async fn partitions_where(shop: &Arc<Shop>, name: &TableName, condition: &str) -> Result<Vec<Partition>> {
    let meter = Meter::default();
    let run = Run { shop, database: &name.database, meter: &meter };
    let Some(Entry::External(table)) = was(&run, name).await?.value else {
        return Err(Error::Invalid(format!("`{name}` is no external table")));
    };
    let partitions = table.partitions.clone();
    let values = ExternalTable::new(shop.tables.warehouse.clone(), table).numbered_partitions()?;
    let values = MemTable::try_new(values.schema(), vec![vec![values]]).map_err(failed("keep the partitions"))?;
    let scope = run.scope()?;
    let named = scope.temporary("partitions", Arc::new(values))?;
    let query = parse_query(&format!("SELECT {NUMBER} FROM {named} WHERE {condition}"))?;
    let mut wanted = BTreeSet::new();
    for batch in scope.collect(scope.plan(*query).await?).await? {
        wanted.extend(batch.column(0).as_primitive::<Int64Type>().values().iter().copied());
    }
    let numbered = (0_i64..).zip(partitions);
    Ok(numbered.filter(|(number, _)| wanted.contains(number)).map(|(_, partition)| partition).collect())
}

async fn found(run: &Run<'_>, table: &External) -> Result<BTreeSet<Partition>> {
    let warehouse = &run.shop.tables.warehouse;
    let folder = warehouse.path(&table.location)?;
    let mut found = BTreeSet::new();
    let mut listed = warehouse.store().list(Some(&folder));
    while let Some(meta) = listed.try_next().await.map_err(store(format!("list `{}`", table.location)))? {
        let Some(parts) = meta.location.prefix_match(&folder) else { continue };
        let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
        let count = table.partition_columns.len();
        if parts.len() <= count {
            continue;
        }
        let named = table.partition_columns.iter().zip(&parts).map(|(column, part)| value_of(&column.name, part));
        if let Some(values) = named.collect::<Option<Vec<_>>>() {
            let location = format!("{}/{}", table.location.trim_end_matches('/'), parts[..count].join("/"));
            found.insert(Partition { values, location });
        }
    }
    Ok(found)
}

/// Null is Hive's default partition.
type PartitionValue = Option<String>;

/// The value in `column=value`, as Hive writes it in a path.
fn value_of(column: &str, part: &str) -> Option<PartitionValue> {
    let (name, value) = part.split_once('=')?;
    if !name.eq_ignore_ascii_case(column) {
        return None;
    }
    let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
    Some((value != NULL_PARTITION).then_some(value))
}

/// Changes an external table.
pub(super) async fn alter(run: &Run<'_>, name: &TableName, wanted: Alteration) -> Result<()> {
    let warehouse = &run.shop.tables.warehouse;
    change(run, name, async |mut table| {
        match &wanted {
            Alteration::AddPartitions { if_not_exists, partitions } => {
                for (values, location) in partitions {
                    add(warehouse, &mut table, values, location.as_deref(), *if_not_exists)?;
                }
            }
            Alteration::DropPartitions { if_exists, partitions } => {
                for values in partitions {
                    drop_one(&mut table, values, *if_exists)?;
                }
            }
            Alteration::AddColumns(columns) => {
                table.columns.extend(columns.clone());
                let mut names = BTreeSet::new();
                let mut all = table.columns.iter().chain(&table.partition_columns);
                if let Some(twice) = all.find(|column| !names.insert(column.name.clone())) {
                    return Err(Error::Exists(format!("the column `{}`", twice.name)));
                }
            }
            Alteration::SetProperties(properties) => table.properties.extend(properties.clone()),
            Alteration::SetLocation(location) => table.location = warehouse.normal(location)?,
            _ => {
                let message = "an external table's columns can be added; for other changes drop the table and create it anew, its files stay";
                return Err(Error::Invalid(message.to_owned()));
            }
        }
        Ok(table)
    })
    .await
}

/// The values in the order of the partition columns.
fn ordered(table: &External, values: &[(String, String)]) -> Result<Vec<Option<String>>> {
    let columns = &table.partition_columns;
    let value = |column: &crate::catalog::Column| {
        let given = values.iter().find(|(name, _)| *name == column.name);
        given.map(|(_, value)| (value != NULL_PARTITION).then(|| value.clone()))
    };
    let ordered: Option<Vec<_>> = columns.iter().map(value).collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let wrong = || Error::Invalid(format!("a partition of this table needs a value for each of: {}", names.join(", ")));
    ordered.filter(|ordered| ordered.len() == values.len() && !ordered.is_empty()).ok_or_else(wrong)
}

fn add(
    warehouse: &crate::warehouse::Warehouse,
    table: &mut External,
    values: &[(String, String)],
    location: Option<&str>,
    if_not_exists: bool,
) -> Result<()> {
    let ordered = ordered(table, values)?;
    if table.partitions.iter().any(|partition| partition.values == ordered) {
        let exists = Error::Exists(format!("the partition {values:?}"));
        return if if_not_exists { Ok(()) } else { Err(exists) };
    }
    let location = if let Some(location) = location {
        warehouse.normal(location)?
    } else {
        let named = table.partition_columns.iter().zip(&ordered);
        let parts =
            named.map(|(column, value)| format!("{}={}", column.name, value.as_deref().unwrap_or(NULL_PARTITION)));
        format!("{}/{}", table.location.trim_end_matches('/'), parts.collect::<Vec<_>>().join("/"))
    };
    table.partitions.push(Partition { values: ordered, location });
    Ok(())
}

fn drop_one(table: &mut External, values: &[(String, String)], if_exists: bool) -> Result<()> {
    let ordered = ordered(table, values)?;
    let before = table.partitions.len();
    table.partitions.retain(|partition| partition.values != ordered);
    if table.partitions.len() == before && !if_exists {
        return Err(Error::Missing(format!("there is no partition {values:?}")));
    }
    Ok(())
}
