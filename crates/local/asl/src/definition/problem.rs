//! What is wrong with a definition, and where.

use std::fmt;

use crate::validation::{self, Diagnostic, Severity};

/// All problems of a definition.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub struct DefinitionError {
    /// At least one, in the order in which they were met.
    pub problems: Vec<Problem>,
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("read the definition")?;
        for (at, problem) in self.problems.iter().enumerate() {
            write!(formatter, "{} {problem}", if at == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of problem, named as `ValidateStateMachineDefinition` names it.
    pub code: ProblemCode,
    /// A JSON pointer into the definition.
    pub location: String,
    /// What is wrong there.
    pub message: String,
}

impl Problem {
    /// The problem among those that the service would tell of, at its place in the text.
    #[must_use]
    pub fn diagnostic(self, definition: &str) -> Diagnostic {
        let (line, column) = validation::position_of(definition, &self.location);
        let location = Some(self.location);
        Diagnostic { severity: Severity::Error, code: self.code.name(), message: self.message, location, line, column }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} at `{}`", self.code.name(), self.message, self.location)
    }
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemCode {
    /// The text is not JSON.
    InvalidJsonDescription,
    /// A field is missing, unknown, or of the wrong form.
    SchemaValidationFailed,
    /// A transition names a state that does not exist, or a state cannot be reached.
    MissingTransitionTarget,
}

impl ProblemCode {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Self::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Self::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
        }
    }
}

/// The problems met so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, code: ProblemCode, location: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { code, location: location.into(), message: message.into() });
    }

    pub(crate) fn invalid(&mut self, location: impl Into<String>, message: impl Into<String>) {
        self.add(ProblemCode::SchemaValidationFailed, location, message);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_error(self) -> DefinitionError {
        DefinitionError { problems: self.0 }
    }
}
