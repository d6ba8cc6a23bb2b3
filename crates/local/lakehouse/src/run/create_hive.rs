//! `CREATE TABLE AS` for tables of Parquet files, and `UNLOAD`: a query's rows as files that other engines read.
//! <https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/unload.html>.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;
use object_store::ObjectStore;

use super::Run;
use super::ddl::was;
use crate::catalog::{Column, Entry, External, Format, checked};
use crate::effects::file_name;
use crate::error::{Error, Result, store};
use crate::external::write::{Place, Written, remove, write};
use crate::query::labels::check_stored;
use crate::sql::{CreateTableAs, Position, Transform, Unload};
use crate::table::properties::{Codec, compression};
use crate::types::ColumnType;

/// The columns that a query's rows are stored in.
fn columns(plan: &LogicalPlan) -> Result<(Vec<Column>, SchemaRef)> {
    check_stored(plan.schema().as_arrow())?;
    let column = |field: &Arc<Field>| {
        let column_type = ColumnType::of_arrow(field.data_type())?;
        Ok(Column { name: checked(field.name())?, column_type, comment: None })
    };
    let columns: Vec<Column> = plan.schema().fields().iter().map(column).collect::<Result<_>>()?;
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(&column.name, column.column_type.arrow(), true)).collect();
    Ok((columns, Arc::new(Schema::new(fields))))
}

/// What the properties say of files; what is not known is refused by name.
struct Files {
    location: Option<String>,
    codec: Codec,
}

fn files(mut properties: BTreeMap<String, String>, position: Position, must_say: bool) -> Result<Files> {
    let format = properties.remove("format");
    let is_parquet = format.as_deref().is_some_and(|format| format.eq_ignore_ascii_case("parquet"));
    if !is_parquet && (must_say || format.is_some()) {
        let format = format.unwrap_or_else(|| "ORC".to_owned());
        return Err(Error::unsupported(position, format!("the format `{format}`"), "write format = 'PARQUET'"));
    }
    let mut codec = Codec::Snappy;
    for name in ["write_compression", "parquet_compression", "compression"] {
        if let Some(text) = properties.remove(name) {
            codec = compression(&text).ok_or_else(|| {
                Error::unsupported(position, format!("the compression `{text}`"), "write SNAPPY, GZIP, ZSTD or NONE")
            })?;
        }
    }
    let location = properties.remove("external_location");
    match properties.keys().next() {
        None => Ok(Files { location, codec }),
        Some(other) => {
            let instead = "use format, external_location, partitioned_by and write_compression";
            Err(Error::unsupported(position, format!("the property `{other}`"), instead))
        }
    }
}

/// The names of the columns of partitions, which must be the last of the query.
fn partition_names(statement: &CreateTableAs, columns: &[Column]) -> Result<usize> {
    let fields = &statement.partition_fields;
    if let Some(other) = fields.iter().find(|field| field.transform != Transform::Identity) {
        let instead = "name a column, or write WITH (table_type = 'ICEBERG', is_external = false)";
        return Err(Error::unsupported(other.position, "a transform in the partitions of a table of files", instead));
    }
    let last = columns.iter().skip(columns.len().saturating_sub(fields.len()));
    if fields.len() >= columns.len() && !fields.is_empty()
        || !last.map(|column| &column.name).eq(fields.iter().map(|field| &field.column))
    {
        let names: Vec<&str> = fields.iter().map(|field| field.column.as_str()).collect();
        let message = format!(
            "the columns of partitions ({}) must be the last ones of the query, in their order",
            names.join(", ")
        );
        return Err(Error::Invalid(message));
    }
    Ok(fields.len())
}

/// Refuses a folder that holds files: they would be read as rows of the new table.
async fn refuse_used(run: &Run<'_>, location: &str) -> Result<()> {
    let folder = run.shop.tables.warehouse.path(location)?;
    let mut listed = run.shop.tables.warehouse.store().list(Some(&folder));
    while let Some(meta) = listed.try_next().await.map_err(store(format!("list `{location}`")))? {
        if meta.size > 0 {
            return Err(Error::Invalid(format!("HIVE_PATH_ALREADY_EXISTS: the location `{location}` is not empty")));
        }
    }
    Ok(())
}

/// Makes a table of files out of a query.
pub(super) async fn table_as(run: &Run<'_>, mut statement: CreateTableAs) -> Result<Written> {
    let name = statement.name.full(run.database)?;
    let Files { location, codec } = files(std::mem::take(&mut statement.properties), statement.name.position, false)?;
    let scope = run.scope()?;
    let plan = scope.plan((*statement.query).clone()).await?;
    let (mut columns, schema) = columns(&plan)?;
    let partition_count = partition_names(&statement, &columns)?;
    let before = was(run, &name).await?;
    if before.value.is_some() {
        let exists = Error::Exists(format!("`{name}`"));
        return if statement.if_not_exists { Ok(Written::default()) } else { Err(exists) };
    }
    let tables = &run.shop.tables;
    let suffix = file_name(tables.identifiers.next());
    let location = match super::create::located(run, &name, location).await? {
        Some(location) => tables.warehouse.normal(&location)?,
        None => tables.warehouse.default_location(&name.database, &name.table, &suffix),
    };
    refuse_used(run, &location).await?;
    let partition_columns = columns.split_off(columns.len() - partition_count);
    let written = if statement.with_data {
        let partition_columns = partition_columns.as_slice();
        let place =
            Place { warehouse: &tables.warehouse, folder: &location, schema, partition_columns, codec, prefix: suffix };
        write(&place, scope.stream(plan).await?).await?
    } else {
        Written::default()
    };
    let mut partitions = written.partitions.clone();
    partitions.sort();
    let properties = BTreeMap::from([("classification".to_owned(), "parquet".to_owned())]);
    let entry = External {
        columns,
        partition_columns,
        format: Format::Parquet,
        location,
        comment: None,
        properties,
        partitions,
    };
    if tables.catalog.set_entry(&name, before.number, &Entry::External(entry)).await? {
        return Ok(written);
    }
    remove(&tables.warehouse, &written.files).await;
    Err(Error::Exists(format!("`{name}`")))
}

/// Writes a query's rows into a folder.
pub(super) async fn unload(run: &Run<'_>, statement: Unload) -> Result<Written> {
    let Files { location, codec } = files(statement.properties, statement.position, true)?;
    if location.is_some() {
        return Err(Error::Invalid("the place of an UNLOAD is behind TO".to_owned()));
    }
    let tables = &run.shop.tables;
    let folder = tables.warehouse.normal(&statement.to)?;
    refuse_used(run, &folder).await?;
    let scope = run.scope()?;
    let plan = scope.plan(*statement.query).await?;
    let (_, schema) = columns(&plan)?;
    let prefix = file_name(tables.identifiers.next());
    let place = Place { warehouse: &tables.warehouse, folder: &folder, schema, partition_columns: &[], codec, prefix };
    write(&place, scope.stream(plan).await?).await
}
