//! An expression in a field of a state, and how its failures are worded.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>,
//! `States.QueryEvaluationError`.

use serde_json::Value;

use super::{Facts, Outcome, Query};
use crate::failure::{Failure, Fault, QUERY_EVALUATION_ERROR};
use crate::intrinsic::Random;
use crate::scope::Scope;

/// An expression and its place within the state, such as `Catch[0]/Output/reason`.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    location: Box<str>,
    query: Query,
}

impl Located {
    pub(crate) fn new(location: &str, query: Query) -> Self {
        Self { location: location.into(), query }
    }

    pub(crate) fn evaluate(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<Value, Fault> {
        match self.query.evaluate(&self.facts(scope), random) {
            Outcome::Value(value) => Ok(value),
            Outcome::Nothing => Err(self.said(" returned nothing (undefined).")),
            Outcome::Unsupported => Err(self.said(" returned an unsupported result type.")),
            Outcome::Error(why) => Err(self.said(&format!(" threw an error during evaluation{why}"))),
        }
    }

    /// A value that the field takes, or what the service says of another.
    pub(crate) fn typed<T>(
        &self,
        expected: &str,
        scope: &Scope<'_>,
        random: Random<'_>,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, Fault> {
        let value = self.evaluate(scope, random)?;
        read(&value).ok_or_else(|| {
            let kind = kind_of(&value);
            self.said(&format!(
                " returned an unexpected result type. Expected '{expected}', but was '{kind}' for value: {value}"
            ))
        })
    }

    /// A failure of the field that is not the expression's.
    pub(crate) fn fault(&self, cause: impl Into<String>) -> Fault {
        Fault::at(&self.location, Failure::new(QUERY_EVALUATION_ERROR, cause))
    }

    fn said(&self, what: &str) -> Fault {
        let (text, place) = (self.query.text(), &self.location);
        self.fault(format!("The JSONata expression '{text}' specified for the field '{place}'{what}"))
    }

    /// Only what the expression may name is made: the input and the variables can be large.
    fn facts<'s>(&self, scope: &'s Scope<'_>) -> Facts<'s> {
        let variables = scope.variables.iter().filter(|(name, _)| self.query.names(name));
        let members = [("input", Some(scope.input)), ("result", scope.result), ("errorOutput", scope.error_output)];
        let members = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut states: Vec<_> = members.filter(|(name, _)| self.query.may_read(name)).collect();
        if self.query.may_read("context") {
            states.push(("context", scope.context.value()));
        }
        Facts {
            variables: variables.map(|(name, value)| (name.as_str(), value.value())).collect(),
            states,
            now: scope.context.now,
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
