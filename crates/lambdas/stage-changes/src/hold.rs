//! One execution at a time works on a table: the bookmark names it, and Step Functions says whether it still runs.
//!
//! No lease that runs out: a slow execution keeps the table, and one that died lets it go at once.

use aws::Deployment;
use aws::call::failure;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionError;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::failure::Failure;
use domain::upsert::bookmark::Bookmark;

/// Who works on the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// This execution.
    Ours,
    /// Another one that runs.
    Others,
    /// Nobody, or one that has ended.
    Free,
}

/// Finds out who works on the table.
pub(crate) async fn look(deployment: &Deployment, bookmark: &Bookmark, execution: &str) -> Result<Hold, Failure> {
    match &bookmark.holder {
        None => Ok(Hold::Free),
        Some(holder) if holder == execution => Ok(Hold::Ours),
        Some(holder) => Ok(if runs(deployment, holder).await? { Hold::Others } else { Hold::Free }),
    }
}

async fn runs(deployment: &Deployment, execution: &str) -> Result<bool, Failure> {
    match deployment.client(Client::new).describe_execution().execution_arn(execution).send().await {
        Ok(output) => Ok(output.status() == &ExecutionStatus::Running),
        Err(error) if error.as_service_error().is_some_and(DescribeExecutionError::is_execution_does_not_exist) => {
            Ok(false)
        }
        Err(error) => Err(failure("states:DescribeExecution", &error)),
    }
}
