//! Reading the fields of one JSON object of a definition, with the place of each problem.
//!
//! A field that nobody asked for is a problem: a misspelt `Cath` must not pass silently.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{ProblemCode, Problems};
use crate::path::{Path, ReferencePath};
use crate::template::{Expression, Template};

pub(crate) struct Reader<'v, 'p> {
    members: &'v Map<String, Value>,
    location: String,
    depth: usize,
    used: HashSet<&'v str>,
    problems: &'p mut Problems,
}

impl<'v, 'p> Reader<'v, 'p> {
    pub(crate) fn new(
        members: &'v Map<String, Value>,
        location: String,
        depth: usize,
        problems: &'p mut Problems,
    ) -> Self {
        Self { members, location, depth, used: HashSet::new(), problems }
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The same reader, one level of states further in.
    pub(crate) fn deeper(mut self) -> Self {
        self.depth += 1;
        self
    }

    /// Tells of a problem with a field, or with the object itself where the name is empty.
    pub(crate) fn problem(&mut self, field: &str, message: impl Into<String>) {
        let location = self.place(field);
        self.problems.invalid(location, message);
    }

    pub(crate) fn not_supported_yet(&mut self, field: &str, what: &str) {
        let location = self.place(field);
        self.problems.add(ProblemCode::NotSupportedYet, location, format!("{what} is not supported yet"));
    }

    pub(crate) fn missing_target(&mut self, field: &str, message: String) {
        let location = self.place(field);
        self.problems.add(ProblemCode::MissingTransitionTarget, location, message);
    }

    /// Tells of a missing target in one of the states.
    pub(crate) fn missing_state_target(&mut self, state: &str, message: String) {
        let location = format!("{}/States/{}", self.location, escaped(state));
        self.problems.add(ProblemCode::MissingTransitionTarget, location, message);
    }

    /// Fields that are allowed and mean nothing here.
    pub(crate) fn ignore(&mut self, fields: &[&str]) {
        for field in fields {
            self.get(field);
        }
    }

    /// Reports every field that nobody asked for.
    pub(crate) fn finish(mut self) {
        let unknown: Vec<&String> = self.members.keys().filter(|name| !self.used.contains(name.as_str())).collect();
        for name in unknown {
            self.problem(name, format!("field `{name}` is not supported here"));
        }
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    pub(crate) fn get(&mut self, field: &str) -> Option<&'v Value> {
        let (name, value) = self.members.get_key_value(field)?;
        self.used.insert(name);
        Some(value)
    }

    pub(crate) fn string(&mut self, field: &str) -> Option<&'v str> {
        self.typed(field, "a string", Value::as_str)
    }

    pub(crate) fn boolean(&mut self, field: &str) -> Option<bool> {
        self.typed(field, "a boolean", Value::as_bool)
    }

    pub(crate) fn array(&mut self, field: &str) -> Option<&'v Vec<Value>> {
        self.typed(field, "an array", Value::as_array)
    }

    pub(crate) fn object(&mut self, field: &str) -> Option<&'v Map<String, Value>> {
        self.typed(field, "an object", Value::as_object)
    }

    pub(crate) fn number(&mut self, field: &str) -> Option<f64> {
        self.typed(field, "a number", Value::as_f64)
    }

    pub(crate) fn integer(&mut self, field: &str) -> Option<u64> {
        self.typed(field, "a non-negative integer", Value::as_u64)
    }

    pub(crate) fn positive(&mut self, field: &str) -> Option<u64> {
        self.typed(field, "a positive integer", |value| value.as_u64().filter(|number| *number > 0))
    }

    pub(crate) fn required_string(&mut self, field: &str) -> Option<&'v str> {
        self.require(field);
        self.string(field)
    }

    pub(crate) fn required_object(&mut self, field: &str) -> Option<&'v Map<String, Value>> {
        self.require(field);
        self.object(field)
    }

    pub(crate) fn required_array(&mut self, field: &str) -> Option<&'v Vec<Value>> {
        self.require(field);
        self.array(field)
    }

    pub(crate) fn path(&mut self, field: &str) -> Option<Path> {
        let text = self.string(field)?;
        self.parsed(field, Path::parse(text))
    }

    pub(crate) fn reference_path(&mut self, field: &str) -> Option<ReferencePath> {
        let text = self.string(field)?;
        self.parsed(field, ReferencePath::parse(text))
    }

    pub(crate) fn expression(&mut self, field: &str) -> Option<Expression> {
        let text = self.string(field)?;
        self.parsed(field, Expression::parse(text))
    }

    pub(crate) fn template(&mut self, field: &str) -> Option<Template> {
        let value = self.get(field)?;
        let at = self.place(field);
        let problems = &mut *self.problems;
        Some(Template::parse(value, &at, &mut |place, why| {
            problems.invalid(place, why);
        }))
    }

    /// Only `JSONPath` is executed.
    pub(crate) fn query_language(&mut self) {
        match self.string("QueryLanguage") {
            None | Some("JSONPath") => {}
            Some("JSONata") => {
                self.not_supported_yet("QueryLanguage", "the JSONata query language");
            }
            Some(other) => self.problem("QueryLanguage", format!("there is no query language `{other}`")),
        }
    }

    /// A reader for the object in a field.
    pub(crate) fn nested(&mut self, field: &str) -> Option<Reader<'v, '_>> {
        let members = self.object(field)?;
        let location = self.place(field);
        Some(Reader::new(members, location, self.depth + 1, self.problems))
    }

    /// A reader for a member of an object in a field.
    pub(crate) fn nested_in(
        &mut self,
        field: &str,
        members: &'v Map<String, Value>,
        name: &str,
    ) -> Option<Reader<'v, '_>> {
        let location = format!("{}/{}", self.place(field), escaped(name));
        self.reader_at(members.get(name)?, location)
    }

    /// A reader for an item of an array in a field.
    pub(crate) fn item(&mut self, field: &str, at: usize, item: &'v Value) -> Option<Reader<'v, '_>> {
        let location = format!("{}/{at}", self.place(field));
        self.reader_at(item, location)
    }

    fn reader_at(&mut self, value: &'v Value, location: String) -> Option<Reader<'v, '_>> {
        if let Some(members) = value.as_object() {
            return Some(Reader::new(members, location, self.depth, self.problems));
        }
        self.problems.invalid(location, "the value must be an object");
        None
    }

    fn typed<T>(&mut self, field: &str, what: &str, read: impl Fn(&'v Value) -> Option<T>) -> Option<T> {
        let value = self.get(field)?;
        let read = read(value);
        if read.is_none() {
            self.problem(field, format!("the value must be {what}"));
        }
        read
    }

    fn require(&mut self, field: &str) {
        if !self.has(field) {
            self.problem("", format!("these fields are required: `{field}`"));
        }
    }

    fn parsed<T>(&mut self, field: &str, parsed: Result<T, String>) -> Option<T> {
        parsed.map_err(|why| self.problem(field, why)).ok()
    }

    fn place(&self, field: &str) -> String {
        if field.is_empty() { self.location.clone() } else { format!("{}/{}", self.location, escaped(field)) }
    }
}

/// A name as a JSON pointer holds it: <https://www.rfc-editor.org/rfc/rfc6901#section-3>.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
