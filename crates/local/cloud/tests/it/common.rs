//! A cloud with the example worker as its functions, and a small HTTP client.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::cloud::lambda::FunctionConfig;
use ::cloud::{Cloud, CloudError, Config};
use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The example of that name, which Cargo builds with the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(path.exists(), "build the examples first: {}", path.display());
    path
}

/// A function that runs the example worker.
pub(crate) fn function(name: &str, workers: usize, timeout: Duration) -> FunctionConfig {
    FunctionConfig {
        name: name.to_owned(),
        arn: ::cloud::deployment::function_arn("us-east-1", name),
        binary: example("worker"),
        environment: BTreeMap::new(),
        timeout,
        memory_megabytes: 256,
        workers,
    }
}

/// A configuration with one function, `worker`.
pub(crate) fn config(directory: &Path) -> Config {
    let mut config = Config::new(directory);
    config.functions = vec![function("worker", 2, Duration::from_secs(30))];
    config
}

/// Starts a cloud as soon as the one before it has let go of the directory.
pub(crate) async fn start(config: &Config) -> Cloud {
    loop {
        match Cloud::start(config.clone()).await {
            Ok(cloud) => return cloud,
            Err(CloudError::Lock(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Waits until `holds`, at most half a minute.
pub(crate) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited too long: {what}");
}

/// Invokes `worker` and gives the error kind and the answer.
pub(crate) async fn invoke(cloud: &Cloud, event: Value) -> (Option<String>, Value) {
    let invocation = cloud.functions().invoke("worker", Bytes::from(event.to_string())).await.unwrap();
    (invocation.function_error, serde_json::from_slice(&invocation.payload).unwrap())
}

/// A response as it came over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends one request over a connection of its own. `head` holds the request line and further headers.
pub(crate) async fn send(endpoint: &str, head: &str, body: &str) -> Answer {
    let address = endpoint.trim_start_matches("http://");
    let host =
        if head.to_ascii_lowercase().contains("\r\nhost:") { String::new() } else { format!("Host: {address}\r\n") };
    let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let headers = if headers.is_empty() { String::new() } else { format!("{headers}\r\n") };
    let length = body.len();
    let request =
        format!("{line} HTTP/1.1\r\n{host}{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// Calls an operation of a JSON service.
pub(crate) async fn call(endpoint: &str, target: &str, body: &Value) -> Answer {
    send(endpoint, &format!("POST /\r\nX-Amz-Target: {target}"), &body.to_string()).await
}
