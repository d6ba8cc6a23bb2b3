//! Amazon Textract: text, tables and forms of pictures and of PDF pages without a text layer.
//!
//! PNG, JPEG (and what is converted to them) and TIFF of one page are read at once, other TIFF and PDF by a job whose client
//! token makes a second start adopt the first. It is billed by the page, and tables and forms
//! cost ten and thirty times as much as text: so of a PDF only the pages without text are sent.
//! What it refuses to do: read a page again that has its own text.
//!
//! Limits: <https://docs.aws.amazon.com/textract/latest/dg/limits-document.html>.

use aws::call::CallError;
use aws::engine::TellEngine;
use aws_sdk_textract::Client;
use aws_sdk_textract::config::Builder;
use domain::answer::{FeatureOutcome, Findings, Outcome};
use domain::extraction::Extraction;
use domain::failure::{Failure, FailureName};
use domain::object::ObjectRef;
use domain::plan::{Place, Subject, Task};
use domain::settings::Preset;
use futures::future::BoxFuture;

use crate::picture;
use crate::service::{Amount, Call, Descriptor, Feature, Poll, Polled, Service, Start, Started};
use blocks::Raw;
use calls::Kind;
use scope::{Scope, scope};

mod blocks;
mod calls;
mod layout;
mod scope;
#[cfg(test)]
mod tests;
mod tiff;
mod weave;

const TEXT: &str = "text";
const TABLES: &str = "tables";
const FORMS: &str = "forms";

/// One page at once, and every PNG and JPEG: 10 MB.
const NOW_LIMIT_BYTES: u64 = 10 << 20;
/// TIFF and PDF by a job: 500 MB …
const JOB_LIMIT_BYTES: u64 = 500 << 20;
/// … and 3,000 pages.
const MOST_PAGES: u32 = 3_000;
/// A job waits some seconds in the service, and then takes about one second a page.
const SHORTEST_JOB_SECONDS: u32 = 3;
/// A scanned page takes about this much; only waits depend on it, where pages are not counted yet.
const BYTES_A_PAGE: u64 = 100_000;

/// List prices of a page, us-east-1, first tier: <https://aws.amazon.com/textract/pricing/>.
const TEXT_USD: f64 = 0.0015;
const TABLES_USD: f64 = 0.015;
const FORMS_USD: f64 = 0.05;

const DESCRIPTOR: Descriptor = Descriptor {
    id: "textract",
    features: &[
        Feature {
            name: TEXT,
            preset: Preset::On,
            about: "lines of text with their places; costs nothing beside tables or forms",
        },
        Feature {
            name: TABLES,
            preset: Preset::On,
            about: "tables with their cells; costs ten times as much as text alone",
        },
        Feature {
            name: FORMS,
            preset: Preset::On,
            about: "labels with their values; costs thirty times as much as text alone",
        },
    ],
    actions: &[
        "textract:DetectDocumentText",
        "textract:AnalyzeDocument",
        "textract:StartDocumentTextDetection",
        "textract:GetDocumentTextDetection",
        "textract:StartDocumentAnalysis",
        "textract:GetDocumentAnalysis",
    ],
    polling: &["textract:GetDocumentTextDetection", "textract:GetDocumentAnalysis"],
    opens_the_file: true,
};

/// Amazon Textract.
#[derive(Debug, Clone, Copy)]
pub struct Textract;

impl Service for Textract {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn place(&self, subject: &Subject) -> Option<Place> {
        limit_bytes(&subject.media_type).map(|_| Place::Reads("text"))
    }

    fn list_price_usd(&self, features: &[String], amount: &Amount) -> f64 {
        let analysed = [(TABLES, TABLES_USD), (FORMS, FORMS_USD)];
        let wanted = analysed.iter().filter(|(name, _)| features.iter().any(|feature| feature == name));
        let page_usd: f64 = wanted.map(|(_, usd)| usd).sum();
        #[expect(clippy::cast_precision_loss, reason = "no file has 2^52 pages")]
        let pages = amount.pages as f64;
        pages * if page_usd == 0.0 { TEXT_USD } else { page_usd }
    }

