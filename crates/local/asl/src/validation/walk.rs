//! The walk through a definition: what it has found so far, where it is, and the checks that every
//! object of a definition goes through.
//!
//! An object is described by a [`Shape`]: the fields that it may have, each with its check, and
//! groups of fields that exclude one another. Words and places are the service's.

use std::collections::HashSet;

use super::json::{Node, Value};
use super::scope::Scope;
use super::{path, template};

/// In which language the fields of a state are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    JsonPath,
    Jsonata,
}

impl Language {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::JsonPath => "JSONPath",
            Self::Jsonata => "JSONata",
        }
    }
}

/// Where the walk is, and what holds there.
#[derive(Clone, Debug)]
pub(super) struct Place<'s> {
    pub(super) location: String,
    /// The language of the state.
    pub(super) language: Language,
    /// The language of the machine, which nested states fall back to.
    pub(super) machine: Language,
    /// The states run in an Express workflow.
    pub(super) express: bool,
    /// How deep flows nest here.
    pub(super) depth: usize,
    /// The name of the state.
    pub(super) state: String,
    pub(super) scope: &'s Scope<'s>,
    /// Whether expressions may read `$states.result`.
    pub(super) sees_result: bool,
    /// Whether expressions may read `$states.errorOutput`.
    pub(super) sees_error: bool,
}

impl Place<'_> {
    pub(super) fn field(&self, name: &str) -> Self {
        let around = if self.location == "/" { "" } else { &self.location };
        Self { location: format!("{around}/{name}"), ..self.clone() }
    }

    pub(super) fn item(&self, index: usize) -> Self {
        Self { location: format!("{}[{index}]", self.location), ..self.clone() }
    }
}

/// The fields of a kind of object.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) fields: &'static [Field],
    pub(super) groups: &'static [Group],
}

/// Fields of which an object has one at most, or exactly one.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) names: &'static [&'static str],
    pub(super) required: bool,
}

/// One field of a kind of object.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    only: Option<Language>,
    required: bool,
    check: Check,
}

/// What the value of a field must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    Anything,
    Text,
    Boolean,
    OneOf(&'static [&'static str]),
    Integer {
        least: i64,
        most: i64,
    },
    /// The same, or an expression in a `JSONata` state.
    DynamicInteger {
        least: i64,
        most: i64,
    },
    Decimal {
        least: f64,
        most: f64,
    },
    /// The same, or an expression in a `JSONata` state.
    DynamicDecimal {
        least: f64,
        most: f64,
    },
    /// A text, or an expression in a `JSONata` state.
    DynamicText,
    PathOrNull,
    ReferencePath,
    ReferencePathOrNull,
    PathOrCall,
    /// Any value; what it holds of expressions is checked.
    Template,
    With(fn(&mut Walk, &Node, &Place<'_>)),
}

impl Field {
    pub(super) const fn new(name: &'static str, check: Check) -> Self {
        Self { name, only: None, required: false, check }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn only(self, language: Language) -> Self {
        Self { only: Some(language), ..self }
    }
}

/// What is wrong at a place; `at` is the offset in the text.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) location: Option<String>,
    pub(super) at: usize,
}

/// What the walk has found, and the names that must not come twice in one machine.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) found: Vec<Finding>,
    pub(super) names: HashSet<String>,
    pub(super) labels: HashSet<String>,
}

impl Walk {
    pub(super) fn find(&mut self, code: &'static str, message: impl Into<String>, node: &Node, place: &Place<'_>) {
        let location = Some(place.location.clone());
        self.found.push(Finding { code, message: message.into(), location, at: node.at });
    }

    pub(super) fn schema(&mut self, message: impl Into<String>, node: &Node, place: &Place<'_>) {
        self.find(super::SCHEMA_VALIDATION_FAILED, message, node, place);
    }

    /// Checks an object: its fields, those it lacks, those that exclude one another.
    pub(super) fn object(&mut self, node: &Node, place: &Place<'_>, shape: &Shape) {
        if !matches!(node.value, Value::Object(_)) {
            return self.schema("Expected value of type [OBJECT]", node, place);
        }
        for member in node.members() {
            match shape.fields.iter().find(|field| field.name == member.name) {
                None => self.unsupported(&member.name, node, place),
                Some(field) => self.field(field, &member.node, node, place),
            }
        }
        let missing: Vec<&str> = shape
            .fields
            .iter()
            .filter(|field| field.required && node.get(field.name).is_none())
            .map(|field| field.name)
            .collect();
        if !missing.is_empty() {
            self.missing(&missing, node, place);
        }
        for group in shape.groups {
            self.group(group, node, place);
        }
    }

    pub(super) fn unsupported(&mut self, field: &str, node: &Node, place: &Place<'_>) {
        self.schema(format!("Field '{field}' is not supported"), node, place);
    }

    pub(super) fn missing(&mut self, fields: &[&str], node: &Node, place: &Place<'_>) {
        self.schema(format!("These fields are required: [{}]", fields.join(", ")), node, place);
    }

