//! The grammar of intrinsic calls.

use super::{Argument, Call, FUNCTIONS, MAX_NESTING};
use crate::path::Path;
use serde_json::Value;

/// The longest call that the language allows.
const MAX_LENGTH: usize = 10_000;

pub(super) fn whole(text: &str) -> Result<Call, String> {
    if text.chars().count() > MAX_LENGTH {
        return Err(format!("a call is longer than {MAX_LENGTH} characters"));
    }
    let (call, rest) = call(text.trim_start(), 1)?;
    if rest.trim().is_empty() { Ok(call) } else { Err(format!("unexpected text `{rest}`")) }
}

fn call(text: &str, depth: usize) -> Result<(Call, &str), String> {
    if depth > MAX_NESTING {
        return Err(format!("calls nest deeper than {MAX_NESTING}"));
    }
    let (name, rest) = text.split_once('(').ok_or("`(` is missing after the function's name")?;
    let function = FUNCTIONS
        .iter()
        .find(|function| name.trim().strip_prefix("States.") == Some(function.name))
        .ok_or_else(|| format!("there is no function `{}`", name.trim()))?;
    let (arguments, rest) = arguments(rest, depth)?;
    if !function.arguments.contains(&arguments.len()) {
        return Err(format!("`States.{}` does not take {} arguments", function.name, arguments.len()));
    }
    let source = &text[..text.len() - rest.len()];
    Ok((Call { text: source.into(), function, arguments }, rest))
}

fn arguments(text: &str, depth: usize) -> Result<(Vec<Argument>, &str), String> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start();
    if let Some(rest) = rest.strip_prefix(')') {
        return Ok((arguments, rest));
    }
    loop {
        let (argument, after) = argument(rest, depth)?;
        arguments.push(argument);
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix(')') {
            return Ok((arguments, after));
        }
        rest = rest.strip_prefix(',').ok_or("`,` or `)` is missing after an argument")?.trim_start();
    }
}

fn argument(text: &str, depth: usize) -> Result<(Argument, &str), String> {
    if let Some(rest) = text.strip_prefix('\'') {
        let (literal, rest) = quoted(rest)?;
        return Ok((Argument::Literal(Value::String(literal)), rest));
    }
    if text.starts_with('$') {
        let (path, used) = Path::parse_prefix(text)?;
        return Ok((Argument::Path(path), &text[used..]));
    }
    if text.starts_with("States.") {
        let (call, rest) = call(text, depth + 1)?;
        return Ok((Argument::Call(call), rest));
    }
    let end = text.find(|c: char| c == ',' || c == ')' || c.is_whitespace()).unwrap_or(text.len());
    match serde_json::from_str(&text[..end]) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => Ok((Argument::Literal(value), &text[end..])),
        _ => Err(format!("`{}` is not an argument", &text[..end])),
    }
}

/// A string in single quotes. `\'` and `\\` are unescaped here; `\{` and `\}` are left for
/// `States.Format`, the only function in which braces mean something.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut literal = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' => return Ok((literal, &text[at + 1..])),
            '\\' => match characters.next() {
                Some((_, escaped @ '\'')) => literal.push(escaped),
                Some((_, escaped)) => literal.extend(['\\', escaped]),
                None => break,
            },
            _ => literal.push(character),
        }
    }
    Err("a string is not closed".to_owned())
}
