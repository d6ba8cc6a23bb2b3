//! JSON as text: paths of keys and indexes. A path that is more than that is refused, not half followed.
//! <https://trino.io/docs/current/functions/json.html>.

use datafusion::arrow::datatypes::DataType::{Boolean, Float64, Int64, Utf8};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use serde_json::Value;

use super::udf::{Gives, Made, Row, all, string, text, whole};

pub(super) fn functions() -> Vec<ScalarUDF> {
    all(made())
}

fn made() -> Vec<Made> {
    let one = |name, forms, gives, body| Made { name, aliases: &[], forms, gives, body };
    let (text_value, number) = (|| Gives::This(Utf8), || Gives::This(Int64));
    vec![
        one("json_extract", vec![vec![Utf8, Utf8]], text_value(), json_extract),
        one("json_extract_scalar", vec![vec![Utf8, Utf8]], text_value(), json_extract_scalar),
        one("json_array_length", vec![vec![Utf8]], number(), json_array_length),
        one("json_size", vec![vec![Utf8, Utf8]], number(), json_size),
        one("json_parse", vec![vec![Utf8]], text_value(), json_parse),
        one("json_array_get", vec![vec![Utf8, Int64]], text_value(), json_array_get),
        one(
            "json_array_contains",
            vec![vec![Utf8, Boolean], vec![Utf8, Int64], vec![Utf8, Float64], vec![Utf8, Utf8]],
            Gives::This(Boolean),
            json_array_contains,
        ),
        one("is_json_scalar", vec![vec![Utf8]], Gives::This(Boolean), is_json_scalar),
    ]
}

/// One step into a value.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// `$.a.b[0]["c"]`.
fn path(of: &str) -> Result<Vec<Step>, String> {
    let wrong = || format!("the path `{of}` is not supported; use $, .key, [index] and [\"key\"]");
    let mut rest = of.trim().strip_prefix('$').ok_or_else(wrong)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let key = &after[..end];
            if key.is_empty() || key.contains(['*', '?', '(']) {
                return Err(wrong());
            }
            steps.push(Step::Key(key.trim_matches('"').to_owned()));
            rest = &after[end..];
            continue;
        }
        let inside = rest.strip_prefix('[').ok_or_else(wrong)?;
        let end = inside.find(']').ok_or_else(wrong)?;
        let item = inside[..end].trim();
        steps.push(match item.parse() {
            Ok(index) => Step::Index(index),
            Err(_) if item.starts_with(['"', '\'']) => Step::Key(item.trim_matches(['"', '\'']).to_owned()),
            Err(_) => return Err(wrong()),
        });
        rest = &inside[end + 1..];
    }
    Ok(steps)
}

/// The value at a path; nothing if the text is no JSON, as in Trino.
fn found(row: Row<'_>) -> Result<Option<Value>, String> {
    let steps = path(text(&row[1]))?;
    let Ok(mut value) = serde_json::from_str::<Value>(text(&row[0])) else { return Ok(None) };
    for step in steps {
        let next = match step {
            Step::Key(key) => value.get_mut(key.as_str()),
            Step::Index(index) => value.get_mut(index),
        };
        let Some(next) = next else { return Ok(None) };
        value = next.take();
    }
    Ok(Some(value))
}

fn json_extract(row: Row<'_>) -> Result<ScalarValue, String> {
    string(found(row)?.map(|value| value.to_string()))
}

fn json_extract_scalar(row: Row<'_>) -> Result<ScalarValue, String> {
    string(match found(row)? {
        Some(Value::String(text)) => Some(text),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => Some(value.to_string()),
        _ => None,
    })
}

fn count(of: usize) -> ScalarValue {
    ScalarValue::Int64(i64::try_from(of).ok())
}

#[expect(clippy::unnecessary_wraps, reason = "every function is called alike")]
fn json_array_length(row: Row<'_>) -> Result<ScalarValue, String> {
    match serde_json::from_str(text(&row[0])) {
        Ok(Value::Array(items)) => Ok(count(items.len())),
        _ => Ok(ScalarValue::Int64(None)),
    }
}

