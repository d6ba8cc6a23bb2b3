//! The errors of the Athena API, as the service names them.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/CommonErrors.html>

use crate::ai::validate::Validation;
use crate::database::DatabaseError;
use crate::wire::ServiceError;

/// How a member that breaks a constraint is told.
pub(super) const VALIDATION: Validation = Validation("InvalidRequestException");

pub(super) fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::client("InvalidRequestException", message)
}

pub(super) fn no_such_query(id: &str) -> ServiceError {
    invalid(format!("QueryExecution {id} was not found"))
}

pub(super) fn no_such_group(name: &str) -> ServiceError {
    invalid(format!("WorkGroup {name} is not found."))
}

pub(super) fn no_such_resource(what: &str) -> ServiceError {
    ServiceError::client("ResourceNotFoundException", format!("{what} is not found"))
}

pub(super) fn metadata(message: impl Into<String>) -> ServiceError {
    ServiceError::client("MetadataException", message)
}

pub(super) fn too_many(most: usize) -> ServiceError {
    let message = format!(
        "You have exceeded the limit for the number of queries you can run concurrently, {most}. Please reduce the number of concurrent queries submitted by this account."
    );
    ServiceError::client("TooManyRequestsException", message)
}

pub(super) fn broken(error: &DatabaseError) -> ServiceError {
    ServiceError::internal("InternalServerException", format!("the database failed: {error}"))
}

pub(super) fn not_here(operation: &str) -> ServiceError {
    ServiceError::not_available_locally(format!("`{operation}` of Athena is not available locally"))
}
