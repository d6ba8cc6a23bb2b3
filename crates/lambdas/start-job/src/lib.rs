//! `start-job`: starts the current task of a track, or adopts what an earlier try has started.
//!
//! Where a service answers at once, it goes on with the next task: each invocation saved is a state transition that
//! nobody pays, and a document that nobody reads back. It never names a service: the registry knows which one the plan
//! means.

use aws::Deployment;
use domain::failure::Failure;
use domain::stage::{Job, Progress, TrackState};
use domain::wait::wait_seconds;
use services::Started;
use services::task::OpenTrack;

/// For how many seconds one invocation starts tasks: far less than a function may take.
const TOGETHER_SECONDS: i64 = 10;

/// Starts the task at `state.position`, and those behind it as long as each is answered at once.
///
/// # Errors
/// The service's limits and refusals; `Throttled` and `Transient` are worth a retry.
pub async fn handle(deployment: Deployment, state: TrackState) -> Result<TrackState, Failure> {
    let began = aws::clock::now();
    let mut track = OpenTrack::open(&deployment, state).await?;
    let first = track.position();
    while !track.is_done() && track.adopt().await? {}
    let mut job = None;
    while !track.is_done() && job.is_none() {
        match start(&mut track).await {
            Ok(running) => job = running,
            // What was found before it is stored first. The next invocation starts with this task, and fails with it if
            // it fails again.
            Err(failure) if track.position() > first => {
                tracing::warn!(error = failure.name.as_str(), "a later task failed and is started once more by itself");
                break;
            }
            Err(failure) => return Err(failure),
        }
        if aws::clock::now().duration_since(began).as_secs() >= TOGETHER_SECONDS {
            break;
        }
        if !track.may_wait() {
            track.store().await?;
        }
    }
    track.store().await?;
    let state = track.into_state();
    Ok(match job {
        Some(job) => waiting(state, job),
        None => state,
    })
}

/// Starts the current task, and takes in its answer unless a job is to give it.
async fn start(track: &mut OpenTrack<'_>) -> Result<Option<Job>, Failure> {
    let prepared = track.prepare()?;
    let service = prepared.to_start()?;
    let call = prepared.call();
    service.check(call.subject, call.task)?;
    let started = aws::clock::now();
    match service.start(&call).await? {
        Started::Done(findings) => {
            let answer = prepared.answer(findings, started, aws::clock::now());
            track.take(answer)?;
            Ok(None)
        }
        Started::Running { id, expected_seconds } => Ok(Some(Job { id, started, expected_seconds, polls: 0 })),
    }
}

fn waiting(mut state: TrackState, job: Job) -> TrackState {
    state.progress = Progress::Wait { wait_seconds: wait_seconds(job.expected_seconds, job.polls), job };
    state
}
