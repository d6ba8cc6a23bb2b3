//! The three envelopes, and the one of a replay, opened: pure.
//!
//! Keys are form-encoded in S3 notifications and plain in `EventBridge` events.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::s3::{S3Event, S3EventRecord};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use domain::event::{EventKind, ObjectEvent, Replay, is_replay_name};
use domain::failure::Failure;
use domain::object::{ObjectRef, decode_notification_key};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What the function was invoked with.
#[derive(Debug)]
pub(crate) enum Envelope {
    /// Messages of a queue, each to be acknowledged by itself.
    Queue(Vec<Message>),
    /// Events that S3 or `EventBridge` delivered, or a replay asks for.
    Direct(Vec<ObjectEvent>),
}

/// One message of a queue.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) events: Result<Vec<ObjectEvent>, Failure>,
}

/// Opens the envelope.
pub(crate) fn open(event: Value) -> Result<Envelope, Failure> {
    let source = event["Records"][0]["eventSource"].as_str();
    if source == Some("aws:sqs") {
        let queue: SqsEvent = parse(event)?;
        return Ok(Envelope::Queue(queue.records.into_iter().map(message).collect()));
    }
    Ok(Envelope::Direct(events(event)?))
}

fn message(message: SqsMessage) -> Message {
    let body = message.body.unwrap_or_default();
    let parsed: Result<Value, _> = serde_json::from_str(&body);
    let parsed =
        parsed.map_err(|error| Failure::invalid_input(format!("failed to read the body of a message: {error}")));
    Message { id: message.message_id.unwrap_or_default(), events: parsed.and_then(events) }
}

/// The events in a bare S3 notification, an `EventBridge` event, a replay or S3's own test message.
fn events(event: Value) -> Result<Vec<ObjectEvent>, Failure> {
    if event.get("Records").is_some() {
        let notification: S3Event = parse(event)?;
        return notification.records.into_iter().filter_map(|record| from_record(record).transpose()).collect();
    }
    if event.get("detail-type").is_some() {
        return Ok(from_event_bridge(parse(event)?)?.into_iter().collect());
    }
    if event.get("replay").is_some() {
        return from_replay(parse(event)?);
    }
    if event["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    Err(Failure::invalid_input(
        "the event is neither an S3 notification (bare or in SQS) nor an EventBridge event nor a replay: check what invokes this function",
    ))
}

fn parse<T: serde::de::DeserializeOwned>(event: Value) -> Result<T, Failure> {
    serde_json::from_value(event).map_err(|error| Failure::invalid_input(format!("failed to read the event: {error}")))
}

/// The name of the replay stands in each event, so that each is a run of its own.
fn from_replay(Replay { replay, events }: Replay) -> Result<Vec<ObjectEvent>, Failure> {
    if !is_replay_name(&replay) {
        return Err(Failure::invalid_input("the replay's name is not 1 to 64 letters, digits, `-`, `_`, `.` or `:`"));
    }
    if events.iter().any(|event| event.object.bucket.is_empty() || event.object.key.is_empty()) {
        return Err(Failure::invalid_input("the replay names no bucket or no key"));
    }
    Ok(events.into_iter().map(|event| ObjectEvent { replay: Some(replay.clone()), ..event }).collect())
}

/// `None` for kinds of events that are neither a creation nor a removal (tagging, restore …).
fn from_record(record: S3EventRecord) -> Result<Option<ObjectEvent>, Failure> {
    let Some(kind) = EventKind::parse(record.event_name.as_deref().unwrap_or_default()) else {
        return Ok(None);
    };
    let object = record.s3.object;
    let key = object.key.as_deref().map(decode_notification_key);
    Ok(Some(ObjectEvent {
        kind,
        object: object_ref(record.s3.bucket.name, key, object.version_id)?,
        etag: object.e_tag,
        size_bytes: object.size.and_then(|size| size.try_into().ok()).unwrap_or(0),
        sequencer: object.sequencer.unwrap_or_default(),
        time: time(record.event_time.timestamp_millis())?,
        replay: None,
    }))
}

fn object_ref(bucket: Option<String>, key: Option<String>, version_id: Option<String>) -> Result<ObjectRef, Failure> {
    match (bucket, key) {
        (Some(bucket), Some(key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok(ObjectRef { bucket, key, version_id: version_id.filter(|id| !id.is_empty()) })
        }
        _ => Err(Failure::invalid_input("the event names no bucket or no key")),
    }
}

fn time(milliseconds: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| Failure::invalid_input(format!("the time of the event is out of range: {error}")))
}

/// The detail of an `EventBridge` event of S3.
#[derive(Debug, Deserialize, serde::Serialize)]
struct Detail {
    bucket: DetailBucket,
    object: DetailObject,
}

#[derive(Debug, Deserialize, serde::Serialize)]
struct DetailBucket {
    name: String,
}

#[derive(Debug, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct DetailObject {
    key: String,
    #[serde(default)]
    size: u64,
    etag: Option<String>,
    version_id: Option<String>,
    #[serde(default)]
    sequencer: String,
}

fn from_event_bridge(event: EventBridgeEvent<Value>) -> Result<Option<ObjectEvent>, Failure> {
    let Some(kind) = EventKind::parse(&event.detail_type) else {
        return Ok(None);
    };
    let detail: Detail = parse(event.detail)?;
    let milliseconds = event.time.ok_or_else(|| Failure::invalid_input("the event has no time"))?.timestamp_millis();
    Ok(Some(ObjectEvent {
        kind,
        object: object_ref(Some(detail.bucket.name), Some(detail.object.key), detail.object.version_id)?,
        etag: detail.object.etag,
        size_bytes: detail.object.size,
        sequencer: detail.object.sequencer,
        time: time(milliseconds)?,
        replay: None,
    }))
}

#[cfg(test)]
mod tests;
