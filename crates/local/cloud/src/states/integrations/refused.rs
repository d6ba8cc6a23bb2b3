//! What a task fails with when a service refuses its call, in the words of Step Functions.
//!
//! The optimized integrations word errors as version 1 of the Java SDK does, the others as version 2. An error that the
//! service's model does not have is an exception of the service as such.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>

use asl::Failure;

use crate::identifier;
use crate::wire::ServiceError;

/// How a service is named in errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    /// Before the point: `Sfn.ExecutionDoesNotExistException`.
    pub(super) prefix: &'static str,
    pub(super) modelled: Modelled,
}

/// The errors that a service's model has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Modelled {
    /// These and no others.
    Only(&'static [&'static str]),
    /// All but those that any service can give.
    Own,
}

/// Errors of the protocol and of the account, which are in no model.
const COMMON: [&str; 14] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InternalError",
    "InternalFailure",
    "NotAuthorized",
    "RequestEntityTooLargeException",
    "RequestExpired",
    "SerializationException",
    "ServiceUnavailable",
    "Throttling",
    "UnknownOperationException",
    "UnrecognizedClientException",
];

impl Name {
    fn exception(&self, code: &str) -> String {
        let is_modelled = match self.modelled {
            Modelled::Only(codes) => codes.contains(&code),
            Modelled::Own => !COMMON.contains(&code),
        };
        let name = if is_modelled { code } else { self.prefix };
        if name.ends_with("Exception") { name.to_owned() } else { format!("{name}Exception") }
    }
}

/// The failure of a call through the SDK.
pub(super) fn sdk(name: &Name, error: &ServiceError, extended: bool) -> Failure {
    let Some(failure) = not_here(error) else {
        let Name { prefix, .. } = name;
        let (ServiceError { status, message, .. }, request) = (error, identifier::random());
        let more = if extended { format!(", Extended Request ID: {}", identifier::random()) } else { String::new() };
        let cause = format!(
            "{message} (Service: {prefix}, Status Code: {status}, Request ID: {request}{more}) (SDK Attempt Count: 1)"
        );
        return Failure::new(format!("{prefix}.{}", name.exception(&error.code)), cause);
    };
    failure
}

/// Step Functions itself, as `states:startExecution` names it.
pub(super) const STEP_FUNCTIONS: Name = Name { prefix: "AWSStepFunctions", modelled: Modelled::Own };

/// The failure of a call by an optimized integration, which begins with the service's `family`.
pub(super) fn optimized(family: &str, name: &Name, error: &ServiceError) -> Failure {
    not_here(error).unwrap_or_else(|| {
        let (ServiceError { status, code, message }, request) = (error, identifier::random());
        let service = name.prefix;
        let cause = format!(
            "{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {request}; Proxy: null)"
        );
        Failure::new(format!("{family}.{}", name.exception(code)), cause)
    })
}

/// What only AWS does is not the service's refusal.
fn not_here(error: &ServiceError) -> Option<Failure> {
    (error.code == "NotAvailableLocally").then(|| Failure::new("States.Runtime", error.message.clone()))
}

#[cfg(test)]
mod tests {
    use super::{Modelled, Name, STEP_FUNCTIONS, optimized, sdk};
    use crate::wire::ServiceError;

    const S3: Name = Name { prefix: "S3", modelled: Modelled::Only(&["NoSuchBucket"]) };
    const SFN: Name = Name { prefix: "Sfn", modelled: Modelled::Own };

    #[test]
    fn errors_are_named_as_the_sdk_names_them() {
        let named = |name: &Name, code: &'static str| sdk(name, &ServiceError::client(code, "m"), false).error.unwrap();
        assert_eq!(named(&S3, "NoSuchBucket"), "S3.NoSuchBucketException");
        assert_eq!(named(&S3, "PreconditionFailed"), "S3.S3Exception");
        assert_eq!(named(&SFN, "InvalidToken"), "Sfn.InvalidTokenException");
        assert_eq!(named(&SFN, "ConflictException"), "Sfn.ConflictException");
        assert_eq!(named(&SFN, "SerializationException"), "Sfn.SfnException");
        assert_eq!(named(&SFN, "NotAvailableLocally"), "States.Runtime");
    }

    #[test]
    fn causes_tell_status_and_request() {
        let error = ServiceError::client("InvalidToken", "no");
        let cause = sdk(&SFN, &error, true).cause.unwrap();
        assert!(cause.starts_with("no (Service: Sfn, Status Code: 400, Request ID: "), "{cause}");
        assert!(cause.contains(", Extended Request ID: ") && cause.ends_with(") (SDK Attempt Count: 1)"), "{cause}");
        let missing = ServiceError::client("StateMachineDoesNotExist", "no");
        let optimized = optimized("StepFunctions", &STEP_FUNCTIONS, &missing);
        assert_eq!(optimized.error.as_deref(), Some("StepFunctions.StateMachineDoesNotExistException"));
        let cause = optimized.cause.unwrap();
        let start =
            "no (Service: AWSStepFunctions; Status Code: 400; Error Code: StateMachineDoesNotExist; Request ID: ";
        assert!(cause.starts_with(start) && cause.ends_with("; Proxy: null)"), "{cause}");
    }
}
