//! `CREATE DATABASE`, `CREATE TABLE`, `CREATE TABLE AS`, `CREATE VIEW`.
//! <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html>.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::statement::{CreateIceberg, CreateTableAs, Definition, Name, PartitionField, Statement, Transform, Unload};
use super::{dml, external, types};
use crate::catalog::{Column, checked};
use crate::error::{Error, Result};

pub(super) fn read(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("CREATE")?;
    let position = cursor.position();
    if cursor.take("DATABASE") || cursor.take("SCHEMA") {
        return database(cursor);
    }
    if cursor.take("EXTERNAL TABLE") {
        return external::read(cursor, position);
    }
    if cursor.take("TABLE") {
        return table(cursor);
    }
    if cursor.take("OR REPLACE VIEW") {
        return view(cursor, true);
    }
    if cursor.take("VIEW") {
        return view(cursor, false);
    }
    let word = cursor.word().ok_or_else(|| cursor.expected("DATABASE, TABLE, EXTERNAL TABLE or VIEW"))?;
    Err(Error::unsupported(position, format!("`CREATE {word}`"), "create a DATABASE, TABLE, EXTERNAL TABLE or VIEW"))
}

fn database(cursor: &mut Cursor) -> Result<Statement> {
    let if_not_exists = cursor.take("IF NOT EXISTS");
    let name = checked(&cursor.identifier()?)?;
    let comment = comment(cursor)?;
    let location = location(cursor)?;
    Ok(Statement::CreateDatabase { name, if_not_exists, comment, location })
}

pub(super) fn comment(cursor: &mut Cursor) -> Result<Option<String>> {
    if cursor.take("COMMENT") { Ok(Some(cursor.string()?)) } else { Ok(None) }
}

pub(super) fn location(cursor: &mut Cursor) -> Result<Option<String>> {
    if cursor.take("LOCATION") { Ok(Some(cursor.string()?)) } else { Ok(None) }
}

pub(super) fn properties(cursor: &mut Cursor) -> Result<BTreeMap<String, String>> {
    let property = |cursor: &mut Cursor| {
        let key = cursor.string()?;
        cursor.expect_token(&Token::Eq)?;
        Ok((key, cursor.string()?))
    };
    Ok(cursor.list(property)?.into_iter().collect())
}

pub(super) fn column(cursor: &mut Cursor) -> Result<Column> {
    let name = checked(&cursor.identifier()?)?;
    let column_type = types::read(cursor, 0)?;
    if cursor.word().as_deref() == Some("NOT") {
        let position = cursor.position();
        return Err(Error::unsupported(position, "`NOT NULL`", "leave it out: every column may be null in Athena"));
    }
    Ok(Column { name, column_type, comment: comment(cursor)? })
}

pub(super) fn unique(columns: &[Column]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    match columns.iter().find(|column| !seen.insert(column.name.as_str())) {
        Some(twice) => Err(Error::Invalid(format!("the column `{}` is declared twice", twice.name))),
        None => Ok(()),
    }
}

fn table(cursor: &mut Cursor) -> Result<Statement> {
    let if_not_exists = cursor.take("IF NOT EXISTS");
    let name = cursor.name()?;
    if matches!(cursor.word().as_deref(), Some("WITH" | "AS")) {
        return table_as(cursor, name, if_not_exists);
    }
    let columns = cursor.list(column)?;
    unique(&columns)?;
    let table_comment = comment(cursor)?;
    let partition_fields = if cursor.take("PARTITIONED BY") { cursor.list(partition_field)? } else { Vec::new() };
    let location = location(cursor)?;
    let position = cursor.position();
    let mut properties = if cursor.take("TBLPROPERTIES") { properties(cursor)? } else { BTreeMap::new() };
    let kind = properties.remove("table_type");
    if kind.as_deref().is_some_and(|kind| !kind.eq_ignore_ascii_case("iceberg")) {
        let instead = "write 'table_type'='ICEBERG', or CREATE EXTERNAL TABLE";
        return Err(Error::unsupported(position, format!("the table type `{}`", kind.unwrap_or_default()), instead));
    }
    let definition = Definition { name, if_not_exists, columns, comment: table_comment, location, properties };
    Ok(Statement::CreateIceberg(CreateIceberg { definition, partition_fields }))
}

