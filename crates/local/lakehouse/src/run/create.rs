//! `CREATE TABLE`, `CREATE EXTERNAL TABLE`, `CREATE TABLE AS`.

use std::collections::BTreeMap;

use super::Run;
use super::ddl::{until_done, was};
use crate::catalog::{Column, Entry, External, Format, TableName, checked};
use crate::change::Counts;
use crate::error::{Error, Result};
use crate::query::labels::check_stored;
use crate::sql::{CreateExternal, CreateIceberg, CreateTableAs, Definition, Position, RowFormat, Storage, unescaped};
use crate::table::append::create_with;
use crate::table::create::{NewTable, abandon, publish, unborn};
use crate::types::ColumnType;

/// Where a table goes: where it says, or below its database's location, or where the warehouse puts it.
pub(super) async fn located(run: &Run<'_>, name: &TableName, location: Option<String>) -> Result<Option<String>> {
    if location.is_some() {
        return Ok(location);
    }
    let database = run.shop.tables.catalog.database(&name.database).await?.value;
    let below = database.and_then(|database| database.location);
    Ok(below.map(|below| format!("{}/{}", below.trim_end_matches('/'), name.table)))
}

pub(super) async fn iceberg(run: &Run<'_>, statement: CreateIceberg) -> Result<()> {
    let Definition { name, if_not_exists, columns, comment, location, properties } = statement.definition;
    let name = name.full(run.database)?;
    let location = located(run, &name, location).await?;
    let partition_fields = statement.partition_fields;
    let new = NewTable { name, columns, partition_fields, location, comment, properties };
    until_done(&new.name.to_string(), async || {
        let was = was(run, &new.name).await?;
        if was.value.is_some() {
            let exists = Error::Exists(format!("`{}`", new.name));
            return if if_not_exists { Ok(Some(())) } else { Err(exists) };
        }
        let table = unborn(&run.shop.tables, &new, &was).await?;
        Ok(publish(&run.shop.tables, &table).await?.then_some(()))
    })
    .await
}

pub(super) async fn table_as(run: &Run<'_>, mut statement: CreateTableAs) -> Result<Counts> {
    let name = statement.name.full(run.database)?;
    let location = statement.properties.remove("location");
    let location = located(run, &name, location).await?;
    let scope = run.scope()?;
    let plan = scope.plan(*statement.query).await?;
    check_stored(plan.schema().as_arrow())?;
    let column = |field: &std::sync::Arc<datafusion::arrow::datatypes::Field>| {
        let column_type = ColumnType::of_arrow(field.data_type())?;
        Ok(Column { name: checked(field.name())?, column_type, comment: None })
    };
    let columns = plan.schema().fields().iter().map(column).collect::<Result<_>>()?;
    let properties = std::mem::take(&mut statement.properties);
    let partition_fields = std::mem::take(&mut statement.partition_fields);
    let new = NewTable { name, columns, partition_fields, location, comment: None, properties };
    let was = was(run, &new.name).await?;
    if was.value.is_some() {
        let exists = Error::Exists(format!("`{}`", new.name));
        return if statement.if_not_exists { Ok(Counts::default()) } else { Err(exists) };
    }
    let table = unborn(&run.shop.tables, &new, &was).await?;
    let made = if statement.with_data {
        create_with(&run.shop.tables, &table, scope.stream(plan).await?).await
    } else {
        publish(&run.shop.tables, &table).await.map(|published| published.then_some(0))
    };
    match made {
        Ok(Some(inserted)) => Ok(Counts { inserted, ..Counts::default() }),
        Ok(None) => {
            abandon(&run.shop.tables, &table).await;
            Err(Error::Exists(format!("`{}`", new.name)))
        }
        Err(error) => {
            abandon(&run.shop.tables, &table).await;
            Err(error)
        }
    }
}

/// Whether an Iceberg table is meant. Athena makes a table of files unless told otherwise.
pub(super) fn is_iceberg(properties: &mut BTreeMap<String, String>, position: Position) -> Result<bool> {
    let kind = properties.remove("table_type").unwrap_or_else(|| "HIVE".to_owned()).to_ascii_lowercase();
    let external = properties.remove("is_external");
    match (kind.as_str(), external.as_deref()) {
        ("iceberg", None | Some("false")) => Ok(true),
        ("hive", None | Some("true")) => Ok(false),
        ("iceberg" | "hive", Some(other)) => {
            Err(Error::Invalid(format!("a table of the type `{kind}` does not have `is_external = {other}`")))
        }
        _ => {
            let what = format!("`CREATE TABLE AS` with the table type `{kind}`");
            Err(Error::unsupported(position, what, "write table_type = 'ICEBERG', or leave it out"))
        }
    }
}

pub(super) async fn external(run: &Run<'_>, statement: CreateExternal) -> Result<()> {
    let format = format_of(&statement)?;
    let Definition { name, if_not_exists, columns, comment, location, properties } = statement.definition;
    let full = name.full(run.database)?;
    let missing = || Error::Invalid(format!("{}: an external table needs a LOCATION", statement.position));
    let location = run.shop.tables.warehouse.normal(&location.ok_or_else(missing)?)?;
    refuse_projection(&properties, statement.position)?;
    let partition_columns = statement.partition_columns;
    let partitions = Vec::new();
    let table =
        Entry::External(External { columns, partition_columns, format, location, comment, properties, partitions });
    until_done(&full.to_string(), async || {
        let was = was(run, &full).await?;
        if was.value.is_some() {
            let exists = Error::Exists(format!("`{full}`"));
            return if if_not_exists { Ok(Some(())) } else { Err(exists) };
        }
        Ok(run.shop.tables.catalog.set_entry(&full, was.number, &table).await?.then_some(()))
    })
    .await
}

