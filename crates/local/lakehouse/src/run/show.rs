//! `SHOW …`, `DESCRIBE`, `EXPLAIN`: texts about names.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};

use super::Run;
use super::ddl::was;
use crate::catalog::{Column, Entry, External, Format, TableName};
use crate::error::{Error, Result};
use crate::lakehouse::Answer;
use crate::sql::{Described, Name, Show};
use crate::table::Loaded;
use crate::types::ColumnType;

pub(super) async fn show(run: &Run<'_>, what: Show) -> Result<Answer> {
    match what {
        Show::Databases { like } => {
            let names = run.shop.tables.catalog.databases().await?;
            one_column("database_name", names.into_iter().filter(|name| matches(like.as_deref(), name)))
        }
        Show::Tables { database, like } => tables(run, database, like.as_deref(), "tab_name", |_| true).await,
        Show::Views { database, like } => {
            tables(run, database, like.as_deref(), "views", |entry| matches!(entry, Entry::View(_))).await
        }
        Show::Columns(name) => {
            let (own, partitions) = columns(run, &name).await?;
            one_column("field", own.into_iter().chain(partitions).map(|column| column.name))
        }
        Show::Partitions(name) => partitions(run, &name).await,
        Show::CreateTable(name) => create_table(run, &name).await,
        Show::CreateView(name) => {
            let full = name.full(run.database)?;
            match was(run, &full).await?.value {
                Some(Entry::View(view)) => one_column("create view", [format!("CREATE VIEW {full} AS\n{}", view.sql)]),
                Some(_) => Err(Error::Invalid(format!("`{full}` is a table; write SHOW CREATE TABLE"))),
                None => Err(missing(&full)),
            }
        }
        Show::Properties { name, key } => properties(run, &name, key.as_deref()).await,
    }
}

fn missing(name: &TableName) -> Error {
    Error::Missing(format!("the table `{name}` does not exist"))
}

fn one_column(name: &str, texts: impl IntoIterator<Item = String>) -> Result<Answer> {
    let rows: Vec<Vec<String>> = texts.into_iter().map(|text| vec![text]).collect();
    Answer::texts(&[name], &rows)
}

/// Hive's pattern: `*` is any text, `|` is or.
fn matches(pattern: Option<&str>, name: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    pattern.to_lowercase().split('|').any(|one| {
        let parts: Vec<String> = one.split(['*', '%']).map(regex::escape).collect();
        regex::Regex::new(&format!("^{}$", parts.join(".*"))).is_ok_and(|pattern| pattern.is_match(name))
    })
}

async fn tables(
    run: &Run<'_>,
    database: Option<String>,
    like: Option<&str>,
    column: &str,
    shown: impl Fn(&Entry) -> bool,
) -> Result<Answer> {
    let database = database.unwrap_or_else(|| run.database.to_owned());
    let catalog = &run.shop.tables.catalog;
    if catalog.database(&database).await?.value.is_none() {
        return Err(Error::Missing(format!("the database `{database}` does not exist")));
    }
    let all = catalog.tables(&database).await?.into_iter();
    one_column(column, all.filter(|(name, entry)| shown(entry) && matches(like, name)).map(|(name, _)| name))
}

/// The columns of an Iceberg table.
pub(crate) fn iceberg_columns(loaded: &Loaded) -> Result<Vec<Column>> {
    let fields = loaded.metadata().current_schema().as_struct().fields();
    let column = |field: &iceberg::spec::NestedFieldRef| {
        let column_type = ColumnType::of_iceberg(&field.field_type)?;
        Ok(Column { name: field.name.clone(), column_type, comment: field.doc.clone() })
    };
    fields.iter().map(column).collect()
}

/// The columns of a table or view, and those that an external table is partitioned by.
async fn columns(run: &Run<'_>, name: &Name) -> Result<(Vec<Column>, Vec<Column>)> {
    let full = name.full(run.database)?;
    match was(run, &full).await?.value {
        Some(Entry::Iceberg { .. }) => Ok((iceberg_columns(&run.shop.tables.load(&full).await?)?, Vec::new())),
        Some(Entry::External(table)) => Ok((table.columns, table.partition_columns)),
        Some(Entry::View(view)) => Ok((view.columns, Vec::new())),
        _ => Err(missing(&full)),
    }
}

