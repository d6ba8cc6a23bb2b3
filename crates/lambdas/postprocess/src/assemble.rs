//! From answers and errors to one document with a record of each task.

use aws::Deployment;
use domain::answer::{Answer, Outcome};
use domain::extraction::{Extraction, TaskRecord};
use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::stage::{CaughtError, Extracted, Facts, TrackResult};
use services::task::{contribute, read_answers};

/// The document of all tracks.
///
/// # Errors
/// When an answer is gone or not what its service promises.
pub(crate) async fn document(deployment: &Deployment, extracted: &Extracted) -> Result<Extraction, Failure> {
    let mut document = Extraction::about(extracted.subject.clone());
    for result in &extracted.results {
        document.absorb(track(deployment, result).await?);
    }
    Ok(document)
}

async fn track(deployment: &Deployment, result: &TrackResult) -> Result<Extraction, Failure> {
    let mut document = Extraction::about(result.state.subject.clone());
    for place in &result.state.answers {
        for answer in read_answers(deployment, place).await? {
            contribute(&answer, &mut document)?;
            document.tasks.push(answered(&result.state.track.name, answer, place));
        }
    }
    document.tasks.extend(failed(result));
    Ok(document)
}

fn answered(track: &str, answer: Answer, place: &ObjectRef) -> TaskRecord {
    let outcome = answer.findings.outcome();
    let reason = answer.findings.skipped.or_else(|| first_reason(&answer.findings.features, outcome));
    TaskRecord {
        track: track.to_owned(),
        service: answer.service,
        engine: (outcome != Outcome::Skipped).then_some(answer.findings.engine),
        request_token: Some(answer.request_token),
        started: Some(answer.started),
        finished: Some(answer.finished),
        pages: answer.findings.pages,
        cost_usd: answer.findings.cost_usd,
        outcome,
        reason,
        features: answer.findings.features,
        answer: Some(place.clone()),
    }
}

fn first_reason(features: &[domain::answer::FeatureOutcome], outcome: Outcome) -> Option<String> {
    features.iter().find(|feature| outcome != Outcome::Succeeded && feature.outcome == outcome)?.reason.clone()
}

/// The record of the task that stopped the track; the tasks behind it were never asked.
fn failed(result: &TrackResult) -> Option<TaskRecord> {
    let failure = result.error.as_ref()?.failure();
    Some(TaskRecord {
        track: result.state.track.name.clone(),
        service: result.state.task().map(|task| task.service.clone()).unwrap_or_default(),
        engine: None,
        request_token: None,
        started: None,
        finished: None,
        pages: 0,
        cost_usd: 0.0,
        outcome: Outcome::Failed,
        reason: Some(failure.message),
        features: Vec::new(),
        answer: None,
    })
}

/// What stopped each track that did not come to its end.
pub(crate) fn failures(extracted: &Extracted) -> Vec<Failure> {
    extracted.results.iter().filter_map(|result| result.error.as_ref()).map(CaughtError::failure).collect()
}

/// Whether some task looked for personal data and could say what it found.
pub(crate) fn looked_for_pii(document: &Extraction) -> bool {
    let features = document.tasks.iter().flat_map(|task| &task.features);
    features.into_iter().any(|feature| feature.feature == "pii" && feature.outcome == Outcome::Succeeded)
}

/// The key of the partitioned copy: what was found, then the file's own name.
pub(crate) fn partitioned_key(extracted: &Extracted, facts: &Facts) -> String {
    let sensitivity = name_of(&facts.sensitivity);
    let family = name_of(&extracted.subject.family);
    let run = &extracted.arrived.execution.name;
    format!(
        "sensitivity={sensitivity}/family={family}/language={}/{run}/{}",
        facts.language.as_deref().unwrap_or("none"),
        extracted.subject.object.file_name()
    )
}

/// Tags of the partitioned copy, for access rules; S3 allows ten.
pub(crate) fn tags(extracted: &Extracted, facts: &Facts) -> Vec<(String, String)> {
    let tag = |key: &str, value: String| (key.to_owned(), value);
    vec![
        tag("sluice:sensitivity", name_of(&facts.sensitivity)),
        tag("sluice:family", name_of(&extracted.subject.family)),
        tag("sluice:language", facts.language.clone().unwrap_or_else(|| "none".to_owned())),
        tag("sluice:run", extracted.arrived.execution.name.clone()),
    ]
}

fn name_of(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_lowercase)).unwrap_or_default()
}
