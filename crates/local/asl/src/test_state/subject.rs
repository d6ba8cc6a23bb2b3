//! The state under test, found in a definition.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html>: the
//! definition is that of one state, or of a machine whose state is named.

use std::sync::Arc;

use crate::definition::{Definition, Flow, State, read_state};
use crate::integration::Resource;
use crate::log::StateKind;
use crate::states::Kind;
use crate::validation::{self, Diagnostic, MachineType, Severity};

/// How a state that stands alone is named.
const NAME: &str = "StateName";

/// A state that can be tested.
#[derive(Debug)]
pub struct Subject {
    state: Arc<State>,
}

/// Why there is no state to test.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SubjectError {
    /// The definition is wrong, in the words of the service.
    #[error("{0}")]
    Definition(String),
    /// The machine has no state of that name.
    #[error("State not found in definition")]
    NotFound,
}

impl Subject {
    /// Reads the definition of a state, or that of a machine with the named state.
    ///
    /// # Errors
    /// When the definition is wrong or does not have the state.
    pub fn find(definition: &str, state_name: Option<&str>) -> Result<Self, SubjectError> {
        let Some(name) = state_name else {
            sound(&validation::validate_state(definition))?;
            let read = read_state(definition, NAME);
            return Ok(Self { state: read.map_err(|error| SubjectError::Definition(error.to_string()))? });
        };
        sound(&validation::validate(definition, MachineType::Standard))?;
        let read = Definition::parse(definition).map_err(|error| SubjectError::Definition(error.to_string()))?;
        let state = find(&read.flow, name).ok_or(SubjectError::NotFound)?;
        Ok(Self { state })
    }

    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The type of the state.
    #[must_use]
    pub fn kind(&self) -> StateKind {
        self.state.kind.name()
    }

    /// The type of the state, as definitions name it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.kind() {
            StateKind::Task => "Task",
            StateKind::Pass => "Pass",
            StateKind::Choice => "Choice",
            StateKind::Wait => "Wait",
            StateKind::Succeed => "Succeed",
            StateKind::Fail => "Fail",
            StateKind::Parallel => "Parallel",
            StateKind::Map => "Map",
        }
    }

    /// The action of a service that does the work of a Task state, such as `lambda:invoke`.
    #[must_use]
    pub fn service_action(&self) -> Option<String> {
        match &self.state.kind {
            Kind::Task(task) => match &task.resource {
                Resource::Service { service, action, .. } => Some(format!("{service}:{action}")),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a Map writes its results elsewhere, so that its own result is an object.
    #[must_use]
    pub fn writes_results(&self) -> bool {
        matches!(&self.state.kind, Kind::Map(map) if map.writes_results())
    }

    /// Whether a state of that name is in the flows of a Map or Parallel state.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        flows(&self.state).any(|flow| find(flow, name).is_some())
    }
}

fn sound(found: &[Diagnostic]) -> Result<(), SubjectError> {
    let errors = found.iter().filter(|one| one.severity == Severity::Error);
    let errors: Vec<String> = errors.map(ToString::to_string).collect();
    if errors.is_empty() { Ok(()) } else { Err(SubjectError::Definition(errors.join(", "))) }
}

fn find(flow: &Flow, name: &str) -> Option<Arc<State>> {
    let here = flow.states.get(name).cloned();
    here.or_else(|| flow.states.values().flat_map(|state| flows(state)).find_map(|inner| find(inner, name)))
}

fn flows(state: &State) -> impl Iterator<Item = &Flow> {
    let (branches, processor) = match &state.kind {
        Kind::Parallel(parallel) => (parallel.branches.as_slice(), None),
        Kind::Map(map) => (&[][..], Some(&*map.processor)),
        _ => (&[][..], None),
    };
    branches.iter().map(|branch| &**branch).chain(processor)
}
