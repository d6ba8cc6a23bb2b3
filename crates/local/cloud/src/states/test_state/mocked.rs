//! A mock in place of a state's work: read, and held to what the work could have given.
//!
//! A result of a service is held to the service's response where `models` has it; members that the response does not
//! have are let pass, as on AWS, whose models may be newer.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_MockInput.html>

mod models;

use asl::test_state::{Mock, Subject};
use asl::{Failure, StateKind};
use serde_json::Value;

use self::models::{Member, Shape};
use super::request::WrittenMock;
use crate::states::refusal;
use crate::wire::ServiceError;

/// How strictly a result is held to the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Strict,
    Present,
    None,
}

/// The mock of a request, which has a result or an error.
pub(super) fn read(written: &WrittenMock, subject: &Subject) -> Result<Mock, ServiceError> {
    let mode = mode(written.field_validation_mode.as_deref())?;
    if let Some(error) = &written.error_output {
        let name = error.error.clone();
        let name = name.ok_or_else(|| refusal::validation("The field 'error' of a mocked errorOutput is required"))?;
        return Ok(Mock::Error(Failure::of(Some(name), error.cause.clone())));
    }
    let text = written.result.as_deref().unwrap_or_default();
    let result: Value =
        serde_json::from_str(text).map_err(|_| refusal::validation("Mocked result must be valid JSON"))?;
    check(&result, subject, mode)?;
    Ok(Mock::Result(result.into()))
}

fn mode(name: Option<&str>) -> Result<Mode, ServiceError> {
    match name {
        None | Some("STRICT") => Ok(Mode::Strict),
        Some("PRESENT") => Ok(Mode::Present),
        Some("NONE") => Ok(Mode::None),
        Some(other) => {
            let constraint = "satisfy enum value set: [STRICT, PRESENT, NONE]";
            Err(refusal::out_of_bounds("mock.fieldValidationMode", other, constraint))
        }
    }
}

fn check(result: &Value, subject: &Subject, mode: Mode) -> Result<(), ServiceError> {
    match subject.kind() {
        StateKind::Map if subject.writes_results() => {
            if result.is_object() {
                Ok(())
            } else {
                Err(refusal::validation("Mocked result must be a JSON object."))
            }
        }
        StateKind::Map | StateKind::Parallel => {
            if result.is_array() {
                Ok(())
            } else {
                Err(refusal::validation("Mocked result must be an array."))
            }
        }
        _ => match subject.service_action().as_deref().and_then(models::response) {
            Some(members) if mode != Mode::None => object(result, members, mode, None),
            _ => Ok(()),
        },
    }
}

fn object(value: &Value, members: &[Member], mode: Mode, field: Option<&str>) -> Result<(), ServiceError> {
    let Some(object) = value.as_object() else {
        return Err(match field {
            Some(field) => wrong(field, "must be an object"),
            None => refusal::validation("Mocked result must be a JSON object."),
        });
    };
    for member in members {
        match object.get(member.name) {
            None if member.required && mode == Mode::Strict => {
                let name = member.name;
                return Err(refusal::validation(&format!(
                    "Mock result schema validation error: Required field '{name}' is missing"
                )));
            }
            None => {}
            Some(value) => shape(value, &member.shape, mode, member.name)?,
        }
    }
    Ok(())
}

fn shape(value: &Value, wanted: &Shape, mode: Mode, field: &str) -> Result<(), ServiceError> {
    let fits = |fits: bool, what: &str| if fits { Ok(()) } else { Err(wrong(field, &format!("must be {what}"))) };
    match wanted {
        Shape::Any => Ok(()),
        Shape::Text => fits(value.is_string(), "a string"),
        Shape::Number => fits(value.is_number(), "a number"),
        Shape::Boolean => fits(value.is_boolean(), "a boolean"),
        Shape::Words(words) => match value.as_str() {
            None => Err(wrong(field, "must be a string")),
            Some(word) if words.contains(&word) => Ok(()),
            Some(_) => Err(wrong(field, "is not an expected value")),
        },
        Shape::Object(members) => object(value, members, mode, Some(field)),
        Shape::List(item) => match value.as_array() {
            None => Err(wrong(field, "must be an array")),
            Some(items) => items.iter().try_for_each(|one| shape(one, item, mode, field)),
        },
    }
}

fn wrong(field: &str, what: &str) -> ServiceError {
    refusal::validation(&format!("Mock result schema validation error: Field '{field}' {what}"))
}
