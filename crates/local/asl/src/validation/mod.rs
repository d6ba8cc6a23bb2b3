//! What the service says of a definition before it takes it: `ValidateStateMachineDefinition`.
//!
//! Codes: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html>.
//! The rules are tables, one for each kind of object of a definition; words and places of what they
//! find are the service's where those are known. What executes a definition is read elsewhere
//! ([`crate::Definition`]): this module only tells what is wrong, and where.

mod choice;
mod expression;
mod graph;
mod handlers;
mod json;
mod machine;
mod map;
mod path;
mod scope;
mod state;
mod task;
mod template;
mod walk;

use std::fmt;
use std::sync::LazyLock;

use self::json::{Node, SyntaxError, Value};
use self::scope::Scope;
use self::walk::{Finding, Language, Place, Walk};

const SCHEMA_VALIDATION_FAILED: &str = "SCHEMA_VALIDATION_FAILED";
const MISSING_TRANSITION_TARGET: &str = "MISSING_TRANSITION_TARGET";
const NO_DOLLAR: &str = "NO_DOLLAR";
const NO_PATH: &str = "NO_PATH";
const PASS_RESULT_IS_STATIC: &str = "PASS_RESULT_IS_STATIC";

/// How deep Map and Parallel states may nest; the engine's own bound.
const MAX_FLOW_DEPTH: usize = 32;

/// The longest definition that the service takes.
const MAX_DEFINITION_BYTES: usize = 1_048_576;

/// The two types of state machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MachineType {
    /// Durable, up to a year.
    #[default]
    Standard,
    /// Up to five minutes, without callbacks, jobs, activities and distributed Maps.
    Express,
}

/// How much a diagnostic weighs, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The definition can be used.
    Warning,
    /// It cannot.
    Error,
}

/// Something that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// The service's code for it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where, as the service writes it: `/States/Choose/Choices[0]/Next`.
    pub location: Option<String>,
    /// The line in the text, from 1.
    pub line: usize,
    /// The column in the line, in characters, from 1.
    pub column: usize,
}

impl Severity {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// As the service words it in the refusal of a definition.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} at {}", self.code, self.message, self.location.as_deref().unwrap_or("null"))
    }
}

/// Everything that is wrong with a definition, warnings too, in the order of the text.
#[must_use]
pub fn validate(definition: &str, machine_type: MachineType) -> Vec<Diagnostic> {
    checked(definition, machine_type, machine::machine)
}

fn checked(definition: &str, machine_type: MachineType, check: fn(&mut Walk, &Node, &Place<'_>)) -> Vec<Diagnostic> {
    let mut walk = Walk::default();
    match json::parse(definition) {
        _ if definition.len() > MAX_DEFINITION_BYTES => {
            let message = format!("The definition is longer than {MAX_DEFINITION_BYTES} bytes");
            walk.found.push(bare(SCHEMA_VALIDATION_FAILED, message, 0));
        }
        Ok(Some(node)) if matches!(node.value, Value::Object(_)) => check(&mut walk, &node, &root(&node, machine_type)),
        Ok(_) => {
            walk.found.push(bare(SCHEMA_VALIDATION_FAILED, "Definition must be a valid JSON object".to_owned(), 0));
        }
        Err(why) => walk.found.push(syntax_error(definition, why)),
    }
    walk.found.into_iter().map(|finding| diagnostic(definition, finding)).collect()
}

/// The same of the definition of a single state; where it leads to is not looked at.
pub(crate) fn validate_state(definition: &str) -> Vec<Diagnostic> {
    checked(definition, MachineType::Standard, state::check)
}

/// The line and the column of what a JSON pointer leads to; of the text's start, where it leads nowhere.
pub(crate) fn position_of(text: &str, pointer: &str) -> (usize, usize) {
    let tree = json::parse(text).ok().flatten();
    let found = tree.as_ref().and_then(|tree| tree.find(pointer));
    json::position(text, found.map_or(0, |node| node.at))
}

fn root(node: &Node, machine_type: MachineType) -> Place<'static> {
    static NOTHING: LazyLock<Scope<'static>> = LazyLock::new(Scope::default);
    let language = machine::language(node).unwrap_or(Language::JsonPath);
    Place {
        location: "/".to_owned(),
        language,
        machine: language,
        express: machine_type == MachineType::Express,
        depth: 0,
        state: String::new(),
        scope: &NOTHING,
        sees_result: false,
        sees_error: false,
    }
}

fn bare(code: &'static str, message: String, at: usize) -> Finding {
    Finding { code, message, location: None, at }
}

fn syntax_error(text: &str, why: SyntaxError) -> Finding {
    match why {
        SyntaxError::TooDeep { at } => bare("TOO_DEEPLY_NESTED", "The states are too deeply nested.".to_owned(), at),
        SyntaxError::Malformed { what, at } => {
            let source = json::source(text, at);
            let message = format!("{what}\n at {source}");
            Finding { code: "INVALID_JSON_DESCRIPTION", message, location: Some(source), at }
        }
    }
}

fn diagnostic(text: &str, finding: Finding) -> Diagnostic {
    let Finding { code, message, location, at } = finding;
    let is_warning = [NO_DOLLAR, NO_PATH, PASS_RESULT_IS_STATIC].contains(&code);
    let severity = if is_warning { Severity::Warning } else { Severity::Error };
    let (line, column) = json::position(text, at);
    Diagnostic { severity, code, message, location, line, column }
}

#[cfg(test)]
mod tests;
