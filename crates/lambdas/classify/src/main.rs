//! Wires [`classify::handle`] to the Lambda Runtime API.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    aws::bootstrap::run("classify", classify::handle).await
}
