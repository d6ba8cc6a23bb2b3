//! `ALTER`, `DROP`, `MSCK REPAIR TABLE`, `OPTIMIZE`, `VACUUM`.
//! <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-evolving-table-schema.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/optimize-statement.html>.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method alone is not general enough in its lifetime"
)]

use datafusion::sql::sqlparser::tokenizer::Token;

use super::create::{column, location, properties};
use super::cursor::Cursor;
use super::statement::{Alteration, Statement};
use super::types;
use crate::catalog::checked;
use crate::error::{Error, Result};

pub(super) fn drop(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("DROP")?;
    let position = cursor.position();
    if cursor.take("DATABASE") || cursor.take("SCHEMA") {
        let if_exists = cursor.take("IF EXISTS");
        let name = checked(&cursor.identifier()?)?;
        let cascade = cursor.take("CASCADE");
        cursor.take("RESTRICT");
        return Ok(Statement::DropDatabase { name, if_exists, cascade });
    }
    if cursor.take("TABLE") {
        let if_exists = cursor.take("IF EXISTS");
        return Ok(Statement::DropTable { name: cursor.name()?, if_exists });
    }
    if cursor.take("VIEW") {
        let if_exists = cursor.take("IF EXISTS");
        return Ok(Statement::DropView { name: cursor.name()?, if_exists });
    }
    let word = cursor.word().ok_or_else(|| cursor.expected("DATABASE, TABLE or VIEW"))?;
    Err(Error::unsupported(position, format!("`DROP {word}`"), "drop a DATABASE, TABLE or VIEW"))
}

pub(super) fn alter(cursor: &mut Cursor) -> Result<Statement> {
    let position = cursor.position();
    cursor.expect("ALTER")?;
    if !cursor.take("TABLE") {
        let word = cursor.word().unwrap_or_default();
        let instead = if word == "VIEW" { "write CREATE OR REPLACE VIEW" } else { "alter a TABLE" };
        return Err(Error::unsupported(position, format!("`ALTER {word}`"), instead));
    }
    let name = cursor.name()?;
    let change = change(cursor)?;
    Ok(Statement::Alter { name, change })
}

fn change(cursor: &mut Cursor) -> Result<Alteration> {
    let position = cursor.position();
    if cursor.take("ADD COLUMNS") {
        return Ok(Alteration::AddColumns(cursor.list(column)?));
    }
    if cursor.take("ADD COLUMN") {
        return Ok(Alteration::AddColumns(vec![column(cursor)?]));
    }
    if cursor.take("DROP COLUMN") {
        return Ok(Alteration::DropColumn(cursor.identifier()?));
    }
    if cursor.take("RENAME COLUMN") {
        let from = cursor.identifier()?;
        cursor.expect("TO")?;
        return Ok(Alteration::RenameColumn { from, to: checked(&cursor.identifier()?)? });
    }
    if cursor.take("CHANGE COLUMN") || cursor.take("CHANGE") {
        let (from, to) = (cursor.identifier()?, checked(&cursor.identifier()?)?);
        return Ok(Alteration::ChangeColumn { from, to, column_type: types::read(cursor, 0)? });
    }
    if cursor.take("SET TBLPROPERTIES") {
        return Ok(Alteration::SetProperties(properties(cursor)?));
    }
    if cursor.take("UNSET TBLPROPERTIES") {
        return Ok(Alteration::UnsetProperties(cursor.list(Cursor::string)?));
    }
    if cursor.take("SET LOCATION") {
        return Ok(Alteration::SetLocation(cursor.string()?));
    }
    partitions(cursor)?.ok_or_else(|| refused(cursor, position))
}

fn refused(cursor: &Cursor, position: super::Position) -> Error {
    let words: Vec<String> = (0..2).map_while(|ahead| cursor.word_at(ahead)).collect();
    let instead = "write ADD COLUMNS, DROP COLUMN, RENAME COLUMN, CHANGE COLUMN, SET or UNSET TBLPROPERTIES, \
                   SET LOCATION, ADD or DROP PARTITION";
    Error::unsupported(position, format!("`ALTER TABLE … {}`", words.join(" ")), instead)
}

fn partitions(cursor: &mut Cursor) -> Result<Option<Alteration>> {
    if cursor.take("ADD") {
        let if_not_exists = cursor.take("IF NOT EXISTS");
        let mut partitions = Vec::new();
        while cursor.take("PARTITION") {
            partitions.push((cursor.list(partition_value)?, location(cursor)?));
        }
        if partitions.is_empty() {
            return Err(cursor.expected("COLUMNS or PARTITION"));
        }
        return Ok(Some(Alteration::AddPartitions { if_not_exists, partitions }));
    }
    if cursor.take("DROP") {
        let if_exists = cursor.take("IF EXISTS");
        let mut partitions = Vec::new();
        while cursor.take("PARTITION") {
            partitions.push(cursor.list(partition_value)?);
            cursor.take_token(&Token::Comma);
        }
        if partitions.is_empty() {
            return Err(cursor.expected("COLUMN or PARTITION"));
        }
        return Ok(Some(Alteration::DropPartitions { if_exists, partitions }));
    }
    Ok(None)
}

fn partition_value(cursor: &mut Cursor) -> Result<(String, String)> {
    let column = cursor.identifier()?;
    cursor.expect_token(&Token::Eq)?;
    let value = match cursor.peek() {
        Some(Token::Number(digits, _)) => {
            let digits = digits.clone();
            cursor.skip();
            digits
        }
        _ => cursor.string()?,
    };
    Ok((column, value))
}

pub(super) fn repair(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("MSCK REPAIR TABLE")?;
    Ok(Statement::Repair(cursor.name()?))
}

pub(super) fn optimize(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("OPTIMIZE")?;
    let name = cursor.name()?;
    cursor.expect("REWRITE DATA USING BIN_PACK")?;
    let filter =
        if cursor.take("WHERE") { Some(Box::new(cursor.parse_rest(|parser| parser.parse_expr())?)) } else { None };
    Ok(Statement::Optimize { name, filter })
}

pub(super) fn vacuum(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("VACUUM")?;
    Ok(Statement::Vacuum(cursor.name()?))
}