    fn check(&self, subject: &Subject, _: &Task) -> Result<(), Failure> {
        let Some(limit_bytes) = limit_bytes(&subject.media_type) else {
            let message = format!(
                "textract does not take `{}`: it takes PNG, JPEG, TIFF and PDF, and BMP, GIF and WebP when converted",
                subject.media_type
            );
            return Err(Failure::new(FailureName::UnsupportedMedia, message));
        };
        if subject.size_bytes > limit_bytes {
            let message = format!(
                "`{}` has {} bytes, and textract takes {limit_bytes} at most",
                subject.object, subject.size_bytes
            );
            return Err(Failure::new(FailureName::ObjectTooLarge, message));
        }
        Ok(())
    }

    fn contribute(&self, findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
        layout::contribute(findings, document)
    }
}

impl Start for Textract {
    fn start<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Started, Failure>> {
        Box::pin(call.engines.during(start(call)))
    }
}

impl Poll for Textract {
    fn poll<'a>(&'a self, call: &'a Call<'a>, job: &'a str) -> BoxFuture<'a, Result<Polled, Failure>> {
        Box::pin(call.engines.during(poll(call, job)))
    }
}

/// The largest file of this type; nothing where Textract does not read the type.
fn limit_bytes(media_type: &str) -> Option<u64> {
    match media_type {
        "image/png" | "image/jpeg" => Some(NOW_LIMIT_BYTES),
        "image/tiff" | "application/pdf" => Some(JOB_LIMIT_BYTES),
        convertible if documents::picture::is_convertible(convertible) => Some(picture::LIMIT_BYTES),
        _ => None,
    }
}

async fn start(call: &Call<'_>) -> Result<Started, Failure> {
    let scope = scope(call.subject, call.earlier);
    if let Some(pages) = scope.pages().filter(|pages| *pages > MOST_PAGES) {
        let message =
            format!("{pages} pages of `{}` have no text, and textract takes {MOST_PAGES} at most", call.subject.object);
        return Err(Failure::new(FailureName::ObjectTooLarge, message));
    }
    match &scope {
        Scope::Nothing => Ok(Started::Done(Findings::skipped("every page has text"))),
        Scope::Pages(pages) => {
            let object = scope::select(call, pages).await?.unwrap_or_else(|| call.subject.object.clone());
            start_job(call, &object, expected_seconds(call, &scope)).await
        }
        Scope::Whole { .. } if has_one_page(call).await? => read_now(call).await,
        Scope::Whole { .. } => start_job(call, &call.subject.object, expected_seconds(call, &scope)).await,
    }
}

fn client(call: &Call<'_>) -> Client {
    call.deployment.client(|sdk| Client::from_conf(Builder::from(sdk).interceptor(TellEngine).build()))
}

/// Whether the file can be read at once; a PDF goes the safe way, since its pages may be miscounted.
async fn has_one_page(call: &Call<'_>) -> Result<bool, Failure> {
    match call.subject.media_type.as_str() {
        "image/png" | "image/jpeg" => Ok(true),
        _ if picture::is_converted(call.subject) => Ok(true),
        "image/tiff" if call.subject.size_bytes <= NOW_LIMIT_BYTES => {
            is_one_page_tiff(call).await.map(|one| one.unwrap_or(false))
        }
        _ => Ok(false),
    }
}

async fn is_one_page_tiff(call: &Call<'_>) -> Result<Option<bool>, Failure> {
    let (store, subject) = (&call.deployment.store, call.subject);
    let head = store.range(&subject.object, &subject.etag, 0, tiff::HEADER_BYTES).await?;
    let Some((order, offset)) = tiff::header(&head).filter(|(_, offset)| *offset < subject.size_bytes) else {
        return Ok(None);
    };
    let directory = store.range(&subject.object, &subject.etag, offset, tiff::DIRECTORY_BYTES).await?;
    Ok(tiff::is_last(order, &directory))
}

async fn read_now(call: &Call<'_>) -> Result<Started, Failure> {
    let copy = picture::copy(call, NOW_LIMIT_BYTES).await?;
    let object = copy.as_ref().map_or(&call.subject.object, |copy| &copy.object);
    let answer = calls::read_now(&client(call), Kind::of(call), object).await;
    match answer.map_err(refused) {
        Ok(raw) => findings(call, &raw).map(Started::Done),
        Err(CallError::Unavailable(reason)) => Ok(Started::Done(unavailable(call, &reason))),
        Err(CallError::Failed(failure)) => Err(failure),
    }
}

