//! Amazon Transcribe: speech in recordings and films, with times, speakers and subtitles.
//!
//! A job is named by the run's token, so a second start adopts the first, unless that failed before a redrive. Transcribe reads the
//! current version of an object only: a replaced one is refused before the start and named in a
//! warning afterwards. What it refuses to do: take formats that Transcribe does not list.
//!
//! Limits: <https://docs.aws.amazon.com/general/latest/gr/transcribe.html#limits-amazon-transcribe>.

use aws::call::{CallError, call_error, failure};
use aws::engine::TellEngine;
use aws_sdk_transcribe::Client;
use aws_sdk_transcribe::config::Builder;
use aws_sdk_transcribe::operation::start_transcription_job::StartTranscriptionJobError;
use aws_sdk_transcribe::operation::start_transcription_job::builders::StartTranscriptionJobFluentBuilder;
use aws_sdk_transcribe::types::{
    Media, MediaFormat, Settings, SubtitleFormat, Subtitles, TranscriptionJob, TranscriptionJobStatus,
};
use domain::answer::{FeatureOutcome, Findings, Outcome};
use domain::extraction::Extraction;
use domain::failure::{Failure, FailureName};
use domain::media::Family;
use domain::object::ObjectRef;
use domain::plan::{Place, Subject, Task};
use domain::settings::Preset;
use futures::future::BoxFuture;

use crate::service::{Amount, Call, Descriptor, Feature, Poll, Polled, Service, Start, Started};
use transcript::{Raw, Transcript};

mod language;
mod media;
#[cfg(test)]
mod tests;
mod transcript;

const TRANSCRIPT: &str = "transcript";
const SPEAKER_LABELS: &str = "speaker_labels";
const SUBTITLES: &str = "subtitles";

/// Media files: 2 GB.
const LIMIT_BYTES: u64 = 2 << 30;
/// Recordings: 4 hours at most …
const LONGEST_SECONDS: f64 = 4.0 * 3600.0;
/// … and half a second at least.
const SHORTEST_SECONDS: f64 = 0.5;
/// Characters in a media URI.
const URI_CHARS: usize = 2000;
/// Voices to tell apart: a meeting has hardly more, and Transcribe takes 30.
const SPEAKERS: i32 = 10;
/// A compressed recording takes about this much a second (128 kbit/s); only waits depend on it.
const BYTES_A_SECOND: u64 = 16_000;
/// Every job waits some seconds in the service, however short the recording.
const SHORTEST_JOB_SECONDS: u64 = 4;
/// A recording is transcribed about four times as fast as it plays.
const SPEED: u64 = 4;

/// List price of a second, us-east-1, first tier: <https://aws.amazon.com/transcribe/pricing/>.
const SECOND_USD: f64 = 0.024 / 60.0;
/// The shortest time that is charged for.
const CHARGED_SECONDS: f64 = 15.0;

const DESCRIPTOR: Descriptor = Descriptor {
    id: "transcribe",
    features: &[
        Feature {
            name: TRANSCRIPT,
            preset: Preset::On,
            about: "spoken words with times; off, nothing is asked of Transcribe",
        },
        Feature { name: SPEAKER_LABELS, preset: Preset::On, about: "who speaks when, voices by number" },
        Feature {
            name: SUBTITLES,
            preset: Preset::Off,
            about: "subtitle files (WebVTT and SubRip) beside the raw answer",
        },
    ],
    actions: &[
        "transcribe:StartTranscriptionJob",
        "transcribe:GetTranscriptionJob",
        "transcribe:DeleteTranscriptionJob",
    ],
    polling: &["transcribe:GetTranscriptionJob"],
    opens_the_file: true,
};

/// Amazon Transcribe.
#[derive(Debug, Clone, Copy)]
pub struct Transcribe;

impl Service for Transcribe {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn place(&self, subject: &Subject) -> Option<Place> {
        let speaks = matches!(subject.family, Family::Audio | Family::Video);
        (speaks && media::format(&subject.media_type).is_some()).then_some(Place::Reads("speech"))
    }

