//! The Step Functions API by the real SDK, and executions that outlive the cloud that began them.

use std::path::Path;
use std::time::Duration;

use crate::common::{config, eventually, start};
use ::cloud::clock::ManualClock;
use ::cloud::{Cloud, Config};
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};
use serde_json::{Value, json};

/// In seconds.
const LONG: u64 = 364 * 86_400;

const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:machine";

fn client(cloud: &Cloud) -> Client {
    let credentials = Credentials::new("local", "local", None, None, "test");
    let config = aws_sdk_sfn::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(cloud.endpoint())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials)
        .build();
    Client::from_conf(config)
}

fn task(event: &Value) -> Value {
    json!({
        "StartAt": "Task",
        "States": {"Task": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:000000000000:function:worker",
            "Parameters": event,
            "End": true,
        }},
    })
}

fn wait(seconds: u64) -> Value {
    json!({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": seconds, "End": true}}})
}

fn pass() -> Value {
    json!({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}})
}

async fn create(client: &Client, definition: &Value) {
    let made = client
        .create_state_machine()
        .name("machine")
        .definition(definition.to_string())
        .role_arn("arn:aws:iam::0:role/r")
        .send();
    assert_eq!(made.await.unwrap().state_machine_arn(), MACHINE);
}

/// A cloud whose time stands still until it is moved.
fn timeless(directory: &Path) -> (Config, ManualClock) {
    let time = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    (Config { clock: time.clock(), ..config(directory) }, time)
}

async fn begin(client: &Client, name: &str) -> String {
    let started = client.start_execution().state_machine_arn(MACHINE).name(name).send().await.unwrap();
    started.execution_arn().to_owned()
}

async fn status(client: &Client, arn: &str) -> ExecutionStatus {
    client.describe_execution().execution_arn(arn).send().await.unwrap().status().clone()
}

async fn ends(client: &Client, arn: &str, expected: ExecutionStatus) {
    eventually("the execution ends", async || status(client, arn).await != ExecutionStatus::Running).await;
    let described = client.describe_execution().execution_arn(arn).send().await.unwrap();
    assert_eq!(*described.status(), expected, "{described:?}");
}

#[tokio::test]
async fn an_execution_invokes_a_function_and_tells_its_history() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let client = client(&cloud);
    create(&client, &task(&json!({"do": "echo", "value.$": "$"}))).await;
    let started =
        client.start_execution().state_machine_arn(MACHINE).name("one").input(r#"{"a":1}"#).send().await.unwrap();
    let arn = started.execution_arn();
    assert_eq!(arn, "arn:aws:states:us-east-1:000000000000:execution:machine:one");
    ends(&client, arn, ExecutionStatus::Succeeded).await;
    let described = client.describe_execution().execution_arn(arn).send().await.unwrap();
    assert_eq!((described.input(), described.output()), (Some(r#"{"a":1}"#), Some(r#"{"a":1}"#)));
    let history = client.get_execution_history().execution_arn(arn).send().await.unwrap();
    let types: Vec<HistoryEventType> = history.events().iter().map(|event| event.r#type().clone()).collect();
    let expected = [
        HistoryEventType::ExecutionStarted,
        HistoryEventType::TaskStateEntered,
        HistoryEventType::LambdaFunctionScheduled,
        HistoryEventType::LambdaFunctionStarted,
        HistoryEventType::LambdaFunctionSucceeded,
        HistoryEventType::TaskStateExited,
        HistoryEventType::ExecutionSucceeded,
    ];
    assert_eq!(types, expected);
    let mut pages =
        client.get_execution_history().execution_arn(arn).reverse_order(true).max_results(3).into_paginator().send();
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        ids.extend(page.unwrap().events().iter().map(aws_sdk_sfn::types::HistoryEvent::id));
    }
    assert_eq!(ids, [7, 6, 5, 4, 3, 2, 1]);
    let bare = client.get_execution_history().execution_arn(arn).include_execution_data(false).send().await.unwrap();
    assert_eq!(bare.events()[0].execution_started_event_details().unwrap().input(), None);
}

#[tokio::test]
async fn a_functions_error_becomes_the_executions() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let client = client(&cloud);
    create(&client, &task(&json!({"do": "fail", "type": "UnsupportedMedia"}))).await;
    let arn = begin(&client, "one").await;
    ends(&client, &arn, ExecutionStatus::Failed).await;
    let described = client.describe_execution().execution_arn(&arn).send().await.unwrap();
    assert_eq!(described.error(), Some("UnsupportedMedia"));
    let cause: Value = serde_json::from_str(described.cause().unwrap()).unwrap();
    assert_eq!(cause, json!({"errorType": "UnsupportedMedia", "errorMessage": "as told"}));
}

#[tokio::test]
async fn starting_twice_is_starting_once() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let client = client(&cloud);
    create(&client, &wait(60)).await;
    let first = client.start_execution().state_machine_arn(MACHINE).name("one").input("{}").send().await.unwrap();
    let again = client.start_execution().state_machine_arn(MACHINE).name("one").input("{}").send().await.unwrap();
    assert_eq!(first.start_date(), again.start_date());
    let other = client.start_execution().state_machine_arn(MACHINE).name("one").input("[]").send().await.unwrap_err();
    assert!(other.as_service_error().unwrap().is_execution_already_exists());
    client.stop_execution().execution_arn(first.execution_arn()).error("Enough").cause("of it").send().await.unwrap();
    assert_eq!(status(&client, first.execution_arn()).await, ExecutionStatus::Aborted);
    let closed = client.start_execution().state_machine_arn(MACHINE).name("one").input("{}").send().await.unwrap_err();
    assert!(closed.as_service_error().unwrap().is_execution_already_exists());
    let stopped = client.describe_execution().execution_arn(first.execution_arn()).send().await.unwrap();
    assert_eq!((stopped.error(), stopped.cause()), (Some("Enough"), Some("of it")));
}

#[tokio::test]
async fn what_is_wrong_is_said_as_the_service_says_it() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let client = client(&cloud);
    let absent = client.start_execution().state_machine_arn(MACHINE).send().await.unwrap_err();
    assert!(absent.as_service_error().unwrap().is_state_machine_does_not_exist());
    create(&client, &pass()).await;
    let start = || client.start_execution().state_machine_arn(MACHINE);
    assert!(start().input("{").send().await.unwrap_err().as_service_error().unwrap().is_invalid_execution_input());
    assert!(start().name("a b").send().await.unwrap_err().as_service_error().unwrap().is_invalid_name());
    assert_eq!(start().name("x".repeat(81)).send().await.unwrap_err().code(), Some("ValidationException"));
    let arn = client.describe_execution().execution_arn("one").send().await.unwrap_err();
    assert!(arn.as_service_error().unwrap().is_invalid_arn());
    let none = client
        .describe_execution()
        .execution_arn(format!("{}:no", MACHINE.replace("stateMachine", "execution")))
        .send();
    assert!(none.await.unwrap_err().as_service_error().unwrap().is_execution_does_not_exist());
    let broken = client
        .create_state_machine()
        .name("broken")
        .definition("{}")
        .role_arn("arn:aws:iam::0:role/r")
        .send()
        .await
        .unwrap_err();
    assert!(broken.as_service_error().unwrap().is_invalid_definition());
}

#[tokio::test]
async fn a_machine_is_created_once_and_updated() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let client = client(&cloud);
    create(&client, &pass()).await;
    create(&client, &pass()).await;
    let other = client
        .create_state_machine()
        .name("machine")
        .definition(wait(1).to_string())
        .role_arn("arn:aws:iam::0:role/r")
        .send()
        .await
        .unwrap_err();
    assert!(other.as_service_error().unwrap().is_state_machine_already_exists());
    let before = begin(&client, "before").await;
    ends(&client, &before, ExecutionStatus::Succeeded).await;
    client.update_state_machine().state_machine_arn(MACHINE).definition(wait(0).to_string()).send().await.unwrap();
    let described = client.describe_state_machine().state_machine_arn(MACHINE).send().await.unwrap();
    assert_eq!(described.definition(), wait(0).to_string());
    assert!(described.revision_id().is_some());
    let old = client.describe_state_machine_for_execution().execution_arn(&before).send().await.unwrap();
    assert_eq!(old.definition(), pass().to_string());
    client
        .tag_resource()
        .resource_arn(MACHINE)
        .tags(aws_sdk_sfn::types::Tag::builder().key("a").value("b").build())
        .send()
        .await
        .unwrap();
    let tags = client.list_tags_for_resource().resource_arn(MACHINE).send().await.unwrap();
    assert_eq!(tags.tags()[0].value(), Some("b"));
    let listed = client.list_state_machines().send().await.unwrap();
    assert_eq!(listed.state_machines()[0].name(), "machine");
    client.delete_state_machine().state_machine_arn(MACHINE).send().await.unwrap();
    assert!(client.list_state_machines().send().await.unwrap().state_machines().is_empty());
}

