//! A Lambda function for tests and benchmarks: it does what its event says, or what its environment says for every
//! event.
//!
//! Events: `{"do": "echo", "value": …}`, `{"do": "fail", "type": …}`, `{"do": "exit", "code": …}`, `{"do": "hang"}`,
//! `{"do": "hang-once", "mark": PATH}`, `{"do": "append", "to": PATH}`, `{"do": "fill", "bytes": …}`, `{"do": "who"}`,
//! `{"do": "note", "to": PATH, "key": …, "value": …, "fails": HOW-OFTEN, "retry": …}` (says when it was asked for what).

use std::fs::OpenOptions;
use std::io::Write as _;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let (event, context) = event.into_parts();
    match behaviour() {
        Some(behaviour) => behave(&behaviour, event).await,
        None if event["do"] == "who" => Ok(json!({
            "pid": std::process::id(),
            "function": context.env_config.function_name,
            "memory": context.env_config.memory,
            "arn": context.invoked_function_arn,
            "request_id": context.request_id,
            "deadline": context.deadline,
            "custom": context.client_context.map(|client| client.custom),
        })),
        None => act(&event).await,
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's function has no other shell")]
fn behaviour() -> Option<String> {
    std::env::var("BEHAVIOUR").ok()
}

#[expect(clippy::exit, reason = "a worker that exits amid an invocation is what is tested")]
async fn act(event: &Value) -> Result<Value, Diagnostic> {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    match event["do"].as_str() {
        Some("echo") => Ok(event["value"].clone()),
        Some("fail") => Err(failure(&text("type"), "as told")),
        Some("exit") => {
            std::process::exit(event["code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(1))
        }
        Some("abort") => std::process::abort(),
        Some("hang") => std::future::pending().await,
        Some("hang-once") if OpenOptions::new().write(true).create_new(true).open(text("mark")).is_ok() => {
            std::future::pending().await
        }
        Some("append") => append(&text("to"), b"x").map(|()| Value::Null),
        Some("note") => {
            append(&text("to"), format!("{} {}\n", text("key"), milliseconds()).as_bytes())?;
            let fails = event["retry"].as_u64() < event["fails"].as_u64();
            if fails { Err(failure("Flaky", "as told")) } else { Ok(event["value"].clone()) }
        }
        Some("fill") => {
            Ok("x".repeat(event["bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0)).into())
        }
        _ => Ok(json!({"pid": std::process::id()})),
    }
}

fn append(path: &str, text: &[u8]) -> Result<(), Diagnostic> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text));
    written.map_err(|error| failure("Io", &error.to_string()))
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a test's function has no other shell")]
fn milliseconds() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_millis()
}

/// The functions behind the recorded executions of the conformance cases.
async fn behave(behaviour: &str, event: Value) -> Result<Value, Diagnostic> {
    match behaviour {
        "hello_world" => Ok(json!({"Return": "HelloWorld"})),
        "return_bytes_str" => Ok("HelloWorld!".into()),
        "large_output" => Ok("a".repeat(257 * 1024).into()),
        "raise_exception" => Err(failure("Exception", "Some exception was raised.")),
        "raise_custom_exception" => Err(failure("CustomException", "")),
        "wait_60_seconds" => {
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
            Ok(event)
        }
        _ => Ok(event),
    }
}

fn failure(error_type: &str, error_message: &str) -> Diagnostic {
    Diagnostic { error_type: error_type.to_owned(), error_message: error_message.to_owned() }
}
