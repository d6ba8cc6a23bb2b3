//! The change record, from the last stage of a run: pure.

use domain::change::{Change, SCHEMA_VERSION, Status};
use domain::failure::Failure;
use domain::plan::Subject;
use domain::stage::{Arrived, Classified, Decision, Facts, FailedRun, Processed};
use jiff::{Timestamp, Unit};
use serde_json::Value;

use crate::ended::Ended as EndedExecution;

/// The record of a run that came to its end.
///
/// # Errors
/// `InvalidInput` where `state` is neither [`Processed`] nor a decision to catalog.
pub(crate) fn of_outcome(state: Value, now: Timestamp) -> Result<Change, Failure> {
    let ended = if state.get("decision").is_some() {
        of_decision(from_value(state)?)?
    } else {
        of_processed(from_value(state)?)
    };
    Ok(change(ended, now))
}

/// The record of a run that failed.
pub(crate) fn of_failure(run: &FailedRun, now: Timestamp) -> Change {
    let failure = run.state.error.failure();
    let ended = Ended {
        arrived: run.arrived.clone(),
        subject: run.state.subject.clone(),
        status: failure.name.status(),
        reason: Some(failure.message),
        facts: Facts::default(),
    };
    change(ended, now)
}

/// The record of an execution that ended where no step could record it; nothing where it was about no object.
pub(crate) fn of_end(execution: &EndedExecution, now: Timestamp) -> Option<Change> {
    let (status, reason) = execution.outcome();
    let arrived = execution.arrived()?;
    Some(change(Ended { arrived, subject: None, status, reason: Some(reason), facts: Facts::default() }, now))
}

struct Ended {
    arrived: Arrived,
    subject: Option<Subject>,
    status: Status,
    reason: Option<String>,
    facts: Facts,
}

fn from_value<T: serde::de::DeserializeOwned>(state: Value) -> Result<T, Failure> {
    serde_json::from_value(state)
        .map_err(|error| Failure::invalid_input(format!("failed to read the outcome of the run: {error}")))
}

fn of_decision(classified: Classified) -> Result<Ended, Failure> {
    match classified.decision {
        Decision::Catalog { subject, status, reason } => {
            Ok(Ended { arrived: classified.arrived, subject, status, reason: Some(reason), facts: Facts::default() })
        }
        Decision::Extract { .. } => {
            Err(Failure::invalid_input("a run that extracts has no outcome before `Postprocess`"))
        }
    }
}

fn of_processed(processed: Processed) -> Ended {
    Ended {
        arrived: processed.arrived,
        subject: Some(processed.subject),
        status: processed.status,
        reason: processed.reason,
        facts: processed.facts,
    }
}

fn change(ended: Ended, now: Timestamp) -> Change {
    let Ended { arrived: Arrived { event, execution }, subject, status, reason, facts } = ended;
    let (media_type, declared_type) =
        subject.as_ref().map(|subject| (subject.media_type.clone(), subject.declared_type.clone())).unzip();
    Change {
        schema_version: SCHEMA_VERSION.to_owned(),
        run: execution.name,
        execution_arn: execution.arn,
        object_uri: event.object.uri(),
        object: event.object,
        etag: event.etag,
        size_bytes: subject.map_or(event.size_bytes, |subject| subject.size_bytes),
        event: event.kind,
        event_time: event.time,
        sequencer: event.sequencer,
        status,
        reason,
        media_type,
        declared_type: declared_type.flatten(),
        facts,
        started: execution.started,
        recorded: now,
        seconds: now.since(execution.started).ok().and_then(|span| span.total(Unit::Second).ok()).unwrap_or(0.0),
    }
}
