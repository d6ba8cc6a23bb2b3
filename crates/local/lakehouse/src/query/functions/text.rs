//! Text functions that differ from DataFusion's of the same name: where they count from, what they do at the edges,
//! and how they write groups. <https://trino.io/docs/current/functions/string.html>,
//! <https://trino.io/docs/current/functions/regexp.html>.

use std::cell::RefCell;
use std::collections::HashMap;

use datafusion::arrow::datatypes::DataType::{Int64, Utf8};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use regex::{Regex, RegexBuilder};

use super::udf::{Gives, Made, Row, all, string, text, texts, texts_type, whole};

/// Trino's `substr`. DataFusion plans its own for that word, whatever is registered under it.
pub(super) const SUBSTR: &str = "trino_substr";

pub(super) fn functions() -> Vec<ScalarUDF> {
    all(made())
}

fn made() -> Vec<Made> {
    let gives_text = || Gives::This(Utf8);
    let one = |name, forms, body| Made { name, aliases: &[], forms, gives: gives_text(), body };
    vec![
        Made {
            name: SUBSTR,
            aliases: &[],
            forms: vec![vec![Utf8, Int64], vec![Utf8, Int64, Int64]],
            gives: gives_text(),
            body: substr,
        },
        one("split_part", vec![vec![Utf8, Utf8, Int64]], split_part),
        one("regexp_extract", vec![vec![Utf8, Utf8], vec![Utf8, Utf8, Int64]], regexp_extract),
        one("regexp_replace", vec![vec![Utf8, Utf8], vec![Utf8, Utf8, Utf8]], regexp_replace),
        Made {
            name: "regexp_extract_all",
            aliases: &[],
            forms: vec![vec![Utf8, Utf8], vec![Utf8, Utf8, Int64]],
            gives: Gives::This(texts_type()),
            body: regexp_extract_all,
        },
        Made {
            name: "regexp_split",
            aliases: &[],
            forms: vec![vec![Utf8, Utf8]],
            gives: Gives::This(texts_type()),
            body: |row| with_pattern(text(&row[1]), |between| texts(between.split(text(&row[0])).map(Some)))?,
        },
        Made {
            name: "regexp_position",
            aliases: &[],
            forms: vec![vec![Utf8, Utf8]],
            gives: Gives::This(Int64),
            body: regexp_position,
        },
        Made {
            name: "hamming_distance",
            aliases: &[],
            forms: vec![vec![Utf8, Utf8]],
            gives: Gives::This(Int64),
            body: hamming_distance,
        },
        Made {
            name: "regexp_count",
            aliases: &[],
            forms: vec![vec![Utf8, Utf8]],
            gives: Gives::This(Int64),
            body: |row: Row<'_>| {
                with_pattern(text(&row[1]), |found| {
                    ScalarValue::Int64(i64::try_from(found.find_iter(text(&row[0])).count()).ok())
                })
            },
        },
    ]
}

/// From the nth character; from the end if n is negative; nothing if it is zero or beyond.
fn substr(row: Row<'_>) -> Result<ScalarValue, String> {
    let (of, start) = (text(&row[0]), whole(&row[1]));
    let count = i64::try_from(of.chars().count()).unwrap_or(i64::MAX);
    let from = if start < 0 { count + start } else { start - 1 };
    if start == 0 || from < 0 || from >= count {
        return string(Some(String::new()));
    }
    let length = row.get(2).map_or(count, whole).clamp(0, count);
    let skip = usize::try_from(from).unwrap_or(usize::MAX);
    string(Some(of.chars().skip(skip).take(usize::try_from(length).unwrap_or(0)).collect()))
}

/// The nth part; null beyond the last.
fn split_part(row: Row<'_>) -> Result<ScalarValue, String> {
    let (of, between, nth) = (text(&row[0]), text(&row[1]), whole(&row[2]));
    let nth = usize::try_from(nth).ok().filter(|nth| *nth > 0).ok_or("the index must be above zero")?;
    if between.is_empty() {
        return string(of.chars().nth(nth - 1).map(String::from));
    }
    string(of.split(between).nth(nth - 1).map(str::to_owned))
}

/// The group that is asked for; the whole match if none is.
fn group(row: Row<'_>, pattern: &Regex) -> Result<usize, String> {
    let group = usize::try_from(row.get(2).map_or(0, whole)).map_err(|_| "a group is not negative")?;
    if group >= pattern.captures_len() {
        return Err(format!("the pattern has no group {group}"));
    }
    Ok(group)
}

fn regexp_extract(row: Row<'_>) -> Result<ScalarValue, String> {
    let found = with_pattern(text(&row[1]), |pattern| {
        let group = group(row, pattern)?;
        let captures = pattern.captures(text(&row[0]));
        Ok::<_, String>(captures.and_then(|captures| captures.get(group).map(|found| found.as_str().to_owned())))
    })?;
    string(found?)
}

fn regexp_extract_all(row: Row<'_>) -> Result<ScalarValue, String> {
    with_pattern(text(&row[1]), |pattern| {
        let group = group(row, pattern)?;
        let found = pattern.captures_iter(text(&row[0]));
        texts(found.map(|captures| captures.get(group).map(|found| found.as_str())))
    })?
}

