//! From the settings file to a [`Table`]: every member is checked, and the first one that cannot be used is named.

use std::collections::BTreeSet;

use super::settings::{ColumnSettings, Format, Limits, OperationSettings, SourceSettings, TableSettings};
use super::{Column, Kind, OPERATION, Operation, POSITION, RANK, Source, Table, TableName};

/// Athena allows 255 bytes; this leaves room for the names that are derived from it.
const MOST_NAME_CHARS: usize = 120;
/// A MERGE names each column eight times; this many of the longest stay below the 262,144 bytes of a statement.
const MOST_COLUMNS: usize = 200;

/// A member of the settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` in the table's settings: {reason}")]
pub struct TableError {
    /// Where, such as `columns[2].type`.
    pub member: String,
    /// Why, and what to write instead.
    pub reason: String,
}

fn wrong<T>(member: impl Into<String>, reason: impl Into<String>) -> Result<T, TableError> {
    Err(TableError { member: member.into(), reason: reason.into() })
}

pub(super) fn table(settings: TableSettings) -> Result<Table, TableError> {
    let name = target(&settings.target)?;
    let location = settings.location.map(|location| folder(&location)).transpose()?;
    let columns = columns(&settings.columns, &settings.key, &settings.order_by, settings.source.format)?;
    let key = listed("key", &settings.key, &columns)?;
    if key.is_empty() {
        return wrong("key", "name the column or columns that together name a row");
    }
    let order_by = listed("order_by", &settings.order_by, &columns)?;
    let partitions =
        settings.partitioned_by.iter().map(|field| partition(field, &columns)).collect::<Result<_, _>>()?;
    let operation = settings.operation.map(|operation| words(operation, settings.source.format)).transpose()?;
    check_kept(&columns, &key, &order_by)?;
    let source = source(settings.source)?;
    check_fields(&source, &columns, operation.as_ref())?;
    Ok(Table {
        name,
        location,
        partitions,
        source,
        columns,
        key,
        order_by,
        operation,
        limits: limits(settings.limits)?,
        maintain_every: settings.maintenance.every_batches,
        keep_snapshots_days: settings.maintenance.keep_snapshots_days.max(1),
        views: settings.views,
    })
}

/// Letters, digits and `_` in lower case, as Athena keeps names.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.len() <= MOST_NAME_CHARS && text.bytes().all(plain)
}

fn target(text: &str) -> Result<TableName, TableError> {
    match text.split_once('.') {
        Some((database, table)) if is_name(database) && is_name(table) => {
            Ok(TableName { database: database.to_owned(), table: table.to_owned() })
        }
        _ => wrong("target", "write `database.table`, each of lower case letters, digits and `_`, 120 at most"),
    }
}

fn folder(location: &str) -> Result<String, TableError> {
    let rest = location.strip_prefix("s3://").unwrap_or_default();
    let is_folder = rest.split_once('/').is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
    if !is_folder || location.contains(['\'', '\\']) {
        return wrong("location", "write `s3://bucket/prefix/`");
    }
    Ok(if location.ends_with('/') { location.to_owned() } else { format!("{location}/") })
}

fn columns(
    settings: &[ColumnSettings],
    key: &[String],
    order_by: &[String],
    format: Format,
) -> Result<Vec<Column>, TableError> {
    if settings.is_empty() || settings.len() > MOST_COLUMNS {
        return wrong("columns", format!("declare between 1 and {MOST_COLUMNS} columns"));
    }
    let mut seen = BTreeSet::new();
    let mut columns = Vec::new();
    for (index, column) in settings.iter().enumerate() {
        let member = |part: &str| format!("columns[{index}].{part}");
        if !is_name(&column.name) || [OPERATION, POSITION, RANK].contains(&column.name.as_str()) {
            return wrong(member("name"), "write lower case letters, digits and `_`, and no name with `change_`");
        }
        if !seen.insert(&column.name) {
            return wrong(member("name"), format!("`{}` is declared twice", column.name));
        }
        let Some(kind) = Kind::parse(&column.kind) else {
            return wrong(
                member("type"),
                format!(
                    "`{}` is no type; write boolean, int, bigint, double, decimal(p,s), string, date, timestamp, \
                     array<string> or sequencer",
                    column.kind
                ),
            );
        };
        if let Some(reason) = column.default.as_ref().and_then(|default| kind.read_text(default).err()) {
            return wrong(member("default"), reason);
        }
        let from = path(&member("from"), column.from.as_ref().unwrap_or(&column.name), format)?;
        let required = key.contains(&column.name) || order_by.contains(&column.name);
        let (name, default) = (column.name.clone(), column.default.clone());
        columns.push(Column { name, kind, from, default, keep: column.keep, required });
    }
    Ok(columns)
}

