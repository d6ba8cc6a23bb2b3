//! The errors of the Step Functions API, worded as the service words them.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html>

use crate::database::DatabaseError;
use crate::wire::ServiceError;

pub(super) fn invalid_arn(arn: &str) -> ServiceError {
    ServiceError::client("InvalidArn", format!("Invalid Arn: 'Invalid ARN prefix: {arn}'"))
}

pub(super) fn invalid_name(name: &str) -> ServiceError {
    ServiceError::client("InvalidName", format!("Invalid Name: '{name}'"))
}

pub(super) fn invalid_token() -> ServiceError {
    ServiceError::client("InvalidToken", "Invalid Token: 'the token is not of this list'")
}

pub(super) fn invalid_input(why: &str) -> ServiceError {
    ServiceError::client("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{why}'"))
}

pub(super) fn invalid_definition(why: &str) -> ServiceError {
    ServiceError::client("InvalidDefinition", format!("Invalid State Machine Definition: '{why}'"))
}

pub(super) fn no_such_machine(arn: &str) -> ServiceError {
    ServiceError::client("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
}

pub(super) fn no_such_execution(arn: &str) -> ServiceError {
    ServiceError::client("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
}

pub(super) fn no_such_activity(arn: &str) -> ServiceError {
    ServiceError::client("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'"))
}

pub(super) fn invalid_task_token() -> ServiceError {
    ServiceError::client("InvalidToken", "Invalid Token: 'Invalid token'")
}

pub(super) fn invalid_output(why: &str) -> ServiceError {
    ServiceError::client("InvalidOutput", format!("Invalid Output: '{why}'"))
}

pub(super) fn no_such_task() -> ServiceError {
    ServiceError::client("TaskDoesNotExist", "Task Does Not Exist: 'Provided task does not exist'")
}

pub(super) fn task_timed_out() -> ServiceError {
    ServiceError::client("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
}

pub(super) fn no_such_resource(arn: &str) -> ServiceError {
    ServiceError::client("ResourceNotFound", format!("Resource not found: '{arn}'"))
}

pub(super) fn machine_exists(arn: &str) -> ServiceError {
    ServiceError::client("StateMachineAlreadyExists", format!("State Machine Already Exists: '{arn}'"))
}

pub(super) fn machine_deleting(arn: &str) -> ServiceError {
    ServiceError::client("StateMachineDeleting", format!("State Machine Is Deleting: '{arn}'"))
}

pub(super) fn type_not_supported() -> ServiceError {
    let message = "This operation is not supported by this type of state machine";
    ServiceError::client("StateMachineTypeNotSupported", message)
}

pub(super) fn conflict(why: impl Into<String>) -> ServiceError {
    ServiceError::client("ConflictException", why)
}

pub(super) fn execution_exists(arn: &str) -> ServiceError {
    ServiceError::client("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'"))
}

pub(super) fn not_redrivable(why: &str) -> ServiceError {
    ServiceError::client("ExecutionNotRedrivable", why)
}

pub(super) fn validation(why: &str) -> ServiceError {
    ServiceError::client("ValidationException", why)
}

pub(super) fn out_of_bounds(member: &str, value: impl std::fmt::Display, constraint: &str) -> ServiceError {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}"
    );
    ServiceError::client("ValidationException", message)
}

/// The database failed: nothing that the caller did.
pub(super) fn broken(error: &DatabaseError) -> ServiceError {
    tracing::error!(error = error as &dyn std::error::Error, "failed to use the database for the Step Functions API");
    ServiceError::internal("InternalFailure", error.to_string())
}
