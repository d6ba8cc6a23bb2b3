//! Reads requests and holds their members to the bounds that the service's model states.
//!
//! All members that break a bound are told at once, as the service tells them. What a bound cannot say (whether an ARN
//! leads anywhere, whether two members fit together) is the operation's own.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html>

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wire::{self, ServiceError};

/// The most characters of an ARN that is none of a version, an alias or a Map Run.
const MOST_ARN_CHARS: usize = 256;

/// The most characters of those.
const MOST_LONG_ARN_CHARS: usize = 2000;

/// A bound on one member of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// It must be there.
    Required(&'static str),
    /// An ARN; must be there.
    Arn(&'static str),
    /// A long ARN; must be there.
    LongArn(&'static str),
    /// A text of so many characters.
    Length(&'static str, usize, usize),
    /// A text of at most so many bytes, which no message repeats.
    Secret(&'static str, usize),
    /// One of these words.
    OneOf(&'static str, &'static [&'static str]),
    /// A number in this range.
    Range(&'static str, i64, i64),
    /// Visible ASCII characters, so many.
    Token(&'static str, usize),
    /// ASCII characters, so many.
    Ascii(&'static str, usize),
}

/// The bound of `includedData`.
pub(super) const INCLUDED_DATA: Rule = Rule::OneOf("includedData", &["ALL_DATA", "METADATA_ONLY"]);

/// The bounds of a page.
pub(super) const PAGE: [Rule; 2] = [Rule::Range("maxResults", 0, 1000), Rule::Length("nextToken", 1, 3096)];

/// Reads a request after its members were held to `rules`.
///
/// # Errors
/// `ValidationException` for bounds; `SerializationException` for a member of another type.
pub(super) fn read<T: DeserializeOwned>(body: Value, rules: &[Rule]) -> Result<T, ServiceError> {
    check(&body, rules)?;
    wire::decode(body)
}

/// As [`read`], for a request that asks for a page.
pub(super) fn read_page<T: DeserializeOwned>(body: Value, rules: &[Rule]) -> Result<T, ServiceError> {
    let all: Vec<Rule> = rules.iter().chain(&PAGE).copied().collect();
    read(body, &all)
}

/// Holds the members of `body` to `rules`.
pub(super) fn check(body: &Value, rules: &[Rule]) -> Result<(), ServiceError> {
    let faults: Vec<String> = rules.iter().filter_map(|rule| rule.fault(body)).collect();
    refuse(&faults)
}

/// Refuses a request with these faults, if there are any.
pub(super) fn refuse(faults: &[String]) -> Result<(), ServiceError> {
    let count = match faults.len() {
        0 => return Ok(()),
        1 => "1 validation error".to_owned(),
        many => format!("{many} validation errors"),
    };
    Err(invalid(format!("{count} detected: {}", faults.join("; "))))
}

/// A `ValidationException`.
pub(super) fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::client("ValidationException", message)
}

/// What is wrong with one member, in the service's words.
pub(super) fn fault(value: impl std::fmt::Display, member: &str, constraint: impl std::fmt::Display) -> String {
    format!("Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}")
}

impl Rule {
    fn member(self) -> &'static str {
        match self {
            Self::Required(member)
            | Self::Arn(member)
            | Self::LongArn(member)
            | Self::Length(member, ..)
            | Self::Secret(member, _)
            | Self::OneOf(member, _)
            | Self::Range(member, ..)
            | Self::Token(member, _)
            | Self::Ascii(member, _) => member,
        }
    }

    fn fault(self, body: &Value) -> Option<String> {
        let member = self.member();
        match (&body[member], self) {
            (Value::Null, Self::Required(_) | Self::Arn(_) | Self::LongArn(_)) => {
                Some(fault("null", member, "not be null"))
            }
            (Value::String(text), _) => self.text_fault(text),
            (Value::Number(number), Self::Range(_, least, most)) => {
                let number = number.as_i64().unwrap_or(i64::MAX);
                bound(number, least, most)
                    .map(|bound| fault(format!("'{number}'"), member, format!("have value {bound}")))
            }
            // Another type is told by whoever reads the member.
            _ => None,
        }
    }

    fn text_fault(self, text: &str) -> Option<String> {
        let value = format!("'{text}'");
        let member = self.member();
        match self {
            Self::Arn(_) => length_fault(text, member, 1, MOST_ARN_CHARS),
            Self::LongArn(_) => length_fault(text, member, 1, MOST_LONG_ARN_CHARS),
            Self::Length(_, least, most) => length_fault(text, member, least, most),
            Self::Secret(_, most) if text.len() > most => Some(format!(
                "Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to {most}"
            )),
            Self::OneOf(_, words) if !words.contains(&text) => {
                Some(fault(value, member, format!("satisfy enum value set: [{}]", words.join(", "))))
            }
            Self::Token(_, most) => length_fault(text, member, 1, most).or_else(|| {
                let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
                (!visible).then(|| fault(value, member, "satisfy regular expression pattern: [!-~]+"))
            }),
            Self::Ascii(_, most) => length_fault(text, member, 0, most).or_else(|| {
                (!text.is_ascii()).then(|| fault(value, member, "satisfy regular expression pattern: \\p{ASCII}*"))
            }),
            _ => None,
        }
    }
}

fn length_fault(text: &str, member: &str, least: usize, most: usize) -> Option<String> {
    let bound = bound(text.chars().count(), least, most)?;
    Some(fault(format!("'{text}'"), member, format!("have length {bound}")))
}

fn bound<T: Copy + PartialOrd + std::fmt::Display>(found: T, least: T, most: T) -> Option<String> {
    if found > most {
        return Some(format!("less than or equal to {most}"));
    }
    (found < least).then(|| format!("greater than or equal to {least}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(body: &Value, rules: &[Rule]) -> String {
        let error = check(body, rules).unwrap_err();
        assert_eq!(error.code, "ValidationException");
        error.message
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let rules = [Rule::Required("definition"), Rule::Length("name", 1, 3), Rule::OneOf("type", &["A", "B"])];
        assert_eq!(
            message(&json!({"name": "abcd", "type": "C"}), &rules),
            "3 validation errors detected: Value null at 'definition' failed to satisfy constraint: Member must not be \
             null; Value 'abcd' at 'name' failed to satisfy constraint: Member must have length less than or equal to 3; \
             Value 'C' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [A, B]"
        );
        assert!(check(&json!({"definition": "", "name": "abc", "type": "B"}), &rules).is_ok());
    }

    #[test]
    fn bounds_hold_at_their_edges() {
        let cases = [
            (Rule::Arn("x"), json!("a".repeat(256)), true),
            (Rule::Arn("x"), json!("a".repeat(257)), false),
            (Rule::Arn("x"), json!(""), false),
            (Rule::Secret("x", 4), json!("ääé"), false),
            (Rule::Secret("x", 4), json!("ää"), true),
            (Rule::Range("x", 0, 10), json!(10), true),
            (Rule::Range("x", 0, 10), json!(11), false),
            (Rule::Range("x", 0, 10), json!(-1), false),
            (Rule::Token("x", 4), json!("a b"), false),
            (Rule::Token("x", 4), json!("ab!~"), true),
            (Rule::Ascii("x", 4), json!("ä"), false),
            (Rule::Length("x", 1, 2), json!(null), true),
        ];
        for (rule, value, fits) in cases {
            assert_eq!(check(&json!({ "x": value }), &[rule]).is_ok(), fits, "{rule:?} {value}");
        }
    }

    #[test]
    fn a_secret_is_not_repeated() {
        assert!(!message(&json!({"input": "hidden words"}), &[Rule::Secret("input", 2)]).contains("hidden"));
    }
}
