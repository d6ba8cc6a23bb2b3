//! Events as AWS writes them (the shapes of the S3, SQS and `EventBridge` guides).

use serde_json::json;

use super::*;

fn record(name: &str, key: &str) -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-west-2", "eventTime": "2026-05-01T12:00:00.123Z",
        "eventName": name, "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD"},
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "testConfigRule",
            "bucket": {"name": "raw", "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}, "arn": "arn:aws:s3:::raw"},
            "object": {"key": key, "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko", "sequencer": "0055AED6DCD90281E5"}
        }
    })
}

fn in_queue(body: &str) -> Value {
    json!({"Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...", "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"}, "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue", "awsRegion": "us-east-2"
    }]})
}

fn event_bridge(detail_type: &str, key: &str) -> Value {
    json!({
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": detail_type, "source": "aws.s3", "account": "111122223333",
        "time": "2026-05-01T12:00:00Z", "region": "ca-central-1", "resources": ["arn:aws:s3:::raw"],
        "detail": {
            "version": "0", "bucket": {"name": "raw"},
            "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "sequencer": "617f08299329d189"},
            "request-id": "N4N7GDK58NMKJ12R", "requester": "123456789012", "source-ip-address": "1.2.3.4", "reason": "PutObject"
        }
    })
}

fn direct(event: Value) -> Vec<ObjectEvent> {
    match open(event).unwrap() {
        Envelope::Direct(events) => events,
        Envelope::Queue(messages) => panic!("not a queue: {messages:?}"),
    }
}

#[test]
fn keys_are_decoded_in_notifications_only() {
    let notified = direct(json!({"Records": [record("ObjectCreated:Put", "a+b%2B%26%25%C3%BC.txt")]}));
    assert_eq!(notified[0].object.key, "a b+&%ü.txt");
    let bridged = direct(event_bridge("Object Created", "a+b%20.txt"));
    assert_eq!(bridged[0].object.key, "a+b%20.txt");
}

#[test]
fn every_record_is_taken_and_other_kinds_are_passed_over() {
    let events = direct(json!({"Records": [
        record("ObjectCreated:CompleteMultipartUpload", "a"), record("ObjectTagging:Put", "b"), record("ObjectRemoved:DeleteMarkerCreated", "c"),
    ]}));
    let seen: Vec<_> = events.iter().map(|event| (event.kind, event.object.key.as_str())).collect();
    assert_eq!(seen, [(EventKind::Created, "a"), (EventKind::Removed, "c")]);
    assert_eq!(events[0].time.to_string(), "2026-05-01T12:00:00.123Z");
    assert_eq!(events[0].object.version_id.as_deref(), Some("096fKKXTRTtl3on89fVO.nfljtsv6qko"));
}

#[test]
fn a_queue_holds_notifications_bridge_events_and_test_messages() {
    let bodies = [
        (json!({"Records": [record("ObjectCreated:Put", "a"), record("ObjectCreated:Copy", "b")]}), 2),
        (event_bridge("Object Deleted", "c"), 1),
        (
            json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-05-01T12:00:00.000Z", "Bucket": "raw"}),
            0,
        ),
    ];
    for (body, events) in bodies {
        let Envelope::Queue(messages) = open(in_queue(&body.to_string())).unwrap() else { panic!("a queue") };
        assert_eq!(messages[0].events.as_ref().unwrap().len(), events);
    }
}

#[test]
fn a_message_that_cannot_be_read_fails_alone() {
    let mut batch = in_queue(&json!({"Records": [record("ObjectCreated:Put", "a")]}).to_string());
    let broken = in_queue("{not json")["Records"][0].clone();
    batch["Records"].as_array_mut().unwrap().push(broken);
    let Envelope::Queue(messages) = open(batch).unwrap() else { panic!("a queue") };
    assert!(messages[0].events.is_ok());
    assert!(messages[1].events.is_err());
}

fn replay(name: &str, key: &str) -> Value {
    json!({"replay": name, "events": [{
        "kind": "created", "object": {"bucket": "raw", "key": key, "version_id": "v1"}, "sequencer": "00A1",
        "time": "2026-05-01T12:00:00Z", "replay": "what the sender wrote here does not count",
    }]})
}

#[test]
fn a_replay_is_a_run_of_its_own() {
    let Envelope::Queue(messages) = open(in_queue(&replay("again", "a b+%.txt").to_string())).unwrap() else {
        panic!("a queue")
    };
    let events = messages[0].events.as_ref().unwrap();
    assert_eq!((events[0].replay.as_deref(), events[0].object.key.as_str()), (Some("again"), "a b+%.txt"));
    let first = direct(json!({"Records": [record("ObjectCreated:Put", "a")]}));
    assert_eq!(first[0].replay, None);
    assert!(domain::run::execution_name(&first[0]).starts_with("a-"));
}

#[test]
fn unknown_envelopes_are_refused() {
    let unknown = [
        json!({}),
        json!({"hello": "world"}),
        json!([]),
        json!({"Records": [{"eventSource": "aws:kinesis"}]}),
        replay("", "a"),
        replay("a b", "a"),
        replay("again", ""),
        json!({"replay": "again"}),
        json!({"replay": 7, "events": []}),
    ];
    for event in unknown {
        assert!(open(event).is_err());
    }
}
