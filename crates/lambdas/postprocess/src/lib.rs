//! `postprocess`: puts the answers of all tracks together into one extraction document.
//!
//! A track that failed beside one that worked makes the result `PARTIAL`, and the reason says
//! which and why. It never calls an AI service.

mod assemble;
mod verdict;

use aws::Deployment;
use domain::change::{Counts, Status, document_key};
use domain::extraction::Extraction;
use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::sensitivity::{Looked, sensitivity};
use domain::stage::{Extracted, Facts, Processed};

use crate::verdict::Verdict;

/// Writes the extraction document of a run.
///
/// # Errors
/// What stopped the run, where nothing at all could be extracted; what S3 says.
pub async fn handle(deployment: Deployment, extracted: Extracted) -> Result<Processed, Failure> {
    let mut document = assemble::document(&deployment, &extracted).await?;
    let verdict = verdict::verdict(&document, &assemble::failures(&extracted));
    let (status, reason) = match verdict {
        Verdict::Fails(failure) if failure.name.status() == Status::Failed => return Err(failure),
        Verdict::Fails(failure) => {
            return Ok(processed(extracted, failure.name.status(), Some(failure.message), facts(&document)));
        }
        Verdict::Partial(reason) => (Status::Partial, Some(reason)),
        Verdict::Succeeds => (Status::Succeeded, None),
    };
    let mut facts = facts(&document);
    document.redact(&deployment.settings.redaction);
    facts.extraction_uri = Some(write(&deployment, &extracted, &document).await?);
    facts.partitioned_uri = copy(&deployment, &extracted, &facts).await?;
    Ok(processed(extracted, status, reason, facts))
}

fn processed(extracted: Extracted, status: Status, reason: Option<String>, facts: Facts) -> Processed {
    Processed { arrived: extracted.arrived, subject: extracted.subject, status, reason, facts }
}

async fn write(deployment: &Deployment, extracted: &Extracted, document: &Extraction) -> Result<String, Failure> {
    let key = document_key(extracted.arrived.event.time, &extracted.arrived.execution.name);
    let place = ObjectRef::new(&deployment.names.extracted_bucket, key);
    deployment.store.write_json(&place, document).await?;
    Ok(place.uri())
}

/// Copies the raw object to a key that says what was found, where the settings ask for it.
async fn copy(deployment: &Deployment, extracted: &Extracted, facts: &Facts) -> Result<Option<String>, Failure> {
    let Some(bucket) =
        deployment.names.partitioned_bucket.as_ref().filter(|_| deployment.settings.partitioned_copy.enabled)
    else {
        return Ok(None);
    };
    let key = assemble::partitioned_key(extracted, facts);
    let place = ObjectRef::new(bucket, key);
    deployment.store.copy(&extracted.subject.object, &place, &assemble::tags(extracted, facts)).await?;
    Ok(Some(place.uri()))
}

fn facts(document: &Extraction) -> Facts {
    let looked = if assemble::looked_for_pii(document) { Looked::Yes } else { Looked::No };
    let unique =
        |names: Vec<String>| names.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    Facts {
        extraction_uri: None,
        partitioned_uri: None,
        language: document.language.as_ref().map(|language| language.code.clone()),
        sensitivity: sensitivity(looked, document.pii.iter().map(|span| span.kind.as_str())),
        pages: (!document.pages.is_empty()).then(|| count(document.pages.len())),
        text_chars: document.text_chars(),
        counts: counts(document),
        services: unique(document.tasks.iter().map(|task| task.service.clone()).collect()),
        engines: unique(document.tasks.iter().filter_map(|task| task.engine.clone()).collect()),
        cost_usd: document.tasks.iter().map(|task| task.cost_usd).sum(),
    }
}

fn counts(document: &Extraction) -> Counts {
    Counts {
        segments: count(document.segments.len()),
        entities: count(document.entities.len()),
        key_phrases: count(document.key_phrases.len()),
        pii: count(document.pii.len()),
        labels: count(document.labels.len()),
        faces: count(document.faces.len()),
        tables: count(document.tables.len()),
        forms: count(document.forms.len()),
        attachments: count(document.attachments.len()),
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