/// With projection Athena makes up partitions without the catalog; read without it, the table would seem empty.
fn refuse_projection(properties: &BTreeMap<String, String>, position: Position) -> Result<()> {
    match properties.get("projection.enabled") {
        Some(value) if value.eq_ignore_ascii_case("true") => {
            Err(Error::unsupported(position, "partition projection", "leave it out and run MSCK REPAIR TABLE"))
        }
        _ => Ok(()),
    }
}

/// How the files are written, by the clauses that say so.
pub(super) fn format_of(statement: &CreateExternal) -> Result<Format> {
    let position = statement.position;
    let is_text = match &statement.storage {
        None => true,
        Some(Storage::Format(name)) => match name.as_str() {
            "textfile" => true,
            "parquet" => false,
            other => return Err(refused_format(position, other)),
        },
        Some(Storage::Classes { input }) => match input.rsplit('.').next().unwrap_or_default() {
            "TextInputFormat" => true,
            "MapredParquetInputFormat" => false,
            _ => return Err(refused_format(position, input)),
        },
    };
    match &statement.row_format {
        Some(RowFormat::Serde { class, properties }) => of_serde(statement, class, properties),
        None if !is_text => Ok(Format::Parquet),
        Some(RowFormat::Delimited { field, escape, null }) => delimited(statement, *field, *escape, null.clone()),
        None => delimited(statement, None, None, None),
    }
}

fn refused_format(position: Position, name: &str) -> Error {
    Error::unsupported(position, format!("the format `{name}`"), "use TEXTFILE or PARQUET")
}

fn header_lines(statement: &CreateExternal) -> Result<usize> {
    let Some(text) = statement.definition.properties.get("skip.header.line.count") else { return Ok(0) };
    text.parse().map_err(|_| Error::Invalid(format!("`skip.header.line.count` cannot be `{text}`")))
}

/// Hive's delimiter where a table names none.
const HIVE_DELIMITER: char = '\u{1}';

fn delimited(
    statement: &CreateExternal,
    field: Option<char>,
    escape: Option<char>,
    null: Option<String>,
) -> Result<Format> {
    simple_columns(statement, "delimited text")?;
    let skip_lines = header_lines(statement)?;
    let (field, null) = (field.unwrap_or(HIVE_DELIMITER), null.unwrap_or_else(|| "\\N".to_owned()));
    Ok(Format::Delimited { field, escape, null, skip_lines })
}

/// Text has no nested values that everybody would read alike.
fn simple_columns(statement: &CreateExternal, format: &str) -> Result<()> {
    let is_nested = |column: &&Column| {
        matches!(
            column.column_type,
            ColumnType::Array(_) | ColumnType::Map(..) | ColumnType::Struct(_) | ColumnType::Binary
        )
    };
    match statement.definition.columns.iter().find(is_nested) {
        Some(column) => {
            let what = format!("the type `{}` of `{}` in {format}", column.column_type, column.name);
            Err(Error::unsupported(statement.position, what, "declare it as string, or use JSON or Parquet files"))
        }
        None => Ok(()),
    }
}

fn of_serde(statement: &CreateExternal, class: &str, properties: &BTreeMap<String, String>) -> Result<Format> {
    let one = |name: &str, default: char| match properties.get(name) {
        None => Ok(default),
        Some(text) => {
            unescaped(text).ok_or_else(|| Error::Invalid(format!("`{name}` takes one character, not `{text}`")))
        }
    };
    match class {
        "org.openx.data.jsonserde.JsonSerDe"
        | "org.apache.hive.hcatalog.data.JsonSerDe"
        | "org.apache.hadoop.hive.serde2.JsonSerDe" => Ok(json(properties)),
        "org.apache.hadoop.hive.serde2.OpenCSVSerde" => {
            simple_columns(statement, "CSV")?;
            Ok(Format::Csv {
                separator: one("separatorChar", ',')?,
                quote: one("quoteChar", '"')?,
                escape: one("escapeChar", '\\')?,
                skip_lines: header_lines(statement)?,
            })
        }
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe" => {
            let field = one("serialization.format", HIVE_DELIMITER).ok().filter(|field| *field != '1');
            let field = one("field.delim", field.unwrap_or(HIVE_DELIMITER))?;
            let escape = properties.get("escape.delim").map(|_| one("escape.delim", '\\')).transpose()?;
            delimited(statement, Some(field), escape, properties.get("serialization.null.format").cloned())
        }
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" => Ok(Format::Parquet),
        other => {
            let instead = "use org.openx.data.jsonserde.JsonSerDe, org.apache.hadoop.hive.serde2.OpenCSVSerde, \
                           org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe or PARQUET";
            Err(Error::unsupported(statement.position, format!("the SerDe `{other}`"), instead))
        }
    }
}

fn json(properties: &BTreeMap<String, String>) -> Format {
    let is_true = |name: &str| properties.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mapped =
        |(key, value): (&String, &String)| Some((value.clone(), key.strip_prefix("mapping.")?.to_ascii_lowercase()));
    Format::Json {
        ignore_malformed: is_true("ignore.malformed.json"),
        mapping: properties.iter().filter_map(mapped).collect(),
    }
}
