//! JSON text as a tree that knows its places, and what is wrong with text that is no JSON, in the
//! words of the parser behind the service (Jackson).
//!
//! Grammar: <https://www.rfc-editor.org/rfc/rfc8259>. Nesting is bounded; a name that stands twice
//! in an object is kept twice, so that the caller may tell.

use serde_json::Number;

/// As deep as values may nest; the crate's other JSON reader stops there too.
const MAX_DEPTH: usize = 127;

/// What Jackson wants where a value belongs.
const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// A value and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    /// The offset in bytes.
    pub(super) at: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) node: Node,
}

/// Why a text is no JSON.
#[derive(Debug)]
pub(super) enum SyntaxError {
    /// What is wrong, and the offset behind the last character that was read.
    Malformed {
        what: String,
        at: usize,
    },
    TooDeep {
        at: usize,
    },
}

impl Node {
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|member| member.name == name).map(|member| &member.node)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What a JSON pointer leads to.
    pub(super) fn find(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |node, step| match &node.value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => node.get(&step.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// The members of an object; none of anything else.
    pub(super) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of an array; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }
}

/// Reads a text. `None` when there is nothing but white space.
pub(super) fn parse(text: &str) -> Result<Option<Node>, SyntaxError> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.skip_space();
    if scanner.peek().is_none() {
        return Ok(None);
    }
    let node = scanner.value(0)?;
    scanner.skip_space();
    match scanner.peek() {
        None => Ok(Some(node)),
        Some(_) => Err(scanner.unexpected("Expected space separating root-level values")),
    }
}

/// A place as Jackson writes it: the source, at most 500 characters of it, line and column.
pub(super) fn source(text: &str, at: usize) -> String {
    const MOST: usize = 500;
    let (line, column) = position(text, at);
    let shown: String = text.chars().take(MOST).collect();
    let left_out = text.chars().count().saturating_sub(MOST);
    let cut = if left_out > 0 { format!("[truncated {left_out} chars]") } else { String::new() };
    format!("[Source: (String)\"{shown}\"{cut}; line: {line}, column: {column}]")
}

