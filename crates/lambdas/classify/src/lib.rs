//! `classify`: looks at the object's first bytes and plans what is to be done with it.
//!
//! The extension never decides and the declared type is a hint; both types are recorded.

mod decide;

use aws::Deployment;
use aws::store::Head;
use documents::{Detection, Sample};
use domain::event::EventKind;
use domain::failure::{Failure, FailureName};
use domain::object::ObjectRef;
use domain::stage::{Arrived, Classified, Decision};

/// Enough for every signature and for the first members of a container.
const HEAD_BYTES: u64 = 256 << 10;
/// Enough for the directory of a zip container, which stands at its end.
const TAIL_BYTES: u64 = 64 << 10;

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
    let head = deployment.store.head(object).await?;
    let detection = detect(deployment, object, &head).await?;
    let subject = decide::subject(object, head, &detection);
    decide::decide(subject, detection.problem, &deployment.settings)
}

async fn detect(deployment: &Deployment, object: &ObjectRef, head: &Head) -> Result<Detection, Failure> {
    let size_bytes = head.size_bytes;
    let first = read(deployment, object, head, 0, size_bytes.min(HEAD_BYTES)).await?;
    let tail_bytes = size_bytes.saturating_sub(HEAD_BYTES).min(TAIL_BYTES);
    let last = read(deployment, object, head, size_bytes - tail_bytes, tail_bytes).await?;
    Ok(documents::detect(&Sample {
        head: &first,
        tail: if tail_bytes == 0 { &first[first.len().saturating_sub(64 << 10)..] } else { &last },
        size_bytes,
        file_name: object.file_name(),
        declared: head.declared_type.as_deref(),
    }))
}

/// S3 refuses a range of no bytes, so none is asked for.
async fn read(
    deployment: &Deployment,
    object: &ObjectRef,
    head: &Head,
    start: u64,
    size_bytes: u64,
) -> Result<Vec<u8>, Failure> {
    if size_bytes == 0 {
        return Ok(Vec::new());
    }
    Ok(deployment.store.range(object, &head.etag, start, size_bytes).await?.to_vec())
}
