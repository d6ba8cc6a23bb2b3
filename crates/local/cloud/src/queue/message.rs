//! Events as AWS writes them: an S3 notification, the SQS event around it, or an `EventBridge` event.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Mapping;
use super::inbox::{BusDetail, Event, MESSAGE};
use crate::context::ACCOUNT;
use crate::store::{hex, sequencer};

/// What form encoding leaves as it is; S3 keeps the slashes too.
const FORM_KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// MD5 of nothing: the entity tag that S3 gives a delete marker in its event.
const EMPTY_ETAG: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// How an event looks to the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// `Records` of SQS, each with an S3 notification as its text.
    Sqs,
    /// An S3 notification with one record, as S3 sends it to a function.
    S3,
    /// An `EventBridge` event, as a rule passes it on.
    EventBridge,
}

impl Envelope {
    /// Events in one call: only a queue has batches.
    pub(super) fn most_events(self, batch: usize) -> usize {
        if self == Self::Sqs { batch.max(1) } else { 1 }
    }
}

/// What the function is called with.
pub(super) fn payload(mapping: &Mapping, events: &[Event], region: &str) -> Bytes {
    let value = match (mapping.envelope, events.first()) {
        (Envelope::S3, Some(event)) => notification(event, region),
        (Envelope::EventBridge, Some(event)) => event_bridge(event, region),
        _ => json!({ "Records": events.iter().map(|event| sqs_record(event, mapping, region)).collect::<Vec<_>>() }),
    };
    Bytes::from(value.to_string())
}

/// One for each event, the same at each delivery.
pub(super) fn message_id(event: &Event) -> String {
    message_id_of(event.id, event.sequence)
}

/// The message id of the event with this row and sequence.
pub(super) fn message_id_of(id: i64, sequence: i64) -> String {
    let hex = hex(&digest_of(id, sequence, "message")[..16]);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn digest(event: &Event, salt: &str) -> [u8; 32] {
    digest_of(event.id, event.sequence, salt)
}

fn digest_of(id: i64, sequence: i64, salt: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(id.to_be_bytes())
        .chain_update(sequence.to_be_bytes())
        .chain_update(salt)
        .finalize()
        .into()
}

fn sqs_record(event: &Event, mapping: &Mapping, region: &str) -> Value {
    let body = text(event, region);
    let received = event.first_received_ms.to_string();
    json!({
        "messageId": message_id(event),
        "receiptHandle": STANDARD.encode(format!("{}/{}", event.id, event.receives)),
        "attributes": {
            "ApproximateReceiveCount": event.receives.to_string(),
            "SentTimestamp": event.time_ms.to_string(),
            "SenderId": ACCOUNT,
            "ApproximateFirstReceiveTimestamp": received,
        },
        "messageAttributes": {},
        "md5OfBody": hex(&Md5::digest(&body)),
        "body": body,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn(mapping, region),
        "awsRegion": region,
    })
}

/// The text of a message: what a client sent, or what S3 or the bus tells.
fn text(event: &Event, region: &str) -> String {
    match &event.bus {
        Some(BusDetail { source, detail }) if source == MESSAGE => detail.clone(),
        Some(_) => event_bridge(event, region).to_string(),
        None => notification(event, region).to_string(),
    }
}

/// A function that is told directly stands behind a queue of its own name.
fn queue_arn(mapping: &Mapping, region: &str) -> String {
    if mapping.target.starts_with("arn:aws:sqs:") {
        return mapping.target.clone();
    }
    format!("arn:aws:sqs:{region}:{ACCOUNT}:{}", mapping.function)
}

fn notification(event: &Event, region: &str) -> Value {
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": time(event),
        "eventName": event.name,
        "userIdentity": { "principalId": format!("AWS:{ACCOUNT}") },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": {
            "x-amz-request-id": request_id(event),
            "x-amz-id-2": STANDARD.encode(digest(event, "host")),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": event.rule,
            "bucket": {
                "name": event.bucket,
                "ownerIdentity": { "principalId": ACCOUNT },
                "arn": format!("arn:aws:s3:::{}", event.bucket),
            },
            "object": object(event),
        },
    }] })
}

fn object(event: &Event) -> Value {
    let mut object = json!({ "key": form_encoded(&event.key), "sequencer": sequencer(event.sequence) });
    let marker = (event.name == "ObjectRemoved:DeleteMarkerCreated").then(|| EMPTY_ETAG.to_owned());
    set(&mut object, "size", event.size_bytes.map(Value::from));
    set(&mut object, "eTag", event.etag.clone().or(marker).map(Value::from));
    set(&mut object, "versionId", event.version_id.clone().map(Value::from));
    object
}

fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[name] = value;
    }
}

fn event_bridge(event: &Event, region: &str) -> Value {
    match &event.bus {
        Some(BusDetail { source, detail }) => {
            let detail = serde_json::from_str(detail).unwrap_or_default();
            on_the_bus(event, region, source, &event.name, &event.key, &detail)
        }
        None => object_event(event, region),
    }
}

/// The envelope that every event on the bus has.
fn on_the_bus(event: &Event, region: &str, source: &str, kind: &str, resource: &str, detail: &Value) -> Value {
    json!({
        "version": "0",
        "id": message_id(event),
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT,
        "time": Timestamp::from_millisecond(event.time_ms).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": region,
        "resources": [resource],
        "detail": detail,
    })
}

fn object_event(event: &Event, region: &str) -> Value {
    let mut object = json!({ "key": event.key, "sequencer": sequencer(event.sequence) });
    set(&mut object, "size", event.size_bytes.map(Value::from));
    set(&mut object, "etag", event.etag.clone().map(Value::from));
    set(&mut object, "version-id", event.version_id.clone().map(Value::from));
    let (kind, reason, deletion) = words(&event.name);
    let mut detail = json!({
        "version": "0",
        "bucket": { "name": event.bucket },
        "object": object,
        "request-id": request_id(event),
        "requester": ACCOUNT,
        "source-ip-address": "127.0.0.1",
        "reason": reason,
    });
    set(&mut detail, "deletion-type", deletion.map(Value::from));
    on_the_bus(event, region, "aws.s3", kind, &format!("arn:aws:s3:::{}", event.bucket), &detail)
}

/// What `EventBridge` calls an event: its type, its reason, and the type of a deletion.
fn words(name: &str) -> (&'static str, &'static str, Option<&'static str>) {
    match name {
        "ObjectCreated:Post" => ("Object Created", "POST Object", None),
        "ObjectCreated:Copy" => ("Object Created", "CopyObject", None),
        "ObjectCreated:CompleteMultipartUpload" => ("Object Created", "CompleteMultipartUpload", None),
        "ObjectRemoved:DeleteMarkerCreated" => ("Object Deleted", "DeleteObject", Some("Delete Marker Created")),
        "ObjectRemoved:Delete" => ("Object Deleted", "DeleteObject", Some("Permanently Deleted")),
        _ => ("Object Created", "PutObject", None),
    }
}

fn request_id(event: &Event) -> String {
    hex(&digest(event, "request")[..8]).to_uppercase()
}

fn time(event: &Event) -> String {
    Timestamp::from_millisecond(event.time_ms).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `a b+c` becomes `a+b%2Bc`.
pub(super) fn form_encoded(key: &str) -> String {
    utf8_percent_encode(key, FORM_KEPT).to_string().replace(' ', "+")
}
