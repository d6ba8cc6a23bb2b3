//! Wires [`start_job::handle`] to the Lambda Runtime API.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    aws::bootstrap::run("start-job", start_job::handle).await
}
