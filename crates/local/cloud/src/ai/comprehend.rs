//! Amazon Comprehend over the local language engines.
//!
//! Synchronous operations only: language, sentiment, entities, key phrases, PII, and the batches of
//! the first four. Validation, limits and error names are AWS's own
//! (<https://docs.aws.amazon.com/comprehend/latest/APIReference/API_Operations.html>). What AWS
//! does and no local engine can (sentiment of German, syntax, jobs, custom models) is HTTP 501
//! `NotAvailableLocally`, with the reason; never an invented answer.

mod answer;
mod batch;
mod request;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::context::Context;
use crate::wire::{Outcome, ServiceError, decode};
use answer::Task;
use request::Request;

/// Answers one operation (`DetectSentiment`) with its JSON body.
///
/// # Errors
/// Comprehend's own errors for what it would refuse, `NotAvailableLocally` for what only it can do.
pub async fn handle(_context: &Context, operation: &str, body: Value) -> Outcome {
    let operation = operation.to_owned();
    // The engines compute for milliseconds to a second; the port must go on answering.
    let answered = tokio::task::spawn_blocking(move || answer(&operation, body)).await;
    answered.unwrap_or_else(|error| Err(ServiceError::internal("InternalServerException", error.to_string())))
}

fn answer(operation: &str, body: Value) -> Outcome {
    if let Some(task) = operation.strip_prefix("Batch").and_then(Task::of_batch) {
        return batch::answer(operation, task, decode(body)?);
    }
    match Task::of(operation) {
        Some(task) => single(operation, task, &decode(body)?),
        None => Err(not_here(operation)),
    }
}

fn single(operation: &str, task: Task, request: &Request) -> Outcome {
    let text = request.text(operation, task.most_bytes())?;
    let language = request.language(operation, task)?;
    answer::answer(operation, task, &text, &language)
}

/// Jobs, models and the rest of Comprehend's control plane begin with these words.
const CONTROL_PLANE: [&str; 11] =
    ["Create", "Delete", "Describe", "Import", "List", "Put", "Start", "Stop", "Tag", "Untag", "Update"];

fn not_here(operation: &str) -> ServiceError {
    let lacking = match operation {
        "DetectSyntax" | "BatchDetectSyntax" => "no local engine tags parts of speech",
        "DetectTargetedSentiment" | "BatchDetectTargetedSentiment" => {
            "no local engine ties sentiment to the things it is about"
        }
        "DetectToxicContent" => "no local engine judges toxicity",
        "ClassifyDocument" => "no local engine runs custom classifiers or prompt safety classification",
        other if CONTROL_PLANE.iter().any(|word| other.starts_with(word)) => {
            "asynchronous jobs, custom models, endpoints and tags exist on AWS only"
        }
        other => {
            return ServiceError::client("UnknownOperationException", format!("Comprehend has no operation `{other}`"));
        }
    };
    ServiceError::not_available_locally(format!("`{operation}` is not available locally: {lacking}"))
}
