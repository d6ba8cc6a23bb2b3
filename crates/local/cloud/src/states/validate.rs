//! `ValidateStateMachineDefinition`: what is wrong with a definition, without creating anything.
//!
//! The rules are in crate `asl`. What this engine alone cannot execute is told too, so that a definition that passes
//! here can be created here.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html>

use asl::{Definition, Diagnostic, MachineType, Severity};
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal;
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// The most diagnostics of one answer, and their number when the caller does not say.
const MOST: i64 = 100;

/// The most characters of a definition.
const MOST_CHARS: usize = 1_048_576;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Validate {
    definition: String,
    r#type: Option<String>,
    severity: Option<String>,
    max_results: Option<i64>,
}

pub(super) fn validate(body: Value) -> Outcome {
    let asked: Validate = decode(body)?;
    let most = most(asked.max_results)?;
    let machine_type = machine_type(asked.r#type.as_deref())?;
    let least = least(asked.severity.as_deref())?;
    bounded(&asked.definition)?;
    let found = diagnostics(&asked.definition, machine_type);
    let is_wrong = found.iter().any(|one| one.severity == Severity::Error);
    let told: Vec<Value> = found.iter().filter(|one| one.severity >= least).map(shown).collect();
    let answer = json!({
        "result": if is_wrong { "FAIL" } else { "OK" },
        "diagnostics": told.iter().take(most).collect::<Vec<_>>(),
        "truncated": told.len() > most,
    });
    Ok(Reply::plain(answer))
}

/// Refuses a definition that cannot be created, in the words of the service.
pub(super) fn parse(definition: &str, machine_type: MachineType) -> Result<Definition, ServiceError> {
    let found = asl::validate(definition, machine_type);
    let errors: Vec<String> =
        found.iter().filter(|one| one.severity == Severity::Error).map(ToString::to_string).collect();
    if !errors.is_empty() {
        return Err(refusal::invalid_definition(&errors.join(", ")));
    }
    Definition::parse(definition).map_err(|error| refusal::invalid_definition(&error.to_string()))
}

pub(super) fn machine_type(name: Option<&str>) -> Result<MachineType, ServiceError> {
    match name {
        None | Some("STANDARD") => Ok(MachineType::Standard),
        Some("EXPRESS") => Ok(MachineType::Express),
        Some(other) => Err(refusal::out_of_bounds("type", other, "satisfy enum value set: [STANDARD, EXPRESS]")),
    }
}

/// Refuses a text that is empty or longer than a definition may be.
pub(super) fn bounded(definition: &str) -> Result<(), ServiceError> {
    let length = definition.chars().count();
    if length == 0 {
        return Err(refusal::out_of_bounds("definition", "", "have length greater than or equal to 1"));
    }
    if length > MOST_CHARS {
        let constraint = format!("have length less than or equal to {MOST_CHARS}");
        return Err(refusal::out_of_bounds("definition", "***", &constraint));
    }
    Ok(())
}

fn diagnostics(definition: &str, machine_type: MachineType) -> Vec<Diagnostic> {
    let mut found = asl::validate(definition, machine_type);
    if found.iter().all(|one| one.severity != Severity::Error)
        && let Err(error) = Definition::parse(definition)
    {
        found.extend(error.problems.into_iter().map(|problem| problem.diagnostic(definition)));
    }
    found
}

fn shown(one: &Diagnostic) -> Value {
    let mut shown = json!({"severity": one.severity.name(), "code": one.code, "message": one.message});
    if let Some(location) = &one.location {
        shown["location"] = location.as_str().into();
    }
    shown
}

fn least(severity: Option<&str>) -> Result<Severity, ServiceError> {
    match severity {
        None | Some("ERROR") => Ok(Severity::Error),
        Some("WARNING") => Ok(Severity::Warning),
        Some(other) => Err(refusal::out_of_bounds("severity", other, "satisfy enum value set: [ERROR, WARNING]")),
    }
}

fn most(asked: Option<i64>) -> Result<usize, ServiceError> {
    let asked = asked.filter(|asked| *asked != 0).unwrap_or(MOST);
    match usize::try_from(asked) {
        Err(_) => Err(refusal::out_of_bounds("maxResults", asked, "have value greater than or equal to 0")),
        Ok(_) if asked > MOST => {
            Err(refusal::out_of_bounds("maxResults", asked, "have value less than or equal to 100"))
        }
        Ok(most) => Ok(most),
    }
}

#[cfg(test)]
mod tests {
    use super::validate;
    use serde_json::{Value, json};

    fn said(body: &Value) -> Value {
        validate(body.clone()).unwrap().body
    }

    #[test]
    fn the_caller_chooses_how_much_is_told() {
        let warned = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"x":"$.y"},"End":true}}}"#;
        let quiet = json!({"result": "OK", "diagnostics": [], "truncated": false});
        assert_eq!(said(&json!({"definition": warned})), quiet);
        let told = said(&json!({"definition": warned, "severity": "WARNING"}));
        assert_eq!((told["result"].as_str(), told["diagnostics"][0]["code"].as_str()), (Some("OK"), Some("NO_DOLLAR")));
        let wrong = json!({"definition": r#"{"StartAt":1,"States":1}"#, "maxResults": 1});
        let told = said(&wrong);
        let seen = (told["result"].as_str(), told["diagnostics"].as_array().map(Vec::len), told["truncated"].as_bool());
        assert_eq!(seen, (Some("FAIL"), Some(1), Some(true)));
    }

    #[test]
    fn a_request_out_of_bounds_is_refused() {
        let with = |extra: Value| {
            let mut body = json!({"definition": "{}"});
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            validate(body).unwrap_err().code
        };
        let wrong = [
            json!({"maxResults": 101}),
            json!({"maxResults": -1}),
            json!({"type": "FAST"}),
            json!({"severity": "INFO"}),
            json!({"definition": ""}),
        ];
        for extra in wrong {
            assert_eq!(with(extra.clone()), "ValidationException", "{extra}");
        }
    }
}
