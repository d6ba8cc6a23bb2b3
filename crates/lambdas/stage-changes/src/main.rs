//! Wires [`stage_changes::handle`] to the Lambda Runtime API.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    aws::bootstrap::run("stage-changes", stage_changes::handle).await
}
