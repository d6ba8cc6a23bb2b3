//! Text into tokens, with bounds: Athena takes statements of at most 262,144 bytes
//! (<https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>), and a chain of operators that is too long
//! would recurse too deep in the planner.

use std::any::TypeId;

use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use super::Position;
use crate::error::{Error, Result};

/// The longest statement, in bytes.
const LONGEST: usize = 262_144;
/// The most operators in one expression: each is a level of recursion in the planner.
const MOST_OPERATORS: usize = 200;
/// The most set operations in one statement, for the same reason.
const MOST_SET_OPERATIONS: usize = 50;

/// What sqlparser has to know of Athena.
#[derive(Debug)]
pub(super) struct Athena;

impl Dialect for Athena {
    /// The parser reads a few things, `UNNEST` among them, only for dialects that it knows.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_identifier_start(&self, c: char) -> bool {
        GenericDialect.is_identifier_start(c)
    }

    fn is_identifier_part(&self, c: char) -> bool {
        GenericDialect.is_identifier_part(c)
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_within_after_array_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }
}

pub(super) fn position(token: &TokenWithSpan) -> Position {
    Position { line: token.span.start.line, column: token.span.start.column }
}

/// The tokens of a text, without white space and comments.
pub(super) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>> {
    let mut tokens = read(text, Tokenizer::new(&Athena, text))?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    bounded(&tokens)?;
    Ok(tokens)
}

/// Every token of a text that is not too long.
fn read(text: &str, mut tokenizer: Tokenizer<'_>) -> Result<Vec<TokenWithSpan>> {
    if text.len() > LONGEST {
        return Err(Error::Invalid(format!("the statement has {} bytes; at most {LONGEST} are taken", text.len())));
    }
    tokenizer.tokenize_with_location().map_err(|error| Error::Syntax {
        position: Position { line: error.location.line, column: error.location.column },
        message: error.message.to_lowercase(),
    })
}

/// Words after which an expression starts anew.
const BREAKS: &[&str] =
    &["SELECT", "FROM", "WHERE", "WHEN", "THEN", "ELSE", "ON", "HAVING", "BY", "SET", "VALUES", "JOIN"];

fn bounded(tokens: &[TokenWithSpan]) -> Result<()> {
    let (mut operators, mut set_operations) = (0, 0);
    for token in tokens {
        match kind(&token.token) {
            Kind::Break => operators = 0,
            Kind::Operator => operators += 1,
            Kind::SetOperation => set_operations += 1,
            Kind::Other => {}
        }
        let instead = if operators > MOST_OPERATORS {
            format!("write a list with IN (…), or at most {MOST_OPERATORS} operators in one expression")
        } else if set_operations > MOST_SET_OPERATIONS {
            format!("use at most {MOST_SET_OPERATIONS} set operations in one statement")
        } else {
            continue;
        };
        return Err(Error::unsupported(position(token), "a statement as deep as this", instead));
    }
    Ok(())
}

enum Kind {
    Break,
    Operator,
    SetOperation,
    Other,
}

fn kind(token: &Token) -> Kind {
    match token {
        Token::Comma | Token::SemiColon => Kind::Break,
        Token::Plus | Token::Minus | Token::Mul | Token::Div | Token::Mod | Token::StringConcat => Kind::Operator,
        Token::Word(word) if word.quote_style.is_none() => {
            let upper = word.value.to_ascii_uppercase();
            match upper.as_str() {
                "AND" | "OR" | "NOT" => Kind::Operator,
                "UNION" | "INTERSECT" | "EXCEPT" => Kind::SetOperation,
                word if BREAKS.contains(&word) => Kind::Break,
                _ => Kind::Other,
            }
        }
        _ => Kind::Other,
    }
}

/// The statements of a text, each with its comments.
pub(super) fn split(text: &str) -> Result<Vec<String>> {
    let mut statements = Vec::new();
    let mut one = String::new();
    let mut holds_any = false;
    // Strings stay as they are written.
    for token in read(text, Tokenizer::new(&Athena, text).with_unescape(false))? {
        match &token.token {
            Token::SemiColon => finish(&mut statements, &mut one, &mut holds_any),
            Token::EOF => {}
            other => {
                holds_any |= !matches!(other, Token::Whitespace(_));
                one.push_str(&written(other));
            }
        }
    }
    finish(&mut statements, &mut one, &mut holds_any);
    Ok(statements)
}

fn finish(statements: &mut Vec<String>, one: &mut String, holds_any: &mut bool) {
    let statement = std::mem::take(one);
    if std::mem::take(holds_any) {
        statements.push(statement.trim().to_owned());
    }
}

/// A token as it was written. The tokenizer ends a line comment with its line, and its words keep their quotes.
fn written(token: &Token) -> String {
    match token {
        Token::Whitespace(Whitespace::SingleLineComment { prefix, comment }) => {
            format!("{prefix}{}\n", comment.trim_end_matches('\n'))
        }
        other => other.to_string(),
    }
}
