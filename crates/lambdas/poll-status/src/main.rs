//! Wires [`poll_status::handle`] to the Lambda Runtime API.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    aws::bootstrap::run("poll-status", poll_status::handle).await
}
