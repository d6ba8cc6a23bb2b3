//! The service's words for evaluations that fail.
//!
//! An error of JSONata is told by its code and by the message that version 2.0.6 has for the code;
//! `jsonata-core` has the codes, and messages of its own. Where a message of 2.0.6 quotes values
//! that `jsonata-core` does not tell, its own message stays.

use jsonata_core::evaluator::EvaluatorError;

/// Messages that quote nothing.
const MESSAGES: [(&str, &str); 34] = [
    ("T1006", "Attempted to invoke a non-function"),
    ("T1008", "Attempted to partially apply a non-function"),
    ("T2003", "The left side of the range operator (..) must evaluate to an integer"),
    ("T2004", "The right side of the range operator (..) must evaluate to an integer"),
    ("T2006", "The right side of the function application operator ~> must be a function"),
    ("T2008", "The expressions within an order-by clause must evaluate to numeric or string values"),
    ("D1004", "Regular expression matches zero length string"),
    ("D3001", "Attempting to invoke string function on Infinity or NaN"),
    ("D3010", "Second argument of replace function cannot be an empty string"),
    ("D3011", "Fourth argument of replace function must evaluate to a positive number"),
    ("D3012", "Attempted to replace a matched string with a non-string value"),
    ("D3020", "Third argument of split function must evaluate to a positive number"),
    ("D3040", "Third argument of match function must evaluate to a positive number"),
    ("D3050", "The second argument of reduce function must be a function with at least two arguments"),
    (
        "D3070",
        "The single argument form of the sort function can only be applied to an array of strings or an array of numbers.  Use the second argument to specify a comparison function",
    ),
    ("D3080", "The picture string must only contain a maximum of two sub-pictures"),
    ("D3081", "The sub-picture must not contain more than one instance of the \"decimal-separator\" character"),
    ("D3082", "The sub-picture must not contain more than one instance of the \"percent\" character"),
    ("D3083", "The sub-picture must not contain more than one instance of the \"per-mille\" character"),
    ("D3084", "The sub-picture must not contain both a \"percent\" and a \"per-mille\" character"),
    (
        "D3085",
        "The mantissa part of a sub-picture must contain at least one character that is either an \"optional digit character\" or a member of the \"decimal digit family\"",
    ),
    (
        "D3086",
        "The sub-picture must not contain a passive character that is preceded by an active character and that is followed by another active character",
    ),
    (
        "D3087",
        "The sub-picture must not contain a \"grouping-separator\" character that appears adjacent to a \"decimal-separator\" character",
    ),
    ("D3088", "The sub-picture must not contain a \"grouping-separator\" at the end of the integer part"),
    ("D3089", "The sub-picture must not contain two adjacent instances of the \"grouping-separator\" character"),
    (
        "D3090",
        "The integer part of the sub-picture must not contain a member of the \"decimal digit family\" that is followed by an instance of the \"optional digit character\"",
    ),
    (
        "D3091",
        "The fractional part of the sub-picture must not contain an instance of the \"optional digit character\" that is followed by a member of the \"decimal digit family\"",
    ),
    (
        "D3092",
        "A sub-picture that contains a \"percent\" or \"per-mille\" character must not contain a character treated as an \"exponent-separator\"",
    ),
    (
        "D3093",
        "The exponent part of the sub-picture must comprise only of one or more characters that are members of the \"decimal digit family\"",
    ),
    ("D3131", "In a decimal digit pattern, all digits must be from the same decimal group"),
    ("D3134", "The timezone integer format specifier cannot have more than four digits"),
    ("D3135", "No matching closing bracket ']' in date/time picture string"),
    ("D3136", "The date/time picture string is missing specifiers required to parse the timestamp"),
    ("D3139", "The $single() function expected exactly 1 matching result.  Instead it matched 0."),
];

/// Follows "threw an error during evaluation": a sentence of its own where JSONata has a code for
/// the error, and a colon before the service's own words.
pub(super) fn of_error(error: &EvaluatorError) -> String {
    let Some(code) = error.code() else {
        return format!(": {}", error.message());
    };
    match code {
        "D1011" | "U1001" => depth(),
        "D1012" | "U1003" => ": Expression evaluation timeout: Check for infinite loop".to_owned(),
        "D2014" | "D2015" => memory(),
        _ => format!(". {code}: {}", message(code, error.message().trim_start_matches(code).trim_start_matches(": "))),
    }
}

pub(super) fn depth() -> String {
    ": Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
        .to_owned()
}

pub(super) fn memory() -> String {
    ": Expression evaluation memory limit exceeded: Check for excessive memory usage".to_owned()
}

fn message(code: &str, own: &str) -> String {
    if let Some((_, message)) = MESSAGES.iter().find(|(known, _)| *known == code) {
        return (*message).to_owned();
    }
    let quoted = match code {
        "T2001" | "T2002" => quoting(own, "side of the ", " operator"),
        "T0410" => quoting(own, "of function ", " does not match function signature"),
        "D3030" => between(own, "Cannot convert '", "' to number")
            .map(|value| format!("Unable to cast value to a number: {}", serde_json::Value::from(value))),
        "T1003" => without_function(own),
        _ => None,
    };
    quoted.unwrap_or_else(|| own.to_owned())
}

/// The message with the name between two words in quotes, and nothing after the second.
fn quoting(message: &str, before: &str, after: &str) -> Option<String> {
    let name = between(message, before, after)?.trim_start_matches('$').trim_matches('"');
    let (head, _) = message.split_once(before)?;
    let tail = if after == " operator" { " operator must evaluate to a number" } else { after };
    Some(format!("{head}{before}\"{name}\"{tail}"))
}

/// The message without the inside of the function that `jsonata-core` found where a string should be: its own structure,
/// with a number that differs from one evaluation to the next.
fn without_function(message: &str) -> Option<String> {
    let (head, value) = message.split_once("got: ")?;
    let is_function = ["Lambda(", "Builtin {", "Regex {"].iter().any(|kind| value.starts_with(kind));
    is_function.then(|| format!("{head}got: a function"))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
