//! The grammar of paths.

use super::filter::{Comparison, Filter, Operand};
use super::{Function, Path, Root, Segment, Selector};
use serde_json::Value;

/// Filters may nest this deep; hand-written ones need two or three.
const MAX_FILTER_DEPTH: usize = 32;

pub(super) fn whole(text: &str) -> Result<Path, String> {
    let (path, used) = prefix(text)?;
    if used == text.len() { Ok(path) } else { Err(format!("unexpected text `{}`", &text[used..])) }
}

pub(super) fn prefix(text: &str) -> Result<(Path, usize), String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let root = parser.root()?;
    let segments = parser.segments()?;
    let definite = is_definite(&segments);
    Ok((Path { text: text[..parser.at].into(), root, segments, definite }, parser.at))
}

fn is_definite(segments: &[Segment]) -> bool {
    let last = segments.len().saturating_sub(1);
    segments.iter().enumerate().all(|(at, segment)| match segment {
        Segment::Child(Selector::Name(_) | Selector::Index(_)) | Segment::Function(_) => true,
        // Several names at the end are merged into one object.
        Segment::Child(Selector::Names(_)) => at == last,
        Segment::Child(_) | Segment::Descendant(_) => false,
    })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn root(&mut self) -> Result<Root, String> {
        if !self.take("$") {
            return Err("a path must begin with `$`".to_owned());
        }
        if self.take("$") {
            return Ok(Root::Context);
        }
        let name = self.word(|c| c == '_' || c.is_alphanumeric());
        Ok(if name.is_empty() { Root::Input } else { Root::Variable(name.into()) })
    }

    fn segments(&mut self) -> Result<Vec<Segment>, String> {
        let mut segments = Vec::new();
        loop {
            let segment = if self.take("..") {
                Segment::Descendant(if self.take("[") { self.bracket()? } else { self.name()? })
            } else if self.take(".") {
                self.dotted()?
            } else if self.take("[") {
                Segment::Child(self.bracket()?)
            } else {
                return Ok(segments);
            };
            segments.push(segment);
        }
    }

    fn dotted(&mut self) -> Result<Segment, String> {
        if let Some((function, length)) = Function::at_start(&self.text[self.at..]) {
            self.at += length;
            return Ok(Segment::Function(function));
        }
        if self.take("[") { self.bracket() } else { self.name() }.map(Segment::Child)
    }

    fn name(&mut self) -> Result<Selector, String> {
        if self.take("*") {
            return Ok(Selector::Wildcard);
        }
        let name: Box<str> = self.word(|c| !c.is_whitespace() && !".[]()',=<>!&|".contains(c)).into();
        if name.is_empty() {
            return Err("a name is missing after `.`".to_owned());
        }
        if self.peek() == Some('(') {
            Err(format!("there is no path function `{name}`, or it takes arguments, which is not supported"))
        } else {
            Ok(Selector::Name(name))
        }
    }

    fn bracket(&mut self) -> Result<Selector, String> {
        self.skip_space();
        let selector = match self.peek() {
            Some('*') => {
                self.at += 1;
                Selector::Wildcard
            }
            Some('?') => {
                self.at += 1;
                Selector::Filter(self.filter_in_parentheses()?)
            }
            Some('\'' | '"') => self.names()?,
            _ => self.indices()?,
        };
        self.expect("]")?;
        Ok(selector)
    }

    fn names(&mut self) -> Result<Selector, String> {
        let mut names = vec![self.quoted()?.into_boxed_str()];
        while self.take_spaced(",") {
            self.skip_space();
            names.push(self.quoted()?.into_boxed_str());
        }
        Ok(match <[Box<str>; 1]>::try_from(names) {
            Ok([name]) => Selector::Name(name),
            Err(names) => Selector::Names(names),
        })
    }

    fn indices(&mut self) -> Result<Selector, String> {
        let start = self.integer()?;
        if self.take_spaced(":") {
            let end = self.integer()?;
            let step = if self.take_spaced(":") { self.integer()?.unwrap_or(1) } else { 1 };
            return if step > 0 {
                Ok(Selector::Slice { start, end, step })
            } else {
                Err("a slice's step must be positive".to_owned())
            };
        }
        let mut indices = vec![start.ok_or_else(|| "an index is missing in `[]`".to_owned())?];
        while self.take_spaced(",") {
            indices.push(self.integer()?.ok_or_else(|| "an index is missing after `,`".to_owned())?);
        }
        Ok(if let [index] = indices[..] { Selector::Index(index) } else { Selector::Indices(indices) })
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        self.skip_space();
        let word = self.word(|c| c == '-' || c.is_ascii_digit());
        if word.is_empty() {
            return Ok(None);
        }
        word.parse().map(Some).map_err(|_| format!("`{word}` is not an index"))
    }

    fn filter_in_parentheses(&mut self) -> Result<Filter, String> {
        self.expect("(")?;
        let filter = self.any()?;
        self.expect(")")?;
        Ok(filter)
    }

    fn any(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            return Err(format!("filters nest deeper than {MAX_FILTER_DEPTH}"));
        }
        let mut either = vec![self.all()?];
        while self.take_spaced("||") {
            either.push(self.all()?);
        }
        self.depth -= 1;
        Ok(Filter::Or(either))
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut both = vec![self.term()?];
        while self.take_spaced("&&") {
            both.push(self.term()?);
        }
        Ok(Filter::And(both))
    }

    fn term(&mut self) -> Result<Filter, String> {
        self.skip_space();
        if self.take("!") {
            self.depth += 1;
            if self.depth > MAX_FILTER_DEPTH {
                return Err(format!("filters nest deeper than {MAX_FILTER_DEPTH}"));
            }
            let inner = self.term()?;
            self.depth -= 1;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.peek() == Some('(') {
            return self.filter_in_parentheses();
        }
        let left = self.operand()?;
        let Some(comparison) = self.comparison()? else {
            return Ok(Filter::Exists(left));
        };
        Ok(Filter::Compare(left, comparison, self.operand()?))
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, String> {
        self.skip_space();
        if self.take("=~") {
            return Err("regular expressions in filters are not supported".to_owned());
        }
        let known = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("in ", Comparison::In),
            ("nin ", Comparison::NotIn),
        ];
        Ok(known.into_iter().find(|(sign, _)| self.take(sign)).map(|(_, comparison)| comparison))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.skip_space();
        match self.peek() {
            Some('@') => {
                self.at += 1;
                Ok(Operand::Item(self.segments()?))
            }
            Some('$') => {
                self.at += 1;
                Ok(Operand::Document(self.segments()?))
            }
            Some('\'' | '"') => Ok(Operand::Literal(Value::String(self.quoted()?))),
            Some('[') => self.list(),
            _ => self.literal(),
        }
    }

    fn list(&mut self) -> Result<Operand, String> {
        self.expect("[")?;
        let mut items = Vec::new();
        while !self.take_spaced("]") {
            match self.operand()? {
                Operand::Literal(value) if !matches!(value, Value::Array(_)) => items.push(value),
                _ => return Err("a list in a filter holds plain values only".to_owned()),
            }
            self.take_spaced(",");
        }
        Ok(Operand::Literal(Value::Array(items)))
    }

    fn literal(&mut self) -> Result<Operand, String> {
        let word = self.word(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        serde_json::from_str(word).map(Operand::Literal).map_err(|_| format!("`{word}` is not a value"))
    }

    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"')).ok_or("a quoted name is missing")?;
        self.at += 1;
        let mut text = String::new();
        while let Some(next) = self.peek() {
            self.at += next.len_utf8();
            if next == quote {
                return Ok(text);
            }
            let literal = if next == '\\' { self.peek() } else { None };
            self.at += literal.map_or(0, char::len_utf8);
            text.push(literal.unwrap_or(next));
        }
        Err(format!("a quote {quote} is not closed"))
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &str {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        self.word(char::is_whitespace);
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.text[self.at..].starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    fn take_spaced(&mut self, expected: &str) -> bool {
        let before = self.at;
        self.skip_space();
        let found = self.take(expected);
        if !found {
            self.at = before;
        }
        found
    }

    fn expect(&mut self, expected: &str) -> Result<(), String> {
        if self.take_spaced(expected) { Ok(()) } else { Err(format!("`{expected}` is missing at byte {}", self.at)) }
    }
}
