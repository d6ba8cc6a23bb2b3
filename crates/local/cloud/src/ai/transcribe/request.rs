//! `StartTranscriptionJob`'s request: what AWS checks, and what no local engine does.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::BAD_REQUEST;
use crate::ai::file::{self, S3Object};
use crate::ai::media::{Media, internal};
use crate::store::StoreError;
use crate::wire::ServiceError;

/// AWS's name pattern for jobs.
const NAME_PATTERN: &str = "^[0-9a-zA-Z._-]+";
const NAME_OTHERS: &str = "._-";
const MOST_NAME_CHARS: usize = 200;

/// Formats that Transcribe takes.
const FORMATS: [&str; 8] = ["mp3", "mp4", "wav", "flac", "ogg", "amr", "webm", "m4a"];

/// What the local engine cannot do, by the member that asks for it.
const LACKING: [(&str, &str); 7] = [
    ("IdentifyMultipleLanguages", "the local speech engine does not tell languages apart"),
    ("ContentRedaction", "the local speech engine does not redact"),
    ("ToxicityDetection", "no local engine judges toxicity"),
    ("ModelSettings", "the local speech engine has no custom models"),
    ("JobExecutionSettings", "local jobs have no execution settings"),
    ("OutputEncryptionKMSKeyId", "there are no keys locally"),
    ("KMSEncryptionContext", "there are no keys locally"),
];

/// The same within `Settings`.
const LACKING_SETTINGS: [(&str, &str); 5] = [
    ("ChannelIdentification", "the local speech engine mixes all channels into one"),
    ("ShowAlternatives", "the local speech engine gives its best guess only"),
    ("VocabularyName", "the local speech engine has no custom vocabularies"),
    ("VocabularyFilterName", "the local speech engine has no vocabulary filters"),
    ("LanguageModelName", "the local speech engine has no custom models"),
];

