//! *Document text*: what no AI service needs to read, read in the function itself.
//!
//! Text, mail, office documents and a PDF's own text layer; of images only what the file says of
//! itself (EXIF, dimensions). The parsers are in the crate `documents`, with their limits.

use domain::answer::{FeatureOutcome, Findings, Outcome};
use domain::extraction::Extraction;
use domain::failure::{Failure, FailureName};
use domain::media::Family;
use domain::plan::{Place, Subject, Task};
use domain::settings::Preset;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::service::{Amount, Call, Descriptor, Feature, Service, Start, Started};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct DocumentText;

const DESCRIPTOR: Descriptor = Descriptor {
    id: "document-text",
    features: &[Feature {
        name: "text",
        preset: Preset::On,
        about: "text, tables, attachments and metadata that the file itself holds",
    }],
    actions: &["s3:GetObject", "s3:GetObjectVersion"],
    polling: &[],
    opens_the_file: true,
};

/// A document is held in memory whole, and its text beside it: a fifth of a function of 1 GiB.
const LIMIT_BYTES: u64 = 200 << 20;

/// What this crate calls the engine in extraction documents.
const ENGINE: &str = concat!("sluice documents ", env!("CARGO_PKG_VERSION"));

/// The raw answer.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    sha256: String,
    document: Extraction,
}

impl Service for DocumentText {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn place(&self, subject: &Subject) -> Option<Place> {
        match subject.family {
            Family::Text | Family::Html | Family::Mail | Family::Office | Family::Pdf => Some(Place::Reads("text")),
            Family::Image => Some(Place::Joins("text")),
            Family::Audio | Family::Video | Family::Other => None,
        }
    }

    /// It is read in the function itself.
    fn list_price_usd(&self, _: &[String], _: &Amount) -> f64 {
        0.0
    }

    fn check(&self, subject: &Subject, _: &Task) -> Result<(), Failure> {
        if subject.size_bytes <= LIMIT_BYTES {
            return Ok(());
        }
        let message = format!(
            "the file has {} bytes, and document text reads {LIMIT_BYTES} at most: split it",
            subject.size_bytes
        );
        Err(Failure::new(FailureName::ObjectTooLarge, message))
    }

    fn contribute(&self, findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
        let answer = Answer::deserialize(&findings.raw)
            .map_err(|error| Failure::internal(format!("failed to read the answer of document text: {error}")))?;
        document.absorb(answer.document);
        if let Some(source) = &mut document.source {
            source.sha256 = Some(answer.sha256);
        }
        Ok(())
    }
}

impl Start for DocumentText {
    fn start<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Started, Failure>> {
        read(call).boxed()
    }
}

async fn read(call: &Call<'_>) -> Result<Started, Failure> {
    let bytes = call.deployment.store.read(call.subject, LIMIT_BYTES).await?;
    let sha256 = format!("{:x}", Sha256::digest(&bytes));
    let document =
        documents::read(&bytes, &call.subject.media_type, &documents::Limits::default()).map_err(Failure::from)?;
    let raw = serde_json::to_value(Answer { sha256, document })
        .map_err(|error| Failure::internal(format!("failed to serialise a document: {error}")))?;
    let features = vec![FeatureOutcome { feature: "text".to_owned(), outcome: Outcome::Succeeded, reason: None }];
    Ok(Started::Done(Findings { engine: ENGINE.to_owned(), pages: 0, cost_usd: 0.0, features, skipped: None, raw }))
}
