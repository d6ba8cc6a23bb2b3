//! Worker pools over real processes: what comes of an invocation when a worker answers, fails, dies, hangs or is gone.

use std::path::PathBuf;
use std::time::Duration;

use crate::common::{config, eventually, function, invoke, send, start};
use ::cloud::Cloud;
use ::cloud::faults::Faults;
use bytes::Bytes;
use futures::future::join_all;
use serde_json::{Value, json};

#[tokio::test]
async fn a_worker_answers_and_stays_warm() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    // A second one would be started where the first has answered and not asked again yet.
    config.functions = vec![function("worker", 1, Duration::from_secs(30))];
    let cloud = start(&config).await;
    assert_eq!(invoke(&cloud, json!({"do": "echo", "value": [1, "ä"]})).await, (None, json!([1, "ä"])));
    let (_, first) = invoke(&cloud, json!({"do": "who"})).await;
    let (_, second) = invoke(&cloud, json!({"do": "who"})).await;
    assert_eq!(first["pid"], second["pid"]);
    assert_ne!(first["request_id"], second["request_id"]);
    assert_eq!(first["arn"], "arn:aws:lambda:us-east-1:000000000000:function:worker");
    let now = u64::try_from(cloud.context().clock.now().as_millisecond()).unwrap();
    let left = second["deadline"].as_u64().unwrap() - now;
    assert!((20_000..=30_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_functions_error_is_an_answer() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let (kind, error) = invoke(&cloud, json!({"do": "fail", "type": "Throttled"})).await;
    assert_eq!(kind.as_deref(), Some("Unhandled"));
    assert_eq!(error, json!({"errorType": "Throttled", "errorMessage": "as told"}));
}

#[tokio::test]
async fn a_worker_that_dies_fails_its_invocation_alone() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    for (event, how) in [
        (json!({"do": "exit", "code": 3}), "Runtime exited with error: exit status 3"),
        (json!({"do": "exit", "code": 0}), "Runtime exited without providing a reason"),
        (json!({"do": "abort"}), "Runtime exited with error: signal: aborted"),
    ] {
        let (kind, error) = invoke(&cloud, event).await;
        assert_eq!(kind.as_deref(), Some("Unhandled"));
        assert_eq!(error["errorType"], "Runtime.ExitError");
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.starts_with("RequestId: ") && message.ends_with(how), "{message}");
        assert_eq!(invoke(&cloud, json!({"do": "echo", "value": 1})).await, (None, json!(1)));
    }
}

#[tokio::test]
async fn an_invocation_that_takes_too_long_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.functions = vec![function("worker", 1, Duration::from_millis(600))];
    let cloud = start(&config).await;
    let (_, before) = invoke(&cloud, json!({"do": "who"})).await;
    let (kind, error) = invoke(&cloud, json!({"do": "hang"})).await;
    assert_eq!(kind.as_deref(), Some("Unhandled"));
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    assert!(error["errorMessage"].as_str().unwrap().ends_with("Error: Task timed out after 0.60 seconds"));
    let (_, after) = invoke(&cloud, json!({"do": "who"})).await;
    assert_ne!(before["pid"], after["pid"]);
}

#[tokio::test]
async fn more_invocations_than_workers_wait_their_turn() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let answers = join_all((0..300).map(|number| invoke(&cloud, json!({"do": "echo", "value": number})))).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, (None, json!(number)));
    }
}

#[tokio::test]
async fn beyond_the_bound_callers_are_told_to_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let hang = Bytes::from_static(br#"{"do": "hang"}"#);
    let mut calls: Vec<_> = (0..1100).map(|_| Box::pin(cloud.functions().invoke("worker", hang.clone()))).collect();
    let mut refused = 0;
    for call in &mut calls {
        if let Some(answer) = futures::FutureExt::now_or_never(call) {
            assert_eq!(answer.unwrap_err().code, "TooManyRequestsException");
            refused += 1;
        }
    }
    assert_eq!(refused, 100);
}

#[tokio::test]
async fn payloads_are_bounded_both_ways() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let large = Bytes::from(vec![b' '; 6 * 1024 * 1024 + 1]);
    let refused = cloud.functions().invoke("worker", large).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_ref()), (413, "RequestTooLargeException"));
    let (_, error) = invoke(&cloud, json!({"do": "fill", "bytes": 7 * 1024 * 1024})).await;
    assert_eq!(error["errorType"], "Function.ResponseSizeTooLarge");
    let (_, filled) = invoke(&cloud, json!({"do": "fill", "bytes": 5 * 1024 * 1024})).await;
    assert_eq!(filled.as_str().unwrap().len(), 5 * 1024 * 1024);
}

#[tokio::test]
async fn a_program_that_cannot_start_fails_its_invocations() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.functions[0].binary = PathBuf::from("/bin/false");
    let cloud = start(&config).await;
    let (_, error) = invoke(&cloud, json!({})).await;
    assert_eq!(error["errorType"], "Runtime.ExitError");
    assert!(error["errorMessage"].as_str().unwrap().ends_with("Runtime exited with error: exit status 1"));
    let absent = cloud.functions().invoke("absent", Bytes::new()).await.unwrap_err();
    assert_eq!((absent.status, absent.code.as_ref()), (404, "ResourceNotFoundException"));
}

