//! From a handler to a Lambda function: payloads in and out, errors under their names, one span, one error log.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use domain::failure::Failure;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::Instrument;

use crate::deployment::Deployment;

/// A failure on its way to Step Functions.
///
/// A boxed error would arrive under the name of a Rust type, and no `Retry` could match it.
#[derive(Debug)]
pub struct StepError(Failure);

impl From<StepError> for Diagnostic {
    fn from(StepError(failure): StepError) -> Self {
        Self { error_type: failure.name.as_str().to_owned(), error_message: failure.message }
    }
}

/// Runs `handle` as the Lambda function `step` until the runtime ends it.
///
/// # Errors
/// When the deployment is incomplete or the Runtime API is gone.
pub async fn run<H, Input, Output, Running>(step: &'static str, handle: H) -> Result<(), lambda_runtime::Error>
where
    H: Fn(Deployment, Input) -> Running,
    Running: Future<Output = Result<Output, Failure>> + 'static,
    Input: DeserializeOwned + RunName,
    Output: Serialize,
{
    crate::log::init();
    let deployment = Deployment::load()?;
    let handle = &handle;
    let deployment = &deployment;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        invoke(step, handle, deployment.clone(), event).await
    }))
    .await
}

async fn invoke<H, Input, Output, Running>(
    step: &'static str,
    handle: &H,
    deployment: Deployment,
    event: LambdaEvent<Value>,
) -> Result<Output, StepError>
where
    H: Fn(Deployment, Input) -> Running,
    Running: Future<Output = Result<Output, Failure>> + 'static,
    Input: DeserializeOwned + RunName,
{
    let input: Input = serde_json::from_value(event.payload).map_err(|error| logged(step, unreadable(step, &error)))?;
    let span = tracing::info_span!("step", step, run_id = input.run_name(), request_id = event.context.request_id);
    // A boxed future without its type: rustc computes layouts of nested ones to a limited depth.
    let running: Pin<Box<dyn Future<Output = Result<Output, Failure>>>> = Box::pin(handle(deployment, input));
    let result = running.instrument(span.clone()).await;
    result.map_err(|failure| span.in_scope(|| logged(step, failure)))
}

fn unreadable(step: &str, error: &serde_json::Error) -> Failure {
    Failure::invalid_input(format!("failed to read the input of `{step}`: {error}"))
}

/// Logs the name alone: a message may quote what a service said about a document.
fn logged(step: &str, failure: Failure) -> StepError {
    tracing::error!(step, error = failure.name.as_str(), "step failed");
    StepError(failure)
}

/// Names the run in a step's input, for its span.
pub trait RunName {
    /// The execution's name; empty where there is none yet.
    fn run_name(&self) -> &str;
}

impl RunName for domain::stage::Arrived {
    fn run_name(&self) -> &str {
        &self.execution.name
    }
}

impl RunName for domain::stage::TrackState {
    fn run_name(&self) -> &str {
        &self.execution.name
    }
}

impl RunName for domain::stage::Extracted {
    fn run_name(&self) -> &str {
        &self.arrived.execution.name
    }
}

impl RunName for domain::stage::CatalogRequest {
    fn run_name(&self) -> &str {
        match self {
            Self::Outcome { state } => state["execution"]["name"].as_str().unwrap_or_default(),
            Self::Failure(run) | Self::Conclude(run) => &run.arrived.execution.name,
        }
    }
}

impl RunName for domain::upsert::stage::StageRequest {
    fn run_name(&self) -> &str {
        &self.execution.name
    }
}

impl RunName for domain::upsert::stage::CommitRequest {
    fn run_name(&self) -> &str {
        &self.execution.name
    }
}

impl RunName for Value {
    fn run_name(&self) -> &'static str {
        ""
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::failure::FailureName;

    #[test]
    fn failures_keep_their_names() {
        for name in FailureName::ALL {
            let diagnostic = Diagnostic::from(StepError(Failure::new(name, "why")));
            assert_eq!((diagnostic.error_type.as_str(), diagnostic.error_message.as_str()), (name.as_str(), "why"));
        }
    }
}
