//! The payloads between steps: the output of one stage is the input of the next.
//!
//! They carry facts and references, never documents: Step Functions allows 262,144 bytes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change::{Counts, Status};
use crate::event::ObjectEvent;
use crate::failure::{Failure, FailureName};
use crate::object::ObjectRef;
use crate::plan::{Subject, Task, Track};
use crate::sensitivity::Sensitivity;

/// The execution that a step works for, from the state machine's context object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRef {
    /// ARN of the execution.
    pub arn: String,
    /// Its name: the run.
    pub name: String,
    /// When it started.
    pub started: Timestamp,
    /// How often it was redriven.
    #[serde(default)]
    pub redrive_count: u32,
}

/// The input of `classify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrived {
    /// The execution's input.
    pub event: ObjectEvent,
    /// The execution.
    pub execution: ExecutionRef,
}

/// The output of `classify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classified {
    /// What came in.
    #[serde(flatten)]
    pub arrived: Arrived,
    /// Where the file goes from here.
    #[serde(flatten)]
    pub decision: Decision,
}

/// What `classify` decides; the state machine's choice reads `decision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// There is something to extract.
    Extract {
        /// What is known of the file.
        subject: Subject,
        /// What is to be done; at least one.
        tracks: Vec<Track>,
    },
    /// There is not: the catalog gets the reason.
    Catalog {
        /// What is known of the file; absent for a removed object.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<Subject>,
        /// `UNSUPPORTED`, `EMPTY`, `ENCRYPTED`, `TOO_LARGE` or `REMOVED`.
        status: Status,
        /// Why, in words.
        reason: String,
    },
}

/// One track on its way: input and output of `start-job` and `poll-status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackState {
    /// The execution.
    pub execution: ExecutionRef,
    /// What is known of the file.
    pub subject: Subject,
    /// The plan of this track.
    pub track: Track,
    /// Index of the current task in the track.
    #[serde(default)]
    pub position: usize,
    /// Where the answers of the tasks before `position` lie, in order.
    #[serde(default)]
    pub answers: Vec<ObjectRef>,
    /// What is to be done next; the state machine's choice reads `progress`.
    #[serde(flatten)]
    pub progress: Progress,
}

/// What a track needs next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "progress", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Progress {
    /// Start the task at `position`.
    Start,
    /// A job runs: wait, then ask.
    Wait {
        /// How long to wait before asking.
        wait_seconds: u32,
        /// The job.
        job: Job,
    },
    /// All tasks are done.
    Done,
}

/// A job that runs at a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The service's id of the job.
    pub id: String,
    /// When it was started.
    pub started: Timestamp,
    /// How long the service is expected to take.
    pub expected_seconds: u32,
    /// How often it was asked about.
    #[serde(default)]
    pub polls: u32,
}

impl TrackState {
    /// The task at `position`.
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        self.track.tasks.get(self.position)
    }

    /// The next `tasks` tasks have left their answers at `place`.
    pub fn answered(&mut self, place: ObjectRef, tasks: usize) {
        self.answers.push(place);
        self.position += tasks;
        self.progress = if self.position < self.track.tasks.len() { Progress::Start } else { Progress::Done };
    }
}

/// An error as Step Functions hands it to a catcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CaughtError {
    /// Error name: one of [`crate::failure::FailureName`], of Lambda's or of Step Functions'.
    pub error: String,
    /// Cause: for Lambda a JSON text with `errorType` and `errorMessage`.
    #[serde(default)]
    pub cause: String,
}

impl CaughtError {
    /// The failure behind it; names that are not ours (a killed worker) become `Internal`.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match FailureName::parse(&self.error) {
            Some(name) => Failure::new(name, self.message()),
            None => Failure::internal(format!("{}: {}", self.error, self.message())),
        }
    }

    /// What happened, freed from Lambda's JSON.
    fn message(&self) -> String {
        let thrown: Option<Value> = serde_json::from_str(&self.cause).ok();
        let message = thrown.as_ref().and_then(|thrown| thrown["errorMessage"].as_str());
        message.unwrap_or(&self.cause).to_owned()
    }
}

/// The end of one track: done, or stopped by an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackResult {
    /// The track as far as it came.
    #[serde(flatten)]
    pub state: TrackState,
    /// What stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<CaughtError>,
}

/// The input of `postprocess`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// What came in.
    #[serde(flatten)]
    pub arrived: Arrived,
    /// What is known of the file.
    pub subject: Subject,
    /// How each track ended.
    pub results: Vec<TrackResult>,
}

/// The output of `postprocess`: the facts of the extraction document that the catalog shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Processed {
    /// What came in.
    #[serde(flatten)]
    pub arrived: Arrived,
    /// What is known of the file.
    pub subject: Subject,
    /// `SUCCEEDED`, `PARTIAL`, or what a service found out late (`ENCRYPTED` …).
    pub status: Status,
    /// Why, unless it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was found, in numbers.
    pub facts: Facts,
}

/// What an extraction document holds, in numbers and names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// Where the extraction document lies; absent where nothing could be extracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extraction_uri: Option<String>,
    /// Where the partitioned copy lies, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitioned_uri: Option<String>,
    /// Dominant language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// By what was found.
    pub sensitivity: Sensitivity,
    /// Pages, sheets or slides, where the kind of file has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// Length of the text in Unicode scalar values.
    pub text_chars: u64,
    /// How many of each.
    pub counts: Counts,
    /// Services that were asked, each once.
    pub services: Vec<String>,
    /// Engines that answered, each once.
    pub engines: Vec<String>,
    /// List price of all calls in US dollars.
    pub cost_usd: f64,
}

/// The input of `catalog`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "catalog", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CatalogRequest {
    /// A run came to its end: record it.
    Outcome {
        /// [`Processed`], or [`Classified`] with [`Decision::Catalog`].
        state: Value,
    },
    /// A run failed: record it.
    Failure(FailedRun),
    /// A failure was recorded: end the execution with it, or, after a redrive, let it go on.
    Conclude(FailedRun),
}

/// A run that failed, with all that was known when it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedRun {
    /// What came in.
    #[serde(flatten)]
    pub arrived: Arrived,
    /// The state's data with `error`, and `subject` where classification had got so far.
    pub state: FailedState,
}

/// The part of a failed state's data that the catalog reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedState {
    /// What was caught.
    pub error: CaughtError,
    /// What is known of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The redrive count at which the failure was recorded.
    #[serde(default)]
    pub failed_at_redrive: Option<u32>,
}
