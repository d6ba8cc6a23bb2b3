//! The calls of Textract: one page at once, or a job whose answer comes in many parts.

use aws::call::{CallError, call_error, failure};
use aws_sdk_textract::Client;
use aws_sdk_textract::types::{self, Document, DocumentLocation, FeatureType, JobStatus, S3Object};
use domain::failure::{Failure, FailureName};
use domain::object::ObjectRef;

use super::blocks::{Raw, Thinner, Warning, natural, warnings_of};
use super::{FORMS, MOST_PAGES, TABLES};
use crate::service::Call;

/// Blocks in one part of an answer: the most that Textract gives.
const PART_BLOCKS: i32 = 1000;
/// Parts that are followed: some for each of 3,000 pages.
const MOST_PARTS: usize = 12_000;

/// What is asked for, and so which operations are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text alone.
    Detection,
    /// Tables, forms or both, and text beside them.
    Analysis(Vec<FeatureType>),
}

impl Kind {
    pub(super) fn of(call: &Call<'_>) -> Self {
        let tables = call.wants(TABLES).then_some(FeatureType::Tables);
        let forms = call.wants(FORMS).then_some(FeatureType::Forms);
        let features: Vec<_> = tables.into_iter().chain(forms).collect();
        if features.is_empty() { Self::Detection } else { Self::Analysis(features) }
    }
}

/// Reads one page at once.
pub(super) async fn read_now(client: &Client, kind: Kind, object: &ObjectRef) -> Result<Raw, CallError> {
    let document = Document::builder().s3_object(s3_object(object)).build();
    match kind {
        Kind::Detection => {
            let answer = client.detect_document_text().document(document).send().await;
            let answer = answer.map_err(|error| call_error("textract:DetectDocumentText", &error))?;
            Ok(one_page(answer.document_metadata(), answer.blocks()))
        }
        Kind::Analysis(features) => {
            let answer = client.analyze_document().document(document).set_feature_types(Some(features)).send().await;
            let answer = answer.map_err(|error| call_error("textract:AnalyzeDocument", &error))?;
            Ok(one_page(answer.document_metadata(), answer.blocks()))
        }
    }
}

fn one_page(metadata: Option<&types::DocumentMetadata>, blocks: &[types::Block]) -> Raw {
    let mut thinner = Thinner::default();
    thinner.add(blocks);
    let (blocks, truncated) = thinner.finish();
    Raw { pages: pages(metadata).unwrap_or(1), blocks, truncated, ..Raw::default() }
}

fn pages(metadata: Option<&types::DocumentMetadata>) -> Option<u32> {
    natural(metadata?.pages()).map(|pages| pages.min(MOST_PAGES))
}

fn s3_object(object: &ObjectRef) -> S3Object {
    S3Object::builder().bucket(&object.bucket).name(&object.key).set_version(object.version_id.clone()).build()
}

/// Starts a job, or adopts the one that carries the same token; gives its id.
pub(super) async fn start(client: &Client, kind: Kind, object: &ObjectRef, token: &str) -> Result<String, CallError> {
    let location = DocumentLocation::builder().s3_object(s3_object(object)).build();
    let id = match kind {
        Kind::Detection => {
            let request = client.start_document_text_detection().document_location(location);
            let answer = request.client_request_token(token).job_tag(token).send().await;
            answer.map_err(|error| call_error("textract:StartDocumentTextDetection", &error))?.job_id
        }
        Kind::Analysis(features) => {
            let request =
                client.start_document_analysis().document_location(location).set_feature_types(Some(features));
            let answer = request.client_request_token(token).job_tag(token).send().await;
            answer.map_err(|error| call_error("textract:StartDocumentAnalysis", &error))?.job_id
        }
    };
    id.ok_or_else(|| Failure::rejected("textract gave no id for the job that it started").into())
}

/// Whether a job has ended without an answer.
pub(super) async fn has_failed(client: &Client, kind: &Kind, job: &str) -> Result<bool, Failure> {
    Ok(part(client, kind, job, None).await?.status == Some(JobStatus::Failed))
}

/// One part of a job's answer.
struct Part {
    status: Option<JobStatus>,
    message: Option<String>,
    pages: Option<u32>,
    blocks: Vec<types::Block>,
    warnings: Vec<Warning>,
    next: Option<String>,
}

/// The whole answer of a job, or nothing while it runs.
pub(super) async fn collect(client: &Client, kind: &Kind, job: &str) -> Result<Option<Raw>, Failure> {
    let mut raw = Raw::default();
    let mut thinner = Thinner::default();
    let mut token = None;
    for _ in 0..MOST_PARTS {
        let part = part(client, kind, job, token.clone()).await?;
        if !is_done(&part)? {
            return Ok(None);
        }
        thinner.add(&part.blocks);
        raw.pages = part.pages.unwrap_or(raw.pages);
        raw.warnings.extend(part.warnings.into_iter().filter(|it| !raw.warnings.contains(it)).collect::<Vec<_>>());
        match part.next {
            None => {
                (raw.blocks, raw.truncated) = thinner.finish();
                return Ok(Some(raw));
            }
            next if next == token => {
                return Err(Failure::rejected(format!("textract gives the same part of job `{job}` again and again")));
            }
            next => token = next,
        }
    }
    Err(Failure::new(
        FailureName::ObjectTooLarge,
        format!("the answer of textract's job `{job}` has more than {MOST_PARTS} parts"),
    ))
}

fn is_done(part: &Part) -> Result<bool, Failure> {
    match part.status {
        Some(JobStatus::Succeeded | JobStatus::PartialSuccess) => Ok(true),
        Some(JobStatus::Failed) => {
            Err(Failure::rejected(format!("textract failed: {}", part.message.as_deref().unwrap_or("no reason given"))))
        }
        _ => Ok(false),
    }
}

async fn part(client: &Client, kind: &Kind, job: &str, token: Option<String>) -> Result<Part, Failure> {
    match kind {
        Kind::Detection => {
            let request = client.get_document_text_detection().job_id(job).max_results(PART_BLOCKS);
            let answer = request
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failure("textract:GetDocumentTextDetection", &error))?;
            Ok(Part {
                pages: pages(answer.document_metadata()),
                warnings: warnings_of(answer.warnings()),
                status: answer.job_status,
                message: answer.status_message,
                blocks: answer.blocks.unwrap_or_default(),
                next: answer.next_token,
            })
        }
        Kind::Analysis(_) => {
            let request = client.get_document_analysis().job_id(job).max_results(PART_BLOCKS);
            let answer = request
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failure("textract:GetDocumentAnalysis", &error))?;
            Ok(Part {
                pages: pages(answer.document_metadata()),
                warnings: warnings_of(answer.warnings()),
                status: answer.job_status,
                message: answer.status_message,
                blocks: answer.blocks.unwrap_or_default(),
                next: answer.next_token,
            })
        }
    }
}
