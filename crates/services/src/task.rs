//! A track in the hands of a function: what its tasks are called with, where their answers lie, how its document grows.

use aws::Deployment;
use aws::engine::EngineRecorder;
use bytes::Bytes;
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

const JSON_LINES: &str = "application/jsonl";

/// A track that a function works on.
#[derive(Debug)]
pub struct OpenTrack<'a> {
    deployment: &'a Deployment,
    state: TrackState,
    /// What the tasks before the current one have found.
    document: Extraction,
    /// Answers that are not stored yet: those of the tasks from `state.position` on.
    pending: Vec<Answer>,
}

impl<'a> OpenTrack<'a> {
    /// Opens a track where `state` left it.
    ///
    /// # Errors
    /// When an earlier answer cannot be read, or the track has no task there.
    pub async fn open(deployment: &'a Deployment, state: TrackState) -> Result<Self, Failure> {
        let document = Extraction::about(state.subject.clone());
        let mut track = Self { deployment, state, document, pending: Vec::new() };
        track.task()?;
        for place in &track.state.answers {
            for answer in read_answers(deployment, place).await? {
                contribute(&answer, &mut track.document)?;
            }
        }
        Ok(track)
    }

    /// Index of the current task in the track.
    #[must_use]
    pub fn position(&self) -> usize {
        self.state.position + self.pending.len()
    }

    /// Whether all tasks are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.position() >= self.state.track.tasks.len()
    }

    fn task(&self) -> Result<&Task, Failure> {
        let (track, position) = (&self.state.track, self.position());
        let task = track.tasks.get(position);
        task.ok_or_else(|| Failure::invalid_input(format!("track `{}` has no task {position}", track.name)))
    }

    /// Gathers what the current task needs.
    ///
    /// # Errors
    /// When there is none.
    pub fn prepare(&self) -> Result<Prepared<'_>, Failure> {
        let (task, position) = (self.task()?, self.position());
        Ok(Prepared {
            track: self,
            task,
            token: request_token(&self.state.execution.name, &self.state.track.name, position, &task.service),
            work: self.work_object(position, &format!("{}/", task.service)),
            engines: EngineRecorder::default(),
        })
    }

    /// Takes in the answer of the current task, and goes on to the next one.
    ///
    /// # Errors
    /// When it is not what its service promises.
    pub fn take(&mut self, answer: Answer) -> Result<(), Failure> {
        contribute(&answer, &mut self.document)?;
        self.pending.push(answer);
        Ok(())
    }

    /// Whether what was found may wait for the next answer, to be stored with it: it cost nothing, and the next task
    /// opens no file, which could take the process down.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        let free = self.pending.iter().all(|answer| answer.findings.cost_usd == 0.0);
        let next = self.task().and_then(|task| service(&task.service));
        free && next.is_ok_and(|service| !service.descriptor().opens_the_file)
    }

    /// Adopts what an earlier try has stored for the current task; says whether there was anything.
    ///
    /// # Errors
    /// When S3 fails, or an answer is not what its service promises.
    pub async fn adopt(&mut self) -> Result<bool, Failure> {
        let place = self.work_object(self.position(), &format!("{}.jsonl", self.task()?.service));
        let Some(answers) = find_answers(self.deployment, &place).await? else { return Ok(false) };
        for answer in &answers {
            contribute(answer, &mut self.document)?;
        }
        self.state.answered(place, answers.len());
        Ok(true)
    }

    /// Stores what was found, in one object.
    ///
    /// Another try of the same step may do so at this moment. Who comes first stays, or a place could come to hold
    /// fewer answers than somebody has seen there.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn store(&mut self) -> Result<(), Failure> {
        while let Some(first) = self.pending.first() {
            let place = self.work_object(self.state.position, &format!("{}.jsonl", first.service));
            let stored = if self.deployment.store.create(&place, JSON_LINES, lines(&self.pending)?).await? {
                self.pending.len()
            } else {
                let there = read_answers(self.deployment, &place).await?;
                for answer in there.iter().skip(self.pending.len()) {
                    contribute(answer, &mut self.document)?;
                }
                there.len()
            };
            self.pending.drain(..stored.min(self.pending.len()));
            self.state.answered(place, stored);
        }
        Ok(())
    }

    /// The track as the state machine goes on with it: at the first task whose answer is not stored.
    #[must_use]
    pub fn into_state(self) -> TrackState {
        self.state
    }

    fn work_object(&self, position: usize, name: &str) -> ObjectRef {
        let prefix = work_prefix(&self.state.execution.name);
        ObjectRef::new(
            &self.deployment.names.extracted_bucket,
            format!("{prefix}{}/{position}-{name}", self.state.track.name),
        )
    }
}

