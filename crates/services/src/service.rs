//! What a service is to the steps: a descriptor, a place in the plan, what it contributes; and how it starts and is asked.

use aws::Deployment;
use aws::call::CallError;
use aws::engine::EngineRecorder;
use domain::answer::{FeatureOutcome, Findings, Outcome};
use domain::extraction::Extraction;
use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::plan::{Place, Subject, Task};
use domain::settings::Preset;
use futures::future::BoxFuture;

/// What is fixed about a service.
#[derive(Debug, Clone, Copy)]
pub struct Descriptor {
    /// Its id: in plans, settings, work keys and extraction documents.
    pub id: &'static str,
    /// What can be asked of it.
    pub features: &'static [Feature],
    /// The IAM actions that its calls need; the template's policies are held against this list.
    pub actions: &'static [&'static str],
    /// Those of them that asking about a job needs: `poll-status` gets no more.
    pub polling: &'static [&'static str],
    /// Whether a function that starts it may open the file, not only what earlier tasks have found in it.
    pub opens_the_file: bool,
}

/// One thing that can be asked of a service.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    /// Its name in settings and extraction documents.
    pub name: &'static str,
    /// Whether it is on unless the settings say otherwise.
    pub preset: Preset,
    /// What it does, for the documentation of the settings.
    pub about: &'static str,
}

/// How much there is in a file, as far as services charge for it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amount {
    /// Pages; an image is one.
    pub pages: u64,
    /// Seconds of sound.
    pub seconds: u64,
    /// Characters of text.
    pub text_chars: u64,
}

/// All that one call of a service may look at.
#[derive(Debug)]
pub struct Call<'a> {
    /// Clients and settings.
    pub deployment: &'a Deployment,
    /// The file.
    pub subject: &'a Subject,
    /// The task, with the features that are asked of the service.
    pub task: &'a Task,
    /// The same at every retry: client token, job name, job tag. `[0-9a-f]{32}`.
    pub token: &'a str,
    /// How often the run was redriven: a job that failed is started anew then, where else it is adopted.
    pub redrives: u32,
    /// What the earlier tasks of the track have found.
    pub earlier: &'a Extraction,
    /// Where the service may leave objects of its own: a key prefix that ends with `/`.
    pub work: &'a ObjectRef,
    /// Records which engine answers while it records.
    pub engines: &'a EngineRecorder,
}

/// What starting a task led to.
#[derive(Debug)]
pub enum Started {
    /// The answer is there already.
    Done(Findings),
    /// A job runs.
    Running {
        /// The service's id of the job.
        id: String,
        /// How long it is expected to take.
        expected_seconds: u32,
    },
}

/// What asking about a job led to.
#[derive(Debug)]
pub enum Polled {
    /// The job still runs.
    Running,
    /// It is done, every page of the answer collected.
    Done(Findings),
}

/// One service.
pub trait Service: Sync {
    /// What is fixed about it.
    fn descriptor(&self) -> &'static Descriptor;

    /// Where it stands in the plan for `subject`, or `None` where it has nothing to add.
    fn place(&self, subject: &Subject) -> Option<Place>;

    /// What `features` of the service cost for this much, at list price in US dollars: us-east-1, first tier.
    ///
    /// For estimates only; what a run has cost stands in its findings.
    fn list_price_usd(&self, features: &[String], amount: &Amount) -> f64;

    /// Checks the service's limits, before anything is spent.
    ///
    /// # Errors
    /// `ObjectTooLarge`, `UnsupportedMedia` or `InvalidInput`, with the limit in the message.
    fn check(&self, subject: &Subject, task: &Task) -> Result<(), Failure>;

    /// Adds what `findings` say to the document; pure.
    ///
    /// `document` holds what the earlier tasks of the same track have found.
    ///
    /// # Errors
    /// When the raw answer is not what the service promises.
    fn contribute(&self, findings: &Findings, document: &mut Extraction) -> Result<(), Failure>;
}

/// A service as `start-job` calls it. Apart from [`Service`], so that no other function carries what a start needs.
pub trait Start: Service {
    /// Starts the task; a second start with the same token adopts what runs.
    fn start<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Started, Failure>>;
}

/// A service that runs jobs, as `poll-status` calls it.
pub trait Poll: Service {
    /// Asks about a job; once it is done, collects its whole answer.
    fn poll<'a>(&'a self, call: &'a Call<'a>, job: &'a str) -> BoxFuture<'a, Result<Polled, Failure>>;
}

impl Call<'_> {
    /// Whether `feature` is asked for.
    #[must_use]
    pub fn wants(&self, feature: &str) -> bool {
        self.task.features.iter().any(|wanted| wanted == feature)
    }
}

/// Sorts the result of one feature's call: an answer, or how it ended without one.
///
/// # Errors
/// Failures that a retry may cure go up; what is final stays with the feature.
pub fn feature_result<T>(feature: &str, result: Result<T, CallError>) -> Result<(Option<T>, FeatureOutcome), Failure> {
    let outcome = |outcome, reason| FeatureOutcome { feature: feature.to_owned(), outcome, reason };
    match result {
        Ok(answer) => Ok((Some(answer), outcome(Outcome::Succeeded, None))),
        Err(CallError::Unavailable(reason)) => Ok((None, outcome(Outcome::Unavailable, Some(reason)))),
        Err(CallError::Failed(failure)) if failure.name.is_retried() => Err(failure),
        Err(CallError::Failed(failure)) => Ok((None, outcome(Outcome::Failed, Some(failure.message)))),
    }
}
