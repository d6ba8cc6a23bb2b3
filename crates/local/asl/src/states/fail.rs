//! Fail: ends the flow with an error.
//!
//! Spec: <https://states-language.net/#fail-state>.

use serde_json::Value;

use super::Moment;
use crate::definition::Reader;
use crate::failure::{Failure, Fault};
use crate::jsonata::Located;
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
    Query(Located),
}

impl Fail {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        Self { error: read_words(reader, "Error", "ErrorPath"), cause: read_words(reader, "Cause", "CausePath") }
    }

    pub(super) fn failure(&self, moment: &mut Moment<'_, '_>) -> Result<Failure, Fault> {
        Ok(Failure::of(words(self.error.as_ref(), moment)?, words(self.cause.as_ref(), moment)?))
    }
}

fn read_words(reader: &mut Reader<'_, '_>, fixed: &str, path: &'static str) -> Option<Words> {
    if reader.is_jsonata() {
        let located = reader.located(fixed).map(Words::Query);
        return located.or_else(|| reader.string(fixed).map(|text| Words::Fixed(text.to_owned())));
    }
    if reader.has(fixed) && reader.has(path) {
        reader.problem(path, format!("a state has either `{fixed}` or `{path}`"));
    }
    let expression = reader.expression(path).map(|expression| Words::Expression { field: path, expression });
    let fixed = reader.string(fixed).map(|text| Words::Fixed(text.to_owned()));
    expression.or(fixed)
}

fn words(words: Option<&Words>, moment: &mut Moment<'_, '_>) -> Result<Option<String>, Fault> {
    let scope = moment.scope(moment.input.value());
    match words {
        None => Ok(None),
        Some(Words::Fixed(text)) => Ok(Some(text.clone())),
        Some(Words::Query(located)) => {
            located.typed("string", &scope, moment.random, |value| value.as_str().map(str::to_owned)).map(Some)
        }
        Some(Words::Expression { field, expression }) => {
            string(field, &expression.evaluate(field, &scope, moment.random)?).map(Some)
        }
    }
}

fn string(field: &str, value: &Value) -> Result<String, Fault> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| Failure::runtime(format!("The {field} field must refer to a string, not to '{value}'.")).into())
}
