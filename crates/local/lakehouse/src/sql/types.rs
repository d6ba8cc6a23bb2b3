//! Types in DDL: `bigint`, `decimal(10,2)`, `array<struct<a:int>>`.
//! <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use crate::error::{Error, Result};
use crate::types::ColumnType;

/// Deeper than any table that was ever seen, and shallow enough to recurse.
const DEEPEST: usize = 20;
/// The most digits of a decimal, in Athena as in Iceberg.
const MOST_DIGITS: u8 = 38;

pub(super) fn read(cursor: &mut Cursor, depth: usize) -> Result<ColumnType> {
    if depth > DEEPEST {
        return Err(cursor.expected(&format!("a type that nests at most {DEEPEST} deep")));
    }
    let position = cursor.position();
    let name = cursor.identifier()?;
    Ok(match name.as_str() {
        "boolean" => ColumnType::Boolean,
        "tinyint" => ColumnType::TinyInt,
        "smallint" => ColumnType::SmallInt,
        "int" | "integer" => ColumnType::Int,
        "bigint" | "long" => ColumnType::BigInt,
        "float" | "real" => ColumnType::Float,
        "double" => ColumnType::Double,
        "decimal" => decimal(cursor)?,
        "char" => ColumnType::Char(length(cursor)?),
        "varchar" if cursor.peek() == Some(&Token::LParen) => ColumnType::Varchar(length(cursor)?),
        "string" | "varchar" => ColumnType::String,
        "binary" => ColumnType::Binary,
        "date" => ColumnType::Date,
        "timestamp" => timestamp(cursor)?,
        "timestamptz" => ColumnType::TimestampTz,
        "array" | "list" => array(cursor, depth)?,
        "map" => map(cursor, depth)?,
        "struct" => structure(cursor, depth)?,
        other => {
            let instead = "use boolean, int, bigint, float, double, decimal, string, binary, date, timestamp, array, \
                           map or struct";
            return Err(Error::unsupported(position, format!("the type `{other}`"), instead));
        }
    })
}

fn timestamp(cursor: &mut Cursor) -> Result<ColumnType> {
    if cursor.take("WITH TIME ZONE") {
        return Ok(ColumnType::TimestampTz);
    }
    if cursor.peek() == Some(&Token::LParen) {
        length(cursor)?;
    }
    Ok(ColumnType::Timestamp)
}

fn length(cursor: &mut Cursor) -> Result<u32> {
    cursor.expect_token(&Token::LParen)?;
    let length = cursor.number()?;
    cursor.expect_token(&Token::RParen)?;
    Ok(length)
}

fn decimal(cursor: &mut Cursor) -> Result<ColumnType> {
    if cursor.peek() != Some(&Token::LParen) {
        return Ok(ColumnType::Decimal(10, 0));
    }
    let position = cursor.position();
    let parts: Vec<u8> = cursor.list(Cursor::number)?;
    let (precision, scale) = (parts[0], parts.get(1).copied().unwrap_or(0));
    if parts.len() > 2 || precision == 0 || precision > MOST_DIGITS || scale > precision {
        let message = format!("a decimal has 1 to {MOST_DIGITS} digits, of which the scale is a part");
        return Err(Error::Syntax { position, message });
    }
    Ok(ColumnType::Decimal(precision, scale))
}

fn array(cursor: &mut Cursor, depth: usize) -> Result<ColumnType> {
    cursor.expect_token(&Token::Lt)?;
    let item = read(cursor, depth + 1)?;
    close(cursor)?;
    Ok(ColumnType::Array(Box::new(item)))
}

fn map(cursor: &mut Cursor, depth: usize) -> Result<ColumnType> {
    cursor.expect_token(&Token::Lt)?;
    let key = read(cursor, depth + 1)?;
    cursor.expect_token(&Token::Comma)?;
    let value = read(cursor, depth + 1)?;
    close(cursor)?;
    Ok(ColumnType::Map(Box::new(key), Box::new(value)))
}

fn structure(cursor: &mut Cursor, depth: usize) -> Result<ColumnType> {
    cursor.expect_token(&Token::Lt)?;
    let mut fields = vec![field(cursor, depth)?];
    while cursor.take_token(&Token::Comma) {
        fields.push(field(cursor, depth)?);
    }
    close(cursor)?;
    Ok(ColumnType::Struct(fields))
}

fn field(cursor: &mut Cursor, depth: usize) -> Result<(String, ColumnType)> {
    let name = cursor.identifier()?;
    cursor.expect_token(&Token::Colon)?;
    Ok((name, read(cursor, depth + 1)?))
}

fn close(cursor: &mut Cursor) -> Result<()> {
    if cursor.close_bracket() { Ok(()) } else { Err(cursor.expected("`>`")) }
}
