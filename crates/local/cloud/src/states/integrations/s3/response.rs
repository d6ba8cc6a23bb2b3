//! From a response to what a task sees.

use bytes::Bytes;
use http::HeaderMap;
use jiff::fmt::rfc2822;
use serde_json::{Map, Value};

use super::super::case;
use super::model::{Form, OBJECT_HEADERS, Operation, Output, RESPONSE_HEADERS};
use super::xml;

/// Objects are encrypted by S3 itself unless somebody asks for more, and each answer about one says so.
const ENCRYPTION: &str = "AES256";

/// The actions that tell how an object is encrypted.
const TELL_ENCRYPTION: [&str; 7] = [
    "putObject",
    "getObject",
    "headObject",
    "copyObject",
    "createMultipartUpload",
    "uploadPart",
    "completeMultipartUpload",
];

pub(super) fn read(operation: &Operation, headers: &HeaderMap, body: &Bytes) -> Value {
    let mut members = named(headers, RESPONSE_HEADERS);
    if matches!(operation.output, Output::Head | Output::Body) {
        members.extend(named(headers, OBJECT_HEADERS));
        members.insert("Metadata".to_owned(), metadata(headers));
    }
    if TELL_ENCRYPTION.contains(&operation.action) {
        let told = headers.get("x-amz-server-side-encryption").and_then(|value| value.to_str().ok());
        members.insert("ServerSideEncryption".to_owned(), told.unwrap_or(ENCRYPTION).into());
    }
    match operation.output {
        Output::Nothing | Output::Head => {}
        Output::Body => {
            members.insert("Body".to_owned(), String::from_utf8_lossy(body).into_owned().into());
        }
        Output::Members => {
            if let Value::Object(read) = xml::read(body) {
                members.extend(read.into_iter().filter(|(_, value)| !is_empty(value)));
            }
        }
        Output::Member(name) => {
            members.insert(name.to_owned(), xml::read(body));
        }
    }
    members.into()
}

/// An element without content is a member without a value.
fn is_empty(value: &Value) -> bool {
    value.as_str() == Some("")
}

fn named(headers: &HeaderMap, table: &[(&str, &str, Form)]) -> Map<String, Value> {
    let member = |(header, member, form): &(&str, &str, Form)| {
        let value = headers.get(*header)?.to_str().ok()?;
        Some(((*member).to_owned(), formed(value, *form)))
    };
    table.iter().filter_map(member).collect()
}

fn formed(value: &str, form: Form) -> Value {
    match form {
        Form::Text => value.into(),
        Form::Number => value.parse::<u64>().map_or_else(|_| value.into(), Value::from),
        Form::Boolean => (value == "true").into(),
        Form::Date => rfc2822::parse(value).map_or_else(|_| value.into(), |at| case::instant(at.timestamp()).into()),
    }
}

fn metadata(headers: &HeaderMap) -> Value {
    let own = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-amz-meta-")?;
        Some((name.to_owned(), Value::from(value.to_str().ok()?)))
    });
    own.collect::<Map<_, _>>().into()
}
