//! JSONata: the expressions between `{%` and `%}`, evaluated by `jsonata-core`.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>. The service has
//! JSONata 2.0.6, so what later versions added (`??`, `?:`) is refused when an expression is read.
//! Time, depth and memory of an evaluation are bounded, as the service bounds them. An
//! evaluation reads no clock for `$now` and draws no randomness of its own.

mod bounds;
mod convert;
mod field;
mod functions;
mod meter;
mod rewrite;
mod words;

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use serde_json::Value;

pub(crate) use self::field::Located;
use self::functions::Dice;
use crate::intrinsic::Random;

/// A parsed expression with its source text.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    text: Box<str>,
    /// The expression as it is evaluated: see `rewrite.rs`.
    tree: AstNode,
    is_too_deep: bool,
    /// Whether the expression calls what `meter.rs` has; a plain path does not.
    is_metered: bool,
}

/// What an evaluation gave.
#[derive(Debug)]
pub(crate) enum Outcome {
    Value(Value),
    /// `undefined`.
    Nothing,
    /// A function or another value that JSON does not have.
    Unsupported,
    /// What the service says after "threw an error during evaluation".
    Error(String),
}

/// The variables that an expression may name, without their `$`.
pub(crate) struct Facts<'a> {
    pub(crate) variables: Vec<(&'a str, &'a Value)>,
    /// The members of `$states`.
    pub(crate) states: Vec<(&'static str, &'a Value)>,
    pub(crate) now: Timestamp,
}

/// The expression in a string that is one as a whole: no space stands outside of the signs.
///
/// # Errors
/// When only one of the signs is there.
pub(crate) fn expression_in(text: &str) -> Option<Result<&str, String>> {
    match (text.strip_prefix("{%"), text.ends_with("%}")) {
        (None, _) => None,
        (Some(rest), true) if rest.len() >= "%}".len() => Some(Ok(rest[..rest.len() - "%}".len()].trim())),
        (Some(_), _) => Some(Err("a JSONata expression begins with `{%` and ends with `%}`".to_owned())),
    }
}

impl Query {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let tree = guarded(|| parser::parse(text).map_err(|why| format!("{why}")))
            .unwrap_or_else(|| Err("the expression cannot be parsed".to_owned()))?;
        bounds::refuse_later_operators(&tree)?;
        let is_too_deep = bounds::is_too_deep(&tree);
        let tree = rewrite::metered(tree);
        let is_metered = bounds::nodes(&tree).any(meter::is_ours);
        Ok(Self { text: text.into(), tree, is_too_deep, is_metered })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn tree(&self) -> &AstNode {
        &self.tree
    }

    /// Whether the expression may read the member of `$states`. Other uses than `$states.member`
    /// may read any.
    pub(crate) fn may_read(&self, member: &str) -> bool {
        let uses = self.text.split("$states").skip(1);
        uses.map(str::trim_start).any(|rest| {
            let name = rest.strip_prefix('.').map(|rest| word(rest.trim_start()));
            name.is_none_or(|name| name.is_empty() || name == member)
        })
    }

    /// Whether the expression may name the variable.
    pub(crate) fn names(&self, variable: &str) -> bool {
        self.text.match_indices(variable).any(|(at, _)| self.text[..at].ends_with('$'))
    }

    pub(crate) fn evaluate(&self, facts: &Facts<'_>, random: Random<'_>) -> Outcome {
        if self.is_too_deep {
            return Outcome::Error(words::depth());
        }
        let result = guarded(|| self.run(facts, random));
        let result = result.unwrap_or_else(|| Err(EvaluatorError::EvaluationError("the evaluator failed".to_owned())));
        match result {
            Ok(JValue::Undefined) => Outcome::Nothing,
            Ok(value) => convert::to_json(&value).map_or_else(
                |refusal| match refusal {
                    convert::Refusal::Unsupported => Outcome::Unsupported,
                    convert::Refusal::TooLarge => Outcome::Error(words::memory()),
                },
                Outcome::Value,
            ),
            Err(error) => Outcome::Error(words::of_error(&error)),
        }
    }

    fn run(&self, facts: &Facts<'_>, random: Random<'_>) -> Result<JValue, EvaluatorError> {
        let mut context = Context::new();
        for (name, value) in &facts.variables {
            context.bind((*name).to_owned(), convert::from_json(value));
        }
        let members = facts.states.iter().map(|(name, value)| ((*name).to_owned(), convert::from_json(value)));
        context.bind("states".to_owned(), JValue::Object(Rc::new(members.collect())));
        let mut evaluator = Evaluator::with_options(context, bounds::options());
        let dice = Rc::new(RefCell::new(Dice::new(random)));
        if self.is_metered {
            meter::register(&mut evaluator)?;
        }
        functions::register(&mut evaluator, self, facts.now, &dice)?;
        evaluator.evaluate(&self.tree, &JValue::Undefined)
    }
}

/// Runs what is the crate's: a fault in it must fail the state and not the program. All it works
/// on is made for the one call, so nothing half done is seen afterwards.
fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).ok()
}

/// The plain name at the start of a text.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests;