async fn start_job(call: &Call<'_>, object: &ObjectRef, expected_seconds: u32) -> Result<Started, Failure> {
    let client = client(call);
    let mut id = calls::start(&client, Kind::of(call), object, call.token).await;
    if let Ok(earlier) = &id
        && call.redrives > 0
        && calls::has_failed(&client, &Kind::of(call), earlier).await?
    {
        // Its token stays taken; another one makes another try.
        id = calls::start(&client, Kind::of(call), object, &format!("{}-{}", call.token, call.redrives)).await;
    }
    match id.map_err(refused) {
        Ok(id) => Ok(Started::Running { id, expected_seconds }),
        Err(CallError::Unavailable(reason)) => Ok(Started::Done(unavailable(call, &reason))),
        Err(CallError::Failed(failure)) => Err(locked(call, failure)),
    }
}

/// A document that Textract cannot read is of a type that it reads: it is the file that is at fault.
fn refused(error: CallError) -> CallError {
    match error {
        CallError::Failed(failure) if failure.name == FailureName::UnsupportedMedia => {
            Failure::rejected(failure.message).into()
        }
        error => error,
    }
}

/// A document that was found to be encrypted is refused for that reason.
fn locked(call: &Call<'_>, failure: Failure) -> Failure {
    let is_encrypted = call.earlier.metadata.contains_key("Encrypted");
    if !is_encrypted || failure.name != FailureName::ServiceRejected {
        return failure;
    }
    Failure::new(FailureName::EncryptedObject, format!("the document is encrypted: {}", failure.message))
}

fn expected_seconds(call: &Call<'_>, scope: &Scope) -> u32 {
    let by_size = || u32::try_from(call.subject.size_bytes / BYTES_A_PAGE).unwrap_or(u32::MAX).min(MOST_PAGES);
    SHORTEST_JOB_SECONDS + scope.pages().unwrap_or_else(by_size)
}

async fn poll(call: &Call<'_>, job: &str) -> Result<Polled, Failure> {
    let collected = calls::collect(&client(call), &Kind::of(call), job).await;
    let Some(mut raw) = collected.map_err(|failure| locked(call, failure))? else {
        return Ok(Polled::Running);
    };
    if let Scope::Pages(pages) = scope(call.subject, call.earlier) {
        raw.page_map = scope::page_map(&raw, pages);
    }
    findings(call, &raw).map(Polled::Done)
}

fn findings(call: &Call<'_>, raw: &Raw) -> Result<Findings, Failure> {
    Ok(Findings {
        engine: call.engines.engine(),
        pages: raw.pages,
        cost_usd: f64::from(raw.pages) * page_usd(&Kind::of(call)),
        features: outcomes(call, Outcome::Succeeded, None),
        skipped: None,
        raw: serde_json::to_value(raw)
            .map_err(|error| Failure::internal(format!("failed to keep the answer of `textract`: {error}")))?,
    })
}

/// Findings of a task that no engine here does.
fn unavailable(call: &Call<'_>, reason: &str) -> Findings {
    let features = outcomes(call, Outcome::Unavailable, Some(reason));
    Findings {
        engine: call.engines.engine(),
        pages: 0,
        cost_usd: 0.0,
        features,
        skipped: None,
        raw: serde_json::Value::Null,
    }
}

fn outcomes(call: &Call<'_>, outcome: Outcome, reason: Option<&str>) -> Vec<FeatureOutcome> {
    let features = call.task.features.iter();
    features
        .map(|feature| FeatureOutcome { feature: feature.clone(), outcome, reason: reason.map(str::to_owned) })
        .collect()
}

fn page_usd(kind: &Kind) -> f64 {
    use aws_sdk_textract::types::FeatureType;
    match kind {
        Kind::Detection => TEXT_USD,
        Kind::Analysis(features) => {
            features.iter().map(|feature| if *feature == FeatureType::Forms { FORMS_USD } else { TABLES_USD }).sum()
        }
    }
}
