//! How a cloud starts, what keeps it from starting, and what its port refuses.

use std::error::Error as _;

use crate::common::{call, config, send, start};
use ::cloud::deployment::Stack;
use ::cloud::faults::Faults;
use ::cloud::{Cloud, CloudError, Config};
use serde_json::json;

#[tokio::test]
async fn a_busy_port_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = Config::new(directory.path());
    config.port = listener.local_addr().unwrap().port();
    let error = Cloud::start(config).await.unwrap_err();
    assert!(matches!(error, CloudError::PortTaken(address) if address == listener.local_addr().unwrap()), "{error}");
}

#[tokio::test]
async fn a_directory_in_use_is_named_with_the_others_address() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&Config::new(directory.path())).await;
    let error = Cloud::start(Config::new(directory.path())).await.unwrap_err();
    assert!(matches!(error, CloudError::Lock(_)));
    assert!(error.to_string().contains(&cloud.endpoint()), "{error}");
}

#[tokio::test]
async fn a_damaged_database_is_moved_aside_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cloud.sqlite");
    std::fs::write(&file, vec![7; 8192]).unwrap();
    let error = Cloud::start(Config::new(directory.path())).await.unwrap_err();
    let CloudError::Damaged(recovery) = error else { panic!("{error:?}") };
    assert_eq!(recovery.path, file);
    assert_eq!(std::fs::read(recovery.aside.join("cloud.sqlite")).unwrap(), vec![7; 8192]);
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Cloud::start(Config::new(file.join("data"))).await.unwrap_err();
    assert!(matches!(&error, CloudError::DataDirectory { .. }), "{error:?}");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_missing_function_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new(directory.path().join("data"));
    config.stack = Some(stack(directory.path(), "{}"));
    let error = Cloud::start(config).await.unwrap_err();
    assert!(error.to_string().ends_with("/start`"), "{error}");
}

#[tokio::test]
async fn the_stack_is_deployed_and_deployed_again() {
    let directory = tempfile::tempdir().unwrap();
    for name in
        ["start", "classify", "start-job", "poll-status", "postprocess", "catalog", "stage-changes", "commit-changes"]
    {
        std::os::unix::fs::symlink(crate::common::example("worker"), directory.path().join(name)).unwrap();
    }
    let data = directory.path().join("data");
    for state in ["One", "Two"] {
        let text = json!({"StartAt": state, "States": {state: {"Type": "Task", "Resource": "${ClassifyFunctionArn}", "End": true}}});
        let mut config = Config::new(&data);
        config.stack = Some(stack(directory.path(), &text.to_string()));
        let cloud = start(&config).await;
        let arn = "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-extract";
        let machine =
            call(&cloud.endpoint(), "AWSStepFunctions.DescribeStateMachine", &json!({"stateMachineArn": arn}))
                .await
                .json();
        let definition = machine["definition"].as_str().unwrap();
        assert!(definition.contains(state) && definition.contains("function:sluice-classify"), "{definition}");
        let buckets: Vec<String> =
            cloud.context().store.buckets().await.unwrap().into_iter().map(|bucket| bucket.name).collect();
        assert_eq!(buckets, ["sluice-catalog", "sluice-extracted", "sluice-raw"]);
        let raw = cloud.context().store.bucket("sluice-raw").await.unwrap();
        assert!(raw.versioning.is_some());
        assert_eq!(raw.notifications.rules[0].target, "arn:aws:lambda:us-east-1:000000000000:function:sluice-start");
        assert_eq!(cloud.functions().list().count(), 8);
        cloud.shutdown().await;
    }
}

#[tokio::test]
async fn web_pages_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&Config::new(directory.path())).await;
    assert_eq!(send(&cloud.endpoint(), "GET /\r\nHost: evil.example", "").await.status, 403);
    assert_eq!(send(&cloud.endpoint(), "GET /\r\nOrigin: https://evil.example", "").await.status, 403);
}

#[tokio::test]
async fn json_services_speak_their_protocol() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&Config::new(directory.path())).await;
    let endpoint = cloud.endpoint();
    let listed = call(&endpoint, "AWSStepFunctions.ListStateMachines", &json!({})).await;
    assert_eq!((listed.status, listed.json()), (200, json!({"stateMachines": []})));
    assert!(listed.head.contains("content-type: application/x-amz-json-1.0"));
    assert!(listed.head.contains("x-amzn-requestid: "));
    let unknown = call(&endpoint, "AmazonSQS.SendMessage", &json!({})).await;
    assert_eq!((unknown.status, unknown.json()["__type"].as_str()), (400, Some("UnknownOperationException")));
    let broken = send(&endpoint, "POST /\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines", "[1]").await;
    assert_eq!(broken.json()["__type"], "SerializationException");
    assert!(broken.head.contains("x-amzn-errortype: serializationexception"));
    let large = format!("{{\"x\": \"{}\"}}", "x".repeat(17 * 1024 * 1024));
    let large = send(&endpoint, "POST /\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines", &large).await;
    assert_eq!(large.status, 413);
    let form = "POST /\r\nContent-Type: application/x-www-form-urlencoded";
    assert!(
        send(&endpoint, form, "Action=GetCallerIdentity&Version=2011-06-15")
            .await
            .body
            .contains("<Account>000000000000</Account>")
    );
}

#[tokio::test]
async fn faults_strike_the_surface_that_they_are_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.faults =
        Faults::parse(&["states:throttle=1", "s3:throttle=1", "lambda:error=1"], fastrand::Rng::with_seed(1)).unwrap();
    let cloud = start(&config).await;
    let endpoint = cloud.endpoint();
    let states = call(&endpoint, "AWSStepFunctions.ListStateMachines", &json!({})).await;
    assert_eq!((states.status, states.json()["__type"].as_str()), (400, Some("ThrottlingException")));
    let s3 = send(&endpoint, "PUT /bucket/key", "content").await;
    assert_eq!(s3.status, 503);
    assert!(s3.body.contains("<Code>SlowDown</Code>"));
    let lambda = send(&endpoint, "POST /2015-03-31/functions/worker/invocations", "{}").await;
    assert_eq!(lambda.status, 500);
    // The cloud's own calls are spared.
    assert_eq!(crate::common::invoke(&cloud, json!({"do": "echo", "value": 1})).await, (None, json!(1)));
}

fn stack(functions: &std::path::Path, state_machine: &str) -> Stack {
    Stack {
        functions_directory: functions.to_owned(),
        state_machine: state_machine.to_owned(),
        tables: None,
        settings_file: None,
        environment: std::collections::BTreeMap::new(),
    }
}
