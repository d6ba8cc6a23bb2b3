//! Textract's requests, and what is checked before anything is read.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::INVALID;
use super::blocks::Features;
use crate::ai::file::{self, Errors, MostBytes, S3Object, Source};
use crate::ai::media::Media;
use crate::wire::ServiceError;

/// A document that is read at once: 10 MB.
pub(super) const MOST_BYTES: MostBytes = MostBytes { inline: 10 << 20, object: 10 << 20 };

/// A document that a job reads: 500 MB.
pub(super) const MOST_JOB_BYTES: u64 = 500 << 20;

/// Pages of a document that a job reads.
pub(super) const MOST_PAGES: u32 = 3000;

/// Blocks in one part of an answer.
const MOST_RESULTS: i64 = 1000;

pub(super) const ERRORS: Errors = Errors { too_large, invalid };

/// Operations' members that nothing here acts on, each with what is lacking.
const LACKING: [(&str, &str); 6] = [
    ("QueriesConfig", "no local engine answers questions about a document"),
    ("AdaptersConfig", "there are no adapters locally"),
    ("HumanLoopConfig", "there are no reviewers locally"),
    ("NotificationChannel", "local jobs send no notifications; ask with the Get operation"),
    ("OutputConfig", "local jobs keep their results; ask with the Get operation"),
    ("KMSKeyId", "there are no keys locally"),
];

const FEATURES: [&str; 5] = ["TABLES", "FORMS", "QUERIES", "SIGNATURES", "LAYOUT"];

/// A request to read a document at once.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DocumentRequest {
    pub(super) document: Source,
    feature_types: Option<Vec<String>>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

impl DocumentRequest {
    pub(super) fn features(&self) -> Result<Features, ServiceError> {
        lacking(&self.others)?;
        features(self.feature_types.as_ref())
    }
}

/// A request to start a job.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartRequest {
    pub(super) document_location: DocumentLocation,
    feature_types: Option<Vec<String>>,
    pub(super) client_request_token: Option<String>,
    job_tag: Option<String>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DocumentLocation {
    pub(super) s3_object: Option<S3Object>,
}

/// What a job keeps of its request: all that has to be the same when a token comes again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Kept {
    pub(super) document_location: DocumentLocation,
    pub(super) feature_types: Option<Vec<String>>,
    pub(super) job_tag: Option<String>,
}

impl StartRequest {
    pub(super) fn check(&self, kind: &str) -> Result<(), ServiceError> {
        if let Some(token) = &self.client_request_token {
            INVALID.length(token, "clientRequestToken", 1, 64)?;
            INVALID.characters(token, "clientRequestToken", "-_", "^[a-zA-Z0-9-_]+$")?;
        }
        if let Some(tag) = &self.job_tag {
            INVALID.length(tag, "jobTag", 1, 64)?;
            INVALID.characters(tag, "jobTag", "_.-:", "[a-zA-Z0-9_.\\-:]+")?;
        }
        lacking(&self.others)?;
        if kind == super::ANALYSIS { features(self.feature_types.as_ref()).map(drop) } else { Ok(()) }
    }

    pub(super) fn kept(&self) -> Value {
        json!(Kept {
            document_location: self.document_location.clone(),
            feature_types: self.feature_types.clone(),
            job_tag: self.job_tag.clone(),
        })
    }
}

impl Kept {
    pub(super) fn features(&self) -> Features {
        features(self.feature_types.as_ref()).unwrap_or_default()
    }
}

/// A request for a job's answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetRequest {
    pub(super) job_id: String,
    pub(super) next_token: Option<String>,
    max_results: Option<i64>,
}

impl GetRequest {
    /// Checks the members; gives how many blocks to answer with.
    pub(super) fn check(&self) -> Result<usize, ServiceError> {
        INVALID.length(&self.job_id, "jobId", 1, 64)?;
        INVALID.characters(&self.job_id, "jobId", "-_", "^[a-zA-Z0-9-_]+$")?;
        let most = self.max_results.unwrap_or(MOST_RESULTS);
        INVALID.range(most, "maxResults", 1, i64::MAX)?;
        // More than that is asked for in vain, not an error.
        Ok(usize::try_from(most.min(MOST_RESULTS)).unwrap_or(1))
    }
}

/// Checks that the document of a job is there and of a size that jobs take.
pub(super) async fn check_object(media: &Media, location: &DocumentLocation) -> Result<(), ServiceError> {
    let object = location.s3_object.as_ref().ok_or_else(invalid)?;
    let found = file::find(media, object).await?;
    if found.size_bytes > MOST_JOB_BYTES { Err(too_large()) } else { Ok(()) }
}

fn features(types: Option<&Vec<String>>) -> Result<Features, ServiceError> {
    let types = INVALID.required(types, "featureTypes")?;
    if types.is_empty() {
        return Err(invalid());
    }
    for feature in types {
        INVALID.one_of(feature, "featureTypes", &FEATURES)?;
    }
    let asks = |feature: &str| types.iter().any(|asked| asked == feature);
    if let Some(lacking) = FEATURES[2..].iter().find(|feature| asks(feature)) {
        let message = format!(
            "the feature `{lacking}` is not available locally: the local text engine finds text, tables and forms only"
        );
        return Err(ServiceError::not_available_locally(message));
    }
    Ok(Features { tables: asks("TABLES"), forms: asks("FORMS") })
}

fn lacking(members: &serde_json::Map<String, Value>) -> Result<(), ServiceError> {
    match LACKING.iter().find(|(member, _)| members.get(*member).is_some_and(|value| !value.is_null())) {
        Some((member, why)) => {
            Err(ServiceError::not_available_locally(format!("`{member}` is not available locally: {why}")))
        }
        None => Ok(()),
    }
}

fn too_large() -> ServiceError {
    ServiceError::client("DocumentTooLargeException", "The document can't be processed because it's too large.")
}

fn invalid() -> ServiceError {
    INVALID.error("Request has invalid parameters")
}
