//! What a caller sends, and what Comprehend refuses before it reads any text.

use serde::Deserialize;

use super::answer::Task;
use crate::wire::ServiceError;

/// The languages of every operation but PII and language detection.
const LANGUAGES: [&str; 12] = ["en", "es", "fr", "de", "it", "pt", "ar", "hi", "ja", "ko", "zh", "zh-TW"];

/// The languages in which Comprehend finds PII.
const PII_LANGUAGES: [&str; 2] = ["en", "es"];

/// A request about one text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    text: Option<String>,
    language_code: Option<String>,
    endpoint_arn: Option<String>,
    bytes: Option<String>,
}

/// A request about a list of texts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchRequest {
    pub(super) text_list: Option<Vec<String>>,
    pub(super) language_code: Option<String>,
}

impl Request {
    /// The text, within its limit.
    pub(super) fn text(&self, operation: &str, most_bytes: usize) -> Result<String, ServiceError> {
        self.refuse_models(operation)?;
        let text = self.text.as_deref().ok_or_else(|| missing("text"))?;
        check_text(text, most_bytes)?;
        Ok(text.to_owned())
    }

    /// The language; empty for the one operation that finds it out.
    pub(super) fn language(&self, operation: &str, task: Task) -> Result<String, ServiceError> {
        check_language(operation, task, self.language_code.as_deref())
    }

    /// `DetectEntities` may name a model of the caller's own, or bring a document instead of text.
    fn refuse_models(&self, operation: &str) -> Result<(), ServiceError> {
        let lacking = match (&self.endpoint_arn, &self.bytes) {
            (Some(_), _) => "no local engine runs custom entity recognizers",
            (_, Some(_)) => "only custom entity recognizers read `Bytes`, and no local engine runs them; send `Text`",
            (None, None) => return Ok(()),
        };
        Err(ServiceError::not_available_locally(format!(
            "`{operation}` with a model is not available locally: {lacking}"
        )))
    }
}

/// Refuses an empty and a too long text with Comprehend's own errors; the limit is in UTF-8 bytes.
pub(super) fn check_text(text: &str, most_bytes: usize) -> Result<(), ServiceError> {
    if text.is_empty() {
        return Err(ServiceError::client("InvalidRequestException", "Text must contain at least 1 character"));
    }
    if text.len() > most_bytes {
        let message = format!(
            "Input text size exceeds limit. Max length of request text allowed is {most_bytes} bytes while in this request the text size is {} bytes",
            text.len()
        );
        return Err(ServiceError::client("TextSizeLimitExceededException", message));
    }
    Ok(())
}

/// The language, if the operation has one and Comprehend reads it there.
pub(super) fn check_language(operation: &str, task: Task, code: Option<&str>) -> Result<String, ServiceError> {
    let supported: &[&str] = match task {
        Task::Language => return Ok(String::new()),
        Task::Pii | Task::PiiLabels => &PII_LANGUAGES,
        Task::Sentiment | Task::Entities | Task::KeyPhrases => &LANGUAGES,
    };
    let code = code.ok_or_else(|| missing("languageCode"))?;
    if supported.contains(&code) {
        return Ok(code.to_owned());
    }
    let message =
        format!("`{operation}` does not support the language code `{code}`; supported are {}", supported.join(", "));
    Err(ServiceError::client("UnsupportedLanguageException", message))
}

/// A required member that is not there, in the words of AWS's validation.
pub(super) fn missing(member: &str) -> ServiceError {
    let message = format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    );
    ServiceError::client("ValidationException", message)
}
