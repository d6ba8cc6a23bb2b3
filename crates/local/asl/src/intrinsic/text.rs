//! `States.Format` and `States.StringSplit`.

use super::string;
use crate::number;
use serde_json::Value;

/// Replaces each `{}` by the next argument; `\{` and `\}` stand for the braces themselves.
pub(super) fn format(arguments: &[Value]) -> Result<Value, String> {
    let template = string(arguments, 0)?;
    let mut values = arguments[1..].iter();
    let mut text = String::new();
    let mut characters = template.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek().is_some_and(|next| "{}\\'".contains(*next)) => {
                text.extend(characters.next());
            }
            '{' if characters.next_if_eq(&'}').is_some() => {
                let value = values.next().ok_or("the template has more `{}` than there are arguments")?;
                write_plain(value, &mut text);
            }
            '{' | '}' => {
                return Err("a brace in the template is neither `{}` nor escaped".to_owned());
            }
            _ => text.push(character),
        }
    }
    match values.next() {
        None => Ok(text.into()),
        Some(_) => Err("the template has fewer `{}` than there are arguments".to_owned()),
    }
}

/// Values as Java prints them: strings bare, objects as `{name=value, …}`.
fn write_plain(value: &Value, text: &mut String) {
    match value {
        Value::String(string) => text.push_str(string),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                write_plain(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                text.push_str(name);
                text.push('=');
                write_plain(member, text);
            }
            text.push('}');
        }
        other => text.push_str(&number::java_json(other)),
    }
}

/// Splits at every character of the second argument and drops empty parts.
pub(super) fn split(arguments: &[Value]) -> Result<Value, String> {
    let (text, separators) = (string(arguments, 0)?, string(arguments, 1)?);
    let parts = text.split(|character| separators.contains(character));
    Ok(parts.filter(|part| !part.is_empty()).map(Value::from).collect())
}
