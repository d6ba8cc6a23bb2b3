//! Delivery against a real database: batches, failures, dead letters, faults, crashes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::store::{self, NotificationRules, Rule, Store, Versioning};

const TARGET: &str = "arn:aws:lambda:us-east-1:000000000000:function:start";

type Answer = dyn Fn(&Value) -> Result<Invoked, ServiceError> + Send + Sync;

/// A function that says what it was called with, and answers as the test wants.
#[derive(Clone)]
struct Function {
    calls: mpsc::UnboundedSender<Value>,
    answer: Arc<Answer>,
}

impl Invoke for Function {
    async fn invoke(&self, function: &str, payload: Bytes) -> Result<Invoked, ServiceError> {
        assert_eq!(function, "start");
        let call: Value = serde_json::from_slice(&payload).unwrap();
        let answer = (self.answer)(&call);
        self.calls.send(call).unwrap();
        answer
    }
}

fn function(
    answer: impl Fn(&Value) -> Result<Invoked, ServiceError> + Send + Sync + 'static,
) -> (Function, mpsc::UnboundedReceiver<Value>) {
    let (calls, received) = mpsc::unbounded_channel();
    (Function { calls, answer: Arc::new(answer) }, received)
}

fn success() -> Invoked {
    Invoked { payload: Bytes::from("null"), function_error: None }
}

async fn context(directory: &Path) -> Context {
    let database =
        crate::database::Database::open(&directory.join("cloud.db"), &crate::database::Schema::of(&[store::SCHEMA]))
            .unwrap();
    let store = Store::open(database.clone(), directory, Clock::default()).unwrap();
    if store.create_bucket("raw").await.is_ok() {
        store.set_versioning("raw", Versioning::Enabled).await.unwrap();
        let events = vec!["s3:ObjectCreated:*".to_owned(), "s3:ObjectRemoved:*".to_owned()];
        let rule = Rule { id: "rule".to_owned(), target: TARGET.to_owned(), events, prefix: None, suffix: None };
        store.set_notifications("raw", &NotificationRules { rules: vec![rule], event_bridge: false }).await.unwrap();
    }
    Context {
        database,
        store,
        clock: Clock::default(),
        scratch: Arc::new(directory.to_owned()),
        region: "us-east-1".into(),
    }
}

async fn put(context: &Context, key: &str) {
    context.store.put_bytes("raw", key, None, Bytes::from(key.to_owned())).await.unwrap();
}

fn fast() -> Settings {
    Settings { first_backoff: Duration::from_millis(1), most_backoff: Duration::from_millis(2), ..Settings::default() }
}

fn records(call: &Value) -> Vec<Value> {
    let each = call["Records"].as_array().unwrap().iter();
    each.map(|record| serde_json::from_str::<Value>(record["body"].as_str().unwrap()).unwrap()["Records"][0].clone())
        .collect()
}

fn keys(call: &Value) -> Vec<String> {
    records(call).iter().map(|record| record["s3"]["object"]["key"].as_str().unwrap().to_owned()).collect()
}

