//! Executions that end where no state can record it: the record comes by way of the event bus.
//!
//! The machine is this test's own, so that it ends as it is told; the function that records is the shipped binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::time::Duration;

use cloud::deployment::{CATALOG_BUCKET, STATE_MACHINE, Stack, state_machine_arn};
use cloud::{Cloud, CloudError, Config};
use domain::change::{Change, Status, record_key};
use serde_json::{Value, json};
use tests::program;

const TIME: &str = "2026-05-01T12:00:00Z";

async fn start(directory: &std::path::Path, state: Value) -> Cloud {
    let machine = json!({"StartAt": "Only", "States": {"Only": state}});
    let stack = Stack {
        functions_directory: program::programs(),
        state_machine: machine.to_string(),
        tables: None,
        settings_file: None,
        environment: [].into(),
    };
    let config = Config { stack: Some(stack), ..Config::new(directory) };
    for _ in 0..200 {
        match Cloud::start(config.clone()).await {
            // The last one lets go of the directory when the last of its tasks has ended.
            Err(CloudError::Lock(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            started => return started.unwrap(),
        }
    }
    panic!("the directory stays locked");
}

async fn ask(cloud: &Cloud, operation: &str, body: Value) -> Value {
    let reply = cloud.states().handle(operation, body).await.unwrap();
    reply.body
}

/// Starts a run of that name for an object of the same name.
async fn begin(cloud: &Cloud, name: &str) -> String {
    let input = json!({"kind": "created", "object": {"bucket": "quiet", "key": name}, "size_bytes": 3, "time": TIME});
    let body = json!({
        "stateMachineArn": state_machine_arn("us-east-1", STATE_MACHINE), "name": name, "input": input.to_string(),
    });
    ask(cloud, "StartExecution", body).await["executionArn"].as_str().unwrap().to_owned()
}

async fn record(cloud: &Cloud, run: &str) -> Option<Change> {
    let store = &cloud.context().store;
    let object = store.head(CATALOG_BUCKET, &record_key(TIME.parse().unwrap(), run), None).await.ok()?;
    let bytes = store.open_bytes(&object).await.unwrap();
    Some(serde_json::from_reader(bytes).unwrap())
}

/// Looks until the record is as wanted; a minute is long for one invocation.
async fn recorded(cloud: &Cloud, run: &str, wanted: impl Fn(&Change) -> bool) -> Change {
    for _ in 0..1_200 {
        if let Some(change) = record(cloud, run).await.filter(&wanted) {
            return change;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no record of `{run}` as wanted; dead letters: {:?}", cloud.queue().dead_letters().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_execution_has_its_record_and_each_attempt_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path(), json!({"Type": "Wait", "Seconds": 3600, "End": true})).await;
    let arn = begin(&cloud, "one").await;
    let stop = json!({"executionArn": arn, "error": "ByHand", "cause": "the wrong file"});
    ask(&cloud, "StopExecution", stop).await;
    let change = recorded(&cloud, "one", |_| true).await;
    assert_eq!((change.status, change.execution_arn), (Status::Failed, arn.clone()));
    assert_eq!(change.reason.as_deref(), Some("the execution was stopped: ByHand: the wrong file"));
    assert_eq!((change.object.key.as_str(), change.size_bytes), ("one", 3));

    ask(&cloud, "RedriveExecution", json!({"executionArn": arn})).await;
    ask(&cloud, "StopExecution", json!({"executionArn": arn, "cause": "again"})).await;
    let again = |change: &Change| change.reason.as_deref() == Some("the execution was stopped: again");
    recorded(&cloud, "one", again).await;
    assert_eq!(cloud.queue().dead_letters().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_not_delivered_yet_outlives_the_cloud() {
    let directory = tempfile::tempdir().unwrap();
    let broken = json!({"Type": "Pass", "Parameters": {"none.$": "$.none"}, "End": true});
    let cloud = start(directory.path(), broken.clone()).await;
    let arn = begin(&cloud, "two").await;
    while ask(&cloud, "DescribeExecution", json!({"executionArn": arn})).await["status"] == "RUNNING" {
        tokio::task::yield_now().await;
    }
    // As a crash would end it: the function may or may not have been told.
    drop(cloud);
    let cloud = start(directory.path(), broken).await;
    let change = recorded(&cloud, "two", |_| true).await;
    assert_eq!(change.status, Status::Failed);
    assert!(change.reason.unwrap().starts_with("States."));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_about_no_object_is_let_go() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path(), json!({"Type": "Fail", "Error": "Own"})).await;
    let body = json!({"stateMachineArn": state_machine_arn("us-east-1", STATE_MACHINE), "name": "three"});
    ask(&cloud, "StartExecution", body).await;
    let arn = format!("{}:three", state_machine_arn("us-east-1", STATE_MACHINE).replace("stateMachine", "execution"));
    while ask(&cloud, "DescribeExecution", json!({"executionArn": arn})).await["status"] == "RUNNING" {
        tokio::task::yield_now().await;
    }
    while cloud.queue().depth().await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(cloud.queue().dead_letters().await.unwrap(), []);
}