/// The current task of a track, with all that its call needs.
#[derive(Debug)]
pub struct Prepared<'a> {
    track: &'a OpenTrack<'a>,
    task: &'a Task,
    token: String,
    work: ObjectRef,
    engines: EngineRecorder,
}

impl Prepared<'_> {
    /// The call.
    #[must_use]
    pub fn call(&self) -> Call<'_> {
        Call {
            deployment: self.track.deployment,
            subject: &self.track.state.subject,
            task: self.task,
            token: &self.token,
            redrives: self.track.state.execution.redrive_count,
            earlier: &self.track.document,
            work: &self.work,
            engines: &self.engines,
        }
    }

    /// `findings` as the answer of the task.
    #[must_use]
    pub fn answer(self, findings: Findings, started: Timestamp, finished: Timestamp) -> Answer {
        Answer { service: self.task.service.clone(), request_token: self.token, started, finished, findings }
    }

    /// The service, to be started.
    ///
    /// # Errors
    /// When no service has the task's id: the plan is older than this function.
    pub fn to_start(&self) -> Result<&'static dyn Start, Failure> {
        let id = &self.task.service;
        STARTED.iter().copied().find(|service| service.descriptor().id == id).ok_or_else(|| unknown(id))
    }

    /// The service, to be asked about its job.
    ///
    /// # Errors
    /// When no service that runs jobs has the task's id.
    pub fn to_poll(&self) -> Result<&'static dyn Poll, Failure> {
        let id = &self.task.service;
        let found = POLLED.iter().copied().find(|service| service.descriptor().id == id);
        found.ok_or_else(|| Failure::internal(format!("`{id}` runs no jobs, and was asked about one")))
    }
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

fn lines(answers: &[Answer]) -> Result<Bytes, Failure> {
    let mut lines = Vec::new();
    for answer in answers {
        serde_json::to_writer(&mut lines, answer)
            .map_err(|error| Failure::internal(format!("failed to serialise an answer: {error}")))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

/// Reads the answers that lie at a place, in the order of their tasks.
///
/// # Errors
/// When they are gone: work objects outlive their run by the bucket's lifecycle rule.
pub async fn read_answers(deployment: &Deployment, place: &ObjectRef) -> Result<Vec<Answer>, Failure> {
    let answers = find_answers(deployment, place).await?;
    answers.ok_or_else(|| Failure::internal(format!("the answer `{place}` is gone: start the run again")))
}

async fn find_answers(deployment: &Deployment, place: &ObjectRef) -> Result<Option<Vec<Answer>>, Failure> {
    let Some(bytes) = deployment.store.find(place).await? else { return Ok(None) };
    let answers: Result<Vec<_>, _> = serde_json::Deserializer::from_slice(&bytes).into_iter().collect();
    match answers {
        Ok(answers) if answers.is_empty() => Err(Failure::internal(format!("`{place}` holds no answer: remove it"))),
        Ok(answers) => Ok(Some(answers)),
        Err(error) => Err(Failure::internal(format!("failed to read `{place}` back: {error}"))),
    }
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
