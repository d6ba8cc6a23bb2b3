//! `catalog`: writes the one change record of a run, and ends or resumes a run that failed.
//!
//! Step Functions calls it as a step; `EventBridge` calls it for executions that ended where no step could record it.
//! It appends small objects only; merging them into a table is another machine's work. For that machine each record is
//! left a second time where what is not merged yet waits, and where the deployment asks for it the machine is started.

mod ended;
mod record;
mod waiting;

use aws::Deployment;
use domain::change::{Change, record_key};
use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::stage::{CatalogRequest, FailedRun};
use serde_json::{Value, json};

pub use ended::{Ended, Request};

/// Does what the request asks.
///
/// # Errors
/// For [`CatalogRequest::Conclude`] the failure that was recorded; else what S3 says.
pub async fn handle(deployment: Deployment, request: Request) -> Result<Value, Failure> {
    let step = match request {
        Request::Step(step) => step,
        Request::Ended(ended) => return record_end(&deployment, &ended).await,
    };
    match step {
        CatalogRequest::Outcome { state } => {
            let change = record::of_outcome(state, aws::clock::now())?;
            let uri = write(&deployment, &change).await?;
            Ok(json!({ "run": change.run, "status": change.status, "reason": change.reason, "change_uri": uri }))
        }
        CatalogRequest::Failure(run) => {
            write(&deployment, &record::of_failure(&run, aws::clock::now())).await?;
            Ok(json!(run.arrived.execution.redrive_count))
        }
        CatalogRequest::Conclude(run) => conclude(&run),
    }
}

/// Records the end of an execution, unless the run has recorded its outcome itself.
async fn record_end(deployment: &Deployment, ended: &Ended) -> Result<Value, Failure> {
    let Some(change) = record::of_end(ended, aws::clock::now()) else {
        // Somebody started it by hand with an input of their own: there is no file to record.
        return Ok(json!({ "run": ended.run_name(), "recorded": false }));
    };
    let place = place(deployment, &change);
    let there = deployment.store.read_tagged_json::<Change>(&place).await?;
    let recorded = match there {
        Some((there, _)) if ended.is_told_by(&there) => {
            // Whoever wrote it may have ended before it was left for the table; a second copy changes nothing.
            waiting::leave(deployment, &there).await?;
            false
        }
        // A run that writes its record at this moment knows more, and leaves it for the table itself.
        there => deployment.store.replace_json(&place, there.map(|(_, etag)| etag), &change).await?,
    };
    if recorded {
        waiting::leave(deployment, &change).await?;
    }
    Ok(json!({ "run": change.run, "recorded": recorded }))
}

fn place(deployment: &Deployment, change: &Change) -> ObjectRef {
    ObjectRef::new(&deployment.names.catalog_bucket, record_key(change.event_time, &change.run))
}

async fn write(deployment: &Deployment, change: &Change) -> Result<String, Failure> {
    let place = place(deployment, change);
    deployment.store.write_json(&place, change).await?;
    waiting::leave(deployment, change).await?;
    Ok(place.uri())
}

/// A redrive starts again at the state that failed, which is this one: then the run goes on.
fn conclude(run: &FailedRun) -> Result<Value, Failure> {
    let failed_at = run.state.failed_at_redrive.unwrap_or(0);
    if run.arrived.execution.redrive_count > failed_at {
        return Ok(json!({ "resumed_at_redrive": run.arrived.execution.redrive_count }));
    }
    Err(run.state.error.failure())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::failure::FailureName;

    fn failed(redrive_count: u32, failed_at: u32) -> FailedRun {
        serde_json::from_value(json!({
            "event": {"kind": "created", "object": {"bucket": "raw", "key": "a"}, "time": "2026-05-01T12:00:00Z"},
            "execution": {"arn": "arn", "name": "run", "started": "2026-05-01T12:00:01Z", "redrive_count": redrive_count},
            "state": {"error": {"Error": "Transient", "Cause": "{\"errorMessage\":\"gone\",\"errorType\":\"Transient\"}"}, "failed_at_redrive": failed_at},
        }))
        .unwrap()
    }

    #[test]
    fn a_failed_run_ends_with_its_failure_until_it_is_redriven() {
        let failure = conclude(&failed(0, 0)).unwrap_err();
        assert_eq!((failure.name, failure.message.as_str()), (FailureName::Transient, "gone"));
        assert!(conclude(&failed(1, 0)).is_ok());
        assert!(conclude(&failed(1, 1)).is_err(), "it failed again after the redrive");
    }
}