    fn list_price_usd(&self, features: &[String], amount: &Amount) -> f64 {
        if amount.seconds == 0 || !features.iter().any(|feature| feature == TRANSCRIPT) {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "no recording has 2^52 seconds")]
        let seconds = amount.seconds as f64;
        seconds.max(CHARGED_SECONDS) * SECOND_USD
    }

    fn check(&self, subject: &Subject, _: &Task) -> Result<(), Failure> {
        if media::format(&subject.media_type).is_none() {
            let message = format!(
                "transcribe does not take `{}`: it takes AMR, FLAC, M4A, MP3, MP4, Ogg, WebM and WAV",
                subject.media_type
            );
            return Err(Failure::new(FailureName::UnsupportedMedia, message));
        }
        if subject.size_bytes > LIMIT_BYTES {
            let message = format!(
                "`{}` has {} bytes, and transcribe takes {LIMIT_BYTES} at most",
                subject.object, subject.size_bytes
            );
            return Err(Failure::new(FailureName::ObjectTooLarge, message));
        }
        let uri_chars = subject.object.uri().chars().count();
        if uri_chars > URI_CHARS {
            return Err(Failure::invalid_input(format!(
                "the address of the object has {uri_chars} characters, and transcribe takes {URI_CHARS} at most"
            )));
        }
        Ok(())
    }

    fn contribute(&self, findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
        transcript::contribute(findings, document)
    }
}

impl Start for Transcribe {
    fn start<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Started, Failure>> {
        Box::pin(call.engines.during(start(call)))
    }
}

impl Poll for Transcribe {
    fn poll<'a>(&'a self, call: &'a Call<'a>, job: &'a str) -> BoxFuture<'a, Result<Polled, Failure>> {
        Box::pin(call.engines.during(poll(call, job)))
    }
}

fn client(call: &Call<'_>) -> Client {
    call.deployment.client(|sdk| Client::from_conf(Builder::from(sdk).interceptor(TellEngine).build()))
}

async fn start(call: &Call<'_>) -> Result<Started, Failure> {
    if !call.wants(TRANSCRIPT) {
        return Ok(Started::Done(Findings::skipped(
            "the transcript is switched off, and nothing else is made without it",
        )));
    }
    let seconds = media_seconds(call).await?;
    if let Some(short) = seconds.filter(|seconds| *seconds < SHORTEST_SECONDS) {
        return Ok(Started::Done(Findings::skipped(format!(
            "the recording lasts {short:.3} s, and transcribe takes {SHORTEST_SECONDS} s at least"
        ))));
    }
    if let Some(long) = seconds.filter(|seconds| *seconds > LONGEST_SECONDS) {
        let message =
            format!("`{}` lasts {long:.0} s, and transcribe takes {LONGEST_SECONDS} s at most", call.subject.object);
        return Err(Failure::new(FailureName::ObjectTooLarge, message));
    }
    insist_on_current(call).await?;
    start_job(call, expected_seconds(call.subject, seconds)).await
}

async fn start_job(call: &Call<'_>, expected_seconds: u32) -> Result<Started, Failure> {
    let client = client(call);
    let running = Started::Running { id: call.token.to_owned(), expected_seconds };
    let Err(error) = request(call, &client)?.send().await else { return Ok(running) };
    if error.as_service_error().is_some_and(StartTranscriptionJobError::is_conflict_exception) {
        return adopt(call, &client).await.map(|()| running);
    }
    match call_error("transcribe:StartTranscriptionJob", &error) {
        CallError::Unavailable(reason) => Ok(Started::Done(unavailable(call, &reason))),
        CallError::Failed(failure) => Err(failure),
    }
}

/// Takes the job of that name for this run's own; one that failed before a redrive makes room for another try.
async fn adopt(call: &Call<'_>, client: &Client) -> Result<(), Failure> {
    let there = job(client, call.token).await?;
    if call.redrives == 0 || there.transcription_job_status() != Some(&TranscriptionJobStatus::Failed) {
        return Ok(());
    }
    let deleted = client.delete_transcription_job().transcription_job_name(call.token).send().await;
    deleted.map_err(|error| failure("transcribe:DeleteTranscriptionJob", &error))?;
    let started = request(call, client)?.send().await;
    started.map(drop).map_err(|error| failure("transcribe:StartTranscriptionJob", &error))
}

