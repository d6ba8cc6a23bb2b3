//! What kind of statement a text is, before it is run; and values in the place of its question marks.

use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::cursor::Cursor;
use super::statement::Statement;
use super::token::Athena;
use super::{Position, parse};
use crate::error::{Error, Result};
use crate::lakehouse::Kind;

/// What a statement is, as Athena has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// The kind.
    pub kind: Kind,
    /// The kind within the kind: `SELECT`, `MERGE`, `CREATE_TABLE_AS_SELECT`.
    pub name: &'static str,
    /// It changes nothing, so it may be run again.
    pub is_read: bool,
}

/// Says what a statement is.
///
/// # Errors
/// If the text is no statement, or one that is refused.
pub fn class(text: &str) -> Result<Class> {
    Ok(of(&parse(text)?))
}

fn of(statement: &Statement) -> Class {
    let (kind, name, is_read) = match statement {
        Statement::Query(_) => (Kind::Dml, "SELECT", true),
        Statement::Explain { .. } => (Kind::Utility, "EXPLAIN", true),
        Statement::Insert(_) => (Kind::Dml, "INSERT", false),
        Statement::Merge(_) => (Kind::Dml, "MERGE", false),
        Statement::Update(_) => (Kind::Dml, "UPDATE", false),
        Statement::Delete(_) => (Kind::Dml, "DELETE", false),
        Statement::CreateTableAs(_) => (Kind::Ddl, "CREATE_TABLE_AS_SELECT", false),
        Statement::Unload(_) => (Kind::Dml, "UNLOAD", false),
        Statement::CreateDatabase { .. } => (Kind::Ddl, "CREATE_DATABASE", false),
        Statement::DropDatabase { .. } => (Kind::Ddl, "DROP_DATABASE", false),
        Statement::CreateIceberg(_) | Statement::CreateExternal(_) => (Kind::Ddl, "CREATE_TABLE", false),
        Statement::CreateView { .. } => (Kind::Ddl, "CREATE_VIEW", false),
        Statement::DropTable { .. } => (Kind::Ddl, "DROP_TABLE", false),
        Statement::DropView { .. } => (Kind::Ddl, "DROP_VIEW", false),
        Statement::Alter { .. } => (Kind::Ddl, "ALTER_TABLE", false),
        Statement::Repair(_) => (Kind::Ddl, "MSCK_REPAIR", false),
        Statement::Optimize { .. } => (Kind::Dml, "OPTIMIZE", false),
        Statement::Vacuum(_) => (Kind::Dml, "VACUUM", false),
        Statement::Show(_) => (Kind::Utility, "SHOW", true),
        Statement::Describe { .. } => (Kind::Utility, "DESCRIBE", true),
    };
    Class { kind, name, is_read }
}

/// A statement with values in the place of its question marks, the first for the first. A value is an expression as
/// it stands in a statement: a text is in quotes.
///
/// # Errors
/// If there are more or fewer values than question marks, or a value is no expression.
pub fn with_parameters(text: &str, values: &[String]) -> Result<String> {
    let wrong = |message: String| Error::Syntax { position: Position { line: 1, column: 1 }, message };
    let tokens = Tokenizer::new(&Athena, text).tokenize().map_err(|error| wrong(error.to_string()))?;
    let mut values = values.iter();
    let mut filled = String::new();
    for token in tokens {
        if token == Token::Placeholder("?".to_owned()) {
            let missing = || wrong("there are more `?` than execution parameters".to_owned());
            filled.push_str(&expression(values.next().ok_or_else(missing)?)?);
        } else {
            filled.push_str(&token.to_string());
        }
    }
    match values.next() {
        Some(_) => Err(wrong("there are more execution parameters than `?`".to_owned())),
        None => Ok(filled),
    }
}

/// `EXECUTE name USING values`: the name of a prepared statement and its values; nothing for other statements.
///
/// # Errors
/// If what follows the name is no list of values.
pub fn execution(text: &str) -> Result<Option<(String, Vec<String>)>> {
    let mut cursor = Cursor::new(text)?;
    if !cursor.take("EXECUTE") {
        return Ok(None);
    }
    let name = cursor.identifier()?;
    if !cursor.take("USING") {
        cursor.take_semicolon();
        return cursor.end().map(|()| Some((name, Vec::new())));
    }
    let values = cursor.parse_rest(|parser| parser.parse_comma_separated(Parser::parse_expr))?;
    Ok(Some((name, values.iter().map(ToString::to_string).collect())))
}

/// One whole expression: what it holds cannot become another part of the statement.
fn expression(text: &str) -> Result<String> {
    let wrong = |what: &str| Error::Invalid(format!("the execution parameter `{text}` {what}"));
    let parser = Parser::new(&Athena).try_with_sql(text);
    let mut parser = parser.map_err(|_| wrong("is no value; put a text into single quotes"))?;
    let parsed = parser.parse_expr().map_err(|_| wrong("is no value; put a text into single quotes"))?;
    if parser.peek_token().token != Token::EOF {
        return Err(wrong("is more than one value"));
    }
    Ok(parsed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_place_of_question_marks() {
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let filled = with_parameters(
            "SELECT '?' -- ?\n FROM t WHERE a = ? AND b IN (?, ?)",
            &values(&["'x''y'", "1", "DATE '2024-01-01'"]),
        );
        assert_eq!(filled.unwrap(), "SELECT '?' -- ?\n FROM t WHERE a = 'x''y' AND b IN (1, DATE '2024-01-01')");
        for wrong in [&["1"][..], &["1", "2", "3"], &["1", "2; DROP TABLE t"], &["1", "2, 3"], &["1", "'"]] {
            assert!(with_parameters("SELECT ? + ?", &values(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_prepared_statement_is_named_with_its_values() {
        let found = execution("EXECUTE mine USING 'a', 1 + 2;").unwrap().unwrap();
        assert_eq!(found, ("mine".to_owned(), vec!["'a'".to_owned(), "1 + 2".to_owned()]));
        assert_eq!(execution("execute mine").unwrap().unwrap(), ("mine".to_owned(), Vec::new()));
        assert_eq!(execution("SELECT 1").unwrap(), None);
        assert!(execution("EXECUTE mine 1").is_err());
    }

    #[test]
    fn reads_may_run_again_and_changes_may_not() {
        for (text, name, is_read) in [
            ("SELECT 1", "SELECT", true),
            ("WITH a AS (SELECT 1) SELECT * FROM a", "SELECT", true),
            ("SHOW TABLES", "SHOW", true),
            ("INSERT INTO t VALUES (1)", "INSERT", false),
            ("CREATE DATABASE d", "CREATE_DATABASE", false),
        ] {
            let class = class(text).unwrap();
            assert_eq!((class.name, class.is_read), (name, is_read), "{text}");
        }
        assert!(class("SELEC 1").is_err());
    }
}