/// The request, as far as it is acted on; the whole of it is kept with the job.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartRequest {
    pub(super) transcription_job_name: String,
    pub(super) media: MediaFile,
    pub(super) language_code: Option<String>,
    pub(super) media_format: Option<String>,
    pub(super) media_sample_rate_hertz: Option<i64>,
    pub(super) output_bucket_name: Option<String>,
    pub(super) output_key: Option<String>,
    #[serde(default)]
    pub(super) identify_language: bool,
    pub(super) language_options: Option<Vec<String>>,
    #[serde(default)]
    pub(super) settings: Settings,
    pub(super) subtitles: Option<Subtitles>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MediaFile {
    media_file_uri: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settings {
    #[serde(default)]
    pub(super) show_speaker_labels: bool,
    max_speaker_labels: Option<i64>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Subtitles {
    #[serde(default)]
    pub(super) formats: Vec<String>,
    pub(super) output_start_index: Option<i64>,
}

impl StartRequest {
    /// Checks every member that needs nothing but the request.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        check_name(&self.transcription_job_name)?;
        BAD_REQUEST.length(&self.media.media_file_uri, "media.mediaFileUri", 1, 2000)?;
        self.object()?;
        if let Some(format) = &self.media_format {
            BAD_REQUEST.one_of(format, "mediaFormat", &FORMATS)?;
        }
        if let Some(rate) = self.media_sample_rate_hertz {
            BAD_REQUEST.range(rate, "mediaSampleRateHertz", 8000, 48_000)?;
        }
        self.check_output()?;
        self.check_settings()?;
        self.check_language()?;
        lacking(&self.others, &LACKING)?;
        lacking(&self.settings.others, &LACKING_SETTINGS)
    }

    /// The object that is to be transcribed: `s3://bucket/key` or one of S3's own `https` forms.
    pub(super) fn object(&self) -> Result<S3Object, ServiceError> {
        let uri = &self.media.media_file_uri;
        let named = s3_place(uri).filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
        let (bucket, name) = named.ok_or_else(|| {
            BAD_REQUEST.failed(
                uri,
                "media.mediaFileUri",
                "Member must satisfy regular expression pattern: (s3://|http(s*)://).+",
            )
        })?;
        Ok(S3Object { bucket, name, version: None })
    }

    fn check_output(&self) -> Result<(), ServiceError> {
        let Some(key) = &self.output_key else { return Ok(()) };
        if self.output_bucket_name.is_none() {
            return Err(BAD_REQUEST.error("You must provide an output bucket name if you provide an output key."));
        }
        BAD_REQUEST.length(key, "outputKey", 1, 1024)?;
        BAD_REQUEST.characters(key, "outputKey", "-_.!*'()/", "[a-zA-Z0-9-_.!*'()/]{1,1024}$")
    }

    fn check_settings(&self) -> Result<(), ServiceError> {
        let Settings { show_speaker_labels, max_speaker_labels, .. } = &self.settings;
        if let Some(most) = max_speaker_labels {
            BAD_REQUEST.range(*most, "settings.maxSpeakerLabels", 2, 30)?;
        }
        if *show_speaker_labels != max_speaker_labels.is_some() {
            return Err(BAD_REQUEST.error("ShowSpeakerLabels and MaxSpeakerLabels must be given together."));
        }
        let Some(subtitles) = &self.subtitles else { return Ok(()) };
        for format in &subtitles.formats {
            BAD_REQUEST.one_of(format, "subtitles.formats", &["vtt", "srt"])?;
        }
        BAD_REQUEST.range(subtitles.output_start_index.unwrap_or(0), "subtitles.outputStartIndex", 0, 1)
    }

    fn check_language(&self) -> Result<(), ServiceError> {
        let identifies =
            self.identify_language || self.others.get("IdentifyMultipleLanguages") == Some(&Value::Bool(true));
        let options = self.language_options.as_deref().unwrap_or_default();
        match (&self.language_code, identifies) {
            (Some(_), true) | (None, false) => Err(BAD_REQUEST
                .error("You must provide either a language code or ask to identify the language, and not both.")),
            (Some(code), false) => check_english(std::slice::from_ref(code)),
            (None, true) if options.is_empty() => Ok(()),
            (None, true) => check_english(options),
        }
    }
}

pub(super) fn check_name(name: &str) -> Result<(), ServiceError> {
    BAD_REQUEST.length(name, "transcriptionJobName", 1, MOST_NAME_CHARS)?;
    BAD_REQUEST.characters(name, "transcriptionJobName", NAME_OTHERS, NAME_PATTERN)
}

/// Checks what the request names in S3.
pub(super) async fn check_buckets(media: &Media, request: &StartRequest) -> Result<(), ServiceError> {
    file::find(media, &request.object()?).await.map_err(|error| match error.status {
        400 => BAD_REQUEST.error("The S3 URI that you provided can't be accessed. Make sure that the object exists and try your request again."),
        _ => error,
    })?;
    let Some(bucket) = &request.output_bucket_name else { return Ok(()) };
    match media.context().store.bucket(bucket).await {
        Ok(_) => Ok(()),
        Err(StoreError::NoSuchBucket(_)) => Err(BAD_REQUEST.error("The output bucket that you provided can't be accessed. Make sure that it exists and try your request again.")),
        Err(error) => Err(internal(&error)),
    }
}

fn check_english(codes: &[String]) -> Result<(), ServiceError> {
    for code in codes {
        let mut parts = code.split('-');
        let is_code = parts.next().is_some_and(|part| (2..=3).contains(&part.len())) && parts.next().is_some();
        if !is_code || !code.chars().all(|character| character.is_ascii_alphanumeric() || character == '-') {
            return Err(BAD_REQUEST.failed(
                code,
                "languageCode",
                "Member must satisfy enum value set of language codes",
            ));
        }
    }
    if codes.iter().any(|code| code.starts_with("en-")) {
        return Ok(());
    }
    let message =
        format!("`{}` is not available locally: the local speech engine has a model of English only", codes.join(", "));
    Err(ServiceError::not_available_locally(message))
}

fn lacking(members: &serde_json::Map<String, Value>, list: &[(&str, &str)]) -> Result<(), ServiceError> {
    let asks = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    match list.iter().find(|(member, _)| members.get(*member).is_some_and(asks)) {
        Some((member, why)) => {
            Err(ServiceError::not_available_locally(format!("`{member}` is not available locally: {why}")))
        }
        None => Ok(()),
    }
}

/// Bucket and key of an address. Keys in `s3://` addresses are plain, in `https` ones percent-encoded.
fn s3_place(uri: &str) -> Option<(String, String)> {
    if let Some(rest) = uri.strip_prefix("s3://") {
        let (bucket, key) = rest.split_once('/')?;
        return Some((bucket.to_owned(), key.to_owned()));
    }
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    if host.starts_with("s3.") || host.starts_with("s3-") {
        let (bucket, key) = path.split_once('/')?;
        return Some((bucket.to_owned(), plain(key)));
    }
    let (bucket, _) = host.split_once(".s3.").or_else(|| host.split_once(".s3-"))?;
    Some((bucket.to_owned(), plain(path)))
}
