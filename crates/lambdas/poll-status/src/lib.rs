//! `poll-status`: asks once about a job and decides what comes next.
//!
//! It never sleeps and never asks twice: waiting is the state machine's, within a deadline.

use aws::Deployment;
use domain::failure::{Failure, FailureName};
use domain::stage::{Job, Progress, TrackState};
use domain::wait::{deadline_seconds, wait_seconds};
use jiff::Timestamp;
use services::Polled;
use services::task::OpenTrack;

/// Asks about the job that `state` waits for.
///
/// # Errors
/// `TimedOut` past the deadline, else what the service says of the job.
pub async fn handle(deployment: Deployment, state: TrackState) -> Result<TrackState, Failure> {
    let job = job(&state)?.clone();
    let mut track = OpenTrack::open(&deployment, state).await?;
    let prepared = track.prepare()?;
    match prepared.to_poll()?.poll(&prepared.call(), &job.id).await? {
        Polled::Done(findings) => {
            let answer = prepared.answer(findings, job.started, aws::clock::now());
            track.take(answer)?;
            track.store().await?;
            Ok(track.into_state())
        }
        Polled::Running => still_running(track.into_state(), job, aws::clock::now()),
    }
}

fn job(state: &TrackState) -> Result<&Job, Failure> {
    match &state.progress {
        Progress::Wait { job, .. } => Ok(job),
        _ => Err(Failure::invalid_input(format!("track `{}` waits for no job", state.track.name))),
    }
}

fn still_running(state: TrackState, mut job: Job, now: Timestamp) -> Result<TrackState, Failure> {
    let deadline = deadline_seconds(job.expected_seconds);
    if now.duration_since(job.started).as_secs() > i64::from(deadline) {
        let message = format!(
            "job `{}` did not end within {deadline} seconds: look at it at the service, then redrive the run",
            job.id
        );
        return Err(Failure::new(FailureName::TimedOut, message));
    }
    job.polls += 1;
    let progress = Progress::Wait { wait_seconds: wait_seconds(job.expected_seconds, job.polls), job };
    Ok(TrackState { progress, ..state })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(progress: &str) -> TrackState {
        serde_json::from_str(&format!(
            r#"{{"execution": {{"arn": "a", "name": "n", "started": "2026-05-01T12:00:00Z"}},
                "subject": {{"object": {{"bucket": "b", "key": "k"}}, "etag": "e", "size_bytes": 1, "media_type": "audio/wav", "family": "audio"}},
                "track": {{"name": "speech", "tasks": []}}, {progress}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_job_is_given_up_after_its_deadline_only() {
        let state = state(
            r#""progress": "WAIT", "wait_seconds": 1, "job": {"id": "j", "started": "2026-05-01T12:00:00Z", "expected_seconds": 10}"#,
        );
        let job = job(&state).unwrap().clone();
        let later = still_running(state.clone(), job.clone(), "2026-05-01T17:59:59Z".parse().unwrap()).unwrap();
        assert!(matches!(later.progress, Progress::Wait { wait_seconds: 8, job: Job { polls: 1, .. } }), "{later:?}");
        let failure = still_running(state, job, "2026-05-01T18:00:01Z".parse().unwrap()).unwrap_err();
        assert_eq!(failure.name, FailureName::TimedOut);
    }

    #[test]
    fn a_track_without_a_job_is_refused() {
        assert_eq!(job(&state(r#""progress": "START""#)).unwrap_err().name, FailureName::InvalidInput);
    }
}
