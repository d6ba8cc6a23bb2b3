//! Wires [`commit_changes::handle`] to the Lambda Runtime API.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    aws::bootstrap::run("commit-changes", commit_changes::handle).await
}
