//! Intrinsic functions, `States.*`: parsing a call and evaluating it.
//!
//! Spec: <https://states-language.net/#intrinsic-functions>; behaviour:
//! <https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html>. One file for
//! each group of the guide. Calls nest at most [`MAX_NESTING`] deep.

mod array;
mod encoding;
mod json;
mod math;
mod parse;
mod text;

pub(crate) use encoding::digest;

use crate::failure::{Failure, INTRINSIC_FAILURE};
use crate::path::{Found, Path};
use crate::scope::Scope;
use serde_json::Value;

/// The service's limit on nested calls.
const MAX_NESTING: usize = 10;

/// Random numbers from the caller, each in `0.0..1.0`.
pub(crate) type Random<'a> = &'a mut dyn FnMut() -> f64;

/// One call with its source text.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    text: Box<str>,
    function: &'static Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug)]
enum Argument {
    Path(Path),
    Literal(Value),
    Call(Call),
}

/// An intrinsic function: its name, how many arguments it takes, and what it does.
#[derive(Debug)]
struct Function {
    name: &'static str,
    arguments: std::ops::RangeInclusive<usize>,
    body: Body,
}

#[derive(Clone, Copy, Debug)]
enum Body {
    Pure(fn(&[Value]) -> Result<Value, String>),
    Random(fn(&[Value], Random<'_>) -> Result<Value, String>),
}

/// More arguments than a call of 10,000 characters can hold.
const ANY: usize = 10_000;

static FUNCTIONS: [Function; 18] = [
    Function { name: "Format", arguments: 1..=ANY, body: Body::Pure(text::format) },
    Function { name: "StringToJson", arguments: 1..=1, body: Body::Pure(json::from_text) },
    Function { name: "JsonToString", arguments: 1..=1, body: Body::Pure(json::to_text) },
    Function { name: "JsonMerge", arguments: 3..=3, body: Body::Pure(json::merge) },
    Function { name: "Array", arguments: 0..=ANY, body: Body::Pure(array::of) },
    Function { name: "ArrayPartition", arguments: 2..=2, body: Body::Pure(array::partition) },
    Function { name: "ArrayContains", arguments: 2..=2, body: Body::Pure(array::contains) },
    Function { name: "ArrayRange", arguments: 3..=3, body: Body::Pure(array::range) },
    Function { name: "ArrayGetItem", arguments: 2..=2, body: Body::Pure(array::get_item) },
    Function { name: "ArrayLength", arguments: 1..=1, body: Body::Pure(array::length) },
    Function { name: "ArrayUnique", arguments: 1..=1, body: Body::Pure(array::unique) },
    Function { name: "Base64Encode", arguments: 1..=1, body: Body::Pure(encoding::base64_encode) },
    Function { name: "Base64Decode", arguments: 1..=1, body: Body::Pure(encoding::base64_decode) },
    Function { name: "Hash", arguments: 2..=2, body: Body::Pure(encoding::hash) },
    Function { name: "MathRandom", arguments: 2..=3, body: Body::Random(math::random) },
    Function { name: "MathAdd", arguments: 2..=2, body: Body::Pure(math::add) },
    Function { name: "StringSplit", arguments: 2..=2, body: Body::Pure(text::split) },
    Function { name: "UUID", arguments: 0..=0, body: Body::Random(math::uuid) },
];

impl Call {
    /// Parses a whole string as one call.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::whole(text)
    }

    pub(crate) fn evaluate(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<Value, Failure> {
        let arguments = self
            .arguments
            .iter()
            .map(|argument| self.argument(argument, scope, random))
            .collect::<Result<Vec<_>, _>>()?;
        let result = match self.function.body {
            Body::Pure(body) => body(&arguments),
            Body::Random(body) => body(&arguments, random),
        };
        result.map_err(|why| Failure::new(INTRINSIC_FAILURE, self.had_error(&why)))
    }

    fn argument(&self, argument: &Argument, scope: &Scope<'_>, random: Random<'_>) -> Result<Value, Failure> {
        match argument {
            Argument::Literal(value) => Ok(value.clone()),
            Argument::Call(call) => call.evaluate(scope, random),
            Argument::Path(path) => match path.find(scope) {
                Found::One(value) => scope.taken(value.clone()),
                Found::Made(value) => scope.taken(value),
                Found::Missing => Err(Failure::runtime(self.had_error(&format!(
                    "The JsonPath argument for the field '{}' could not be found in the input '{}'",
                    path.text(),
                    scope.input
                )))),
            },
        }
    }

    fn had_error(&self, why: &str) -> String {
        format!("The function '{}' had the following error: {why}", self.text)
    }
}

fn array(arguments: &[Value], at: usize) -> Result<&Vec<Value>, String> {
    arguments[at].as_array().ok_or_else(|| format!("argument {} must be an array", at + 1))
}

fn string(arguments: &[Value], at: usize) -> Result<&str, String> {
    arguments[at].as_str().ok_or_else(|| format!("argument {} must be a string", at + 1))
}

fn integer(arguments: &[Value], at: usize) -> Result<i64, String> {
    let number = arguments[at].as_number().and_then(crate::number::round);
    number.ok_or_else(|| format!("argument {} must be a number", at + 1))
}

#[cfg(test)]
mod tests;
