//! What of the Step Functions API depends on time, on restarts and on the bounds that a cloud is started with.

use std::path::Path;

use ::cloud::clock::ManualClock;
use ::cloud::states::Retention;
use ::cloud::{Cloud, Config};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::common::{config, eventually, start};

const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:machine";

fn timeless(directory: &Path) -> (Config, ManualClock) {
    let time = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    (Config { clock: time.clock(), ..config(directory) }, time)
}

async fn ask(cloud: &Cloud, operation: &str, body: Value) -> Value {
    cloud.states().handle(operation, body).await.unwrap_or_else(|error| panic!("{operation}: {error}")).body
}

/// The type of the error, and what it says.
async fn refused(cloud: &Cloud, operation: &str, body: Value) -> (String, String) {
    let error = cloud.states().handle(operation, body).await.unwrap_err();
    (error.code.into_owned(), error.message)
}

fn wait(seconds: u64) -> Value {
    json!({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": seconds, "Next": "Done"}, "Done": {"Type": "Pass", "End": true}}})
}

fn fail() -> Value {
    json!({"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Broken"}}})
}

async fn create(cloud: &Cloud, kind: &str, definition: &Value) {
    let role = "arn:aws:iam::000000000000:role/test";
    let create = json!({"name": "machine", "type": kind, "definition": definition.to_string(), "roleArn": role});
    ask(cloud, "CreateStateMachine", create).await;
}

async fn begin(cloud: &Cloud, name: &str) -> String {
    let started = ask(cloud, "StartExecution", json!({"stateMachineArn": MACHINE, "name": name})).await;
    started["executionArn"].as_str().unwrap().to_owned()
}

async fn describe(cloud: &Cloud, arn: &str) -> Value {
    ask(cloud, "DescribeExecution", json!({"executionArn": arn})).await
}

async fn ended(cloud: &Cloud, arn: &str) -> Value {
    eventually("the execution ends", async || describe(cloud, arn).await["status"] != "RUNNING").await;
    describe(cloud, arn).await
}

#[tokio::test]
async fn an_execution_is_redrivable_for_fourteen_days() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    let cloud = start(&config).await;
    create(&cloud, "STANDARD", &fail()).await;
    let arn = begin(&cloud, "one").await;
    assert_eq!(ended(&cloud, &arn).await["redriveStatus"], "REDRIVABLE");
    time.advance(SignedDuration::from_hours(14 * 24));
    assert_eq!(describe(&cloud, &arn).await["redriveStatus"], "REDRIVABLE");
    let redrive = json!({"executionArn": arn, "clientToken": "token"});
    let first = ask(&cloud, "RedriveExecution", redrive.clone()).await;
    ended(&cloud, &arn).await;
    // A token is remembered for a quarter of an hour.
    time.advance(SignedDuration::from_mins(15));
    assert_eq!(ask(&cloud, "RedriveExecution", redrive.clone()).await, first);
    time.advance(SignedDuration::from_mins(1));
    assert_ne!(ask(&cloud, "RedriveExecution", redrive.clone()).await, first);
    assert_eq!(ended(&cloud, &arn).await["redriveCount"], 2);
    time.advance(SignedDuration::from_hours(14 * 24) + SignedDuration::from_secs(1));
    let described = describe(&cloud, &arn).await;
    assert_eq!(described["redriveStatusReason"], "Execution redrivable period exceeded");
    let refused = refused(&cloud, "RedriveExecution", json!({"executionArn": arn})).await;
    assert_eq!(refused, ("ExecutionNotRedrivable".to_owned(), "Execution redrivable period exceeded".to_owned()));
}

#[tokio::test]
async fn a_name_is_free_again_ninety_days_after_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    let cloud = start(&Config { retention: Retention { days: 1000, most: None }, ..config }).await;
    create(&cloud, "STANDARD", &fail()).await;
    let arn = begin(&cloud, "one").await;
    let first = ended(&cloud, &arn).await;
    time.advance(SignedDuration::from_hours(90 * 24) - SignedDuration::from_secs(1));
    let start = json!({"stateMachineArn": MACHINE, "name": "one"});
    assert_eq!(refused(&cloud, "StartExecution", start).await.0, "ExecutionAlreadyExists");
    time.advance(SignedDuration::from_secs(1));
    assert_eq!(begin(&cloud, "one").await, arn);
    assert_ne!(ended(&cloud, &arn).await["startDate"], first["startDate"]);
    let history = ask(&cloud, "GetExecutionHistory", json!({"executionArn": arn})).await;
    assert_eq!(history["events"].as_array().unwrap().len(), 3, "{history}");
}