/// Where the first match begins, in characters from 1; -1 if there is none.
fn regexp_position(row: Row<'_>) -> Result<ScalarValue, String> {
    let of = text(&row[0]);
    let found = with_pattern(text(&row[1]), |pattern| pattern.find(of).map(|found| found.start()))?;
    let place = found.map_or(Ok(-1), |start| i64::try_from(of[..start].chars().count() + 1));
    Ok(ScalarValue::Int64(place.ok()))
}

fn hamming_distance(row: Row<'_>) -> Result<ScalarValue, String> {
    let (one, other) = (text(&row[0]), text(&row[1]));
    if one.chars().count() != other.chars().count() {
        return Err("the texts must have the same length".to_owned());
    }
    let differ = one.chars().zip(other.chars()).filter(|(one, other)| one != other).count();
    Ok(ScalarValue::Int64(i64::try_from(differ).ok()))
}

fn regexp_replace(row: Row<'_>) -> Result<ScalarValue, String> {
    let replacement = replacement(row.get(2).map_or("", text));
    let replaced =
        with_pattern(text(&row[1]), |pattern| pattern.replace_all(text(&row[0]), &replacement).into_owned())?;
    string(Some(replaced))
}

/// Java ends a group's number at the first character that is no digit, and `\` takes a meaning away.
fn replacement(java: &str) -> String {
    let mut rust = String::new();
    let mut chars = java.chars().peekable();
    while let Some(one) = chars.next() {
        match one {
            '\\' => match chars.next() {
                Some('$') => rust.push_str("$$"),
                Some(other) => rust.push(other),
                None => {}
            },
            '$' if chars.peek() == Some(&'{') => rust.push('$'),
            '$' => {
                let mut number = String::new();
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    number.push(digit);
                }
                rust.push_str("${");
                rust.push_str(&number);
                rust.push('}');
            }
            other => rust.push(other),
        }
    }
    rust
}

/// Bytes that a compiled pattern may take; the library's default is ten times as much.
const PATTERN_BYTES: usize = 1 << 20;
/// Patterns that a thread keeps: most queries have one or two.
const MOST_PATTERNS: usize = 32;

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::default();
}

/// Looks with a pattern, compiled once for each thread. It takes time in proportion to the text, whatever it is.
fn with_pattern<T>(pattern: &str, look: impl FnOnce(&Regex) -> T) -> Result<T, String> {
    PATTERNS.with_borrow_mut(|patterns| {
        if patterns.len() >= MOST_PATTERNS && !patterns.contains_key(pattern) {
            patterns.clear();
        }
        if !patterns.contains_key(pattern) {
            let compiled = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build();
            patterns
                .insert(pattern.to_owned(), compiled.map_err(|error| format!("`{pattern}` is no pattern: {error}"))?);
        }
        patterns.get(pattern).map(look).ok_or_else(|| "the pattern is gone".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::super::udf::called;
    use super::*;

    fn call(name: &str, arguments: &[ScalarValue]) -> Option<String> {
        let made = made().into_iter().find(|made| made.name == name).unwrap();
        match called(&made, arguments).unwrap() {
            ScalarValue::Utf8(text) => text,
            other => Some(other.to_string()),
        }
    }

    #[test]
    fn text_functions_follow_trino_at_the_edges() {
        let text = |text: &str| ScalarValue::from(text);
        let number = |number: i64| ScalarValue::from(number);
        for (name, arguments, expected) in [
            (SUBSTR, vec![text("köln"), number(2)], Some("öln")),
            (SUBSTR, vec![text("köln"), number(-2)], Some("ln")),
            (SUBSTR, vec![text("köln"), number(-9)], Some("")),
            (SUBSTR, vec![text("köln"), number(0)], Some("")),
            (SUBSTR, vec![text("köln"), number(2), number(2)], Some("öl")),
            ("split_part", vec![text("a,b"), text(","), number(2)], Some("b")),
            ("split_part", vec![text("a,b"), text(","), number(3)], None),
            ("regexp_extract", vec![text("a1b22"), text(r"b(\d+)"), number(1)], Some("22")),
            ("regexp_extract", vec![text("abc"), text(r"\d")], None),
            ("regexp_replace", vec![text("1a 2b 14m"), text(r"(\d+)([ab]) "), text("3c$2 ")], Some("3ca 3cb 14m")),
            ("regexp_replace", vec![text("aXbX"), text("X")], Some("ab")),
            ("regexp_count", vec![text("aXbX"), text("X")], Some("2")),
            ("regexp_extract_all", vec![text("a1 b22"), text(r"[a-z](\d+)"), number(1)], Some("[1, 22]")),
            ("regexp_extract_all", vec![text("none"), text(r"\d")], Some("[]")),
            ("regexp_split", vec![text("a, b,c"), text(r",\s*")], Some("[a, b, c]")),
            ("regexp_position", vec![text("öa1"), text(r"\d")], Some("3")),
            ("regexp_position", vec![text("a"), text(r"\d")], Some("-1")),
            ("hamming_distance", vec![text("köln"), text("kuln")], Some("1")),
        ] {
            assert_eq!(call(name, &arguments).as_deref(), expected, "{name} {arguments:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_is_refused() {
        assert!(with_pattern("(a{1000}){1000}", |_| ()).is_err());
        assert!(with_pattern("(", |_| ()).is_err());
    }
}
