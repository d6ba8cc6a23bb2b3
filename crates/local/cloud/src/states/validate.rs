//! `ValidateStateMachineDefinition`: what is wrong with a definition, without creating anything.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html>

use asl::{Definition, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page;
use crate::wire::{Outcome, Reply, decode};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Validate {
    definition: String,
    max_results: Option<i64>,
}

pub(super) fn validate(body: Value) -> Outcome {
    let asked: Validate = decode(body)?;
    let most = page::size(asked.max_results)?;
    let problems = Definition::parse(&asked.definition).err().map(|error| error.problems).unwrap_or_default();
    let shown: Vec<Value> = problems.iter().take(most).map(diagnostic).collect();
    let result = if problems.is_empty() { "OK" } else { "FAIL" };
    Ok(Reply::plain(json!({"result": result, "diagnostics": shown, "truncated": problems.len() > most})))
}

fn diagnostic(problem: &Problem) -> Value {
    json!({
        "severity": "ERROR",
        "code": problem.code.name(),
        "message": problem.message,
        "location": problem.location,
    })
}