#[tokio::test]
async fn executions_are_listed_newest_first_by_page_and_status() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let client = client(&cloud);
    create(&client, &pass()).await;
    for number in 0..5 {
        let arn = begin(&client, &number.to_string()).await;
        ends(&client, &arn, ExecutionStatus::Succeeded).await;
    }
    let mut pages = client.list_executions().state_machine_arn(MACHINE).max_results(2).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        names.push(page.unwrap().executions().iter().map(|item| item.name().to_owned()).collect::<String>());
    }
    assert_eq!(names, ["43", "21", "0"]);
    let failed = client
        .list_executions()
        .state_machine_arn(MACHINE)
        .status_filter(ExecutionStatus::Failed)
        .send()
        .await
        .unwrap();
    assert!(failed.executions().is_empty());
    let token = client
        .list_executions()
        .state_machine_arn(MACHINE)
        .max_results(2)
        .send()
        .await
        .unwrap()
        .next_token()
        .unwrap()
        .to_owned();
    let misused = client
        .list_executions()
        .state_machine_arn(MACHINE)
        .status_filter(ExecutionStatus::Failed)
        .next_token(token)
        .send();
    assert!(misused.await.unwrap_err().as_service_error().unwrap().is_invalid_token());
}

#[tokio::test]
async fn a_failed_execution_is_redriven_from_where_it_failed() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let client = client(&cloud);
    let (once, mark) = (directory.path().join("once"), directory.path().join("mark"));
    let function = "arn:aws:lambda:us-east-1:000000000000:function:worker";
    let definition = json!({
        "StartAt": "First",
        "States": {
            "First": {"Type": "Task", "Resource": function, "Parameters": {"do": "append", "to": once}, "Next": "Second"},
            "Second": {"Type": "Task", "Resource": function, "TimeoutSeconds": 1, "Parameters": {"do": "hang-once", "mark": mark}, "End": true},
        },
    });
    create(&client, &definition).await;
    let arn = begin(&client, "one").await;
    ends(&client, &arn, ExecutionStatus::Failed).await;
    let redrive = || client.redrive_execution().execution_arn(&arn).client_token("token");
    let first = redrive().send().await.unwrap();
    assert_eq!(first.redrive_date(), redrive().send().await.unwrap().redrive_date());
    ends(&client, &arn, ExecutionStatus::Succeeded).await;
    assert_eq!(std::fs::read_to_string(&once).unwrap(), "x");
    let described = client.describe_execution().execution_arn(&arn).send().await.unwrap();
    assert_eq!(described.redrive_count(), Some(1));
    let again = client.redrive_execution().execution_arn(&arn).send().await.unwrap_err();
    assert!(again.as_service_error().unwrap().is_execution_not_redrivable());
    assert_eq!(again.message(), Some("Execution is SUCCEEDED and cannot be redriven"));
}