/// How long the recording lasts, where the header in its first bytes says.
async fn media_seconds(call: &Call<'_>) -> Result<Option<f64>, Failure> {
    let subject = call.subject;
    if !matches!(media::format(&subject.media_type), Some(MediaFormat::Wav | MediaFormat::Flac)) {
        return Ok(None);
    }
    let head = call.deployment.store.range(&subject.object, &subject.etag, 0, media::HEADER_BYTES).await?;
    Ok(media::seconds(&head, subject.size_bytes))
}

async fn insist_on_current(call: &Call<'_>) -> Result<(), Failure> {
    if is_current(call).await? {
        return Ok(());
    }
    let message = format!("`{}` was replaced, and transcribe reads the current version only", call.subject.object);
    Err(Failure::new(FailureName::ObjectGone, message))
}

/// Whether the current version of the object still is the one that was classified.
async fn is_current(call: &Call<'_>) -> Result<bool, Failure> {
    let object = &call.subject.object;
    let current = call.deployment.store.head(&ObjectRef::new(&object.bucket, &object.key)).await?;
    Ok(current.etag == call.subject.etag)
}

fn expected_seconds(subject: &Subject, media_seconds: Option<f64>) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float saturates, and no duration is negative"
    )]
    let seconds = media_seconds.map_or(subject.size_bytes / BYTES_A_SECOND, |seconds| seconds as u64);
    u32::try_from(SHORTEST_JOB_SECONDS + seconds / SPEED).unwrap_or(u32::MAX)
}

fn request(call: &Call<'_>, client: &Client) -> Result<StartTranscriptionJobFluentBuilder, Failure> {
    let request = client
        .start_transcription_job()
        .transcription_job_name(call.token)
        .media(Media::builder().media_file_uri(call.subject.object.uri()).build())
        .set_media_format(media::format(&call.subject.media_type))
        .output_bucket_name(&call.work.bucket)
        .output_key(output(call)?.key)
        .set_settings(
            call.wants(SPEAKER_LABELS)
                .then(|| Settings::builder().show_speaker_labels(true).max_speaker_labels(SPEAKERS).build()),
        )
        .set_subtitles(call.wants(SUBTITLES).then(subtitles));
    Ok(with_language(request, &call.deployment.settings.languages))
}

fn subtitles() -> Subtitles {
    Subtitles::builder().formats(SubtitleFormat::Vtt).formats(SubtitleFormat::Srt).output_start_index(1).build()
}

/// One language is given, several are told apart, none leaves the choice to the service.
fn with_language(
    request: StartTranscriptionJobFluentBuilder,
    languages: &[String],
) -> StartTranscriptionJobFluentBuilder {
    let options = language::options(languages);
    match options.as_slice() {
        [] => request.identify_language(true),
        [one] => request.language_code(one.clone()),
        _ => request.identify_language(true).set_language_options(Some(options)),
    }
}

/// Where the transcript goes; Transcribe refuses output keys with `=`.
fn output(call: &Call<'_>) -> Result<ObjectRef, Failure> {
    let key = format!("{}{}.json", call.work.key, call.token);
    if key.contains('=') {
        return Err(Failure::internal(format!("failed to name the transcript `{key}`: transcribe takes no `=` in it")));
    }
    Ok(ObjectRef::new(&call.work.bucket, key))
}

async fn job(client: &Client, name: &str) -> Result<TranscriptionJob, Failure> {
    let answer = client.get_transcription_job().transcription_job_name(name).send().await;
    let answer = answer.map_err(|error| failure("transcribe:GetTranscriptionJob", &error))?;
    answer.transcription_job.ok_or_else(|| Failure::rejected(format!("transcribe gave no job `{name}`")))
}

async fn poll(call: &Call<'_>, name: &str) -> Result<Polled, Failure> {
    let job = job(&client(call), name).await?;
    match job.transcription_job_status() {
        Some(TranscriptionJobStatus::Completed) => collect(call, &job).await.map(Polled::Done),
        Some(TranscriptionJobStatus::Failed) => Err(job_failure(job.failure_reason().unwrap_or("no reason given"))),
        _ => Ok(Polled::Running),
    }
}

