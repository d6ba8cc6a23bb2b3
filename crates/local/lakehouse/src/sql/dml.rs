//! `SELECT`, `INSERT`, `MERGE`, `UPDATE`, `DELETE`: read by sqlparser, then stripped to what Athena knows.
//! <https://docs.aws.amazon.com/athena/latest/ug/merge-into-statement.html>.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method alone is not general enough in its lifetime"
)]

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::statement::{Insert, Statement};
use crate::error::{Error, Result};

pub(super) fn query(cursor: &mut Cursor) -> Result<Box<ast::Query>> {
    cursor.parse_rest(|parser| parser.parse_query())
}

pub(super) fn explain(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("EXPLAIN")?;
    let analyze = cursor.take("ANALYZE");
    if cursor.peek() == Some(&Token::LParen) && cursor.word_at(1).is_some_and(|word| word == "FORMAT" || word == "TYPE")
    {
        return Err(Error::unsupported(
            cursor.position(),
            "an option of `EXPLAIN`",
            "write EXPLAIN or EXPLAIN ANALYZE",
        ));
    }
    Ok(Statement::Explain { query: query(cursor)?, analyze })
}

pub(super) fn insert(cursor: &mut Cursor) -> Result<Statement> {
    let position = cursor.position();
    cursor.expect("INSERT")?;
    if cursor.word().as_deref() == Some("OVERWRITE") {
        let instead = "write DELETE FROM and INSERT INTO, or MERGE INTO";
        return Err(Error::unsupported(position, "`INSERT OVERWRITE`", instead));
    }
    cursor.expect("INTO")?;
    let name = cursor.name()?;
    let has_columns = cursor.peek() == Some(&Token::LParen)
        && !matches!(cursor.word_at(1).as_deref(), Some("SELECT" | "WITH" | "VALUES"))
        && cursor.peek_at(1) != Some(&Token::LParen);
    let columns = if has_columns { cursor.list(Cursor::identifier)? } else { Vec::new() };
    Ok(Statement::Insert(Insert { name, columns, query: query(cursor)? }))
}

pub(super) fn merge(cursor: &mut Cursor) -> Result<Statement> {
    let position = cursor.position();
    match cursor.parse_rest(|parser| parser.parse_statement())? {
        ast::Statement::Merge(merge) if merge.output.is_none() && merge.optimizer_hint.is_none() => {
            Ok(Statement::Merge(Box::new(merge)))
        }
        _ => Err(Error::unsupported(position, "this form of `MERGE`", "write MERGE INTO … USING … ON … WHEN …")),
    }
}

pub(super) fn update(cursor: &mut Cursor) -> Result<Statement> {
    let position = cursor.position();
    match cursor.parse_rest(|parser| parser.parse_statement())? {
        ast::Statement::Update(update)
            if update.from.is_none()
                && update.returning.is_none()
                && update.or.is_none()
                && update.limit.is_none()
                && update.table.joins.is_empty() =>
        {
            Ok(Statement::Update(Box::new(update)))
        }
        _ => Err(Error::unsupported(
            position,
            "this form of `UPDATE`",
            "write UPDATE table SET … WHERE …, or MERGE INTO",
        )),
    }
}

pub(super) fn delete(cursor: &mut Cursor) -> Result<Statement> {
    let position = cursor.position();
    match cursor.parse_rest(|parser| parser.parse_statement())? {
        ast::Statement::Delete(delete)
            if delete.tables.is_empty()
                && delete.using.is_none()
                && delete.returning.is_none()
                && delete.order_by.is_empty()
                && delete.limit.is_none() =>
        {
            Ok(Statement::Delete(Box::new(delete)))
        }
        _ => Err(Error::unsupported(position, "this form of `DELETE`", "write DELETE FROM table WHERE …")),
    }
}
