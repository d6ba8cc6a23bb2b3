//! State machine definitions: what is read from the text, checked once, and then only looked at.
//!
//! Spec: <https://states-language.net/#toplevelfields>.

mod check;
mod child;
mod language;
mod problem;
mod reader;
mod references;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use language::Language;
pub(crate) use problem::Problems;
pub use problem::{DefinitionError, Problem, ProblemCode};
pub(crate) use reader::Reader;
pub use references::variable_references;

use serde_json::Value;

use crate::catch::Catcher;
use crate::data_flow::DataFlow;
use crate::retry::Retrier;
use crate::states::Kind;
use crate::template::Template;

/// The most characters of a definition that the service takes.
const MAX_DEFINITION_BYTES: usize = 1_048_576;

/// How deep Map and Parallel states may nest; the service's own bound is the definition's size.
const MAX_FLOW_DEPTH: usize = 32;

/// A state machine that can be executed.
#[derive(Debug)]
pub struct Definition {
    pub(crate) flow: Arc<Flow>,
    pub(crate) timeout_seconds: Option<u64>,
}

/// The states of a machine, of a branch, or of an item processor.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) start_at: String,
    pub(crate) states: BTreeMap<String, Arc<State>>,
}

/// One state: what every kind has, and what its kind adds.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) language: Language,
    pub(crate) kind: Kind,
    pub(crate) data: DataFlow,
    pub(crate) assign: Option<Template>,
    /// `None` at an end.
    pub(crate) next: Option<String>,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
}

impl Definition {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// Every problem found, each with its place in the text.
    pub fn parse(json: &str) -> Result<Self, DefinitionError> {
        let mut problems = Problems::default();
        let definition = read_text(json, &mut problems);
        match definition {
            Some(definition) if problems.is_empty() => Ok(definition),
            _ => Err(problems.into_error()),
        }
    }

    /// The same machine, whose executions time out after `seconds` at the latest.
    #[must_use]
    pub fn limited_to(mut self, seconds: u64) -> Self {
        self.timeout_seconds = Some(self.timeout_seconds.map_or(seconds, |own| own.min(seconds)));
        self
    }
}

fn read_text(json: &str, problems: &mut Problems) -> Option<Definition> {
    if json.len() > MAX_DEFINITION_BYTES {
        problems.invalid("", format!("the definition is longer than {MAX_DEFINITION_BYTES} bytes"));
        return None;
    }
    match serde_json::from_str::<Value>(json) {
        Ok(value) => read_machine(&value, problems),
        Err(why) => {
            problems.add(ProblemCode::InvalidJsonDescription, "", format!("the definition is not JSON: {why}"));
            None
        }
    }
}

fn read_machine(value: &Value, problems: &mut Problems) -> Option<Definition> {
    let Some(members) = value.as_object() else {
        problems.invalid("", "the definition must be a JSON object");
        return None;
    };
    let mut reader = Reader::new(members, String::new(), 0, problems);
    reader.ignore(&["Comment"]);
    reader.flow_language();
    if let Some(version) = reader.string("Version").filter(|version| *version != "1.0") {
        let message = format!("version `{version}` of the language is not supported");
        reader.problem("Version", message);
    }
    let timeout_seconds = reader.positive("TimeoutSeconds");
    let flow = read_flow(&mut reader)?;
    reader.finish();
    Some(Definition { flow: Arc::new(flow), timeout_seconds })
}

/// Reads a state that stands alone; where it leads to is not looked at.
pub(crate) fn read_state(json: &str, name: &str) -> Result<Arc<State>, DefinitionError> {
    let mut problems = Problems::default();
    let mut state = None;
    if let Ok(Value::Object(members)) = serde_json::from_str::<Value>(json) {
        let mut reader = Reader::new(&members, String::new(), 0, &mut problems);
        state = State::read(name, &mut reader);
        reader.finish();
    } else {
        problems.invalid("", "the definition must be a JSON object");
    }
    match state {
        Some(state) if problems.is_empty() => Ok(Arc::new(state)),
        _ => Err(problems.into_error()),
    }
}

/// Reads `StartAt` and `States`; the caller finishes the reader.
pub(crate) fn read_flow(reader: &mut Reader<'_, '_>) -> Option<Flow> {
    if reader.depth() > MAX_FLOW_DEPTH {
        reader.problem("States", format!("states nest deeper than {MAX_FLOW_DEPTH}"));
        return None;
    }
    let start_at = reader.required_string("StartAt");
    let states = reader.required_object("States")?;
    let names: Vec<&String> = states.keys().collect();
    let mut read = BTreeMap::new();
    for name in names {
        if let Some(mut inner) = reader.nested_in("States", states, name)
            && let Some(state) = State::read(name, &mut inner)
        {
            inner.finish();
            read.insert(name.clone(), Arc::new(state));
        }
    }
    let flow = Flow { start_at: start_at?.to_owned(), states: read };
    check::transitions(&flow, states, reader);
    Some(flow)
}

impl State {
    fn read(name: &str, reader: &mut Reader<'_, '_>) -> Option<Self> {
        reader.ignore(&["Comment"]);
        reader.state_language();
        if name.chars().count() > 80 {
            reader.problem("", "a state's name must not be longer than 80 characters".to_owned());
        }
        let type_name = reader.required_string("Type")?;
        let kind = Kind::read(type_name, reader)?;
        let has = kind.fields();
        Some(Self {
            name: name.to_owned(),
            language: reader.language(),
            data: DataFlow::read(reader, has),
            assign: if has.assign { reader.template("Assign") } else { None },
            next: if has.transition { read_transition(reader) } else { None },
            retry: if has.retry { Retrier::read_all(reader) } else { Vec::new() },
            catch: if has.retry { Catcher::read_all(reader) } else { Vec::new() },
            kind,
        })
    }
}

fn read_transition(reader: &mut Reader<'_, '_>) -> Option<String> {
    let next = reader.string("Next");
    let end = reader.boolean("End");
    match (next, end) {
        (Some(next), None) => return Some(next.to_owned()),
        (None, Some(true)) => {}
        (Some(_), Some(_)) => {
            reader.problem("End", "a state has either `Next` or `End`".to_owned());
        }
        (None, _) => reader.problem("", "these fields are required: one of `Next` and `End`".to_owned()),
    }
    None
}

#[cfg(test)]
mod tests;
