//! Reading the fields of one JSON object of a definition, with the place of each problem.
//!
//! A field that nobody asked for is a problem: a misspelt `Cath` must not pass silently.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Language, ProblemCode, Problems};
use crate::jsonata::{Located, Query, expression_in};
use crate::path::{Path, ReferencePath};
use crate::template::{Expression, Place, Template};

pub(crate) struct Reader<'v, 'p> {
    members: &'v Map<String, Value>,
    location: String,
    /// The place within the state, as the service names it; empty for the state itself.
    within: String,
    depth: usize,
    /// What a state is written in that does not say.
    default_language: Language,
    language: Language,
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
        Self {
            members,
            location,
            within: String::new(),
            depth,
            default_language: Language::default(),
            language: Language::default(),
            used: HashSet::new(),
            problems,
        }
    }

    /// The place of the object in the definition, as a JSON pointer.
    pub(crate) fn location(&self) -> &str {
        &self.location
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

    /// A template in the state's language.
    pub(crate) fn template(&mut self, field: &str) -> Option<Template> {
        let value = self.get(field)?;
        let at = Place { pointer: self.place(field), location: self.within_state(field) };
        let problems = &mut *self.problems;
        Some(Template::parse(value, &at, self.language, &mut |place, why| {
            problems.invalid(place, why);
        }))
    }

    /// The JSONata expression in a field; `None` where the field holds something else.
    pub(crate) fn located(&mut self, field: &str) -> Option<Located> {
        let text = self.members.get(field)?.as_str()?;
        let inner = expression_in(text)?;
        self.get(field);
        let within = self.within_state(field);
        let query = inner.and_then(Query::parse);
        self.parsed(field, query).map(|query| Located::new(&within, query))
    }

    pub(crate) fn language(&self) -> Language {
        self.language
    }

    pub(crate) fn is_jsonata(&self) -> bool {
        self.language == Language::Jsonata
    }

    /// The language of a machine, and of its states that do not say.
    pub(crate) fn flow_language(&mut self) {
        if self.has("QueryLanguage") {
            self.state_language();
            self.default_language = self.language;
        }
    }

    /// The language of a state.
    pub(crate) fn state_language(&mut self) {
        let Some(name) = self.string("QueryLanguage") else {
            return;
        };
        match Language::named(name) {
            None => self.problem("QueryLanguage", format!("there is no query language `{name}`")),
            Some(Language::JsonPath) if self.default_language == Language::Jsonata => self.problem(
                "QueryLanguage",
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
            ),
            Some(language) => self.language = language,
        }
    }

    /// A reader for the object in a field.
    pub(crate) fn nested(&mut self, field: &str) -> Option<Reader<'v, '_>> {
        let members = self.object(field)?;
        let within = self.within_state(field);
        let mut reader = self.inner(members, self.place(field), within);
        reader.depth += 1;
        Some(reader)
    }

    /// A reader for a state: a member of the object in a field.
    pub(crate) fn nested_in(
        &mut self,
        field: &str,
        members: &'v Map<String, Value>,
        name: &str,
    ) -> Option<Reader<'v, '_>> {
        let location = format!("{}/{}", self.place(field), escaped(name));
        let default = self.default_language;
        let mut reader = self.reader_at(members.get(name)?, location, String::new())?;
        reader.language = default;
        Some(reader)
    }

    /// A reader for an item of an array in a field.
    pub(crate) fn item(&mut self, field: &str, at: usize, item: &'v Value) -> Option<Reader<'v, '_>> {
        let location = format!("{}/{at}", self.place(field));
        let within = format!("{}[{at}]", self.within_state(field));
        self.reader_at(item, location, within)
    }

    fn reader_at(&mut self, value: &'v Value, location: String, within: String) -> Option<Reader<'v, '_>> {
        if let Some(members) = value.as_object() {
            return Some(self.inner(members, location, within));
        }
        self.problems.invalid(location, "the value must be an object");
        None
    }

    fn inner(&mut self, members: &'v Map<String, Value>, location: String, within: String) -> Reader<'v, '_> {
        Reader {
            members,
            location,
            within,
            depth: self.depth,
            default_language: self.default_language,
            language: self.language,
            used: HashSet::new(),
            problems: self.problems,
        }
    }

    fn typed<T>(&mut self, field: &str, what: &str, read: impl Fn(&'v Value) -> Option<T>) -> Option<T> {
        if self.is_jsonata() && self.used.contains(field) {
            // It holds an expression that was told of already.
            return None;
        }
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

    /// A field's place as the service names it: `Choices[0]/Condition`.
    fn within_state(&self, field: &str) -> String {
        if self.within.is_empty() { field.to_owned() } else { format!("{}/{field}", self.within) }
    }

    fn place(&self, field: &str) -> String {
        if field.is_empty() { self.location.clone() } else { format!("{}/{}", self.location, escaped(field)) }
    }
}

/// A name as a JSON pointer holds it: <https://www.rfc-editor.org/rfc/rfc6901#section-3>.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
