//! One transcription: the object's sound to words, the words to files in S3.

use bytes::Bytes;
use engines::media::MediaError;
use engines::speech::{SpeechError, Transcript};
use serde_json::{Value, json};

use super::output::{self, Asked};
use super::request::StartRequest;
use super::subtitles;
use crate::ai::file::{self, Errors, WorkFile};
use crate::ai::jobs::{End, Job, SERVICE_BUCKET, Stop};
use crate::ai::media::{Media, chain, internal, is_speech_lacking};
use crate::store::{Store, StoreError};
use crate::wire::{ServiceError, decode};

/// Media files: 2 GB.
const MOST_BYTES: u64 = 2 << 30;

/// The shortest recording, in seconds.
const SHORTEST_SECONDS: f64 = 0.5;

const TOO_LARGE: &str =
    "Invalid file size: file size too large. The media file is larger than 2 GB or longer than 4 hours.";
const UNREADABLE: &str =
    "The S3 URI that you provided can't be accessed. Make sure that the object exists and try your request again.";

/// Names of containers as ffprobe lists them, by the formats that Transcribe takes.
const CONTAINERS: [(&str, &str); 8] = [
    ("wav", "wav"),
    ("mp3", "mp3"),
    ("flac", "flac"),
    ("ogg", "ogg"),
    ("amr", "amr"),
    ("webm", "matroska,webm"),
    ("mp4", "mov,mp4,m4a,3gp,3g2,mj2"),
    ("m4a", "mov,mp4,m4a,3gp,3g2,mj2"),
];

/// What the blocking part gives.
struct Heard {
    transcript: Transcript,
    format: String,
    sample_rate: Option<u32>,
}

/// Why the blocking part gives nothing: the file's fault ends the job, another leaves it open.
enum Fault {
    File(String),
    Ours(ServiceError),
}

/// Runs one job to its end.
pub(in crate::ai) async fn run(media: &Media, job: &Job, stop: Stop) -> Result<End, ServiceError> {
    let request: StartRequest = decode(job.request.clone())?;
    let errors = Errors {
        too_large: || ServiceError::client("TooLarge", TOO_LARGE),
        invalid: || ServiceError::client("Invalid", UNREADABLE),
    };
    let file = match file::link(media, &request.object()?, MOST_BYTES, errors).await {
        Ok(file) => file,
        Err(error) if error.status == 400 && error.code == "TooLarge" => return Ok(End::Failed(TOO_LARGE.to_owned())),
        Err(error) if error.status == 400 => return Ok(End::Failed(UNREADABLE.to_owned())),
        Err(error) => return Err(error),
    };
    let wanted = request.media_format.clone();
    let heard = media.block(move |media| Ok(listen(media, &file, wanted.as_deref(), &stop))).await?;
    match heard {
        Ok(heard) => write(media, job, &request, &heard).await,
        Err(Fault::File(reason)) => Ok(End::Failed(reason)),
        Err(Fault::Ours(error)) => Err(error),
    }
}

fn listen(media: &Media, file: &WorkFile, wanted: Option<&str>, stop: &Stop) -> Result<Heard, Fault> {
    let scratch = &media.context().scratch;
    let info = engines::media::inspect(file.path(), scratch).map_err(|error| fault(error.into()))?;
    let format = format(&info.container, wanted)?;
    if info.duration_seconds.is_some_and(|seconds| seconds < SHORTEST_SECONDS) {
        return Err(Fault::File(format!(
            "Invalid media length: the recording must last {SHORTEST_SECONDS} seconds at least."
        )));
    }
    let speech = media.speech().map_err(|error| Fault::File(error.message))?;
    let transcript = speech.transcribe(file.path(), stop.flag()).map_err(fault)?;
    Ok(Heard { transcript, format, sample_rate: info.sample_rate })
}

fn format(container: &str, wanted: Option<&str>) -> Result<String, Fault> {
    let known = |name: &str| CONTAINERS.iter().find(|(format, container)| *format == name || *container == name);
    let Some((detected, _)) = known(container) else {
        return Err(Fault::File(format!(
            "Unsupported media format. The file is `{container}`; supported are AMR, FLAC, M4A, MP3, MP4, Ogg, WebM and WAV."
        )));
    };
    match wanted.and_then(known) {
        Some((_, other)) if *other != container => {
            Err(Fault::File("The media format provided does not match the detected media format.".to_owned()))
        }
        Some((format, _)) => Ok((*format).to_owned()),
        None => Ok((*detected).to_owned()),
    }
}

