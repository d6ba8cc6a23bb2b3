//! Parts of URLs, and text as a part of one. What is no URL has no parts: null.
//! <https://trino.io/docs/current/functions/url.html>.

use std::borrow::Cow;

use datafusion::arrow::datatypes::DataType::{Int64, Utf8};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::udf::{Gives, Made, Row, all, string, text};

/// What a form leaves as it is, beside letters and digits; a space becomes `+`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

/// Characters that no URL has.
const NEVER: &[char] = &[' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}'];

pub(super) fn functions() -> Vec<ScalarUDF> {
    all(made())
}

fn made() -> Vec<Made> {
    let one = |name, body| Made { name, aliases: &[], forms: vec![vec![Utf8]], gives: Gives::This(Utf8), body };
    vec![
        one("url_extract_protocol", |row| part(row, |url| Some(url.protocol.into()))),
        one("url_extract_host", |row| part(row, |url| Some(url.host.into()))),
        one("url_extract_path", |row| part(row, |url| decoded(url.path))),
        one("url_extract_query", |row| part(row, |url| decoded(url.query))),
        one("url_extract_fragment", |row| part(row, |url| decoded(url.fragment))),
        one("url_encode", |row| {
            string(Some(utf8_percent_encode(text(&row[0]), ESCAPED).to_string().replace(' ', "+")))
        }),
        one("url_decode", |row| match decoded(&text(&row[0]).replace('+', " ")) {
            Some(decoded) => string(Some(decoded.into_owned())),
            None => Err(format!("`{}` is not encoded UTF-8", text(&row[0]))),
        }),
        Made {
            name: "url_extract_port",
            aliases: &[],
            forms: vec![vec![Utf8]],
            gives: Gives::This(Int64),
            body: |row| Ok(ScalarValue::Int64(url(text(&row[0])).and_then(|url| url.port))),
        },
        Made {
            name: "url_extract_parameter",
            aliases: &[],
            forms: vec![vec![Utf8, Utf8]],
            gives: Gives::This(Utf8),
            body: parameter,
        },
    ]
}

/// A URL in its parts; those that are not there are empty.
struct Url<'a> {
    protocol: &'a str,
    host: &'a str,
    port: Option<i64>,
    path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

/// <https://www.rfc-editor.org/rfc/rfc3986#appendix-B>.
fn url(of: &str) -> Option<Url<'_>> {
    if of.contains(NEVER) || of.contains(char::is_control) {
        return None;
    }
    let (rest, fragment) = of.split_once('#').unwrap_or((of, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_protocol = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (protocol, rest) = match rest.split_once(':') {
        Some((protocol, rest)) if is_protocol(protocol) => (protocol, rest),
        Some((before, _)) if !before.contains('/') => return None,
        _ => ("", rest),
    };
    let Some(rest) = rest.strip_prefix("//") else {
        return Some(Url { protocol, host: "", port: None, path: rest, query, fragment });
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => (host, port.parse().ok()),
        _ => (place, None),
    };
    Some(Url { protocol, host, port, path, query, fragment })
}

fn decoded(of: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(of).decode_utf8().ok()
}

fn part(row: Row<'_>, of: for<'a> fn(Url<'a>) -> Option<Cow<'a, str>>) -> Result<ScalarValue, String> {
    string(url(text(&row[0])).and_then(of).map(Cow::into_owned))
}

/// The value of the first parameter of a name.
fn parameter(row: Row<'_>) -> Result<ScalarValue, String> {
    let query = url(text(&row[0])).map_or("", |url| url.query);
    let mut parameters = query.split('&').map(|one| one.split_once('=').unwrap_or((one, "")));
    let found = parameters.find(|(name, _)| *name == text(&row[1]) && !query.is_empty());
    string(found.and_then(|(_, value)| decoded(&value.replace('+', " ")).map(Cow::into_owned)))
}

#[cfg(test)]
mod tests {
    use super::super::udf::called;
    use super::*;

    #[test]
    fn urls_have_parts_and_other_texts_have_none() {
        let long = "https://me@example.com:8443/a%20b/c?x=1&y=a+b%26&z#top";
        let none: Option<&str> = None;
        for (name, arguments, expected) in [
            ("url_extract_protocol", vec![long], Some("https")),
            ("url_extract_host", vec![long], Some("example.com")),
            ("url_extract_port", vec![long], Some("8443")),
            ("url_extract_path", vec![long], Some("/a b/c")),
            ("url_extract_query", vec![long], Some("x=1&y=a+b&&z")),
            ("url_extract_fragment", vec![long], Some("top")),
            ("url_extract_parameter", vec![long, "y"], Some("a b&")),
            ("url_extract_parameter", vec![long, "z"], Some("")),
            ("url_extract_parameter", vec![long, "n"], none),
            ("url_extract_host", vec!["s3://bucket/key.pdf"], Some("bucket")),
            ("url_extract_path", vec!["s3://bucket"], Some("")),
            ("url_extract_host", vec!["mailto:a@example.com"], Some("")),
            ("url_extract_host", vec!["http://[::1]/x"], Some("[::1]")),
            ("url_extract_host", vec!["no url at all"], none),
            ("url_extract_path", vec!["a/b:c"], Some("a/b:c")),
            ("url_encode", vec!["a b/ö&-_.*"], Some("a+b%2F%C3%B6%26-_.*")),
            ("url_decode", vec!["a+b%2F%C3%B6"], Some("a b/ö")),
        ] {
            let arguments: Vec<ScalarValue> = arguments.into_iter().map(ScalarValue::from).collect();
            let made = made().into_iter().find(|made| made.name == name).unwrap();
            let found = called(&made, &arguments).unwrap();
            let found = if found.is_null() { None } else { Some(found.to_string()) };
            assert_eq!(found.as_deref(), expected, "{name} {arguments:?}");
        }
    }
}
