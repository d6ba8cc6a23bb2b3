//! The services that speak AWS JSON: which one, which operation, and how its answer or error goes out.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::Surfaces;
use super::body::{self, Request, Response};
use crate::ai::{comprehend, rekognition, textract, transcribe};
use crate::faults::Surface;
use crate::queue;
use crate::wire::{ENGINE_HEADER, Outcome, ServiceError};

/// The largest JSON request: 10 MB of document for Textract, in Base64, with what is around it.
const MOST_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// The version of the protocol, which only the content type tells.
#[derive(Debug, Clone, Copy)]
pub(super) enum Version {
    /// 1.0
    Zero,
    /// 1.1
    One,
}

/// Each service under the prefix of its targets.
const SERVICES: [(&str, Surface, Version); 8] = [
    ("AmazonSQS", Surface::Sqs, Version::Zero),
    ("AWSStepFunctions", Surface::States, Version::Zero),
    ("Transcribe", Surface::Transcribe, Version::One),
    ("Comprehend_20171127", Surface::Comprehend, Version::One),
    ("Textract", Surface::Textract, Version::One),
    ("RekognitionService", Surface::Rekognition, Version::One),
    ("AmazonAthena", Surface::Athena, Version::One),
    ("AWSGlue", Surface::Glue, Version::One),
];

pub(super) async fn handle(surfaces: &Surfaces, request: Request) -> Response {
    let target =
        request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (prefix, operation) = target.split_once('.').unwrap_or((&target, ""));
    let Some((_, surface, version)) = SERVICES.iter().find(|(own, ..)| *own == prefix) else {
        let message = format!("`{target}` is of a service that is not available locally");
        return refusal(&ServiceError::client("UnknownOperationException", message), Version::One);
    };
    if let Some(error) = surfaces.fault(*surface).await {
        super::drain(request).await;
        return refused(&error, *surface, *version);
    }
    match outcome(surfaces, *surface, operation, request).await {
        Ok(reply) => {
            let mut response = respond(StatusCode::OK, &reply.body, *version);
            if let Some(engine) = &reply.engine {
                body::set_header(&mut response, ENGINE_HEADER, engine);
            }
            response
        }
        Err(error) => refused(&error, *surface, *version),
    }
}

/// An error of `surface`. SQS spoke another protocol once, and its clients know errors by the names of that.
fn refused(error: &ServiceError, surface: Surface, version: Version) -> Response {
    let mut response = refusal(error, version);
    if surface == Surface::Sqs {
        body::set_header(&mut response, "x-amzn-query-error", &queue::api::query_error(error));
    }
    response
}

/// What the caller called this machine.
fn host(request: &Request) -> String {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok());
    host.unwrap_or("localhost").to_owned()
}

async fn outcome(surfaces: &Surfaces, surface: Surface, operation: &str, request: Request) -> Outcome {
    let trace = trace_header(surface, operation, &request);
    let (account, host) = (account(&request), host(&request));
    let read = body::read(request, MOST_REQUEST_BYTES).await;
    let bytes = read.map_err(|_| ServiceError {
        status: 413,
        code: "RequestEntityTooLargeException".into(),
        message: format!("the request is larger than {MOST_REQUEST_BYTES} bytes, or broke off"),
    })?;
    let mut body = parse(&bytes)?;
    if let Some(trace) = trace {
        body["traceHeader"] = trace.into();
    }
    let Surfaces { context, media, states, athena, glue, queue, .. } = surfaces;
    match surface {
        Surface::States => match account {
            Some(account) => states.of_account(&account).handle(operation, body).await,
            None => states.handle(operation, body).await,
        },
        Surface::Transcribe => transcribe::handle(media, operation, body).await,
        Surface::Comprehend => comprehend::handle(context, operation, body).await,
        Surface::Textract => textract::handle(media, operation, body).await,
        Surface::Rekognition => rekognition::handle(media, operation, body).await,
        Surface::Sqs => queue.handle(operation, body, &host).await,
        Surface::Athena => athena.handle(operation, body).await,
        Surface::Glue => glue.handle(operation, body).await,
        Surface::S3 | Surface::Lambda | Surface::Queue => {
            Err(ServiceError::client("UnknownOperationException", operation))
        }
    }
}

/// The trace that a request belongs to, where the operation has a member for it: the header goes before that.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>
fn trace_header(surface: Surface, operation: &str, request: &Request) -> Option<String> {
    let takes = matches!((surface, operation), (Surface::States, "StartExecution" | "StartSyncExecution"));
    let header = request.headers().get("x-amzn-trace-id").filter(|_| takes)?;
    header.to_str().ok().map(str::to_owned)
}

/// The account of a caller whose access key is twelve digits: the custom of local endpoints.
fn account(request: &Request) -> Option<String> {
    let signed = request.headers().get("authorization")?.to_str().ok()?;
    let (_, credential) = signed.split_once("Credential=")?;
    let (key, _) = credential.split_once('/')?;
    (key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit())).then(|| key.to_owned())
}

fn parse(bytes: &Bytes) -> Result<Value, ServiceError> {
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(ServiceError::client("SerializationException", "the request is not a JSON object")),
        Err(error) => Err(ServiceError::client("SerializationException", error.to_string())),
    }
}

/// An error in the form of AWS JSON. Services spell the message's member either way, so it goes out both ways.
pub(super) fn refusal(error: &ServiceError, version: Version) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content = json!({"__type": error.code, "message": error.message, "Message": error.message});
    let mut response = respond(status, &content, version);
    body::set_header(&mut response, "x-amzn-errortype", &error.code);
    response
}

fn respond(status: StatusCode, content: &Value, version: Version) -> Response {
    let content_type = match version {
        Version::Zero => "application/x-amz-json-1.0",
        Version::One => "application/x-amz-json-1.1",
    };
    body::bytes(status, content_type, Bytes::from(content.to_string()))
}