async fn partitions(run: &Run<'_>, name: &Name) -> Result<Answer> {
    let full = name.full(run.database)?;
    let Some(Entry::External(table)) = was(run, &full).await?.value else {
        let message =
            format!("`{full}` is no external table; `\"{}$files\"` shows an Iceberg table's files", full.table);
        return Err(Error::Invalid(message));
    };
    let text = |partition: &crate::catalog::Partition| {
        let named = table.partition_columns.iter().zip(&partition.values);
        let part = |(column, value): (&Column, &Option<String>)| {
            format!("{}={}", column.name, value.as_deref().unwrap_or("__HIVE_DEFAULT_PARTITION__"))
        };
        named.map(part).collect::<Vec<_>>().join("/")
    };
    one_column("partition", table.partitions.iter().map(text).collect::<Vec<_>>())
}

pub(super) async fn describe(run: &Run<'_>, name: &Name, of: Described) -> Result<Answer> {
    let (own, partitions) = columns(run, name).await?;
    let row = |column: &Column| {
        vec![column.name.clone(), column.column_type.to_string(), column.comment.clone().unwrap_or_default()]
    };
    let mut rows: Vec<Vec<String>> = own.iter().chain(&partitions).map(row).collect();
    if !partitions.is_empty() {
        rows.push(vec!["# Partition Information".to_owned()]);
        rows.extend(partitions.iter().map(row));
    }
    let full = name.full(run.database)?;
    if of != Described::View && matches!(was(run, &full).await?.value, Some(Entry::Iceberg { .. })) {
        let loaded = run.shop.tables.load(&full).await?;
        rows.extend(spec_rows(&loaded));
        if of == Described::Everything {
            rows.push(vec!["# Location".to_owned(), loaded.metadata().location().to_owned()]);
        }
    }
    Answer::texts(&["col_name", "data_type", "comment"], &rows)
}

fn spec_rows(loaded: &Loaded) -> Vec<Vec<String>> {
    let spec = loaded.metadata().default_partition_spec();
    if spec.is_unpartitioned() {
        return Vec::new();
    }
    let schema = loaded.metadata().current_schema();
    let source = |id| schema.name_by_field_id(id).unwrap_or_default().to_owned();
    let heads = [
        vec!["# Partition spec".to_owned()],
        vec!["# field_name".to_owned(), "field_transform".to_owned(), "column_name".to_owned()],
    ];
    let row = |field: &iceberg::spec::PartitionField| {
        vec![field.name.clone(), field.transform.to_string(), source(field.source_id)]
    };
    heads.into_iter().chain(spec.fields().iter().map(row)).collect()
}

async fn create_table(run: &Run<'_>, name: &Name) -> Result<Answer> {
    let full = name.full(run.database)?;
    let text = match was(run, &full).await?.value {
        Some(Entry::Iceberg { .. }) => of_iceberg(&full, &run.shop.tables.load(&full).await?)?,
        Some(Entry::External(table)) => of_external(&full, &table),
        Some(Entry::View(_)) => return Err(Error::Invalid(format!("`{full}` is a view; write SHOW CREATE VIEW"))),
        _ => return Err(missing(&full)),
    };
    one_column("createtab_stmt", text.lines().map(str::to_owned).collect::<Vec<_>>())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn listed(columns: &[Column]) -> String {
    let one = |column: &Column| {
        let comment = column.comment.as_ref().map(|comment| format!(" COMMENT {}", quoted(comment)));
        format!("  {} {}{}", column.name, column.column_type, comment.unwrap_or_default())
    };
    columns.iter().map(one).collect::<Vec<_>>().join(",\n")
}

fn property_list<'a>(properties: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    properties.map(|(key, value)| format!("  {}={}", quoted(key), quoted(value))).collect::<Vec<_>>().join(",\n")
}

/// The properties that a statement may set.
fn athena_properties(loaded: &Loaded) -> std::collections::BTreeMap<&String, &String> {
    loaded.metadata().properties().iter().filter(|(key, _)| !key.contains('.') && *key != "comment").collect()
}

fn of_iceberg(name: &TableName, loaded: &Loaded) -> Result<String> {
    let metadata = loaded.metadata();
    let schema = metadata.current_schema();
    let mut text = format!("CREATE TABLE {name} (\n{})\n", listed(&iceberg_columns(loaded)?));
    let field = |field: &iceberg::spec::PartitionField| {
        let column = schema.name_by_field_id(field.source_id).unwrap_or_default();
        match field.transform {
            iceberg::spec::Transform::Identity => column.to_owned(),
            iceberg::spec::Transform::Bucket(count) => format!("bucket({count}, {column})"),
            iceberg::spec::Transform::Truncate(width) => format!("truncate({width}, {column})"),
            other => format!("{other}({column})"),
        }
    };
    let fields: Vec<String> = metadata.default_partition_spec().fields().iter().map(field).collect();
    if !fields.is_empty() {
        let _ = writeln!(text, "PARTITIONED BY ({})", fields.join(", "));
    }
    let _ = write!(text, "LOCATION {}\nTBLPROPERTIES (\n  'table_type'='iceberg'", quoted(metadata.location()));
    let properties = property_list(athena_properties(loaded).into_iter());
    if !properties.is_empty() {
        let _ = write!(text, ",\n{properties}");
    }
    text.push(')');
    Ok(text)
}

