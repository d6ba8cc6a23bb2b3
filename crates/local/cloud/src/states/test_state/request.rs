//! The request of a `TestState`, and which of its members go together.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html#API_TestState_RequestSyntax>

use std::collections::BTreeMap;

use asl::test_state::Subject;
use asl::{Payload, StateKind};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::states::{refusal, validate};
use crate::wire::{ServiceError, decode};

/// The most bytes of a document.
const MOST_BYTES: usize = 262_144;

/// How much of what was seen is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Level {
    #[default]
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    definition: String,
    role_arn: Option<String>,
    input: Option<String>,
    inspection_level: Option<String>,
    #[serde(default)]
    reveal_secrets: bool,
    variables: Option<String>,
    state_name: Option<String>,
    mock: Option<WrittenMock>,
    context: Option<String>,
    #[serde(default)]
    state_configuration: Configuration,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenMock {
    pub(super) result: Option<String>,
    pub(super) error_output: Option<WrittenError>,
    pub(super) field_validation_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WrittenError {
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Configuration {
    pub(super) retrier_retry_count: Option<u32>,
    pub(super) error_caused_by_state: Option<String>,
    pub(super) map_iteration_failure_count: Option<u64>,
    pub(super) map_item_reader_data: Option<String>,
}

/// A request whose documents are read.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) definition: String,
    pub(super) role_arn: Option<String>,
    /// The text as it was sent, which the service sends back.
    pub(super) input_text: String,
    pub(super) input: Payload,
    pub(super) level: Level,
    pub(super) reveal_secrets: bool,
    pub(super) variables: BTreeMap<String, Payload>,
    pub(super) state_name: Option<String>,
    pub(super) mock: Option<WrittenMock>,
    pub(super) context: Option<Value>,
    pub(super) state_configuration: Configuration,
}

pub(super) fn read(body: Value) -> Result<Asked, ServiceError> {
    let written: Written = decode(body)?;
    validate::bounded(&written.definition)?;
    let input_text = written.input.unwrap_or_else(|| "{}".to_owned());
    bounded("input", &input_text)?;
    let input: Value = serde_json::from_str(&input_text).map_err(|why| refusal::invalid_input(&why.to_string()))?;
    let variables = object("variables", written.variables.as_deref())?.unwrap_or_default();
    let context = object("context", written.context.as_deref())?.map(Value::Object);
    Ok(Asked {
        definition: written.definition,
        role_arn: written.role_arn,
        input_text,
        input: input.into(),
        level: level(written.inspection_level.as_deref())?,
        reveal_secrets: written.reveal_secrets,
        variables: variables.into_iter().map(|(name, value)| (name, value.into())).collect(),
        state_name: written.state_name,
        mock: written.mock,
        context,
        state_configuration: written.state_configuration,
    })
}

fn level(name: Option<&str>) -> Result<Level, ServiceError> {
    match name {
        None | Some("INFO") => Ok(Level::Info),
        Some("DEBUG") => Ok(Level::Debug),
        Some("TRACE") => Ok(Level::Trace),
        Some(other) => {
            Err(refusal::out_of_bounds("inspectionLevel", other, "satisfy enum value set: [INFO, DEBUG, TRACE]"))
        }
    }
}

fn bounded(member: &str, text: &str) -> Result<(), ServiceError> {
    if text.len() > MOST_BYTES {
        let constraint = format!("have length less than or equal to {MOST_BYTES}");
        return Err(refusal::out_of_bounds(member, "***", &constraint));
    }
    Ok(())
}

fn object(member: &str, text: Option<&str>) -> Result<Option<Map<String, Value>>, ServiceError> {
    let Some(text) = text else { return Ok(None) };
    bounded(member, text)?;
    let read = serde_json::from_str(text);
    read.map(Some)
        .map_err(|why| refusal::validation(&format!("Invalid value for '{member}': not a JSON object: {why}")))
}

/// Refuses members that do not go with the state under test, or with one another.
pub(super) fn check(asked: &Asked, subject: &Subject) -> Result<(), ServiceError> {
    let kind = subject.kind();
    let works = matches!(kind, StateKind::Task | StateKind::Map | StateKind::Parallel);
    if (asked.mock.is_some() || asked.context.is_some()) && !works {
        return Err(refusal::validation(&format!(
            "State type '{}' is not supported when a mock is specified",
            subject.type_name()
        )));
    }
    match &asked.mock {
        Some(mock) => check_mock(asked, mock, subject),
        None => check_without_mock(asked, subject),
    }
}

fn check_mock(asked: &Asked, mock: &WrittenMock, subject: &Subject) -> Result<(), ServiceError> {
    if asked.reveal_secrets {
        return Err(refusal::validation("TestState does not support RevealSecrets when a mock is specified."));
    }
    if mock.result.is_some() == mock.error_output.is_some() {
        let message = "A test mock should have only one of the following fields: [result, errorOutput].";
        return Err(refusal::validation(message));
    }
    let configuration = &asked.state_configuration;
    let is_map = subject.kind() == StateKind::Map;
    if (configuration.map_iteration_failure_count.is_some() || configuration.map_item_reader_data.is_some()) && !is_map
    {
        return Err(refusal::validation("mapIterationFailureCount and mapItemReaderData are for Map states only"));
    }
    match &configuration.error_caused_by_state {
        Some(name) if !subject.contains(name) => {
            Err(refusal::validation(&format!("errorCausedByState '{name}' is not a state of the tested state")))
        }
        _ => Ok(()),
    }
}

fn check_without_mock(asked: &Asked, subject: &Subject) -> Result<(), ServiceError> {
    if matches!(subject.kind(), StateKind::Map | StateKind::Parallel) {
        let message = "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]";
        return Err(ServiceError::client("InvalidDefinition", message));
    }
    let configuration = &asked.state_configuration;
    let is_configured = configuration.retrier_retry_count.is_some()
        || configuration.error_caused_by_state.is_some()
        || configuration.map_iteration_failure_count.is_some()
        || configuration.map_item_reader_data.is_some();
    if asked.context.is_some() || is_configured {
        return Err(refusal::validation("context and stateConfiguration are for tests with a mock only"));
    }
    if subject.kind() == StateKind::Task && asked.role_arn.is_none() {
        return Err(refusal::validation("RoleArn must be specified when testing a Task state"));
    }
    Ok(())
}