fn fault(error: SpeechError) -> Fault {
    match error {
        SpeechError::TooLong => Fault::File(TOO_LARGE.to_owned()),
        SpeechError::Media(MediaError::NoAudio) => {
            Fault::File("Unsupported media format. The file has no audio stream.".to_owned())
        }
        SpeechError::Media(MediaError::Damaged(why)) => {
            Fault::File(format!("Unsupported media format. The file cannot be decoded: {why}."))
        }
        SpeechError::Stopped | SpeechError::Media(MediaError::Io(_)) => Fault::Ours(internal(&error)),
        error if is_speech_lacking(&error) => {
            Fault::File(format!("The speech engine is not available locally: {}.", chain(&error)))
        }
        error => Fault::File(format!("The media file could not be transcribed: {}.", chain(&error))),
    }
}

async fn write(media: &Media, job: &Job, request: &StartRequest, heard: &Heard) -> Result<End, ServiceError> {
    let place = Place::of(media, job, request);
    let store = &media.context().store;
    if request.output_bucket_name.is_none() {
        make_bucket(store).await?;
    }
    let asked = Asked {
        identifies: request.identify_language,
        language: request.language_code.as_deref(),
        speakers: request.settings.show_speaker_labels,
    };
    let transcript = output::transcript(&job.name, &heard.transcript, asked);
    let mut files = vec![(place.key.clone(), "application/json", transcript.to_string())];
    let subtitles = request.subtitles.iter();
    files.extend(
        subtitles
            .flat_map(|subtitles| subtitles::files(&heard.transcript, subtitles))
            .map(|it| (place.beside(it.extension), it.content_type, it.text)),
    );
    for (key, content_type, text) in &files {
        let put = store.put_bytes(&place.bucket, key, Some(content_type), Bytes::from(text.clone())).await;
        match put {
            Ok(_) => {}
            Err(StoreError::NoSuchBucket(bucket)) => {
                return Ok(End::Failed(format!("The output bucket `{bucket}` is not there any more.")));
            }
            Err(error) => return Err(internal(&error)),
        }
    }
    let uris: Vec<String> = files.iter().skip(1).map(|(key, ..)| place.uri(key)).collect();
    let mut result = json!({
        "TranscriptFileUri": place.uri(&place.key),
        "LanguageCode": asked.language(),
        "MediaFormat": heard.format,
        "MediaSampleRateHertz": heard.sample_rate,
        "Engine": heard.transcript.engine,
    });
    super::put(&mut result, "SubtitleFileUris", (!uris.is_empty()).then(|| Value::from(uris)));
    Ok(End::Completed(result))
}

/// Makes the service's own bucket, where it is not there.
pub(in crate::ai) async fn make_bucket(store: &Store) -> Result<(), ServiceError> {
    match store.create_bucket(SERVICE_BUCKET).await {
        Ok(()) | Err(StoreError::BucketExists(_)) => Ok(()),
        Err(error) => Err(internal(&error)),
    }
}

/// Where the files of a job go.
struct Place {
    bucket: String,
    key: String,
    /// What stands before `bucket/key` in the answer.
    prefix: String,
}

impl Place {
    /// A customer's bucket gets the address that AWS gives; that of our own bucket works with any S3
    /// client that is pointed at this cloud.
    fn of(media: &Media, job: &Job, request: &StartRequest) -> Self {
        let file = format!("{}.json", job.name);
        let Some(bucket) = request.output_bucket_name.clone() else {
            return Self {
                bucket: SERVICE_BUCKET.to_owned(),
                key: format!("transcribe/{file}"),
                prefix: "s3://".to_owned(),
            };
        };
        let key = match &request.output_key {
            None => file,
            Some(folder) if folder.ends_with('/') => format!("{folder}{file}"),
            Some(key) => key.clone(),
        };
        Self { bucket, key, prefix: format!("https://s3.{}.amazonaws.com/", media.context().region) }
    }

    fn uri(&self, key: &str) -> String {
        format!("{}{}/{key}", self.prefix, self.bucket)
    }

    /// A key beside the transcript's, with another extension.
    fn beside(&self, extension: &str) -> String {
        let stem = self.key.strip_suffix(".json").unwrap_or(&self.key);
        format!("{stem}.{extension}")
    }
}
