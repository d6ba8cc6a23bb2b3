//! `sluice show`: all that is known of one object.

mod story;

use anyhow::Context as _;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::HistoryEvent;
use domain::change::Change;
use domain::event::{EventKind, ObjectEvent};
use domain::object::ObjectRef;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::wait;
use crate::arguments::ShowArguments;
use crate::catalog;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::executions as api;
use crate::output::Output;
use crate::problem::{Exit, Problem};

/// All that is known of one object version. The members are a contract with scripts.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub(super) object: Object,
    pub(super) change: Option<Change>,
    /// The extraction document as it is written.
    pub(super) extraction: Option<Value>,
    pub(super) execution: Option<Execution>,
}

/// One version of an object, or the mark that it was removed.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "members of the document that scripts read")]
pub(super) struct Object {
    #[serde(flatten)]
    pub(super) object: ObjectRef,
    pub(super) uri: String,
    pub(super) etag: Option<String>,
    pub(super) size_bytes: u64,
    pub(super) declared_type: Option<String>,
    pub(super) last_modified: Option<Timestamp>,
    pub(super) is_latest: bool,
    /// Whether this version says that the object was removed.
    pub(super) removed: bool,
}

/// The execution that worked on the version.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "members of the document that scripts read")]
pub(super) struct Execution {
    pub(super) execution_arn: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) started: Option<Timestamp>,
    pub(super) stopped: Option<Timestamp>,
    pub(super) seconds: Option<f64>,
    pub(super) redrive_count: i32,
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
    /// The states that it went through, in order.
    pub(super) path: Vec<String>,
}

/// Runs the command.
pub(super) async fn show(arguments: &ShowArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    let told = tokio::select! {
        told = tell(arguments, &deployment) => told.map(|()| Exit::Fine),
        () = wait::stop_signal() => Ok(Exit::Interrupted),
    };
    deployment.close().await;
    told
}

async fn tell(arguments: &ShowArguments, deployment: &Deployment) -> anyhow::Result<()> {
    let key = key_in_bucket(&arguments.key, &deployment.raw_bucket);
    let object = version(deployment, key, arguments.version_id.as_deref()).await?;
    let shown = look(deployment, object).await?;
    let mut output = Output::new();
    if arguments.form.json {
        return output.json(&shown);
    }
    story::lines(&shown, &deployment.option).iter().try_for_each(|line| output.line(line))
}

/// The key in `s3://BUCKET/KEY`, or the text itself.
pub(super) fn key_in_bucket<'a>(text: &'a str, bucket: &str) -> &'a str {
    text.strip_prefix("s3://").and_then(|rest| rest.strip_prefix(bucket)?.strip_prefix('/')).unwrap_or(text)
}

async fn look(deployment: &Deployment, object: Object) -> anyhow::Result<Shown> {
    let run = run_name(&object);
    let arn = deployment.execution_arn(&run);
    let described = api::describe(&deployment.sfn, &arn).await?;
    let change = match described.as_ref().and_then(api::event) {
        Some(event) => newest_record(deployment, &object, event.time).await?,
        None => match record_without_execution(deployment, &object, &run).await? {
            Some(change) => newest_record(deployment, &object, change.event_time).await?,
            None => None,
        },
    };
    // A replay is a later run of the same version.
    let described = match change.as_ref().filter(|change| change.run != run) {
        Some(change) => api::describe(&deployment.sfn, &deployment.execution_arn(&change.run)).await?,
        None => described,
    };
    let history = match &described {
        Some(described) => api::history(&deployment.sfn, described.execution_arn()).await?,
        None => Vec::new(),
    };
    let uri = change.as_ref().and_then(|change| change.facts.extraction_uri.as_deref());
    let extraction = match uri.and_then(ObjectRef::from_uri) {
        Some(document) => catalog::document(&deployment.s3, &document.bucket, &document.key).await?,
        None => None,
    };
    Ok(Shown { object, change, extraction, execution: described.map(|described| execution(&described, &history)) })
}

/// What the catalog knows of the version: of several runs the record that counts.
async fn newest_record(deployment: &Deployment, object: &Object, time: Timestamp) -> anyhow::Result<Option<Change>> {
    let records = catalog::records_at(&deployment.s3, &deployment.catalog_bucket, time).await?;
    Ok(records.into_iter().filter(|record| record.object == object.object).max_by(Change::order))
}

/// Step Functions forgets executions after 90 days; the catalog does not.
pub(super) async fn record_without_execution(
    deployment: &Deployment,
    object: &Object,
    run: &str,
) -> anyhow::Result<Option<Change>> {
    let Some(time) = object.last_modified else { return Ok(None) };
    let (client, bucket) = (&deployment.s3, &deployment.catalog_bucket);
    let keys = catalog::records_since(client, bucket, time).await?;
    match keys.iter().find(|key| catalog::run_of(key) == Some(run)) {
        Some(key) => catalog::record(client, bucket, key).await,
        None => Ok(None),
    }
}

