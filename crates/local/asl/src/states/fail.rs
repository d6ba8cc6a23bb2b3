//! Fail: ends the flow with an error.
//!
//! Spec: <https://states-language.net/#fail-state>.

use super::Moment;
use crate::definition::Reader;
use crate::failure::Failure;
use crate::template::Expression;

#[derive(Debug)]
pub(crate) struct Fail {
    error: Option<Words>,
    cause: Option<Words>,
}

#[derive(Debug)]
enum Words {
    Fixed(String),
    Expression { field: &'static str, expression: Expression },
}

impl Fail {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        Self { error: read_words(reader, "Error", "ErrorPath"), cause: read_words(reader, "Cause", "CausePath") }
    }

    pub(super) fn failure(&self, moment: &mut Moment<'_, '_>) -> Result<Failure, Failure> {
        Ok(Failure { error: words(self.error.as_ref(), moment)?, cause: words(self.cause.as_ref(), moment)? })
    }
}

fn read_words(reader: &mut Reader<'_, '_>, fixed: &str, path: &'static str) -> Option<Words> {
    if reader.has(fixed) && reader.has(path) {
        reader.problem(path, format!("a state has either `{fixed}` or `{path}`"));
    }
    let expression = reader.expression(path).map(|expression| Words::Expression { field: path, expression });
    let fixed = reader.string(fixed).map(|text| Words::Fixed(text.to_owned()));
    expression.or(fixed)
}

fn words(words: Option<&Words>, moment: &mut Moment<'_, '_>) -> Result<Option<String>, Failure> {
    let (field, expression) = match words {
        None => return Ok(None),
        Some(Words::Fixed(text)) => return Ok(Some(text.clone())),
        Some(Words::Expression { field, expression }) => (field, expression),
    };
    let value = expression.evaluate(field, &moment.scope(moment.input.value()), moment.random)?;
    match value.as_str() {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Failure::runtime(format!("The {field} field must refer to a string, not to '{value}'."))),
    }
}
