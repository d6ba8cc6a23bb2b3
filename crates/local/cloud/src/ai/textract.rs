//! Amazon Textract over the local text engine.
//!
//! Text, tables and forms, at once or as jobs. Validation, limits and error names are AWS's own
//! (<https://docs.aws.amazon.com/textract/latest/dg/limits-document.html>). Queries, signatures, layout,
//! expenses, identity papers, adapters, notifications and results in a customer's bucket are HTTP 501
//! `NotAvailableLocally`; handwriting is not read.

mod blocks;
mod job;
mod request;
mod results;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::file;
use super::jobs::{Job, NewJob, Opened, Service};
use super::media::Media;
use super::validate::Validation;
use crate::identifier;
use crate::wire::{Outcome, Reply, ServiceError, decode};
use blocks::Features;
pub(super) use blocks::geometry;
pub(super) use job::run;
use request::{DocumentRequest, GetRequest, StartRequest};

const INVALID: Validation = Validation("InvalidParameterException");

/// What a call is refused with when every engine is busy.
const THROTTLED: &str = "ProvisionedThroughputExceededException";

const DETECTION: &str = "StartDocumentTextDetection";
const ANALYSIS: &str = "StartDocumentAnalysis";

/// Answers one operation with its JSON body.
///
/// # Errors
/// Textract's own errors for what it would refuse, `NotAvailableLocally` for what only it can do.
pub async fn handle(media: &Media, operation: &str, body: Value) -> Outcome {
    match operation {
        "DetectDocumentText" => read_now(media, decode(body)?, Kind::Detection).await,
        "AnalyzeDocument" => read_now(media, decode(body)?, Kind::Analysis).await,
        DETECTION => start(media, decode(body)?, DETECTION).await,
        ANALYSIS => start(media, decode(body)?, ANALYSIS).await,
        "GetDocumentTextDetection" => get(media, decode(body)?, DETECTION).await,
        "GetDocumentAnalysis" => get(media, decode(body)?, ANALYSIS).await,
        other => Err(ServiceError::not_available_locally(format!(
            "`{other}` is not available locally: the local text engine reads text, tables and forms only"
        ))),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Detection,
    Analysis,
}

impl Kind {
    /// The member that names the model behind an answer; here, the engine.
    fn model_member(self) -> &'static str {
        match self {
            Self::Detection => "DetectDocumentTextModelVersion",
            Self::Analysis => "AnalyzeDocumentModelVersion",
        }
    }
}

async fn read_now(media: &Media, request: DocumentRequest, kind: Kind) -> Outcome {
    let features = match kind {
        Kind::Detection => Features::default(),
        Kind::Analysis => request.features()?,
    };
    let file = file::take(media, request.document, request::MOST_BYTES, request::ERRORS).await?;
    let read = media.call(THROTTLED, move |media| job::read_single_page(media, &file)).await?;
    let blocks = blocks::of_page(&read.page, features);
    let mut body = json!({"DocumentMetadata": {"Pages": 1}, "Blocks": blocks});
    body[kind.model_member()] = read.engine.clone().into();
    Ok(Reply::from_engine(body, read.engine))
}

async fn start(media: &Media, request: StartRequest, kind: &'static str) -> Outcome {
    request.check(kind)?;
    let kept = request.kept();
    let adopted =
        |job: &Job| if job.request == kept { Ok(Reply::plain(json!({"JobId": job.name}))) } else { Err(mismatch()) };
    request::check_object(media, &request.document_location).await?;
    media.block(|media| media.ocr().map(drop)).await?;
    let name = identifier::random().replace('-', "");
    let new = NewJob {
        service: Service::Textract,
        name: name.clone(),
        kind: kind.to_owned(),
        token: request.client_request_token.clone(),
        request: kept.clone(),
    };
    match media.open_job(new).await? {
        Opened::New => Ok(Reply::plain(json!({"JobId": name}))),
        Opened::Existing(job) => adopted(&job),
    }
}

fn mismatch() -> ServiceError {
    ServiceError::client(
        "IdempotentParameterMismatchException",
        "A ClientRequestToken input parameter was reused with an operation, but at least one of the other input parameters is different from the previous call to the operation.",
    )
}

async fn get(media: &Media, request: GetRequest, kind: &'static str) -> Outcome {
    let most = request.check()?;
    let job = media.find_job(Service::Textract, &request.job_id).await?.filter(|job| job.kind == kind);
    let job = job.ok_or_else(|| ServiceError::client("InvalidJobIdException", "Request has invalid Job Id"))?;
    results::part(media, &job, request.next_token.as_deref(), most).await
}
