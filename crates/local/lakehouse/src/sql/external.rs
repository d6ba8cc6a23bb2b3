//! `CREATE EXTERNAL TABLE` with Hive's clauses in Hive's order.
//! <https://docs.aws.amazon.com/athena/latest/ug/create-table.html>.

use std::collections::BTreeMap;

use super::Position;
use super::create::{column, comment, location, properties, unique};
use super::cursor::Cursor;
use super::statement::{CreateExternal, Definition, RowFormat, Statement, Storage};
use crate::error::{Error, Result};

pub(super) fn read(cursor: &mut Cursor, position: Position) -> Result<Statement> {
    let if_not_exists = cursor.take("IF NOT EXISTS");
    let name = cursor.name()?;
    let columns = cursor.list(column)?;
    let table_comment = comment(cursor)?;
    let partition_columns = if cursor.take("PARTITIONED BY") { cursor.list(column)? } else { Vec::new() };
    unique(&columns.iter().chain(&partition_columns).cloned().collect::<Vec<_>>())?;
    if cursor.word().as_deref() == Some("CLUSTERED") {
        let instead = "leave it out; an Iceberg table with bucket(n, column) does it";
        return Err(Error::unsupported(cursor.position(), "`CLUSTERED BY`", instead));
    }
    let mut row_format = if cursor.take("ROW FORMAT") { Some(format(cursor)?) } else { None };
    if cursor.take("WITH SERDEPROPERTIES") {
        serde_properties(cursor, &mut row_format)?;
    }
    let storage = if cursor.take("STORED AS") { Some(storage(cursor)?) } else { None };
    let location = location(cursor)?;
    let properties = if cursor.take("TBLPROPERTIES") { properties(cursor)? } else { BTreeMap::new() };
    let definition = Definition { name, if_not_exists, columns, comment: table_comment, location, properties };
    let create = CreateExternal { definition, partition_columns, row_format, storage, position };
    Ok(Statement::CreateExternal(Box::new(create)))
}

fn format(cursor: &mut Cursor) -> Result<RowFormat> {
    if cursor.take("SERDE") {
        let class = cursor.string()?;
        return Ok(RowFormat::Serde { class, properties: BTreeMap::new() });
    }
    cursor.expect("DELIMITED")?;
    let (mut field, mut escape, mut null) = (None, None, None);
    loop {
        if cursor.take("FIELDS TERMINATED BY") {
            field = Some(character(cursor)?);
        } else if cursor.take("ESCAPED BY") {
            escape = Some(character(cursor)?);
        } else if cursor.take("NULL DEFINED AS") {
            null = Some(cursor.string()?);
        } else if cursor.take("LINES TERMINATED BY") {
            newline(cursor)?;
        } else if cursor.take("COLLECTION ITEMS TERMINATED BY") || cursor.take("MAP KEYS TERMINATED BY") {
            // Only arrays, maps and structs use these; delimited text with them is refused where the table is made.
            character(cursor)?;
        } else {
            return Ok(RowFormat::Delimited { field, escape, null });
        }
    }
}

fn newline(cursor: &mut Cursor) -> Result<()> {
    let position = cursor.position();
    if character(cursor)? == '\n' {
        return Ok(());
    }
    Err(Error::unsupported(position, "a line end other than '\\n'", "write LINES TERMINATED BY '\\n' or leave it out"))
}

/// One character: itself, `\t`, or its number as in `\001` or `\u0001`.
pub(crate) fn unescaped(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' || text.len() == 1 {
        return chars.next().is_none().then_some(first);
    }
    let rest = chars.as_str();
    match rest {
        "t" => Some('\t'),
        "n" => Some('\n'),
        "r" => Some('\r'),
        "\\" => Some('\\'),
        "'" | "\"" => rest.chars().next(),
        _ => {
            let number = match rest.strip_prefix('u') {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => u32::from_str_radix(rest, 8),
            };
            number.ok().and_then(char::from_u32)
        }
    }
}

fn character(cursor: &mut Cursor) -> Result<char> {
    let position = cursor.position();
    let text = cursor.string()?;
    let wrong = || Error::Syntax { position, message: format!("expected one character, found '{text}'") };
    unescaped(&text).ok_or_else(wrong)
}

fn serde_properties(cursor: &mut Cursor, row_format: &mut Option<RowFormat>) -> Result<()> {
    let position = cursor.position();
    let read = properties(cursor)?;
    match row_format {
        Some(RowFormat::Serde { properties, .. }) => {
            *properties = read;
            Ok(())
        }
        _ => Err(Error::Syntax { position, message: "expected ROW FORMAT SERDE before its properties".to_owned() }),
    }
}

fn storage(cursor: &mut Cursor) -> Result<Storage> {
    if !cursor.take("INPUTFORMAT") {
        return Ok(Storage::Format(cursor.identifier()?));
    }
    let input = cursor.string()?;
    // The output format says nothing about reading.
    if cursor.take("OUTPUTFORMAT") {
        cursor.string()?;
    }
    Ok(Storage::Classes { input })
}