#[tokio::test]
async fn closed_executions_are_forgotten_by_age_and_by_count() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    let cloud = start(&Config { retention: Retention { days: 30, most: Some(3) }, ..config }).await;
    create(&cloud, "STANDARD", &fail()).await;
    for number in 0..5 {
        let arn = begin(&cloud, &number.to_string()).await;
        ended(&cloud, &arn).await;
        time.advance(SignedDuration::from_hours(1));
    }
    let update = json!({"stateMachineArn": MACHINE, "definition": wait(365 * 86_400).to_string()});
    ask(&cloud, "UpdateStateMachine", update).await;
    let open = begin(&cloud, "open").await;
    let names = async || {
        let listed = ask(&cloud, "ListExecutions", json!({"stateMachineArn": MACHINE})).await;
        listed["executions"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(cloud.states().prune().await.unwrap(), 2);
    let left: Vec<String> = names().await;
    assert_eq!(left, ["open", "4", "3", "2"]);
    let gone = MACHINE.replace("stateMachine", "execution") + ":1";
    assert_eq!(refused(&cloud, "DescribeExecution", json!({"executionArn": gone})).await.0, "ExecutionDoesNotExist");
    // The name is free, and the definition of those that are left is still there.
    begin(&cloud, "1").await;
    let kept = MACHINE.replace("stateMachine", "execution") + ":2";
    let used = ask(&cloud, "DescribeStateMachineForExecution", json!({"executionArn": kept})).await;
    assert_eq!(used["definition"], fail().to_string());
    time.advance(SignedDuration::from_hours(31 * 24));
    assert_eq!(cloud.states().prune().await.unwrap(), 3);
    let left: Vec<String> = names().await;
    assert_eq!(left, ["1", "open"]);
    assert_eq!(describe(&cloud, &open).await["status"], "RUNNING");
}

#[tokio::test]
async fn the_children_of_a_map_run_go_with_their_parent() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    let cloud = start(&Config { retention: Retention { days: 1, most: Some(1) }, ..config }).await;
    let child = json!({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": true}}, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}});
    let map = json!({"Type": "Map", "ItemsPath": "$", "ItemProcessor": child, "Next": "Wait"});
    let wait = json!({"Type": "Wait", "Seconds": 172_800, "End": true});
    create(&cloud, "STANDARD", &json!({"StartAt": "Map", "States": {"Map": map, "Wait": wait}})).await;
    let start = json!({"stateMachineArn": MACHINE, "name": "parent", "input": "[1, 2, 3]"});
    let arn = ask(&cloud, "StartExecution", start).await["executionArn"].as_str().unwrap().to_owned();
    // Not before the parent waits: its run ends a step earlier, and time that passes in between is no part of the wait.
    eventually("the parent waits", async || {
        let history = ask(&cloud, "GetExecutionHistory", json!({"executionArn": arn, "reverseOrder": true})).await;
        history["events"][0]["type"] == "WaitStateEntered"
    })
    .await;
    // Children have ended long ago, but their parent has not.
    time.advance(SignedDuration::from_hours(36));
    assert_eq!(cloud.states().prune().await.unwrap(), 0);
    assert_eq!(rows(&cloud).await, 4);
    time.advance(SignedDuration::from_hours(36));
    ended(&cloud, &arn).await;
    assert_eq!(cloud.states().prune().await.unwrap(), 0);
    time.advance(SignedDuration::from_hours(25));
    assert_eq!(cloud.states().prune().await.unwrap(), 1);
    assert_eq!(rows(&cloud).await, 0);
}

#[tokio::test]
async fn an_execution_of_a_deleted_machine_ends_at_its_next_state() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    let arn = {
        let cloud = start(&config).await;
        create(&cloud, "STANDARD", &wait(3600)).await;
        let arn = begin(&cloud, "one").await;
        ask(&cloud, "DeleteStateMachine", json!({"stateMachineArn": MACHINE})).await;
        cloud.shutdown().await;
        arn
    };
    let cloud = start(&config).await;
    assert_eq!(describe(&cloud, &arn).await["status"], "RUNNING");
    assert_eq!(ask(&cloud, "DescribeStateMachine", json!({"stateMachineArn": MACHINE})).await["status"], "DELETING");
    time.advance_to_next().await;
    let ended = ended(&cloud, &arn).await;
    assert_eq!((ended["status"].as_str(), ended["output"].as_str()), (Some("ABORTED"), None));
    let machine = json!({"stateMachineArn": MACHINE});
    eventually("the machine is gone", async || {
        cloud.states().handle("DescribeStateMachine", machine.clone()).await.is_err()
    })
    .await;
    create(&cloud, "STANDARD", &fail()).await;
}

#[tokio::test]
async fn an_express_execution_ends_after_five_minutes_and_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    let cloud = start(&config).await;
    create(&cloud, "EXPRESS", &wait(3600)).await;
    let began = time.clock().now();
    let sync = cloud.states().handle("StartSyncExecution", json!({"stateMachineArn": MACHINE}));
    let (answer, due) = futures::future::join(sync, time.advance_to_next()).await;
    assert_eq!(due.duration_since(began), SignedDuration::from_mins(5));
    let answer = answer.unwrap().body;
    assert_eq!((&answer["status"], &answer["error"]), (&json!("TIMED_OUT"), &json!("States.Timeout")));
    assert_eq!(answer["billingDetails"]["billedDurationInMilliseconds"], 300_000);
    eventually("nothing is kept", async || rows(&cloud).await == 0).await;
}

/// Executions in the database.
async fn rows(cloud: &Cloud) -> i64 {
    let count =
        |database: &rusqlite::Connection| database.query_row("SELECT count(*) FROM execution", [], |row| row.get(0));
    cloud.context().database.read(count).await.unwrap()
}

#[tokio::test]
async fn after_a_crash_express_executions_run_again_unless_somebody_waited() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    {
        let cloud = start(&config).await;
        create(&cloud, "EXPRESS", &wait(60)).await;
        begin(&cloud, "alone").await;
        let states = cloud.states().clone();
        tokio::spawn(async move { states.handle("StartSyncExecution", json!({"stateMachineArn": MACHINE})).await });
        eventually("both run", async || rows(&cloud).await == 2).await;
    }
    let cloud = start(&config).await;
    assert_eq!(rows(&cloud).await, 1);
    time.advance_to_next().await;
    eventually("nothing is kept", async || rows(&cloud).await == 0).await;
}