    fn field(&mut self, field: &Field, value: &Node, object: &Node, place: &Place<'_>) {
        if field.only.is_none_or(|only| self.speaks(only, field.name, object, place)) {
            self.check(field.check, value, &place.field(field.name));
        }
    }

    /// Whether a field of one language may stand here; says so when it may not.
    pub(super) fn speaks(&mut self, only: Language, field: &str, object: &Node, place: &Place<'_>) -> bool {
        if only != place.language {
            let (set, only) = (place.language.name(), only.name());
            let why = format!("is only supported for the '{only}' QueryLanguage");
            self.schema(format!("The QueryLanguage is set to '{set}', but field '{field}' {why}"), object, place);
        }
        only == place.language
    }

    fn group(&mut self, group: &Group, node: &Node, place: &Place<'_>) {
        let there = group.names.iter().filter(|name| node.get(name).is_some()).count();
        let names = group.names.join(", ");
        if there > 1 {
            self.schema(format!("There should only be one of the following fields: [{names}]"), node, place);
        } else if there == 0 && group.required {
            self.schema(format!("This object should have only one of the following fields: [{names}]"), node, place);
        }
    }

    pub(super) fn check(&mut self, check: Check, node: &Node, place: &Place<'_>) {
        match check {
            Check::Anything => {}
            Check::DynamicInteger { .. } | Check::DynamicDecimal { .. } | Check::DynamicText
                if template::is_expression(node, place) =>
            {
                template::check(self, node, place);
            }
            Check::Text | Check::DynamicText => self.text(node, place),
            Check::Boolean => self.typed(matches!(node.value, Value::Boolean(_)), "[BOOLEAN]", node, place),
            Check::OneOf(words) => self.one_of(words, node, place),
            Check::Integer { least, most } | Check::DynamicInteger { least, most } => {
                self.integer(least, most, node, place);
            }
            Check::Decimal { least, most } | Check::DynamicDecimal { least, most } => {
                self.decimal(least, most, node, place);
            }
            Check::PathOrNull | Check::ReferencePathOrNull if matches!(node.value, Value::Null) => {}
            Check::PathOrNull => path::path(self, node, place),
            Check::ReferencePath | Check::ReferencePathOrNull => path::reference_path(self, node, place),
            Check::PathOrCall => path::path_or_call(self, node, place),
            Check::Template => template::check(self, node, place),
            Check::With(check) => check(self, node, place),
        }
    }

    fn text(&mut self, node: &Node, place: &Place<'_>) {
        self.typed(node.text().is_some(), "[STRING]", node, place);
    }

    fn typed(&mut self, is_right: bool, name: &str, node: &Node, place: &Place<'_>) {
        if !is_right {
            self.schema(format!("Expected value of type {name}"), node, place);
        }
    }

    fn one_of(&mut self, words: &[&str], node: &Node, place: &Place<'_>) {
        match node.text() {
            None => self.text(node, place),
            Some(text) if words.contains(&text) => {}
            Some(_) => {
                self.schema(format!("Value should be one of the following: [{}]", words.join(", ")), node, place);
            }
        }
    }

    fn integer(&mut self, least: i64, most: i64, node: &Node, place: &Place<'_>) {
        let number = match &node.value {
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        match number {
            // A number that no 64 bits hold is above every bound.
            None if matches!(&node.value, Value::Number(number) if number.is_u64()) => {
                self.schema(format!("Maximum value is {most}"), node, place);
            }
            None => self.typed(false, "Integer", node, place),
            Some(number) if number < least => self.schema(format!("Minimum value is {least}"), node, place),
            Some(number) if number > most => self.schema(format!("Maximum value is {most}"), node, place),
            Some(_) => {}
        }
    }

    fn decimal(&mut self, least: f64, most: f64, node: &Node, place: &Place<'_>) {
        let number = match &node.value {
            Value::Number(number) => number.as_f64(),
            _ => None,
        };
        match number {
            None => self.typed(false, "Float", node, place),
            Some(number) if number < least => self.schema(format!("Minimum value is {least:.1}"), node, place),
            Some(number) if number > most => self.schema(format!("Maximum value is {most:.1}"), node, place),
            Some(_) => {}
        }
    }

    /// Checks that a value is an array.
    pub(super) fn array<'n>(&mut self, node: &'n Node, place: &Place<'_>) -> &'n [Node] {
        self.typed(matches!(node.value, Value::Array(_)), "[ARRAY]", node, place);
        node.items()
    }

    /// Checks that a value is an array that is not empty.
    pub(super) fn non_empty_array<'n>(&mut self, node: &'n Node, place: &Place<'_>) -> &'n [Node] {
        if matches!(&node.value, Value::Array(items) if items.is_empty()) {
            self.schema("Value cannot be empty", node, place);
        }
        self.array(node, place)
    }
}