#[tokio::test]
async fn an_open_execution_goes_on_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let mark = directory.path().join("mark");
    let arn = {
        let cloud = start(&config).await;
        let client = client(&cloud);
        create(&client, &task(&json!({"do": "hang-once", "mark": mark}))).await;
        let arn = begin(&client, "one").await;
        eventually("the task runs", async || mark.exists()).await;
        arn
    };
    let cloud = start(&config).await;
    let client = client(&cloud);
    ends(&client, &arn, ExecutionStatus::Succeeded).await;
    let history = client.get_execution_history().execution_arn(&arn).send().await.unwrap();
    let scheduled =
        history.events().iter().filter(|event| *event.r#type() == HistoryEventType::LambdaFunctionScheduled).count();
    assert_eq!(scheduled, 1);
}

#[tokio::test]
async fn a_wait_ends_at_its_time_across_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    let arn = {
        let cloud = start(&config).await;
        let client = client(&cloud);
        create(&client, &wait(LONG)).await;
        let arn = begin(&client, "one").await;
        cloud.shutdown().await;
        arn
    };
    let cloud = start(&config).await;
    let client = client(&cloud);
    let due = time.advance_to_next().await;
    ends(&client, &arn, ExecutionStatus::Succeeded).await;
    let described = client.describe_execution().execution_arn(&arn).send().await.unwrap();
    let seconds = described.stop_date().unwrap().secs() - described.start_date().secs();
    assert_eq!(seconds, i64::try_from(LONG).unwrap());
    assert_eq!(due, cloud.context().clock.now());
}

