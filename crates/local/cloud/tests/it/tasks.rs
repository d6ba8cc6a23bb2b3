//! Tasks by the real SDK: activities and tokens over restarts, and functions that are served elsewhere.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::common::{config, eventually, start};
use ::cloud::Cloud;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

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

async fn begin(client: &Client, state: &Value) -> String {
    let definition = json!({"StartAt": "A", "States": {"A": state}}).to_string();
    // A definition has a machine of its own, however often it is begun.
    let mut hasher = DefaultHasher::new();
    definition.hash(&mut hasher);
    let name = format!("m{}", hasher.finish());
    let made = client.create_state_machine().name(name).definition(definition).role_arn("arn:aws:iam::0:role/r");
    let machine = made.send().await.unwrap().state_machine_arn().to_owned();
    client.start_execution().state_machine_arn(machine).send().await.unwrap().execution_arn().to_owned()
}

async fn end(client: &Client, arn: &str) -> DescribeExecutionOutput {
    let describe = async || client.describe_execution().execution_arn(arn).send().await.unwrap();
    eventually("the execution ends", async || *describe().await.status() != ExecutionStatus::Running).await;
    describe().await
}

#[tokio::test]
async fn an_activitys_task_stays_with_its_worker_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let cloud = start(&config).await;
    let sdk = client(&cloud);
    let activity = sdk.create_activity().name("a").send().await.unwrap().activity_arn().to_owned();
    let arn = begin(&sdk, &json!({"Type": "Task", "Resource": activity, "End": true})).await;
    let task = sdk.get_activity_task().activity_arn(&activity).worker_name("w").send().await.unwrap();
    assert_eq!(task.input(), Some("{}"));
    drop(cloud);
    let cloud = start(&config).await;
    let sdk = client(&cloud);
    let done = sdk.send_task_success().task_token(task.task_token().unwrap()).output("[1]").send();
    done.await.unwrap();
    assert_eq!(end(&sdk, &arn).await.output(), Some("[1]"));
    let late = sdk.send_task_failure().task_token(task.task_token().unwrap()).send().await.unwrap_err();
    assert_eq!(late.code(), Some("TaskTimedOut"));
    let forged = sdk.send_task_heartbeat().task_token("forged").send().await.unwrap_err();
    assert_eq!(forged.code(), Some("InvalidToken"));
}

#[tokio::test]
async fn the_clients_context_reaches_the_function() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let sdk = client(&cloud);
    // `{"custom":{"colour":"red"}}`
    let context = "eyJjdXN0b20iOnsiY29sb3VyIjoicmVkIn19";
    let who = json!({"FunctionName": "worker", "Payload": {"do": "who"}, "ClientContext": context});
    let output: Value = serde_json::from_str(end_output(&invoke(&sdk, &who).await)).unwrap();
    assert_eq!(output["Payload"]["custom"], json!({"colour": "red"}));
    let event = json!({"FunctionName": "worker", "Payload": {"do": "who"}, "InvocationType": "Event"});
    let output: Value = serde_json::from_str(end_output(&invoke(&sdk, &event).await)).unwrap();
    assert_eq!((&output["StatusCode"], &output["Payload"]), (&json!(202), &json!("")));
}

/// A server of functions: each connection is one call; gives back what it heard.
async fn serve(listener: TcpListener) -> Vec<String> {
    let answers = [
        ("200 OK", "X-Amz-Executed-Version: 7\r\nX-Amz-Log-Result: bG9n\r\n", "{\"n\":1}"),
        ("200 OK", "X-Amz-Function-Error: Unhandled\r\n", "{\"errorType\":\"Own\",\"errorMessage\":\"m\"}"),
        ("429 Too Many Requests", "X-Amzn-ErrorType: TooManyRequestsException\r\n", "{\"Message\":\"Rate Exceeded.\"}"),
        ("404 Not Found", "X-Amzn-ErrorType: ResourceNotFoundException\r\n", "{\"Message\":\"Function not found: f\"}"),
    ];
    let mut heard = Vec::new();
    for (status, headers, body) in answers {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        // The event of every call ends in this.
        while !request.ends_with(b"\"end\"}") {
            let mut chunk = [0; 1024];
            let length = stream.read(&mut chunk).await.unwrap();
            assert!(length > 0, "the call broke off");
            request.extend_from_slice(&chunk[..length]);
        }
        heard.push(String::from_utf8(request).unwrap());
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    heard
}

async fn invoke(client: &Client, parameters: &Value) -> DescribeExecutionOutput {
    let state =
        json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters, "End": true});
    let arn = begin(client, &state).await;
    end(client, &arn).await
}

#[tokio::test]
async fn a_function_that_is_not_here_is_invoked_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mut config = config(directory.path());
    config.lambda_endpoint = Some(endpoint.parse().unwrap());
    let cloud = start(&config).await;
    let sdk = client(&cloud);
    let served = tokio::spawn(serve(listener));
    let event = json!({"x": "end"});
    let full = json!({
        "FunctionName": "arn:aws:lambda:us-east-1:1:function:other:PROD", "Payload": event, "ClientContext": "e30=",
        "LogType": "Tail",
    });
    let first: Value = serde_json::from_str(end_output(&invoke(&sdk, &full).await)).unwrap();
    assert_eq!((&first["Payload"], &first["ExecutedVersion"]), (&json!({"n": 1}), &json!("7")));
    assert_eq!(first["LogResult"], "bG9n");
    let plain = json!({"FunctionName": "other", "Payload": event});
    assert_eq!(invoke(&sdk, &plain).await.error(), Some("Own"));
    let throttled = invoke(&sdk, &plain).await;
    assert_eq!(throttled.error(), Some("Lambda.TooManyRequestsException"));
    assert!(throttled.cause().unwrap().contains("(Service: AWSLambda; Status Code: 429; "), "{throttled:?}");
    let missing = invoke(&sdk, &plain).await;
    assert!(missing.cause().unwrap().starts_with("Function not found: f:$LATEST (Service: AWSLambda; "), "{missing:?}");
    let heard = served.await.unwrap();
    let head = heard[0].to_lowercase();
    assert!(head.starts_with("post /2015-03-31/functions/other/invocations?qualifier=prod http/1.1"), "{head}");
    assert!(head.contains("x-amz-client-context: e30=") && head.contains("x-amz-log-type: tail"), "{head}");
    // Nobody serves any more.
    assert_eq!(invoke(&sdk, &plain).await.error(), Some("Lambda.SdkClientException"));
}

fn end_output(described: &DescribeExecutionOutput) -> &str {
    described.output().unwrap_or_else(|| panic!("{described:?}"))
}
