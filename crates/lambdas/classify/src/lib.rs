//! `classify`: looks at the object's first bytes and plans what is to be done with it.
//!
//! The extension never decides and the declared type is a hint; both types are recorded.

mod decide;

use aws::Deployment;
use aws::store::Head;
use bytes::Bytes;
use documents::{Detection, Sample};
use domain::event::EventKind;
use domain::failure::{Failure, FailureName};
use domain::object::ObjectRef;
use domain::stage::{Arrived, Classified, Decision};

/// Enough for every signature and for the first members of a container.
const HEAD_BYTES: u64 = 256 << 10;
/// Enough for the directory of a zip container, which stands at its end.
const TAIL_BYTES: usize = 64 << 10;

/// Classifies the object of an event.
///
/// # Errors
/// What S3 says, except that an object that is gone is a decision, not an error.
pub async fn handle(deployment: Deployment, arrived: Arrived) -> Result<Classified, Failure> {
    let decision = match arrived.event.kind {
        EventKind::Removed => decide::removed("the object was removed"),
        EventKind::Created => match look(&deployment, &arrived.event.object).await {
            Ok(decision) => decision,
            Err(failure) if failure.name == FailureName::ObjectGone => decide::removed(&failure.message),
            Err(failure) => return Err(failure),
        },
    };
    Ok(Classified { arrived, decision })
}

async fn look(deployment: &Deployment, object: &ObjectRef) -> Result<Decision, Failure> {
    let (head, first) = deployment.store.first(object, HEAD_BYTES).await?;
    let detection = detect(deployment, object, &head, &first).await?;
    let subject = decide::subject(object, head, &detection);
    decide::decide(subject, detection.problem, &deployment.settings)
}

async fn detect(deployment: &Deployment, object: &ObjectRef, head: &Head, first: &Bytes) -> Result<Detection, Failure> {
    let size_bytes = head.size_bytes;
    let last = match size_bytes.saturating_sub(HEAD_BYTES).min(TAIL_BYTES as u64) {
        0 => first.slice(first.len().saturating_sub(TAIL_BYTES)..),
        tail_bytes => deployment.store.range(object, &head.etag, size_bytes - tail_bytes, tail_bytes).await?,
    };
    Ok(documents::detect(&Sample {
        head: first,
        tail: &last,
        size_bytes,
        file_name: object.file_name(),
        declared: head.declared_type.as_deref(),
    }))
}
