//! Tables as a client sees them: files put by S3, the state machine started by Step Functions, rows read by `sluice sql`.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};

use crate::bucket::{block_on, s3, sdk};
use crate::program::{Sluice, Up, until};

/// The bucket of bookmarks, staged and refused rows.
pub const LAKE: &str = "sluice-lake";
const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-upsert";

/// Makes a bucket.
///
/// # Panics
/// When it cannot be made.
pub fn bucket(up: &Up, name: &str) {
    block_on(async {
        s3(&up.endpoint).await.create_bucket().bucket(name).send().await.expect("the bucket is made");
    });
}

/// Puts an object.
///
/// # Panics
/// When it cannot be put.
pub fn put(up: &Up, bucket: &str, key: &str, content: impl Into<Vec<u8>>) {
    let content = ByteStream::from(content.into());
    block_on(async {
        let client = s3(&up.endpoint).await;
        client.put_object().bucket(bucket).key(key).body(content).send().await.expect("the object is put");
    });
}

/// The keys below a prefix.
///
/// # Panics
/// When they cannot be listed.
#[must_use]
pub fn keys(up: &Up, bucket: &str, prefix: &str) -> Vec<String> {
    block_on(async {
        let client = s3(&up.endpoint).await;
        let listed = client.list_objects_v2().bucket(bucket).prefix(prefix).send().await.expect("the keys are listed");
        listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
    })
}

/// An object as text.
///
/// # Panics
/// When it is not there, or no text.
#[must_use]
pub fn read(up: &Up, bucket: &str, key: &str) -> String {
    block_on(async {
        let client = s3(&up.endpoint).await;
        let output = client.get_object().bucket(bucket).key(key).send().await.expect("the object is there");
        let bytes = output.body.collect().await.expect("the object is read").into_bytes();
        String::from_utf8(bytes.to_vec()).expect("text")
    })
}

/// Starts an execution of `upsert` and gives its ARN.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn start(up: &Up, input: &Value) -> String {
    block_on(async {
        let client = aws_sdk_sfn::Client::new(&sdk(&up.endpoint).await);
        let started = client.start_execution().state_machine_arn(MACHINE).input(input.to_string()).send().await;
        started.expect("the execution starts").execution_arn
    })
}

/// Waits until an execution has ended, and gives its output.
///
/// # Panics
/// When it does not succeed.
#[must_use]
pub fn ended(up: &Up, arn: &str) -> Value {
    match outcome(up, arn) {
        Ok(output) => output,
        Err(cause) => panic!("{arn}: {cause}"),
    }
}

/// Waits until an execution has ended: its output, or error and cause.
///
/// # Errors
/// Error and cause of an execution that failed.
///
/// # Panics
/// When it does not end.
pub fn outcome(up: &Up, arn: &str) -> Result<Value, String> {
    let mut result = Err(String::new());
    until("the execution ends", || {
        let described = block_on(async {
            let client = aws_sdk_sfn::Client::new(&sdk(&up.endpoint).await);
            client.describe_execution().execution_arn(arn).send().await.expect("the execution is there")
        });
        result = match described.status() {
            ExecutionStatus::Running => return false,
            ExecutionStatus::Succeeded => {
                Ok(serde_json::from_str(described.output().unwrap_or("null")).expect("an output is JSON"))
            }
            other => Err(format!("{other}: {:?} {:?}", described.error(), described.cause())),
        };
        true
    });
    result
}

/// Merges what waits for the table of these settings, and gives the report.
///
/// # Panics
/// When the execution fails.
#[must_use]
pub fn upsert(up: &Up, settings: &Value) -> Value {
    ended(up, &start(up, &json!({ "table": settings })))
}

/// The rows of a query.
///
/// # Panics
/// When it fails.
#[must_use]
pub fn rows(sluice: &Sluice, statement: &str) -> Vec<Value> {
    let run = sluice.call("sql", &["--format", "json", statement]);
    assert_eq!(run.code, Some(0), "{statement}\n{}", run.stderr);
    run.rows()
}
