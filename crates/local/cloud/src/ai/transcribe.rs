//! Amazon Transcribe over the local speech engine.
//!
//! Batch jobs: start, get, list, delete. Validation, limits and error names are AWS's own
//! (<https://docs.aws.amazon.com/transcribe/latest/APIReference/API_Operations.html>). The engine knows
//! English, one channel, and no punctuation; it tells no speakers apart, and the transcript says so
//! instead of naming one. Streaming, call analytics, vocabularies and redaction are HTTP 501
//! `NotAvailableLocally`.

mod job;
mod output;
mod request;
mod subtitles;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::{Value, json};

use super::jobs::{Filter, Job, NewJob, Opened, Service, Status};
use super::media::Media;
use super::token;
use super::validate::Validation;
use crate::wire::{Outcome, Reply, ServiceError, decode};
pub(super) use job::{make_bucket, run};
use request::StartRequest;

const BAD_REQUEST: Validation = Validation("BadRequestException");

/// Jobs of an account that may run or wait at a time.
const MOST_OPEN_JOBS: usize = 250;

/// Jobs on a page of a list: as many as AWS gives unasked, and the most that may be asked for.
const PAGE_JOBS: i64 = 5;
const MOST_PAGE_JOBS: i64 = 100;

/// Answers one operation with its JSON body.
///
/// # Errors
/// Transcribe's own errors for what it would refuse, `NotAvailableLocally` for what only it can do.
pub async fn handle(media: &Media, operation: &str, body: Value) -> Outcome {
    match operation {
        "StartTranscriptionJob" => start(media, body).await,
        "GetTranscriptionJob" => get(media, decode(body)?).await,
        "ListTranscriptionJobs" => list(media, decode(body)?).await,
        "DeleteTranscriptionJob" => delete(media, decode(body)?).await,
        other => Err(ServiceError::not_available_locally(format!(
            "`{other}` is not available locally: the local speech engine runs transcription jobs only"
        ))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    transcription_job_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    status: Option<String>,
    job_name_contains: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

async fn start(media: &Media, mut body: Value) -> Outcome {
    // A member that is null is one that is not given; the kept request is shown again later.
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let request: StartRequest = decode(body.clone())?;
    request.check()?;
    request::check_buckets(media, &request).await?;
    if let Some(existing) = media.find_job(Service::Transcribe, &request.transcription_job_name).await? {
        return Err(conflict(&existing));
    }
    if media.count_open_jobs(Service::Transcribe).await? >= MOST_OPEN_JOBS {
        return Err(ServiceError::client(
            "LimitExceededException",
            "You have too many concurrent jobs. Wait until a job ends and try again.",
        ));
    }
    media.block(|media| media.speech().map(drop)).await?;
    let name = request.transcription_job_name.clone();
    let new =
        NewJob { service: Service::Transcribe, name, kind: "transcription".to_owned(), token: None, request: body };
    if let Opened::Existing(existing) = media.open_job(new).await? {
        return Err(conflict(&existing));
    }
    let job = find(media, &request.transcription_job_name).await?;
    Ok(reply(&job, json!({"TranscriptionJob": describe(&job)})))
}

async fn get(media: &Media, named: Named) -> Outcome {
    let job = find(media, &named.transcription_job_name).await?;
    Ok(reply(&job, json!({"TranscriptionJob": describe(&job)})))
}

async fn delete(media: &Media, named: Named) -> Outcome {
    request::check_name(&named.transcription_job_name)?;
    if media.delete_job(Service::Transcribe, &named.transcription_job_name).await? {
        return Ok(Reply::plain(json!({})));
    }
    Err(not_found())
}

async fn list(media: &Media, request: ListRequest) -> Outcome {
    let filter = filter(&request)?;
    let most = filter.most;
    let mut jobs = media.list_jobs(Filter { most: most + 1, ..filter }).await?;
    let has_more = jobs.len() > most;
    jobs.truncate(most);
    let next = jobs.last().filter(|_| has_more).map(|last| token::seal(&(last.created.as_millisecond(), &last.name)));
    let summaries: Vec<Value> = jobs.iter().map(in_list).collect();
    let mut body = json!({"TranscriptionJobSummaries": summaries});
    put(&mut body, "Status", request.status.map(Value::from));
    put(&mut body, "NextToken", next.map(Value::from));
    Ok(Reply::plain(body))
}

fn filter(request: &ListRequest) -> Result<Filter, ServiceError> {
    let most = request.max_results.unwrap_or(PAGE_JOBS);
    BAD_REQUEST.range(most, "maxResults", 1, MOST_PAGE_JOBS)?;
    if let Some(status) = &request.status {
        BAD_REQUEST.one_of(status, "status", &["IN_PROGRESS", "FAILED", "COMPLETED", "QUEUED"])?;
    }
    let after = request.next_token.as_deref().map(token::open::<(i64, String)>).transpose();
    let after = after.map_err(|_| BAD_REQUEST.error("The provided next token isn't valid."))?;
    Ok(Filter {
        service: Service::Transcribe,
        status: request.status.as_deref().and_then(Status::named),
        name_contains: request.job_name_contains.clone(),
        after,
        most: usize::try_from(most).unwrap_or(1),
    })
}

async fn find(media: &Media, name: &str) -> Result<Job, ServiceError> {
    request::check_name(name)?;
    media.find_job(Service::Transcribe, name).await?.ok_or_else(not_found)
}

fn not_found() -> ServiceError {
    BAD_REQUEST.error("The requested job couldn't be found. Check the job name and try your request again.")
}

fn conflict(existing: &Job) -> ServiceError {
    let message = format!("The requested job name already exists. Use a different job name than `{}`.", existing.name);
    ServiceError::client("ConflictException", message)
}

fn reply(job: &Job, body: Value) -> Reply {
    match job.result.get("Engine").and_then(Value::as_str) {
        Some(engine) => Reply::from_engine(body, engine),
        None => Reply::plain(body),
    }
}

/// A job as `GetTranscriptionJob` gives it.
fn describe(job: &Job) -> Value {
    let mut answer = summarise(job);
    for member in ["Media", "MediaFormat", "MediaSampleRateHertz", "Settings", "LanguageOptions", "Tags"] {
        put(&mut answer, member, job.request.get(member).cloned());
    }
    put(&mut answer, "Transcript", job.result.get("TranscriptFileUri").map(|uri| json!({"TranscriptFileUri": uri})));
    for member in ["MediaFormat", "MediaSampleRateHertz"] {
        put(&mut answer, member, job.result.get(member).cloned());
    }
    if let Some(asked) = job.request.get("Subtitles") {
        let mut subtitles = asked.clone();
        put(&mut subtitles, "SubtitleFileUris", job.result.get("SubtitleFileUris").cloned());
        put(&mut answer, "Subtitles", Some(subtitles));
    }
    answer
}

/// A job as it stands in a list.
fn in_list(job: &Job) -> Value {
    let is_customers = job.request.get("OutputBucketName").is_some();
    let mut answer = summarise(job);
    put(
        &mut answer,
        "OutputLocationType",
        Some(if is_customers { "CUSTOMER_BUCKET" } else { "SERVICE_BUCKET" }.into()),
    );
    answer
}

/// What lists and descriptions of jobs have in common.
fn summarise(job: &Job) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 stay under 2^52 for ages")]
    let seconds = |time: jiff::Timestamp| Value::from(time.as_millisecond() as f64 / 1000.0);
    let mut answer = json!({
        "TranscriptionJobName": job.name,
        "TranscriptionJobStatus": job.status.name(),
        "CreationTime": seconds(job.created),
    });
    put(&mut answer, "StartTime", job.started.map(seconds));
    put(&mut answer, "CompletionTime", job.ended.map(seconds));
    put(&mut answer, "FailureReason", job.reason.clone().map(Value::from));
    put(&mut answer, "IdentifyLanguage", job.request.get("IdentifyLanguage").cloned());
    let language = job.request.get("LanguageCode").or_else(|| job.result.get("LanguageCode"));
    put(&mut answer, "LanguageCode", language.cloned());
    answer
}

/// Sets a member where there is a value for it.
fn put(object: &mut Value, member: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(member.to_owned(), value);
    }
}