#[tokio::test]
async fn time_limits_and_retries_follow_the_clock() {
    let directory = tempfile::tempdir().unwrap();
    let (config, time) = timeless(directory.path());
    let cloud = start(&config).await;
    let client = client(&cloud);
    let mark = directory.path().join("mark");
    let mut definition = task(&json!({"do": "hang-once", "mark": mark}));
    definition["States"]["Task"]["TimeoutSeconds"] = 3600.into();
    definition["States"]["Task"]["Retry"] = json!([{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 86_400}]);
    create(&client, &definition).await;
    let arn = begin(&client, "one").await;
    let began = time.clock().now();
    // A worker that is cut off before it has left its mark hangs once more.
    eventually("the worker hangs", async || mark.exists()).await;
    assert_eq!(time.advance_to_next().await.duration_since(began).as_secs(), 3600);
    assert_eq!(time.advance_to_next().await.duration_since(began).as_secs(), 3600 + 86_400);
    ends(&client, &arn, ExecutionStatus::Succeeded).await;
}

#[tokio::test]
async fn many_executions_run_with_few_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let client = client(&cloud);
    create(&client, &wait(3)).await;
    let begun = futures::future::join_all((0..600).map(|number| {
        let body = json!({"stateMachineArn": MACHINE, "name": number.to_string()});
        cloud.states().handle("StartExecution", body)
    }));
    assert!(begun.await.iter().all(Result::is_ok));
    let last = MACHINE.replace("stateMachine", "execution") + ":599";
    ends(&client, &last, ExecutionStatus::Succeeded).await;
    let running = async || {
        let open = client
            .list_executions()
            .state_machine_arn(MACHINE)
            .status_filter(ExecutionStatus::Running)
            .send()
            .await
            .unwrap();
        open.executions().len()
    };
    eventually("all end", async || running().await == 0).await;
    let done = client
        .list_executions()
        .state_machine_arn(MACHINE)
        .status_filter(ExecutionStatus::Succeeded)
        .max_results(1000)
        .send()
        .await
        .unwrap();
    assert_eq!(done.executions().len(), 600);
    tokio::time::timeout(Duration::from_secs(5), cloud.shutdown()).await.unwrap();
}
