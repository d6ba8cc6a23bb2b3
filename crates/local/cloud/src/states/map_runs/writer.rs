//! `ResultWriter`: the results of a Map Run as files in S3, one for each way to end, and a manifest that lists them.
//!
//! The files are streamed: no more than a page of results is in memory.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asl::map_run::{OutputType, ResultWriter, WriterTransformation};
use bytes::Bytes;
use futures::Stream;
use serde_json::{Value, json};

use super::children::{self, Outcome};
use super::results::{PAGE, transformed};
use super::run::{Run, Stopped};
use super::s3::{self, RESULT_WRITER_FAILED};
use crate::states::States;
use crate::store::{BoxError, NewObject};
use crate::wire::ServiceError;

/// What was written.
pub(super) struct Exported {
    /// The state's result.
    pub(super) details: Value,
    /// How many children's results.
    pub(super) results: u64,
}

/// A file for each way to end, and the statuses that it holds.
const FILES: [(&str, &[&str]); 3] = [
    ("FAILED", &["FAILED", "TIMED_OUT", "ABORTED"]),
    ("PENDING", &["PENDING", "PENDING_REDRIVE"]),
    ("SUCCEEDED", &["SUCCEEDED"]),
];

/// Whether the results can be written later: before anything is run for nothing.
pub(super) async fn check(states: &States, writer: &ResultWriter) -> Result<(), Stopped> {
    let Some(parameters) = &writer.parameters else {
        return Ok(());
    };
    let bucket = s3::required(parameters, "Bucket", RESULT_WRITER_FAILED).map_err(Stopped::Failed)?;
    let page = crate::store::Page { most: 1, ..Default::default() };
    let listed = states.context().store.list(bucket, page).await;
    listed.map(drop).map_err(|refusal| Stopped::Failed(s3::refused(RESULT_WRITER_FAILED, &refusal)))
}

/// Writes the files and the manifest.
pub(super) async fn write(run: &Run<'_>, writer: &ResultWriter) -> Result<Exported, Stopped> {
    let parameters = writer.parameters.clone().unwrap_or_else(|| Value::Null.into());
    let bucket = s3::required(&parameters, "Bucket", RESULT_WRITER_FAILED).map_err(Stopped::Failed)?;
    let folder = folder(s3::parameter(&parameters, "Prefix").unwrap_or_default(), &run.row.arn);
    let (mut files, mut results) = (json!({}), 0);
    for (name, statuses) in FILES {
        let (listed, count) = write_file(run, writer, bucket, &folder, name, statuses).await?;
        files[name] = listed;
        results += count;
    }
    let manifest = json!({ "DestinationBucket": bucket, "MapRunArn": run.row.arn, "ResultFiles": files });
    let key = format!("{folder}manifest.json");
    let bytes = Bytes::from(manifest.to_string());
    let put = run.states.context().store.put_bytes(bucket, &key, Some("application/json"), bytes).await;
    put.map_err(|refusal| Stopped::Failed(s3::refused(RESULT_WRITER_FAILED, &refusal)))?;
    let details = json!({ "MapRunArn": run.row.arn, "ResultWriterDetails": { "Bucket": bucket, "Key": key } });
    Ok(Exported { details, results })
}

/// The run's own folder below the prefix.
fn folder(prefix: &str, map_run_arn: &str) -> String {
    let run = map_run_arn.rsplit(':').next().unwrap_or_default();
    match prefix.trim_end_matches('/') {
        "" => format!("{run}/"),
        prefix => format!("{prefix}/{run}/"),
    }
}

/// Writes the results of children of some statuses; gives the entry of the manifest, and how many there are.
async fn write_file(
    run: &Run<'_>,
    writer: &ResultWriter,
    bucket: &str,
    folder: &str,
    name: &str,
    statuses: &'static [&'static str],
) -> Result<(Value, u64), Stopped> {
    let mut pages = Pages::new(run, writer, statuses);
    let Some(first) = pages.next().await? else {
        return Ok((json!([]), 0));
    };
    let extension = if writer.output_type == OutputType::Jsonl { "jsonl" } else { "json" };
    let key = format!("{folder}{name}_0.{extension}");
    let mut new = NewObject::new(bucket, &key);
    new.attributes.content_type = Some("application/json".to_owned());
    let count = Arc::clone(&pages.count);
    let put = run.states.context().store.put(new, pages.stream(first)).await;
    let object = put.map_err(|refusal| Stopped::Failed(s3::refused(RESULT_WRITER_FAILED, &refusal)))?;
    Ok((json!([{ "Key": key, "Size": object.size_bytes }]), count.load(Ordering::Relaxed)))
}

/// The text of a file, a page of results at a time.
struct Pages {
    states: States,
    run: i64,
    machine_arn: String,
    transformation: WriterTransformation,
    output_type: OutputType,
    statuses: &'static [&'static str],
    after: i64,
    /// Nothing is written yet.
    is_start: bool,
    is_end: bool,
    count: Arc<AtomicU64>,
}

impl Pages {
    fn new(run: &Run<'_>, writer: &ResultWriter, statuses: &'static [&'static str]) -> Self {
        Self {
            states: run.states.clone(),
            run: run.row.number,
            machine_arn: run.row.machine_arn.clone(),
            transformation: writer.transformation,
            output_type: writer.output_type,
            statuses,
            after: -1,
            is_start: true,
            is_end: false,
            count: Arc::default(),
        }
    }

    /// The text of the next page; none when there are no more results.
    async fn next(&mut self) -> Result<Option<String>, ServiceError> {
        let (run, statuses, after) = (self.run, self.statuses, self.after);
        let page = self.states.read(move |database| children::results(database, run, statuses, after, PAGE)).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        self.after = last.place;
        self.count.fetch_add(u64::try_from(page.len()).unwrap_or(0), Ordering::Relaxed);
        Ok(Some(page.iter().map(|outcome| self.text(outcome)).collect()))
    }

    fn text(&mut self, outcome: &Outcome) -> String {
        let results = transformed(&self.machine_arn, outcome, self.transformation);
        results.iter().map(|result| self.written(result)).collect()
    }

    fn written(&mut self, result: &Value) -> String {
        let is_start = std::mem::replace(&mut self.is_start, false);
        match self.output_type {
            OutputType::Jsonl => format!("{result}\n"),
            OutputType::Json if is_start => format!("[{result}"),
            OutputType::Json => format!(",{result}"),
        }
    }

    /// The bytes of the file, from its first page on.
    fn stream(self, first: String) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
        futures::stream::try_unfold((self, Some(first)), |(mut pages, first)| async move {
            let text = match first {
                Some(first) => Some(first),
                None if pages.is_end => None,
                None => pages.next().await?.or_else(|| pages.end()),
            };
            Ok(text.map(|text| (Bytes::from(text), (pages, None))))
        })
    }

    fn end(&mut self) -> Option<String> {
        self.is_end = true;
        match (self.output_type, self.is_start) {
            (OutputType::Jsonl, _) => None,
            (OutputType::Json, true) => Some("[]".to_owned()),
            (OutputType::Json, false) => Some("]".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::folder;

    #[test]
    fn the_folder_is_named_after_the_run() {
        let arn = "arn:aws:states:us-east-1:0:mapRun:m/l:id";
        assert_eq!(folder("", arn), "id/");
        assert_eq!(folder("a/b", arn), "a/b/id/");
        assert_eq!(folder("a/", arn), "a/id/");
    }
}
