//! `SHOW …` and `DESCRIBE`.
//! <https://docs.aws.amazon.com/athena/latest/ug/show-tables.html> and its neighbours.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::statement::{Described, Name, Show, Statement};
use crate::error::{Error, Result};

pub(super) fn show(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("SHOW")?;
    let position = cursor.position();
    let word = cursor.word().ok_or_else(|| cursor.expected("what to show"))?;
    cursor.skip();
    Ok(Statement::Show(match word.as_str() {
        "DATABASES" | "SCHEMAS" => Show::Databases { like: pattern(cursor)? },
        "TABLES" => Show::Tables { database: database(cursor)?, like: pattern(cursor)? },
        "VIEWS" => Show::Views { database: database(cursor)?, like: pattern(cursor)? },
        "COLUMNS" => Show::Columns(columns_of(cursor)?),
        "PARTITIONS" => Show::Partitions(cursor.name()?),
        "CREATE" if cursor.take("TABLE") => Show::CreateTable(cursor.name()?),
        "CREATE" if cursor.take("VIEW") => Show::CreateView(cursor.name()?),
        "TBLPROPERTIES" => properties(cursor)?,
        other => {
            let instead = "show DATABASES, TABLES, VIEWS, COLUMNS, PARTITIONS, CREATE TABLE, CREATE VIEW or \
                           TBLPROPERTIES";
            return Err(Error::unsupported(position, format!("`SHOW {other}`"), instead));
        }
    }))
}

fn database(cursor: &mut Cursor) -> Result<Option<String>> {
    let named = cursor.take("IN") || cursor.take("FROM");
    if named { Ok(Some(cursor.identifier()?)) } else { Ok(None) }
}

fn pattern(cursor: &mut Cursor) -> Result<Option<String>> {
    let named = cursor.take("LIKE") || matches!(cursor.peek(), Some(Token::SingleQuotedString(_)));
    if named { Ok(Some(cursor.string()?)) } else { Ok(None) }
}

/// `IN table`, `IN database.table` or `IN table IN database`.
fn columns_of(cursor: &mut Cursor) -> Result<Name> {
    if !(cursor.take("IN") || cursor.take("FROM")) {
        return Err(cursor.expected("`IN`"));
    }
    let mut name = cursor.name()?;
    if let Some(database) = database(cursor)? {
        name.database = Some(database);
    }
    Ok(name)
}

fn properties(cursor: &mut Cursor) -> Result<Show> {
    let name = cursor.name()?;
    let mut key = None;
    if cursor.take_token(&Token::LParen) {
        key = Some(cursor.string()?);
        cursor.expect_token(&Token::RParen)?;
    }
    Ok(Show::Properties { name, key })
}

pub(super) fn describe(cursor: &mut Cursor) -> Result<Statement> {
    cursor.skip();
    let mut of = Described::Columns;
    if cursor.take("VIEW") {
        of = Described::View;
    } else if cursor.take("FORMATTED") || cursor.take("EXTENDED") {
        of = Described::Everything;
    }
    Ok(Statement::Describe { name: cursor.name()?, of })
}
