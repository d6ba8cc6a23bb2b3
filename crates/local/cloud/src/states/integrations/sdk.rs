//! `aws-sdk:SERVICE:ACTION`: any action of a service that the local cloud has.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>

use asl::{Failure, Payload, Resource};
use serde_json::Value;

use super::super::States;
use super::refused::{self, Modelled, Name};
use super::{Caller, athena, case, executions, function, s3, unavailable, without_nulls};
use crate::ai::{comprehend, rekognition, textract, transcribe};
use crate::wire::{Outcome, Reply};

const SFN: Name = Name { prefix: "Sfn", modelled: Modelled::Own };

/// Services with Pascal case on their wire.
const JSON_SERVICES: [(&str, &str); 6] = [
    ("athena", "Athena"),
    ("comprehend", "Comprehend"),
    ("glue", "Glue"),
    ("rekognition", "Rekognition"),
    ("textract", "Textract"),
    ("transcribe", "Transcribe"),
];

/// Calls a service's action with a task's parameters.
pub(super) async fn call(
    states: &States,
    caller: &Caller,
    resource: &Resource,
    (service, action): (&str, &str),
    parameters: &Value,
) -> Result<Payload, Failure> {
    let missing = || unavailable(&format!("aws-sdk:{service}"), action);
    match service {
        "sfn" => step_functions(states, caller, resource, action, parameters).await,
        "s3" => s3::call(&states.inner.services.s3, action, parameters).await.unwrap_or_else(|| Err(missing())),
        "lambda" => function::sdk(states, action, parameters).await.unwrap_or_else(|| Err(missing())),
        _ => match JSON_SERVICES.iter().find(|(own, _)| *own == service) {
            Some((_, prefix)) => {
                let answered = json_service(states, caller, service, action, parameters).await;
                let name = Name { prefix, modelled: Modelled::Own };
                let body = answered.map_err(|error| refused::sdk(&name, &error, false))?.body;
                Ok(case::with_times(body))
            }
            None => Err(missing()),
        },
    }
    .map(Payload::from)
}

/// An action as the service's wire names it.
fn operation(action: &str) -> String {
    let mut rest = action.chars();
    rest.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(rest).collect()
}

async fn step_functions(
    states: &States,
    caller: &Caller,
    resource: &Resource,
    action: &str,
    parameters: &Value,
) -> Result<Value, Failure> {
    let body = executions::request(parameters);
    let answered = match action {
        "startExecution" => executions::begin(states, caller, resource.pattern(), body).await,
        _ => states.handle(&operation(action), body).await.map(|reply| reply.body),
    };
    let body = answered.map_err(|error| refused::sdk(&SFN, &error, false))?;
    Ok(case::with_times(case::pascal(&body)))
}

async fn json_service(states: &States, caller: &Caller, service: &str, action: &str, parameters: &Value) -> Outcome {
    let (operation, body, media) = (operation(action), without_nulls(parameters), &states.inner.services.media);
    let services = &states.inner.services;
    match service {
        "athena" if action == "startQueryExecution" => {
            athena::begin(states, caller, false, body).await.map(Reply::plain)
        }
        "athena" => services.athena.handle(&operation, body).await,
        "glue" => services.glue.handle(&operation, body).await,
        "comprehend" => comprehend::handle(states.context(), &operation, body).await,
        "rekognition" => rekognition::handle(media, &operation, body).await,
        "textract" => textract::handle(media, &operation, body).await,
        _ => transcribe::handle(media, &operation, body).await,
    }
}
