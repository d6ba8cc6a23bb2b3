//! Statements as Athena takes them, from text to a tree. Queries, `INSERT`, `MERGE`, `UPDATE` and `DELETE` are read by
//! `sqlparser`; Hive's and Iceberg's DDL, which none of its dialects takes, by a parser of our own over the same tokens.
//! What is not known is refused by name, with its position and what to write instead; nothing is skipped over.
//! <https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html>.

mod alter;
mod class;
mod create;
mod cursor;
mod dml;
mod external;
mod prepare;
mod show;
mod statement;
mod token;
mod types;

use std::fmt;

pub use class::{Class, class, execution, with_parameters};
pub(crate) use statement::{
    Alteration, CreateExternal, CreateIceberg, CreateTableAs, Definition, Described, Insert, Name, PartitionField,
    RowFormat, Show, Statement, Storage, Transform, Unload,
};

pub(crate) use external::unescaped;

use crate::error::Result;
use crate::types::ColumnType;
use cursor::Cursor;

/// A place in the text of a statement, counted from 1, as Athena writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}:{}", self.line, self.column)
    }
}

/// Reads one statement.
pub(crate) fn parse(text: &str) -> Result<Statement> {
    let mut cursor = Cursor::new(text)?;
    let statement = statement::read(&mut cursor)?;
    cursor.take_semicolon();
    cursor.end()?;
    Ok(statement)
}

/// Reads a type as the DDL spells it.
pub(crate) fn column_type(text: &str) -> Result<ColumnType> {
    let mut cursor = Cursor::new(text)?;
    let read = types::read(&mut cursor, 0)?;
    cursor.end()?;
    Ok(read)
}

/// Reads a query that was read before, such as a view's.
pub(crate) fn parse_query(text: &str) -> Result<Box<datafusion::sql::sqlparser::ast::Query>> {
    let mut cursor = Cursor::new(text)?;
    dml::query(&mut cursor)
}

/// Splits a text into statements at the semicolons between them.
///
/// # Errors
/// If the text has an unfinished string or comment.
pub fn split(text: &str) -> Result<Vec<String>> {
    token::split(text)
}

#[cfg(test)]
mod tests;