/// Beginnings of the reasons that the API reference lists, and what they mean.
///
/// <https://docs.aws.amazon.com/transcribe/latest/APIReference/API_TranscriptionJob.html>. A job
/// that failed carries no code, so here the documented text is all there is.
const REASONS: &[(&str, FailureName)] = &[
    ("Unsupported media format", FailureName::UnsupportedMedia),
    ("The media format provided does not match", FailureName::UnsupportedMedia),
    ("Invalid sample rate", FailureName::UnsupportedMedia),
    ("The sample rate provided does not match", FailureName::UnsupportedMedia),
    ("Invalid number of channels", FailureName::UnsupportedMedia),
    ("Invalid file size", FailureName::ObjectTooLarge),
];

fn job_failure(reason: &str) -> Failure {
    let known = REASONS.iter().find(|(beginning, _)| reason.starts_with(beginning));
    let name = known.map_or(FailureName::ServiceRejected, |(_, name)| *name);
    Failure::new(name, format!("transcribe failed: {reason}"))
}

async fn collect(call: &Call<'_>, job: &TranscriptionJob) -> Result<Findings, Failure> {
    let output = output(call)?;
    let transcript: Option<Transcript> = call.deployment.store.read_json(&output).await?;
    let transcript = transcript.ok_or_else(|| {
        Failure::new(FailureName::Transient, format!("transcribe is done, and `{output}` is not there"))
    })?;
    let raw = Raw {
        identified_language_score: job.identified_language_score().map(|score| (f64::from(score) * 1e6).round() / 1e6),
        language_code: job.language_code().map(|code| code.as_str().to_owned()),
        subtitle_file_uris: job.subtitles().map(|it| it.subtitle_file_uris().to_vec()).unwrap_or_default(),
        media_seconds: known(media_seconds(call).await)?.flatten(),
        replaced: known(is_current(call).await)?.is_some_and(|current| !current),
        transcript,
    };
    let engine = call.engines.engine();
    Ok(Findings {
        pages: 0,
        cost_usd: cost_usd(&raw),
        features: features(call, &raw, &engine),
        skipped: None,
        raw: to_value(&raw)?,
        engine,
    })
}

/// What can still be said of an object that may be gone by now: its transcript stands without it.
fn known<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Err(failure) if failure.name == FailureName::ObjectGone => Ok(None),
        result => result.map(Some),
    }
}

fn to_value(raw: &Raw) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(raw)
        .map_err(|error| Failure::internal(format!("failed to keep the answer of `transcribe`: {error}")))
}

/// How each feature ended: one that the answer does not hold is one that the engine does not have.
fn features(call: &Call<'_>, raw: &Raw, engine: &str) -> Vec<FeatureOutcome> {
    let has_speakers = raw.transcript.has_speakers() || !raw.transcript.has_words();
    let states = [
        (TRANSCRIPT, true, ""),
        (SPEAKER_LABELS, has_speakers, "does not tell speakers apart"),
        (SUBTITLES, !raw.subtitle_file_uris.is_empty(), "makes no subtitles"),
    ];
    let wanted = states.into_iter().filter(|(feature, ..)| call.wants(feature));
    wanted
        .map(|(feature, there, lacks)| FeatureOutcome {
            feature: feature.to_owned(),
            outcome: if there { Outcome::Succeeded } else { Outcome::Unavailable },
            reason: (!there).then(|| format!("the engine `{engine}` {lacks}")),
        })
        .collect()
}

/// Findings of a task that no engine here does.
fn unavailable(call: &Call<'_>, reason: &str) -> Findings {
    let feature = |feature: &String| FeatureOutcome {
        feature: feature.clone(),
        outcome: Outcome::Unavailable,
        reason: Some(reason.to_owned()),
    };
    let features = call.task.features.iter().map(feature).collect();
    Findings {
        engine: call.engines.engine(),
        pages: 0,
        cost_usd: 0.0,
        features,
        skipped: None,
        raw: serde_json::Value::Null,
    }
}

/// By the length of the recording, or of the speech in it where the recording's is not known.
fn cost_usd(raw: &Raw) -> f64 {
    let seconds = raw.media_seconds.or(raw.transcript.speech_end_seconds()).unwrap_or(0.0);
    seconds.ceil().max(CHARGED_SECONDS) * SECOND_USD
}