#[tokio::test]
async fn killed_workers_cost_only_their_own_invocations() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.functions = vec![function("worker", 1, Duration::from_secs(30))];
    config.faults = Faults::parse(&["kill-workers=0.2"], fastrand::Rng::with_seed(1)).unwrap();
    let cloud = start(&config).await;
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    eventually("three workers are killed and replaced", async || {
        let (kind, answer) = invoke(&cloud, json!({"do": "who"})).await;
        match kind {
            None => drop(seen.lock().unwrap().insert(answer["pid"].as_u64())),
            Some(_) => assert_eq!(answer["errorType"], "Runtime.ExitError"),
        }
        seen.lock().unwrap().len() > 3
    })
    .await;
}

#[tokio::test]
async fn workers_end_with_their_cloud() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let (_, first) = invoke(&cloud, json!({"do": "who"})).await;
    drop(cloud);
    eventually("the worker of a dropped cloud ends", async || !runs(&first)).await;
    let cloud = start(&config(directory.path())).await;
    let (_, second) = invoke(&cloud, json!({"do": "who"})).await;
    cloud.shutdown().await;
    eventually("the worker of a cloud that shut down ends", async || !runs(&second)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn workers_end_when_their_cloud_is_killed() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let directory = tempfile::tempdir().unwrap();
    let mut serve = tokio::process::Command::new(crate::common::example("serve"))
        .arg(directory.path())
        .args(["0", "worker"])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let endpoint = BufReader::new(serve.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
    let path = "POST /2015-03-31/functions/worker/invocations";
    let idle = send(&endpoint, path, r#"{"do": "who"}"#).await.json();
    let mark = directory.path().join("mark");
    let busy = json!({"do": "hang-once", "mark": mark}).to_string();
    let hanging = tokio::spawn(async move { send(&endpoint, path, &busy).await });
    eventually("the worker hangs", async || mark.exists()).await;
    serve.kill().await.unwrap();
    eventually("the workers of a killed cloud end", async || !runs(&idle)).await;
    hanging.abort();
}

#[tokio::test]
async fn invoke_over_the_wire() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let post = async |name: &str, headers: &str, body: &str| {
        send(&cloud.endpoint(), &format!("POST /2015-03-31/functions/{name}/invocations{headers}"), body).await
    };
    let echo = r#"{"do": "echo", "value": 1}"#;
    for name in ["worker", "worker:$LATEST", "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aworker"] {
        let answer = post(name, "", echo).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "1"), "{name}");
        assert!(answer.head.contains("x-amz-executed-version: $latest"));
        assert!(!answer.head.contains("x-amz-function-error"));
    }
    let failed = post("worker", "", r#"{"do": "fail", "type": "No"}"#).await;
    assert_eq!((failed.status, failed.json()["errorType"].as_str()), (200, Some("No")));
    assert!(failed.head.contains("x-amz-function-error: unhandled"));
    assert_eq!(post("worker", "\r\nX-Amz-Invocation-Type: DryRun", echo).await.status, 204);
    let marked = directory.path().join("marked");
    let append = json!({"do": "append", "to": marked}).to_string();
    assert_eq!(post("worker", "\r\nX-Amz-Invocation-Type: Event", &append).await.status, 202);
    eventually("the event is handled", async || marked.exists()).await;
    let broken = post("worker", "", "{").await;
    assert_eq!(broken.status, 400);
    assert!(broken.head.contains("x-amzn-errortype: invalidrequestcontentexception"));
    let absent = post("absent", "", "{}").await;
    assert_eq!((absent.status, absent.json()["Type"].as_str()), (404, Some("User")));
}

#[tokio::test]
async fn functions_are_listed_and_described() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let listed = send(&cloud.endpoint(), "GET /2015-03-31/functions/", "").await.json();
    assert_eq!(listed["Functions"][0]["FunctionName"], "worker");
    let got = send(&cloud.endpoint(), "GET /2015-03-31/functions/worker", "").await.json();
    assert_eq!(got["Configuration"]["MemorySize"], 256);
}

#[tokio::test]
async fn the_runtime_api_refuses_strangers() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let (_, _) = invoke(&cloud, json!({"do": "who"})).await;
    let get = async |path: &str| {
        send(&cloud.endpoint(), &format!("GET /_lambda/{path}/2018-06-01/runtime/invocation/next"), "").await
    };
    assert_eq!(get("worker/99").await.status, 410);
    assert_eq!(get("absent/1").await.status, 410);
    let path = "POST /_lambda/worker/1/2018-06-01/runtime/invocation/none/response";
    assert_eq!(send(&cloud.endpoint(), path, "{}").await.status, 403);
}

/// Whether the process that `who` told of still runs; one that waits to be reaped does not.
fn runs(who: &Value) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", who["pid"]));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[tokio::test]
async fn a_worker_takes_no_more_memory_than_its_function_may() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(&config(directory.path())).await;
    let (_, who) = invoke(&cloud, json!({"do": "who"})).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", who["pid"])).unwrap();
    let data = limits.lines().find(|line| line.starts_with("Max data size")).unwrap();
    assert!(data.contains("268435456"), "{data}");
    drop::<Cloud>(cloud);
}
