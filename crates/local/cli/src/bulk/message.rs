//! What goes into the queue for a file: the notification that S3 would have sent, or a replay. Pure.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use domain::event::{ObjectEvent, Replay};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// What form encoding leaves as it is; S3 keeps the slashes too.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// Where S3 puts the name of the rule that told of a change.
const RULE: &str = "sluice-backfill";

/// The notification of an object that was created.
pub(crate) fn notification(event: &ObjectEvent, region: &str) -> String {
    let mut object = json!({ "key": form_encoded(&event.object.key), "size": event.size_bytes });
    if let Some(etag) = &event.etag {
        object["eTag"] = json!(etag);
    }
    if let Some(version_id) = &event.object.version_id {
        object["versionId"] = json!(version_id);
    }
    let record = json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": event.time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": RULE },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": RULE, "x-amz-id-2": RULE },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": RULE,
            "bucket": {
                "name": event.object.bucket,
                "ownerIdentity": { "principalId": RULE },
                "arn": format!("arn:aws:s3:::{}", event.object.bucket),
            },
            "object": object,
        },
    });
    json!({ "Records": [record] }).to_string()
}

/// The wish to run `event` anew in the replay `name`.
pub(crate) fn replay(event: &ObjectEvent, name: &str) -> String {
    let event = ObjectEvent { replay: None, ..event.clone() };
    json!(Replay { replay: name.to_owned(), events: vec![event] }).to_string()
}

/// `a b+c` becomes `a+b%2Bc`.
fn form_encoded(key: &str) -> String {
    utf8_percent_encode(key, KEPT).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use domain::event::EventKind;
    use domain::object::{ObjectRef, decode_notification_key};
    use serde_json::Value;

    use super::*;

    fn event(key: &str) -> ObjectEvent {
        ObjectEvent {
            kind: EventKind::Created,
            object: ObjectRef { bucket: "raw".into(), key: key.into(), version_id: Some("v1".into()) },
            etag: Some("e".into()),
            size_bytes: 7,
            sequencer: String::new(),
            time: "2026-05-01T12:00:00Z".parse().unwrap(),
            replay: Some("of before".into()),
        }
    }

    #[test]
    fn keys_come_back_as_they_were() {
        for key in ["a b+c%20&ü/日本.txt", "100%", "a\tb", "*-._~'()!\""] {
            let text: Value = serde_json::from_str(&notification(&event(key), "eu-west-1")).unwrap();
            let record = &text["Records"][0];
            assert_eq!(decode_notification_key(record["s3"]["object"]["key"].as_str().unwrap()), key);
            assert_eq!(record["eventTime"], "2026-05-01T12:00:00.000Z");
            assert_eq!(record["s3"]["object"]["versionId"], "v1");
        }
    }

    #[test]
    fn a_replay_bears_one_name() {
        let text: Replay = serde_json::from_str(&replay(&event("a"), "again")).unwrap();
        assert_eq!((text.replay.as_str(), text.events[0].replay.as_ref()), ("again", None));
    }
}
