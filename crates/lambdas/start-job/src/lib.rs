//! `start-job`: starts the current task of a track, or adopts what an earlier try has started.
//!
//! It never names a service: the registry knows which one the plan means.

use aws::Deployment;
use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::stage::{Job, Progress, TrackState};
use domain::wait::wait_seconds;
use services::Started;
use services::task::{Prepared, answer_object, current_start};

/// Starts the task at `state.position`.
///
/// # Errors
/// The service's limits and refusals; `Throttled` and `Transient` are worth a retry.
pub async fn handle(deployment: Deployment, state: TrackState) -> Result<TrackState, Failure> {
    let answer = answer_object(&deployment, &state);
    if exists(&deployment, &answer).await? {
        return Ok(state.answered(answer));
    }
    match start(&deployment, &state).await? {
        Begun::Answered(answer) => Ok(state.answered(answer)),
        Begun::Running(job) => Ok(waiting(state, job)),
    }
}

enum Begun {
    Answered(ObjectRef),
    Running(Job),
}

async fn start(deployment: &Deployment, state: &TrackState) -> Result<Begun, Failure> {
    let service = current_start(state)?;
    let prepared = Prepared::load(deployment, state).await?;
    let call = prepared.call();
    service.check(call.subject, call.task)?;
    let started = aws::clock::now();
    match service.start(&call).await? {
        Started::Done(findings) => Ok(Begun::Answered(prepared.store(findings, started, aws::clock::now()).await?)),
        Started::Running { id, expected_seconds } => {
            Ok(Begun::Running(Job { id, started, expected_seconds, polls: 0 }))
        }
    }
}

async fn exists(deployment: &Deployment, answer: &ObjectRef) -> Result<bool, Failure> {
    match deployment.store.head(answer).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.name == domain::failure::FailureName::ObjectGone => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn waiting(mut state: TrackState, job: Job) -> TrackState {
    state.progress = Progress::Wait { wait_seconds: wait_seconds(job.expected_seconds, job.polls), job };
    state
}
