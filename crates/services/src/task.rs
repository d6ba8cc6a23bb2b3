//! One task of a track: what it is called with, where its answer lies, how a track's document grows.

use aws::Deployment;
use aws::engine::EngineRecorder;
use domain::answer::{Answer, Findings};
use domain::change::work_prefix;
use domain::extraction::Extraction;
use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::plan::Task;
use domain::run::request_token;
use domain::stage::TrackState;
use jiff::Timestamp;

use crate::registry::{POLLED, STARTED, find};
use crate::service::{Call, Poll, Service, Start};

/// A task with all that its call needs.
#[derive(Debug)]
pub struct Prepared<'a> {
    deployment: &'a Deployment,
    state: &'a TrackState,
    task: &'a Task,
    token: String,
    earlier: Extraction,
    work: ObjectRef,
    engines: EngineRecorder,
}

impl<'a> Prepared<'a> {
    /// Gathers what the current task of `state` needs.
    ///
    /// # Errors
    /// When the track has no such task, or an earlier answer cannot be read.
    pub async fn load(deployment: &'a Deployment, state: &'a TrackState) -> Result<Self, Failure> {
        let task = current_task(state)?;
        Ok(Self {
            deployment,
            state,
            task,
            token: request_token(&state.execution.name, &state.track.name, state.position, &task.service),
            earlier: track_document(deployment, state).await?,
            work: work_object(deployment, state, &format!("{}/", task.service)),
            engines: EngineRecorder::default(),
        })
    }

    /// The call.
    #[must_use]
    pub fn call(&self) -> Call<'_> {
        Call {
            deployment: self.deployment,
            subject: &self.state.subject,
            task: self.task,
            token: &self.token,
            redrives: self.state.execution.redrive_count,
            earlier: &self.earlier,
            work: &self.work,
            engines: &self.engines,
        }
    }

    /// Stores `findings` and gives their place.
    ///
    /// # Errors
    /// When the object cannot be written.
    pub async fn store(
        &self,
        findings: Findings,
        started: Timestamp,
        finished: Timestamp,
    ) -> Result<ObjectRef, Failure> {
        let place = answer_object(self.deployment, self.state);
        let answer = Answer {
            service: self.task.service.clone(),
            request_token: self.token.clone(),
            started,
            finished,
            findings,
        };
        self.deployment.store.write_json(&place, &answer).await?;
        Ok(place)
    }
}

/// The service of the current task, to be started.
///
/// # Errors
/// When the track has no such task or no service has its id: the plan is older than this function.
pub fn current_start(state: &TrackState) -> Result<&'static dyn Start, Failure> {
    let id = &current_task(state)?.service;
    STARTED.iter().copied().find(|service| service.descriptor().id == id).ok_or_else(|| unknown(id))
}

/// The service of the current task, to be asked about its job.
///
/// # Errors
/// When the track has no such task or no service that runs jobs has its id.
pub fn current_poll(state: &TrackState) -> Result<&'static dyn Poll, Failure> {
    let id = &current_task(state)?.service;
    let found = POLLED.iter().copied().find(|service| service.descriptor().id == id);
    found.ok_or_else(|| Failure::internal(format!("`{id}` runs no jobs, and was asked about one")))
}

/// The service with this id.
///
/// # Errors
/// When there is none.
pub fn service(id: &str) -> Result<&'static dyn Service, Failure> {
    find(id).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Failure {
    Failure::invalid_input(format!("no service is called `{id}`: deploy all functions together"))
}

fn current_task(state: &TrackState) -> Result<&Task, Failure> {
    state
        .task()
        .ok_or_else(|| Failure::invalid_input(format!("track `{}` has no task {}", state.track.name, state.position)))
}

/// Where the answer of the current task lies once there is one.
#[must_use]
pub fn answer_object(deployment: &Deployment, state: &TrackState) -> ObjectRef {
    let service = state.task().map_or("none", |task| task.service.as_str());
    work_object(deployment, state, &format!("{service}.json"))
}

fn work_object(deployment: &Deployment, state: &TrackState, name: &str) -> ObjectRef {
    let prefix = work_prefix(&state.execution.name);
    ObjectRef::new(
        &deployment.names.extracted_bucket,
        format!("{prefix}{}/{}-{name}", state.track.name, state.position),
    )
}

/// The document that the answers of a track make, as far as the track has come.
///
/// # Errors
/// When an answer is gone or not what its service promises.
pub async fn track_document(deployment: &Deployment, state: &TrackState) -> Result<Extraction, Failure> {
    let mut document = Extraction::about(state.subject.clone());
    for place in &state.answers {
        let answer = read_answer(deployment, place).await?;
        contribute(&answer, &mut document)?;
    }
    Ok(document)
}

/// Reads a stored answer.
///
/// # Errors
/// When it is gone: work objects outlive their run by the bucket's lifecycle rule.
pub async fn read_answer(deployment: &Deployment, place: &ObjectRef) -> Result<Answer, Failure> {
    let answer = deployment.store.read_json(place).await?;
    answer.ok_or_else(|| Failure::internal(format!("the answer `{place}` is gone: start the run again")))
}

/// Adds an answer to a track's document.
///
/// # Errors
/// When the raw answer is not what its service promises.
pub fn contribute(answer: &Answer, document: &mut Extraction) -> Result<(), Failure> {
    if answer.findings.skipped.is_some() {
        return Ok(());
    }
    service(&answer.service)?.contribute(&answer.findings, document)
}