/// Line and column of an offset, both from 1.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        if depth > MAX_DEPTH {
            return Err(SyntaxError::TooDeep { at: self.at });
        }
        let at = self.at;
        let value = match self.peek() {
            Some('{') => Value::Object(self.object(depth)?),
            Some('[') => Value::Array(self.array(depth)?),
            Some('"') => Value::Text(self.string()?),
            Some('-' | '0'..='9') => Value::Number(self.number()?),
            _ => self.token()?,
        };
        Ok(Node { at, value })
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member>, SyntaxError> {
        let open = self.open();
        let mut members = Vec::new();
        if self.closes('}', "Object", open)? {
            return Ok(members);
        }
        loop {
            members.push(self.member(depth, open)?);
            if self.closes('}', "Object", open)? {
                return Ok(members);
            }
            self.separator("Object")?;
        }
    }

    fn member(&mut self, depth: usize, open: usize) -> Result<Member, SyntaxError> {
        self.skip_space();
        match self.peek() {
            Some('"') => {}
            Some(_) => return Err(self.unexpected("was expecting double-quote to start field name")),
            None => return Err(self.ended("Object", open)),
        }
        let name = self.string()?;
        self.skip_space();
        match self.peek() {
            Some(':') => self.at += 1,
            Some(_) => return Err(self.unexpected("was expecting a colon to separate field name and value")),
            None => return Err(self.malformed("Unexpected end-of-input within/between Object entries")),
        }
        self.skip_space();
        if self.peek().is_none() {
            return Err(self.malformed("Unexpected end-of-input within/between Object entries"));
        }
        Ok(Member { name, node: self.value(depth + 1)? })
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, SyntaxError> {
        let open = self.open();
        let mut items = Vec::new();
        if self.closes(']', "Array", open)? {
            return Ok(items);
        }
        loop {
            self.skip_space();
            if self.peek().is_none() {
                return Err(self.ended("Array", open));
            }
            items.push(self.value(depth + 1)?);
            if self.closes(']', "Array", open)? {
                return Ok(items);
            }
            self.separator("Array")?;
        }
    }

    fn open(&mut self) -> usize {
        self.at += 1;
        self.at - 1
    }

    fn closes(&mut self, close: char, what: &str, open: usize) -> Result<bool, SyntaxError> {
        self.skip_space();
        match self.peek() {
            None => Err(self.ended(what, open)),
            Some(found) if found == close => {
                self.at += 1;
                Ok(true)
            }
            Some(_) => Ok(false),
        }
    }

    fn separator(&mut self, what: &str) -> Result<(), SyntaxError> {
        if self.peek() == Some(',') {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected(&format!("was expecting comma to separate {what} entries")))
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    return Err(
                        self.malformed("Unexpected end-of-input: was expecting closing quote for a string value")
                    );
                }
                Some('"') => break,
                Some('\\') => self.escape()?,
                Some(control) if control < ' ' => {
                    self.at += 1;
                    let code = u32::from(control);
                    return Err(self.malformed(&format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {code})): has to be escaped using backslash to be included in string value"
                    )));
                }
                Some(other) => self.at += other.len_utf8(),
            }
        }
        self.at += 1;
        // Half a surrogate pair is all that can be wrong now, and no `String` holds one.
        serde_json::from_str(&self.text[start..self.at])
            .map_err(|_| self.malformed("Invalid surrogate pair in a string value"))
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        match self.peek() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
                self.at += 1;
                Ok(())
            }
            Some('u') => {
                let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
                self.at += 1;
                if digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    self.at += 4;
                    return Ok(());
                }
                Err(self.unexpected("expected a hex-digit for character escape sequence"))
            }
            Some(other) => {
                self.at += other.len_utf8();
                Err(self.malformed(&format!("Unrecognized character escape '{other}' (code {})", u32::from(other))))
            }
            None => Err(self.malformed("Unexpected end-of-input in character escape sequence")),
        }
    }

    fn number(&mut self) -> Result<Number, SyntaxError> {
        let word = self.word(|c| c.is_ascii_digit() || "+-.eE".contains(c)).to_owned();
        let digits = word.trim_start_matches('-');
        if digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit() {
            return Err(self.malformed("Invalid numeric value: Leading zeroes not allowed"));
        }
        serde_json::from_str(&word).map_err(|_| self.malformed(&format!("Invalid numeric value: '{word}'")))
    }

    fn token(&mut self) -> Result<Value, SyntaxError> {
        if !self.peek().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$') {
            return Err(match self.peek() {
                Some(_) => self.unexpected(&format!("expected a valid value {VALUES}")),
                None => self.malformed("Unexpected end-of-input"),
            });
        }
        let word = self.word(|c| c.is_alphanumeric() || c == '_' || c == '$').to_owned();
        match word.as_str() {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Boolean(true)),
            "false" => Ok(Value::Boolean(false)),
            _ => Err(self.malformed(&format!("Unrecognized token '{word}': was expecting {VALUES}"))),
        }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &str {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_space(&mut self) {
        self.word(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn malformed(&self, what: &str) -> SyntaxError {
        SyntaxError::Malformed { what: what.to_owned(), at: self.at }
    }

    /// The next character does not belong here.
    fn unexpected(&mut self, why: &str) -> SyntaxError {
        let Some(found) = self.peek() else {
            return self.malformed(&format!("Unexpected end-of-input: {why}"));
        };
        self.at += found.len_utf8();
        self.malformed(&format!("Unexpected character ('{found}' (code {})): {why}", u32::from(found)))
    }

    fn ended(&self, what: &str, open: usize) -> SyntaxError {
        let start = source(self.text, open);
        self.malformed(&format!("Unexpected end-of-input: expected close marker for {what} (start marker at {start})"))
    }
}