pub(super) fn run_name(object: &Object) -> String {
    domain::run::execution_name(&ObjectEvent {
        kind: if object.removed { EventKind::Removed } else { EventKind::Created },
        object: object.object.clone(),
        etag: object.etag.clone(),
        size_bytes: object.size_bytes,
        sequencer: String::new(),
        time: Timestamp::UNIX_EPOCH,
        replay: None,
    })
}

/// The version `wanted` of `key`, or the newest one.
pub(super) async fn version(deployment: &Deployment, key: &str, wanted: Option<&str>) -> anyhow::Result<Object> {
    let bucket = &deployment.raw_bucket;
    let request = deployment.s3.list_object_versions().bucket(bucket).prefix(key);
    let (mut key_marker, mut version_marker) = (None, None);
    loop {
        let page = request.clone().set_key_marker(key_marker).set_version_id_marker(version_marker).send().await;
        let page = page.with_context(|| format!("failed to look for `{key}` in `{bucket}`"))?;
        let marks = page.delete_markers().iter().map(|mark| removed(bucket, mark));
        let versions = page.versions().iter().map(|version| kept(bucket, version));
        let is_wanted = |object: &Object| match wanted {
            Some(version) => object.object.version_id.as_deref() == Some(version),
            None => object.is_latest,
        };
        let found = marks.chain(versions).find(|object| object.object.key == key && is_wanted(object));
        if let Some(found) = found {
            return with_declared_type(deployment, found).await;
        }
        if page.next_key_marker.is_none() {
            break;
        }
        (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
    }
    let message = format!("failed to find `{key}` in `{bucket}`");
    Err(Problem::new(Exit::NotFound, message, "`sluice executions` lists the keys").into())
}

fn kept(bucket: &str, version: &aws_sdk_s3::types::ObjectVersion) -> Object {
    let object = reference(bucket, version.key(), version.version_id());
    Object {
        uri: object.uri(),
        object,
        etag: version.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
        size_bytes: version.size().and_then(|size| size.try_into().ok()).unwrap_or(0),
        declared_type: None,
        last_modified: version.last_modified().and_then(api::timestamp),
        is_latest: version.is_latest().unwrap_or(false),
        removed: false,
    }
}

fn removed(bucket: &str, mark: &aws_sdk_s3::types::DeleteMarkerEntry) -> Object {
    let object = reference(bucket, mark.key(), mark.version_id());
    Object {
        uri: object.uri(),
        object,
        etag: None,
        size_bytes: 0,
        declared_type: None,
        last_modified: mark.last_modified().and_then(api::timestamp),
        is_latest: mark.is_latest().unwrap_or(false),
        removed: true,
    }
}

fn reference(bucket: &str, key: Option<&str>, version: Option<&str>) -> ObjectRef {
    ObjectRef {
        bucket: bucket.to_owned(),
        key: key.unwrap_or_default().to_owned(),
        version_id: version.filter(|version| *version != "null").map(str::to_owned),
    }
}

async fn with_declared_type(deployment: &Deployment, mut object: Object) -> anyhow::Result<Object> {
    if !object.removed {
        let request = deployment.s3.head_object().bucket(&object.object.bucket).key(&object.object.key);
        match request.set_version_id(object.object.version_id.clone()).send().await {
            Ok(head) => object.declared_type = head.content_type,
            // Removed between the two calls: what the listing said stands.
            Err(error) if error.code() == Some("NotFound") => {}
            Err(error) => return Err(error).with_context(|| format!("failed to look at `{}`", object.uri)),
        }
    }
    Ok(object)
}

fn execution(execution: &DescribeExecutionOutput, history: &[HistoryEvent]) -> Execution {
    let states =
        history.iter().filter_map(|event| event.state_entered_event_details()).map(|entered| entered.name().to_owned());
    Execution {
        execution_arn: execution.execution_arn().to_owned(),
        name: execution.name().unwrap_or_default().to_owned(),
        status: execution.status().as_str().to_owned(),
        started: api::timestamp(execution.start_date()),
        stopped: execution.stop_date().and_then(api::timestamp),
        seconds: api::seconds(execution.start_date(), execution.stop_date()),
        redrive_count: execution.redrive_count().unwrap_or(0),
        error: execution.error().map(str::to_owned),
        cause: execution.cause().map(str::to_owned),
        path: states.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_keys_are_both_understood() {
        assert_eq!(key_in_bucket("s3://sluice-raw/a/b.txt", "sluice-raw"), "a/b.txt");
        assert_eq!(key_in_bucket("a/b.txt", "sluice-raw"), "a/b.txt");
        assert_eq!(key_in_bucket("s3://other/a", "sluice-raw"), "s3://other/a");
    }
}
