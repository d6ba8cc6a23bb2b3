//! Paths: the `JSONPath` dialect of the language, over the input (`$`), the context object (`$$`)
//! and variables (`$name`).
//!
//! Spec: <https://states-language.net/#path>. The dialect is Jayway's, which the service uses:
//! a path is *definite* when it can name one value only; then it yields that value or fails.
//! Any other path yields an array, perhaps empty. Regular expressions in filters are refused.

mod filter;
mod function;
mod parse;
mod reference;
mod select;

pub(crate) use filter::Filter;
pub(crate) use function::Function;
pub(crate) use reference::ReferencePath;

use serde_json::Value;

use crate::scope::Scope;

/// A parsed path with its source text.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    text: Box<str>,
    root: Root,
    segments: Vec<Segment>,
    definite: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    Input,
    Context,
    Variable(Box<str>),
}

#[derive(Clone, Debug)]
pub(crate) enum Segment {
    Child(Selector),
    /// `..`: the selector is tried at every depth.
    Descendant(Selector),
    Function(Function),
}

#[derive(Clone, Debug)]
pub(crate) enum Selector {
    Name(Box<str>),
    Names(Vec<Box<str>>),
    Index(i64),
    Indices(Vec<i64>),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Wildcard,
    Filter(Filter),
}

/// What a path found.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    One(&'a Value),
    Made(Value),
    Missing,
}

impl Path {
    /// Parses a whole string.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::whole(text)
    }

    /// Parses the path at the start of `text` and says how many bytes it takes.
    pub(crate) fn parse_prefix(text: &str) -> Result<(Self, usize), String> {
        parse::prefix(text)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_root(&self) -> bool {
        self.root == Root::Input && self.segments.is_empty()
    }

    /// Evaluates the path in a scope.
    pub(crate) fn find<'a>(&self, scope: &'a Scope<'_>) -> Found<'a> {
        let Some((document, rest)) = scope.root(&self.root, &self.segments) else {
            return Found::Missing;
        };
        if self.definite {
            return select::one(rest, document);
        }
        let budget = select::Budget::new();
        let found = select::many(rest, document, &budget).and_then(|found| budget.copied(found));
        found.map_or(Found::Missing, Found::Made)
    }

    /// Why a definite path found nothing, in Jayway's words.
    pub(crate) fn why_missing(&self, scope: &Scope<'_>) -> String {
        let missing_at = scope
            .root(&self.root, &self.segments)
            .map_or(0, |(document, rest)| self.segments.len() - rest.len() + select::depth_found(rest, document));
        if missing_at + 1 < self.segments.len() {
            return format!("Missing property in path {}", self.normalized(missing_at + 1));
        }
        format!("No results for path: {}", self.normalized(self.segments.len()))
    }

    fn normalized(&self, segment_count: usize) -> String {
        let mut text = String::from("$");
        for segment in self.segments.iter().take(segment_count) {
            match segment {
                Segment::Child(Selector::Name(name)) => text.extend(["['", name, "']"]),
                Segment::Child(Selector::Index(index)) => {
                    text.extend(["[", index.to_string().as_str(), "]"]);
                }
                _ => text.push_str("[*]"),
            }
        }
        text
    }
}

#[cfg(test)]
pub(crate) mod tests;