fn of_external(name: &TableName, table: &External) -> String {
    let mut text = format!("CREATE EXTERNAL TABLE {name} (\n{})\n", listed(&table.columns));
    if !table.partition_columns.is_empty() {
        let _ = write!(text, "PARTITIONED BY (\n{})\n", listed(&table.partition_columns));
    }
    text.push_str(&of_format(&table.format));
    let _ = write!(text, "LOCATION {}", quoted(&table.location));
    if !table.properties.is_empty() {
        let _ = write!(text, "\nTBLPROPERTIES (\n{})", property_list(table.properties.iter()));
    }
    text
}

/// A character as DDL writes it.
fn character(one: char) -> String {
    if one.is_control() { format!("'\\u{:04x}'", u32::from(one)) } else { quoted(&one.to_string()) }
}

fn of_format(format: &Format) -> String {
    match format {
        Format::Parquet => "STORED AS PARQUET\n".to_owned(),
        Format::Delimited { field, escape, null, .. } => {
            let escape = escape.map(|escape| format!(" ESCAPED BY {}", character(escape))).unwrap_or_default();
            format!(
                "ROW FORMAT DELIMITED FIELDS TERMINATED BY {}{escape} NULL DEFINED AS {}\nSTORED AS TEXTFILE\n",
                character(*field),
                quoted(null)
            )
        }
        Format::Csv { separator, quote, escape, .. } => format!(
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'\nWITH SERDEPROPERTIES (\n  \
             'separatorChar'={},\n  'quoteChar'={},\n  'escapeChar'={})\nSTORED AS TEXTFILE\n",
            character(*separator),
            character(*quote),
            character(*escape)
        ),
        Format::Json { ignore_malformed, mapping } => {
            let mapped = mapping.iter().map(|(key, column)| (format!("mapping.{column}"), key.clone()));
            let ignored = ("ignore.malformed.json".to_owned(), ignore_malformed.to_string());
            let properties: std::collections::BTreeMap<String, String> = mapped.chain([ignored]).collect();
            format!(
                "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nWITH SERDEPROPERTIES (\n{})\nSTORED AS TEXTFILE\n",
                property_list(properties.iter())
            )
        }
    }
}

async fn properties(run: &Run<'_>, name: &Name, key: Option<&str>) -> Result<Answer> {
    let full = name.full(run.database)?;
    let all: Vec<(String, String)> = match was(run, &full).await?.value {
        Some(Entry::Iceberg { .. }) => {
            let loaded = run.shop.tables.load(&full).await?;
            athena_properties(&loaded).into_iter().map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        Some(Entry::External(table)) => table.properties.into_iter().collect(),
        _ => return Err(missing(&full)),
    };
    let shown = all.into_iter().filter(|(name, _)| key.is_none_or(|key| key == name));
    let rows: Vec<Vec<String>> = shown.map(|(key, value)| vec![key, value]).collect();
    Answer::texts(&["prpt_name", "prpt_value"], &rows)
}

/// A plan as lines of text.
pub(super) fn explained(batches: &[RecordBatch]) -> Result<Answer> {
    let mut lines = Vec::new();
    for batch in batches {
        let (kinds, plans) = (batch.column(0).as_string_opt::<i32>(), batch.column(1).as_string_opt::<i32>());
        let (Some(kinds), Some(plans)) = (kinds, plans) else { continue };
        for row in 0..kinds.len() {
            lines.push(format!("{}:", kinds.value(row)));
            lines.extend(plans.value(row).lines().map(str::to_owned));
        }
    }
    one_column("Query Plan", lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_hives() {
        for (pattern, name, expected) in [
            ("a*", "abc", true),
            ("a*|b*", "bcd", true),
            ("A*", "abc", true),
            ("a.c", "abc", false),
            ("*b", "abc", false),
        ] {
            assert_eq!(matches(Some(pattern), name), expected, "{pattern} {name}");
        }
    }
}
