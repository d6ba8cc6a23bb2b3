//! From a task's parameters to an HTTP request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::Body;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use serde_json::{Map, Value};

use super::model::{Input, Operation, QUERY, REQUEST_HEADERS, REQUEST_TIMES, Target};
use super::xml;
use crate::store::Algorithm;

/// What stands in a path or a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const KEY: &AsciiSet = &PLAIN.remove(b'/');

/// A source of a copy is a path of its own, encoded by whoever gives it.
const COPY_SOURCE: &AsciiSet = &KEY.remove(b'%').remove(b'?').remove(b'=').remove(b':');

/// Builds the request, or says what of the parameters has no place in one.
pub(super) fn build(operation: &Operation, parameters: &Value) -> Result<Request<Body>, String> {
    let empty = Map::new();
    let members = parameters.as_object().unwrap_or(&empty);
    let body = body(operation, members);
    let mut request = Request::builder()
        .method(operation.method)
        .uri(format!("http://localhost{}{}", path(operation, members)?, query(operation, members)))
        .header("host", "localhost")
        .body(Body::from(body.clone()))
        .map_err(|error| error.to_string())?;
    for (name, value) in headers(operation, members, &body)? {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| format!("`{name}`: {error}"))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| format!("`{name}`: {error}"))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

fn path(operation: &Operation, members: &Map<String, Value>) -> Result<String, String> {
    let part = |name: &str, plain| {
        let value = members.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| format!("the field '{name}' must be a text"))?;
        Ok::<String, String>(utf8_percent_encode(value, plain).to_string())
    };
    Ok(match operation.target {
        Target::Service => "/".to_owned(),
        Target::Bucket => format!("/{}", part("Bucket", PLAIN)?),
        Target::Object => format!("/{}/{}", part("Bucket", PLAIN)?, part("Key", KEY)?),
    })
}

fn query(operation: &Operation, members: &Map<String, Value>) -> String {
    let fixed = Some(operation.query.to_owned()).filter(|query| !query.is_empty());
    let given = QUERY.iter().filter_map(|(member, name)| {
        let value = members.get(*member).filter(|value| !value.is_null())?;
        Some(format!("{name}={}", utf8_percent_encode(&text(value), PLAIN)))
    });
    let pairs: Vec<String> = fixed.into_iter().chain(given).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn headers(operation: &Operation, members: &Map<String, Value>, body: &Bytes) -> Result<Vec<(String, String)>, String> {
    let mut headers = vec![("content-length".to_owned(), body.len().to_string())];
    for (member, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        headers.extend(header(operation, member, value)?);
    }
    match operation.input {
        Input::Xml { .. } => headers.push(("content-md5".to_owned(), STANDARD.encode(Md5::digest(body)))),
        Input::Body => headers.extend(checksum(members, body)),
        Input::Nothing => {}
    }
    // So does it ask for the sum that an object has.
    if matches!(operation.action, "getObject" | "headObject") && !members.contains_key("ChecksumMode") {
        headers.push(("x-amz-checksum-mode".to_owned(), "ENABLED".to_owned()));
    }
    Ok(headers)
}

/// The SDK sums what it sends, by CRC-32 unless it is told otherwise; a sum that is given stands.
fn checksum(members: &Map<String, Value>, body: &Bytes) -> Option<(String, String)> {
    let given = |algorithm: &Algorithm| members.contains_key(&format!("Checksum{}", algorithm.name()));
    if Algorithm::ALL.iter().any(given) {
        return None;
    }
    let asked = members.get("ChecksumAlgorithm").and_then(Value::as_str);
    let algorithm = asked.map_or(Some(Algorithm::Crc32), Algorithm::named)?;
    let sum = match algorithm {
        Algorithm::Crc32 => STANDARD.encode(Crc32::checksum(body)),
        Algorithm::Crc32c => STANDARD.encode(Crc32c::checksum(body)),
        Algorithm::Crc64Nvme => STANDARD.encode(Crc64Nvme::checksum(body)),
        Algorithm::Sha1 => STANDARD.encode(Sha1::checksum(body)),
        Algorithm::Sha256 => STANDARD.encode(Sha256::checksum(body)),
    };
    Some((algorithm.header().to_owned(), sum))
}

/// The headers that a member becomes; none when it has its place elsewhere.
fn header(operation: &Operation, member: &str, value: &Value) -> Result<Vec<(String, String)>, String> {
    let in_table = |table: &[(&str, &'static str)]| table.iter().find(|(own, _)| *own == member).map(|(_, name)| *name);
    if is_elsewhere(operation, member) {
        return Ok(Vec::new());
    }
    if member == "Metadata" {
        let pairs = value.as_object().into_iter().flatten();
        return Ok(pairs.map(|(name, value)| (format!("x-amz-meta-{}", name.to_lowercase()), text(value))).collect());
    }
    if let Some(name) = in_table(REQUEST_TIMES) {
        let at: Timestamp = text(value).parse().map_err(|_| format!("the field '{member}' must be a time"))?;
        return Ok(vec![(name.to_owned(), at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())]);
    }
    match in_table(REQUEST_HEADERS) {
        Some("x-amz-copy-source") => {
            Ok(vec![("x-amz-copy-source".to_owned(), utf8_percent_encode(&text(value), COPY_SOURCE).to_string())])
        }
        Some(name) => Ok(vec![(name.to_owned(), text(value))]),
        None => Err(format!("the field '{member}' is not supported here")),
    }
}

fn is_elsewhere(operation: &Operation, member: &str) -> bool {
    let in_body = match operation.input {
        Input::Nothing => false,
        Input::Body => member == "Body",
        Input::Xml { member: own, .. } => member == own,
    };
    in_body || ["Bucket", "Key"].contains(&member) || QUERY.iter().any(|(own, _)| *own == member)
}

/// What is sent is JSON text, so that a text lies in quotes, as the service was seen to put it.
fn body(operation: &Operation, members: &Map<String, Value>) -> Bytes {
    match operation.input {
        Input::Nothing => Bytes::new(),
        Input::Body => {
            members.get("Body").filter(|body| !body.is_null()).map(Value::to_string).unwrap_or_default().into()
        }
        Input::Xml { member, element } => match members.get(member).filter(|value| !value.is_null()) {
            Some(value) => xml::write(element, value).into(),
            None => Bytes::new(),
        },
    }
}

/// A list stands in one header or parameter.
fn text(value: &Value) -> String {
    match value.as_array() {
        Some(items) => items.iter().map(body_text).collect::<Vec<String>>().join(","),
        None => body_text(value),
    }
}

fn body_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