fn json_size(row: Row<'_>) -> Result<ScalarValue, String> {
    Ok(match found(row)? {
        Some(Value::Array(items)) => count(items.len()),
        Some(Value::Object(fields)) => count(fields.len()),
        Some(_) => count(0),
        None => ScalarValue::Int64(None),
    })
}

fn json_parse(row: Row<'_>) -> Result<ScalarValue, String> {
    let value: Value = serde_json::from_str(text(&row[0])).map_err(|error| error.to_string())?;
    string(Some(value.to_string()))
}

/// The nth item from 0, or from the end if it is negative.
fn json_array_get(row: Row<'_>) -> Result<ScalarValue, String> {
    let Ok(Value::Array(items)) = serde_json::from_str(text(&row[0])) else { return string(None) };
    let asked = whole(&row[1]);
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let at = if asked < 0 { count.saturating_add(asked) } else { asked };
    let item = usize::try_from(at).ok().and_then(|at| items.get(at));
    string(item.filter(|item| !item.is_null()).map(ToString::to_string))
}

#[expect(clippy::unnecessary_wraps, reason = "every function is called alike")]
fn json_array_contains(row: Row<'_>) -> Result<ScalarValue, String> {
    let Ok(Value::Array(items)) = serde_json::from_str(text(&row[0])) else { return Ok(ScalarValue::Boolean(None)) };
    let is_same = |item: &Value| match &row[1] {
        ScalarValue::Boolean(wanted) => item.as_bool() == *wanted,
        ScalarValue::Int64(wanted) => item.as_i64() == *wanted,
        ScalarValue::Float64(wanted) => item.is_f64() && item.as_f64() == *wanted,
        wanted => item.as_str() == Some(text(wanted)),
    };
    Ok(ScalarValue::Boolean(Some(items.iter().any(is_same))))
}

fn is_json_scalar(row: Row<'_>) -> Result<ScalarValue, String> {
    let value: Value = serde_json::from_str(text(&row[0])).map_err(|error| error.to_string())?;
    Ok(ScalarValue::Boolean(Some(!value.is_array() && !value.is_object())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_looked_into() {
        let array = ScalarValue::from(r#"[1, "a", null, 2.5, true]"#);
        for (at, expected) in
            [(0_i64, Some("1")), (1, Some("\"a\"")), (2, None), (-1, Some("true")), (5, None), (-6, None)]
        {
            let found = json_array_get(&[array.clone(), ScalarValue::from(at)]);
            assert_eq!(found, Ok(ScalarValue::Utf8(expected.map(str::to_owned))), "{at}");
        }
        for (wanted, expected) in [
            (ScalarValue::from(1_i64), true),
            (ScalarValue::from(2_i64), false),
            (ScalarValue::from(2.5), true),
            (ScalarValue::from("a"), true),
            (ScalarValue::from("1"), false),
            (ScalarValue::from(false), false),
        ] {
            let found = json_array_contains(&[array.clone(), wanted.clone()]);
            assert_eq!(found, Ok(ScalarValue::from(expected)), "{wanted}");
        }
        assert_eq!(
            json_array_contains(&[ScalarValue::from("{}"), ScalarValue::from("a")]),
            Ok(ScalarValue::Boolean(None))
        );
        assert_eq!(is_json_scalar(&[ScalarValue::from("[1]")]), Ok(ScalarValue::from(false)));
        assert_eq!(is_json_scalar(&[ScalarValue::from("null")]), Ok(ScalarValue::from(true)));
    }

    #[test]
    fn paths_are_followed_or_refused() {
        let json = r#"{"a":{"b":[1,{"c d":"x"}]},"n":null,"t":true}"#;
        let scalar = |path: &str| json_extract_scalar(&[ScalarValue::from(json), ScalarValue::from(path)]);
        for (path, expected) in [
            ("$.a.b[0]", Some("1")),
            ("$.a.b[1][\"c d\"]", Some("x")),
            ("$.t", Some("true")),
            ("$.n", None),
            ("$.a", None),
            ("$.z.y", None),
        ] {
            assert_eq!(scalar(path), Ok(ScalarValue::Utf8(expected.map(str::to_owned))), "{path}");
        }
        for path in ["a", "$..b", "$.a[*]", "$.a[?(@.b)]", "$.", "$[0"] {
            assert!(scalar(path).is_err(), "{path}");
        }
    }
}