/// A path into a JSON object; the name of a CSV field is one part, whatever it holds.
fn path(member: &str, from: &str, format: Format) -> Result<Vec<String>, TableError> {
    let parts: Vec<String> = match format {
        Format::Csv => vec![from.to_owned()],
        Format::JsonLines => from.split('.').map(str::to_owned).collect(),
    };
    if parts.iter().any(String::is_empty) {
        return wrong(member, "write the name of a field, or names with `.` between them");
    }
    Ok(parts)
}

fn listed(member: &str, names: &[String], columns: &[Column]) -> Result<Vec<String>, TableError> {
    for (index, name) in names.iter().enumerate() {
        let column = columns.iter().find(|column| column.name == *name);
        match column {
            None => return wrong(format!("{member}[{index}]"), format!("there is no column `{name}`")),
            Some(column) if !column.kind.is_scalar() => {
                return wrong(format!("{member}[{index}]"), format!("`{name}` is a list, which has no order"));
            }
            Some(_) if names[..index].contains(name) => {
                return wrong(format!("{member}[{index}]"), format!("`{name}` is named twice"));
            }
            Some(_) => {}
        }
    }
    Ok(names.to_vec())
}

/// A column, or a transform of one.
fn partition(field: &str, columns: &[Column]) -> Result<String, TableError> {
    let refuse = |reason: &str| wrong(format!("partitioned_by: {field}"), reason);
    let scalar = |name: &str| columns.iter().any(|column| column.name == name && column.kind.is_scalar());
    let Some((transform, arguments)) = field.trim().strip_suffix(')').and_then(|field| field.split_once('(')) else {
        let name = field.trim();
        return if scalar(name) { Ok(format!("`{name}`")) } else { refuse("it is no column, or a list") };
    };
    let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
    let (transform, name) = match (transform.trim().to_ascii_lowercase().as_str(), arguments.as_slice()) {
        (time @ ("year" | "month" | "day" | "hour"), [name]) => (format!("{time}("), *name),
        (counted @ ("bucket" | "truncate"), [count, name]) if count.parse::<u16>().is_ok_and(|count| count > 0) => {
            (format!("{counted}({count}, "), *name)
        }
        _ => return refuse("write a column, or year, month, day, hour(c), bucket(n, c) or truncate(n, c)"),
    };
    if scalar(name) { Ok(format!("{transform}`{name}`)")) } else { refuse("there is no such column, or it is a list") }
}

fn words(operation: OperationSettings, format: Format) -> Result<Operation, TableError> {
    let from = path("operation.from", &operation.from, format)?;
    if let Some(word) = operation.upsert.iter().find(|word| operation.delete.contains(word)) {
        return wrong("operation.delete", format!("`{word}` cannot mean both"));
    }
    Ok(Operation { from, upsert: operation.upsert, delete: operation.delete })
}

/// The first value of a kept column must not decide what is newer or which row it is.
fn check_kept(columns: &[Column], key: &[String], order_by: &[String]) -> Result<(), TableError> {
    let clash = |column: &&Column| column.keep && (key.contains(&column.name) || order_by.contains(&column.name));
    match columns.iter().find(clash) {
        Some(column) => wrong("columns", format!("`{}` is a key or ordering column; leave out `keep`", column.name)),
        None if columns.iter().any(|column| column.keep && !column.kind.is_scalar()) => {
            wrong("columns", "a list has no order; leave out `keep`")
        }
        None => Ok(()),
    }
}