/// Waits until nothing is left to deliver.
async fn drained(queue: &Queue) {
    while queue.depth().await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_event_looks_as_aws_writes_it() {
    let directory = tempfile::tempdir().unwrap();
    let context = context(directory.path()).await;
    let (function, mut calls) = function(|_| Ok(success()));
    let queue = Queue::new(&context, fast());
    let running = tokio::spawn(queue.clone().run(function));
    let key = "a b+c%20&ü/日本.txt";
    put(&context, key).await;
    let call = calls.recv().await.unwrap();
    let object = context.store.head("raw", key, None).await.unwrap();
    let sqs = &call["Records"][0];
    assert_eq!(sqs["eventSource"], "aws:sqs");
    assert_eq!(sqs["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:start");
    assert_eq!(sqs["attributes"]["ApproximateReceiveCount"], "1");
    let record = &records(&call)[0];
    assert_eq!(record["eventVersion"], "2.1");
    assert_eq!(record["eventName"], "ObjectCreated:Put");
    assert_eq!(record["eventTime"].as_str().unwrap().len(), "2026-01-01T00:00:00.000Z".len());
    let wanted = json!({
        "key": "a+b%2Bc%2520%26%C3%BC/%E6%97%A5%E6%9C%AC.txt",
        "size": object.size_bytes,
        "eTag": object.etag,
        "versionId": object.version_id,
        "sequencer": object.sequencer,
    });
    assert_eq!(record["s3"]["object"], wanted);
    context.store.delete("raw", key, None).await.unwrap();
    let removed = records(&calls.recv().await.unwrap());
    assert_eq!(removed[0]["eventName"], "ObjectRemoved:DeleteMarkerCreated");
    assert!(removed[0]["s3"]["object"]["sequencer"].as_str().unwrap() > object.sequencer.as_str());
    running.abort();
}

#[tokio::test]
async fn batches_hold_at_most_ten_and_each_event_once() {
    let directory = tempfile::tempdir().unwrap();
    let context = context(directory.path()).await;
    for number in 0..35 {
        put(&context, &number.to_string()).await;
    }
    let (function, mut calls) = function(|_| Ok(success()));
    let queue = Queue::new(&context, fast());
    let running = tokio::spawn(queue.clone().run(function));
    drained(&queue).await;
    running.abort();
    let mut delivered = Vec::new();
    while let Ok(call) = calls.try_recv() {
        assert!(keys(&call).len() <= 10);
        delivered.extend(keys(&call));
    }
    delivered.sort_by_key(|key| key.parse::<u32>().unwrap());
    assert_eq!(delivered, (0..35).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn only_the_reported_items_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let context = context(directory.path()).await;
    for key in ["good", "bad", "fine"] {
        put(&context, key).await;
    }
    let (function, mut calls) = function(|call| {
        let bad = keys(call).iter().position(|key| key == "bad").filter(|_| keys(call).len() > 1);
        let failures = bad.map(|place| json!({ "itemIdentifier": call["Records"][place]["messageId"] }));
        let answer = json!({ "batchItemFailures": failures.into_iter().collect::<Vec<_>>() });
        Ok(Invoked { payload: Bytes::from(answer.to_string()), function_error: None })
    });
    let queue = Queue::new(&context, fast());
    let running = tokio::spawn(queue.clone().run(function));
    drained(&queue).await;
    running.abort();
    assert_eq!(keys(&calls.recv().await.unwrap()), ["good", "bad", "fine"]);
    let second = calls.recv().await.unwrap();
    assert_eq!(keys(&second), ["bad"]);
    assert_eq!(second["Records"][0]["attributes"]["ApproximateReceiveCount"], "2");
}

#[tokio::test]
async fn after_five_deliveries_an_event_is_a_dead_letter_until_it_is_redriven() {
    let directory = tempfile::tempdir().unwrap();
    let context = context(directory.path()).await;
    put(&context, "key").await;
    let broken = Arc::new(Mutex::new(true));
    let state = Arc::clone(&broken);
    let (function, mut calls) = function(move |_| {
        let error = state.lock().unwrap().then(|| "Unhandled".to_owned());
        Ok(Invoked { payload: Bytes::from("{}"), function_error: error })
    });
    let queue = Queue::new(&context, fast());
    let running = tokio::spawn(queue.clone().run(function));
    drained(&queue).await;
    let letters = queue.dead_letters().await.unwrap();
    assert_eq!((letters.len(), letters[0].receives, letters[0].key.as_str()), (1, 5, "key"));
    assert!(letters[0].reason.contains("Unhandled"));
    *broken.lock().unwrap() = false;
    assert_eq!(queue.redrive().await.unwrap(), 1);
    drained(&queue).await;
    running.abort();
    assert_eq!(queue.dead_letters().await.unwrap(), []);
    assert_eq!(std::iter::from_fn(|| calls.try_recv().ok()).count(), 6);
}

#[tokio::test]
async fn a_throttled_call_does_not_count() {
    let directory = tempfile::tempdir().unwrap();
    let context = context(directory.path()).await;
    put(&context, "key").await;
    let tries = Mutex::new(0);
    let (function, mut calls) = function(move |_| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        let throttled = ServiceError { status: 429, code: "TooManyRequestsException".into(), message: String::new() };
        if *tries <= 8 { Err(throttled) } else { Ok(success()) }
    });
    let queue = Queue::new(&context, fast());
    let running = tokio::spawn(queue.clone().run(function));
    drained(&queue).await;
    running.abort();
    assert_eq!(queue.dead_letters().await.unwrap(), []);
    assert_eq!(std::iter::from_fn(|| calls.try_recv().ok()).count(), 9);
}

#[tokio::test]
async fn what_was_leased_when_the_cloud_was_killed_is_delivered_again() {
    let directory = tempfile::tempdir().unwrap();
    let first = context(directory.path()).await;
    put(&first, "key").await;
    let queue = Queue::new(&first, fast());
    let now_ms = first.clock.now().as_millisecond();
    assert_eq!(queue.inbox.receive(now_ms).await.unwrap().events.len(), 1);
    assert_eq!(queue.inbox.receive(now_ms).await.unwrap().events.len(), 0);
    drop((first, queue));
    let second = context(directory.path()).await;
    let (function, mut calls) = function(|_| Ok(success()));
    let running = tokio::spawn(Queue::new(&second, fast()).run(function));
    let call = calls.recv().await.unwrap();
    running.abort();
    assert_eq!(call["Records"][0]["attributes"]["ApproximateReceiveCount"], "1");
}

#[tokio::test]
async fn duplicates_and_reordering_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let context = context(directory.path()).await;
    for number in 0..40 {
        put(&context, &number.to_string()).await;
    }
    let (function, mut calls) = function(|_| Ok(success()));
    let faults = EventFaults::with_probabilities(0.5, 0.3, fastrand::Rng::with_seed(7));
    let queue = Queue::new(&context, Settings { faults, ..fast() });
    let running = tokio::spawn(queue.clone().run(function));
    drained(&queue).await;
    running.abort();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut order = Vec::new();
    while let Ok(call) = calls.try_recv() {
        for key in keys(&call) {
            *counts.entry(key.clone()).or_default() += 1;
            order.push(key.parse::<u32>().unwrap());
        }
    }
    assert_eq!(counts.len(), 40);
    assert!(counts.values().any(|count| *count == 2) && counts.values().all(|count| *count <= 2));
    assert!(!order.is_sorted());
}

#[tokio::test]
async fn a_queue_and_the_event_bus_have_their_own_envelopes() {
    let directory = tempfile::tempdir().unwrap();
    let context = context(directory.path()).await;
    context.store.set_notifications("raw", &NotificationRules { rules: vec![], event_bridge: true }).await.unwrap();
    put(&context, "a b").await;
    let mapping = Mapping {
        target: "event-bus/default".to_owned(),
        function: "start".to_owned(),
        envelope: Envelope::EventBridge,
    };
    let (function, mut calls) = function(|_| Ok(success()));
    let queue = Queue::new(&context, Settings { mappings: vec![mapping], ..fast() });
    let running = tokio::spawn(queue.run(function));
    let call = calls.recv().await.unwrap();
    running.abort();
    assert_eq!(call["detail-type"], "Object Created");
    assert_eq!(call["detail"]["object"]["key"], "a b");
    assert_eq!(call["detail"]["reason"], "PutObject");
}

#[test]
fn a_malformed_report_fails_the_batch() {
    for (payload, all) in [
        ("", false),
        ("null", false),
        ("\"done\"", false),
        ("{}", false),
        (r#"{"batchItemFailures":null}"#, false),
        (r#"{"batchItemFailures":[]}"#, false),
        (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, true),
        (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, true),
        (r#"{"batchItemFailures":[{"other":"1"}]}"#, true),
        (r#"{"batchItemFailures":[{"itemIdentifier":"unknown"}]}"#, true),
    ] {
        let answer = Ok(Invoked { payload: Bytes::from(payload), function_error: None });
        assert_eq!(Outcome::of(answer, &[]).failed == outcome::Failed::All, all, "{payload}");
    }
}

fn behind_queue() -> Settings {
    let target = "arn:aws:sqs:us-east-1:000000000000:files".to_owned();
    Settings { mappings: vec![Mapping { target, function: "start".to_owned(), envelope: Envelope::Sqs }], ..fast() }
}

/// Sends a message over the API; its id.
async fn send(queue: &Queue, body: &str) -> String {
    let request = json!({"QueueUrl": "http://localhost/000000000000/files", "MessageBody": body});
    let answer = queue.handle("SendMessage", request, "localhost").await.unwrap();
    answer.body["MessageId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_message_that_was_taken_outlives_the_cloud_and_arrives_as_it_was_sent() {
    let directory = tempfile::tempdir().unwrap();
    let text = "any text ü, not even JSON";
    let id = {
        let context = context(directory.path()).await;
        send(&Queue::new(&context, behind_queue()), text).await
    };
    let context = context(directory.path()).await;
    let (function, mut calls) = function(|_| Ok(success()));
    let queue = Queue::new(&context, behind_queue());
    let running = tokio::spawn(queue.clone().run(function));
    let message = calls.recv().await.unwrap()["Records"][0].clone();
    assert_eq!((&message["body"], &message["messageId"]), (&json!(text), &json!(id)));
    assert_eq!(message["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:files");
    drained(&queue).await;
    running.abort();
}

#[tokio::test]
async fn what_a_queue_holds_is_counted_by_what_it_waits_for() {
    let directory = tempfile::tempdir().unwrap();
    let context = context(directory.path()).await;
    let (function, mut calls) = function(|_| Err(ServiceError::client("InvalidInput", "refused")));
    let queue = Queue::new(&context, Settings { most_receives: 1, ..behind_queue() });
    send(&queue, "a").await;
    let late = json!({"QueueUrl": "files", "MessageBody": "b", "DelaySeconds": 60});
    queue.handle("SendMessage", late, "localhost").await.unwrap();
    let count = |queue: Queue, name: &'static str| async move {
        let request = json!({"QueueUrl": name, "AttributeNames": ["All"]});
        let body = queue.handle("GetQueueAttributes", request, "localhost").await.unwrap().body;
        let of = |kind: &str| body["Attributes"][format!("ApproximateNumberOfMessages{kind}")].clone();
        [of(""), of("NotVisible"), of("Delayed")]
    };
    assert_eq!(count(queue.clone(), "files").await, ["1", "0", "1"]);
    let running = tokio::spawn(queue.clone().run(function));
    calls.recv().await.unwrap();
    while count(queue.clone(), "files-dead").await != ["1", "0", "0"] {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(queue.clone(), "files").await, ["0", "0", "1"]);
    running.abort();
}
