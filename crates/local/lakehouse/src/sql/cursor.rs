//! A place among the tokens of a statement, and the few questions that a parser asks there.

use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::statement::Name;
use super::token::{Athena, position, tokens};
use super::{Position, prepare};
use crate::error::{Error, Result};

/// sqlparser's own default; it refuses what nests deeper.
const DEEPEST: usize = 50;

pub(super) struct Cursor {
    text: String,
    tokens: Vec<TokenWithSpan>,
    at: usize,
    end: Position,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Result<Self> {
        let tokens = tokens(text)?;
        let after = |token: &TokenWithSpan| Position { line: token.span.end.line, column: token.span.end.column };
        let end = tokens.last().map_or(Position { line: 1, column: 1 }, after);
        Ok(Self { text: text.to_owned(), tokens, at: 0, end })
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|token| &token.token)
    }

    pub(super) fn position(&self) -> Position {
        self.tokens.get(self.at).map_or(self.end, position)
    }

    /// The next word in upper case, if it is one without quotes.
    pub(super) fn word(&self) -> Option<String> {
        self.word_at(0)
    }

    pub(super) fn word_at(&self, ahead: usize) -> Option<String> {
        match self.peek_at(ahead) {
            Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
            _ => None,
        }
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Takes these words if they are next.
    pub(super) fn take(&mut self, words: &str) -> bool {
        let words: Vec<&str> = words.split(' ').collect();
        let all = words.iter().enumerate().all(|(ahead, word)| self.word_at(ahead).as_deref() == Some(word));
        if all {
            self.at += words.len();
        }
        all
    }

    pub(super) fn expect(&mut self, words: &str) -> Result<()> {
        if self.take(words) { Ok(()) } else { Err(self.expected(&format!("`{words}`"))) }
    }

    pub(super) fn take_token(&mut self, token: &Token) -> bool {
        let is = self.peek() == Some(token);
        if is {
            self.skip();
        }
        is
    }

    pub(super) fn expect_token(&mut self, token: &Token) -> Result<()> {
        if self.take_token(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }

    /// Takes a `>`, also as the first half of what the tokenizer took for a shift.
    pub(super) fn close_bracket(&mut self) -> bool {
        if let Some(shift) = self.tokens.get_mut(self.at).filter(|token| token.token == Token::ShiftRight) {
            shift.token = Token::Gt;
            return true;
        }
        self.take_token(&Token::Gt)
    }

    pub(super) fn take_semicolon(&mut self) {
        self.take_token(&Token::SemiColon);
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected("the end of the statement")) }
    }

    pub(super) fn expected(&self, what: &str) -> Error {
        let found = self.peek().map_or_else(|| "the end".to_owned(), |token| format!("`{token}`"));
        Error::Syntax { position: self.position(), message: format!("expected {what}, found {found}") }
    }

    /// An identifier, with or without quotes, in lower case.
    pub(super) fn identifier(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let lower = word.value.to_lowercase();
                self.skip();
                Ok(lower)
            }
            _ => Err(self.expected("a name")),
        }
    }

    /// `table`, `database.table` or `awsdatacatalog.database.table`.
    pub(super) fn name(&mut self) -> Result<Name> {
        let position = self.position();
        let mut parts = vec![self.identifier()?];
        while self.take_token(&Token::Period) {
            parts.push(self.identifier()?);
        }
        Name::new(parts, position)
    }

    pub(super) fn string(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::SingleQuotedString(text)) => {
                let text = text.clone();
                self.skip();
                Ok(text)
            }
            _ => Err(self.expected("a string in single quotes")),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T> {
        match self.peek() {
            Some(Token::Number(digits, _)) => {
                let number = digits.parse().map_err(|_| self.expected("a whole number in range"))?;
                self.skip();
                Ok(number)
            }
            _ => Err(self.expected("a number")),
        }
    }

    /// `( … , … )`, each part read by `read`.
    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect_token(&Token::LParen)?;
        let mut items = vec![read(self)?];
        while self.take_token(&Token::Comma) {
            items.push(read(self)?);
        }
        self.expect_token(&Token::RParen)?;
        Ok(items)
    }

    /// Takes these words if they are the last of the statement.
    pub(super) fn take_last(&mut self, words: &str) -> bool {
        while self.tokens.last().is_some_and(|token| token.token == Token::SemiColon) {
            self.tokens.pop();
        }
        let count = words.split(' ').count();
        let Some(ahead) = self.tokens.len().checked_sub(self.at + count) else { return false };
        let all = words.split(' ').enumerate().all(|(nth, word)| self.word_at(ahead + nth).as_deref() == Some(word));
        if all {
            self.tokens.truncate(self.tokens.len() - count);
        }
        all
    }

    /// Takes what stands in the parentheses that are next.
    pub(super) fn parenthesised(&mut self) -> Result<Self> {
        self.expect_token(&Token::LParen)?;
        let (start, mut depth) = (self.at, 1_usize);
        while depth > 0 {
            match self.peek() {
                Some(Token::LParen) => depth += 1,
                Some(Token::RParen) => depth -= 1,
                Some(_) => {}
                None => return Err(self.expected("`)`")),
            }
            self.skip();
        }
        let end = self.at - 1;
        let tokens = self.tokens[start..end].to_vec();
        Ok(Self { text: self.text.clone(), tokens, at: 0, end: position(&self.tokens[end]) })
    }

    /// What is left, as it was written.
    pub(super) fn text_of_rest(&self) -> String {
        let start = self.position();
        let lines = self.text.split_inclusive('\n').skip(usize::try_from(start.line - 1).unwrap_or(usize::MAX));
        let rest: String = lines.collect();
        let rest: String = rest.chars().skip(usize::try_from(start.column - 1).unwrap_or(usize::MAX)).collect();
        rest.trim_end().trim_end_matches(';').trim_end().to_owned()
    }

    /// The tokens that are left, as sqlparser takes them.
    pub(super) fn rest(&mut self) -> Result<Vec<TokenWithSpan>> {
        let mut rest = self.tokens.split_off(self.at);
        while rest.last().is_some_and(|token| token.token == Token::SemiColon) {
            rest.pop();
        }
        prepare::prepare(&rest)
    }

    /// Hands the rest to sqlparser. It must use all of it.
    pub(super) fn parse_rest<T>(&mut self, read: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>) -> Result<T> {
        let rest = self.rest()?;
        let end = self.end;
        let mut parser = Parser::new(&Athena).with_recursion_limit(DEEPEST).with_tokens_with_locations(rest);
        let parsed = read(&mut parser).map_err(|error| syntax(error, end))?;
        let next = parser.peek_token();
        if next.token == Token::EOF {
            return Ok(parsed);
        }
        let message = format!("expected the end of the statement, found `{}`", next.token);
        Err(Error::Syntax { position: position(&next), message })
    }
}

/// sqlparser writes the place at the end of its message.
fn syntax(error: ParserError, end: Position) -> Error {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => format!("expected a statement that nests at most {DEEPEST} deep"),
    };
    let located = text.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((message.to_owned(), Position { line: line.parse().ok()?, column: column.trim().parse().ok()? }))
    });
    let (message, position) = located.unwrap_or((text, end));
    Error::Syntax { position, message: lower_first(&message) }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