/// `category` or `bucket(16, id)`.
fn partition_field(cursor: &mut Cursor) -> Result<PartitionField> {
    let position = cursor.position();
    let word = cursor.identifier()?;
    if cursor.peek() != Some(&Token::LParen) {
        return Ok(PartitionField { column: word, transform: Transform::Identity, position });
    }
    cursor.skip();
    let transform = match word.as_str() {
        "year" | "years" => Transform::Year,
        "month" | "months" => Transform::Month,
        "day" | "days" => Transform::Day,
        "hour" | "hours" => Transform::Hour,
        "bucket" => Transform::Bucket(sized(cursor)?),
        "truncate" => Transform::Truncate(sized(cursor)?),
        other => {
            let instead = "use year, month, day, hour, bucket(n, column) or truncate(n, column)";
            return Err(Error::unsupported(position, format!("the partition transform `{other}`"), instead));
        }
    };
    let column = cursor.identifier()?;
    cursor.expect_token(&Token::RParen)?;
    Ok(PartitionField { column, transform, position })
}

fn sized(cursor: &mut Cursor) -> Result<u32> {
    let position = cursor.position();
    let size = cursor.number()?;
    cursor.expect_token(&Token::Comma)?;
    if size == 0 {
        return Err(Error::Syntax { position, message: "expected a number above zero".to_owned() });
    }
    Ok(size)
}

/// One field out of its text, as `partitioning = ARRAY['bucket(16, id)']` has it.
fn partition_field_of(text: &str) -> Result<PartitionField> {
    let mut cursor = Cursor::new(text)?;
    let field = partition_field(&mut cursor)?;
    cursor.end()?;
    Ok(field)
}

fn table_as(cursor: &mut Cursor, name: Name, if_not_exists: bool) -> Result<Statement> {
    let (mut properties, mut partition_fields) = (BTreeMap::new(), Vec::new());
    if cursor.take("WITH") {
        for (key, value) in cursor.list(with_property)? {
            match value {
                Value::Array(fields) if matches!(key.as_str(), "partitioned_by" | "partitioning") => {
                    partition_fields = fields.iter().map(|field| partition_field_of(field)).collect::<Result<_>>()?;
                }
                Value::Array(_) => {
                    let instead =
                        "leave it out; an Iceberg table with partitioning = ARRAY['bucket(n, column)'] does it";
                    return Err(Error::unsupported(cursor.position(), format!("the property `{key}`"), instead));
                }
                Value::Text(text) => drop(properties.insert(key, text)),
            }
        }
    }
    cursor.expect("AS")?;
    let with_data = !cursor.take_last("WITH NO DATA");
    cursor.take_last("WITH DATA");
    let query = dml::query(cursor)?;
    Ok(Statement::CreateTableAs(CreateTableAs { name, if_not_exists, properties, partition_fields, query, with_data }))
}

/// `UNLOAD (query) TO 'place' WITH (properties)`.
pub(super) fn unload(cursor: &mut Cursor) -> Result<Statement> {
    let position = cursor.position();
    cursor.expect("UNLOAD")?;
    let query = dml::query(&mut cursor.parenthesised()?)?;
    cursor.expect("TO")?;
    let to = cursor.string()?;
    let mut properties = BTreeMap::new();
    if cursor.take("WITH") {
        for (key, value) in cursor.list(with_property)? {
            match value {
                Value::Text(text) => drop(properties.insert(key, text)),
                Value::Array(_) => {
                    let instead = "write CREATE TABLE … WITH (partitioned_by = …) AS SELECT …";
                    return Err(Error::unsupported(position, format!("the property `{key}` of UNLOAD"), instead));
                }
            }
        }
    }
    Ok(Statement::Unload(Unload { query, to, properties, position }))
}

enum Value {
    Text(String),
    Array(Vec<String>),
}

fn with_property(cursor: &mut Cursor) -> Result<(String, Value)> {
    let key = cursor.identifier()?;
    cursor.expect_token(&Token::Eq)?;
    if cursor.take("ARRAY") {
        cursor.expect_token(&Token::LBracket)?;
        let mut items = vec![cursor.string()?];
        while cursor.take_token(&Token::Comma) {
            items.push(cursor.string()?);
        }
        cursor.expect_token(&Token::RBracket)?;
        return Ok((key, Value::Array(items)));
    }
    let text = match cursor.word().as_deref() {
        Some(word @ ("TRUE" | "FALSE")) => {
            let text = word.to_ascii_lowercase();
            cursor.skip();
            text
        }
        _ if matches!(cursor.peek(), Some(Token::Number(..))) => cursor.number::<u64>()?.to_string(),
        _ => cursor.string()?,
    };
    Ok((key, Value::Text(text)))
}

fn view(cursor: &mut Cursor, or_replace: bool) -> Result<Statement> {
    let name = cursor.name()?;
    let columns = if cursor.peek() == Some(&Token::LParen) { cursor.list(Cursor::identifier)? } else { Vec::new() };
    cursor.expect("AS")?;
    let query = cursor.text_of_rest();
    // Read now, so that a mistake is told now; kept as text, so that it means the same when it is read again.
    dml::query(cursor)?;
    Ok(Statement::CreateView { name, or_replace, query, columns })
}