fn source(settings: SourceSettings) -> Result<Source, TableError> {
    if !settings.csv.delimiter.is_ascii() || ['"', '\n', '\r'].contains(&settings.csv.delimiter) {
        return wrong("source.csv.delimiter", "write one ASCII character other than a quote or a line end");
    }
    if settings.prefix.is_empty() && settings.bucket.is_none() {
        return wrong("source.prefix", "name what the keys begin with, or the tables themselves would be read");
    }
    let SourceSettings { bucket, prefix, suffix, format, csv, late_days, remove_merged } = settings;
    Ok(Source { bucket, prefix, suffix, format, csv, late_days: late_days.clamp(1, 365), remove_merged })
}

/// Where the files have no header, the fields that are read must be among those that are named.
fn check_fields(source: &Source, columns: &[Column], operation: Option<&Operation>) -> Result<(), TableError> {
    let fields = &source.csv.fields;
    if source.format != Format::Csv || fields.is_empty() {
        return Ok(());
    }
    let read = columns.iter().map(|column| &column.from).chain(operation.map(|operation| &operation.from));
    match read.flatten().find(|name| !fields.contains(name)) {
        Some(name) => wrong("source.csv.fields", format!("the field `{name}` is read and not among them")),
        None => Ok(()),
    }
}

fn limits(limits: Limits) -> Result<Limits, TableError> {
    let within = (1..=5_000).contains(&limits.files)
        && (1..=5_000_000).contains(&limits.rows)
        && (1 << 10..=1 << 30).contains(&limits.bytes);
    if within { Ok(limits) } else { wrong("limits", "files: 1 to 5,000; rows: 1 to 5,000,000; bytes: 1 KiB to 1 GiB") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn settings() -> Value {
        json!({
            "target": "d.t", "key": ["id"], "order_by": ["at"],
            "source": {"bucket": "b", "prefix": "in/", "format": "csv"},
            "columns": [{"name": "id", "type": "bigint"}, {"name": "at", "type": "timestamp"}],
        })
    }

    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut value = settings();
        change(&mut value);
        match serde_json::from_value(value) {
            Ok(settings) => Table::new(settings).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        type Spoil<'a> = &'a dyn Fn(&mut Value);
        assert!(Table::new(serde_json::from_value(settings()).unwrap()).is_ok());
        let cases: [(Spoil<'_>, &str); 14] = [
            (&|value| value["target"] = json!("T"), "`target`"),
            (&|value| value["target"] = json!("d.t;drop"), "`target`"),
            (&|value| value["key"] = json!([]), "`key`"),
            (&|value| value["key"] = json!(["ID"]), "`key[0]` in the table's settings: there is no column `ID`"),
            (&|value| value["columns"][1]["type"] = json!("time"), "`columns[1].type`"),
            (&|value| value["columns"][1]["name"] = json!("id"), "declared twice"),
            (&|value| value["columns"][1]["name"] = json!("change_rank"), "`columns[1].name`"),
            (&|value| value["columns"][0]["default"] = json!("x"), "it is no bigint"),
            (&|value| value["partitioned_by"] = json!(["bucket(0, id)"]), "bucket(n, c)"),
            (&|value| value["partitioned_by"] = json!(["day(when)"]), "no such column"),
            (&|value| value["location"] = json!("s3://b/x'; --/"), "`location`"),
            (&|value| value["source"]["csv"] = json!({"fields": ["id"]}), "the field `at`"),
            (&|value| value["operation"] = json!({"from": "op", "delete": ["U"]}), "cannot mean both"),
            (&|value| value["sourse"] = json!({}), "unknown field `sourse`"),
        ];
        for (change, said) in cases {
            let message = refused(change);
            assert!(message.contains(said), "{said}: {message}");
        }
    }

    #[test]
    fn partitions_are_written_as_athena_reads_them() {
        let mut value = settings();
        value["partitioned_by"] = json!(["id", "BUCKET(16,id)", "day( at )"]);
        let table = Table::new(serde_json::from_value(value).unwrap()).unwrap();
        assert_eq!(table.partitions, ["`id`", "bucket(16, `id`)", "day(`at`)"]);
    }
}
