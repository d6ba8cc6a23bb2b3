//! What is deployed: the same buckets, functions, state machines and notifications that the templates deploy to AWS.
//!
//! Deploying is idempotent, so every start does it. Which step follows which is said by the state machine's text alone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::try_join_all;
use md5::Digest as _;
use serde_json::json;

use crate::bus;
use crate::context::{ACCOUNT, Context};
use crate::lambda::FunctionConfig;
use crate::states::States;
use crate::store::{NotificationRules, Rule, StoreError, Versioning};
use crate::wire::ServiceError;

/// Bucket into which people put files; versioned.
pub const RAW_BUCKET: &str = "sluice-raw";
/// Bucket of extraction documents and raw answers.
pub const EXTRACTED_BUCKET: &str = "sluice-extracted";
/// Bucket of catalog changes; versioned.
pub const CATALOG_BUCKET: &str = "sluice-catalog";
/// Bucket of tables, bookmarks, waiting change records, staged and refused rows, and results of queries.
pub const LAKE_BUCKET: &str = "sluice-lake";
/// Name of the state machine.
pub const STATE_MACHINE: &str = "sluice-extract";
/// Name of the state machine that merges changes into tables.
pub const UPSERT_STATE_MACHINE: &str = "sluice-upsert";
/// The group in which the state machines' queries run; it is always there.
const WORK_GROUP: &str = "primary";
/// The function that is told of changes in the raw bucket.
pub const START_FUNCTION: &str = "sluice-start";

/// The function that is told of executions that ended without a record of their own.
pub const CATALOG_FUNCTION: &str = "sluice-catalog";

/// Each bucket, and whether it keeps versions.
const BUCKETS: [(&str, bool); 3] = [(RAW_BUCKET, true), (EXTRACTED_BUCKET, false), (CATALOG_BUCKET, true)];

/// A function of the stack.
struct Function {
    /// The program; `sluice-` before it makes the function's name.
    binary: &'static str,
    /// What the state machine's text calls it; the function outside of it has none.
    word: Option<&'static str>,
    timeout: Duration,
    memory_megabytes: u32,
}

/// The functions that read documents get the memory for large ones, and time for a service that takes long.
const FUNCTIONS: [Function; 8] = [
    Function { binary: "start", word: None, timeout: Duration::from_mins(1), memory_megabytes: 512 },
    Function { binary: "classify", word: Some("Classify"), timeout: Duration::from_mins(5), memory_megabytes: 1024 },
    Function { binary: "start-job", word: Some("StartJob"), timeout: Duration::from_mins(10), memory_megabytes: 3008 },
    Function {
        binary: "poll-status",
        word: Some("PollStatus"),
        timeout: Duration::from_mins(5),
        memory_megabytes: 1024,
    },
    Function {
        binary: "postprocess",
        word: Some("Postprocess"),
        timeout: Duration::from_mins(5),
        memory_megabytes: 3008,
    },
    Function { binary: "catalog", word: Some("Catalog"), timeout: Duration::from_mins(1), memory_megabytes: 512 },
    Function {
        binary: "stage-changes",
        word: Some("StageChanges"),
        timeout: Duration::from_mins(15),
        memory_megabytes: 1024,
    },
    Function {
        binary: "commit-changes",
        word: Some("CommitChanges"),
        timeout: Duration::from_mins(5),
        memory_megabytes: 512,
    },
];

/// What a program hands over to be deployed.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Where the functions' binaries lie, under their own names (`start`, `classify`, …).
    pub functions_directory: PathBuf,
    /// The text of `statemachine/extract.asl.json`, its `${…FunctionArn}` not yet replaced.
    pub state_machine: String,
    /// Tables that changes are merged into; without them none are kept.
    pub tables: Option<Tables>,
    /// What the owner chose, if anything.
    pub settings_file: Option<PathBuf>,
    /// Further variables for every function, such as the level of its logs.
    pub environment: BTreeMap<String, String>,
}

/// Merging changes into tables.
#[derive(Debug, Clone)]
pub struct Tables {
    /// The text of `statemachine/upsert.asl.json`.
    pub state_machine: String,
    /// Settings files of the tables that the deployment itself keeps, by their keys in the lake's bucket.
    pub settings: Vec<(String, String)>,
}

/// Why the stack cannot be deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A function's binary is not where it should be.
    #[error("failed to find the function binary `{}`", path.display())]
    MissingFunction {
        /// Where it should be.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The state machine's text names something that is not there.
    #[error("failed to fill in the state machine: it names `${{{0}}}`, which nothing stands for")]
    Substitution(String),
    /// Step Functions refused the state machine.
    #[error("failed to create the state machine")]
    StateMachine(#[source] ServiceError),
    /// A bucket could not be made.
    #[error("failed to create the buckets")]
    Buckets(#[from] StoreError),
}

/// The ARN of the state machine `name` in `region`.
#[must_use]
pub fn state_machine_arn(region: &str, name: &str) -> String {
    format!("arn:aws:states:{region}:{ACCOUNT}:stateMachine:{name}")
}

/// The ARN of the function `name` in `region`.
#[must_use]
pub fn function_arn(region: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}")
}

impl Stack {
    /// The functions, each with at most `workers` workers.
    ///
    /// # Errors
    /// When a binary is missing.
    pub(crate) fn functions(&self, region: &str, workers: usize) -> Result<Vec<FunctionConfig>, DeployError> {
        FUNCTIONS.iter().map(|function| self.function(function, region, workers)).collect()
    }

    fn function(&self, function: &Function, region: &str, workers: usize) -> Result<FunctionConfig, DeployError> {
        let path = self.functions_directory.join(function.binary);
        let binary = path.canonicalize().map_err(|source| DeployError::MissingFunction { path, source })?;
        let name = name_of(function);
        Ok(FunctionConfig {
            arn: function_arn(region, &name),
            name,
            binary,
            environment: self.environment(region),
            timeout: function.timeout,
            memory_megabytes: function.memory_megabytes,
            workers,
        })
    }

    fn environment(&self, region: &str) -> BTreeMap<String, String> {
        let mut variables = self.environment.clone();
        let mut set = |name: &str, value: String| drop(variables.insert(name.to_owned(), value));
        set("SLUICE_RAW_BUCKET", RAW_BUCKET.to_owned());
        set("SLUICE_EXTRACTED_BUCKET", EXTRACTED_BUCKET.to_owned());
        set("SLUICE_CATALOG_BUCKET", CATALOG_BUCKET.to_owned());
        set("SLUICE_STATE_MACHINE_ARN", state_machine_arn(region, STATE_MACHINE));
        if self.tables.is_some() {
            set("SLUICE_LAKE_BUCKET", LAKE_BUCKET.to_owned());
            set("SLUICE_UPSERT_STATE_MACHINE_ARN", state_machine_arn(region, UPSERT_STATE_MACHINE));
        }
        if let Some(path) = &self.settings_file {
            set("SLUICE_SETTINGS_FILE", absolute(path).display().to_string());
        }
        variables
    }

    /// Makes what is not there yet and brings the state machine up to date.
    pub(crate) async fn deploy(&self, context: &Context, states: &States) -> Result<(), DeployError> {
        let extract = (STATE_MACHINE, &self.state_machine);
        let upsert = self.tables.as_ref().map(|tables| (UPSERT_STATE_MACHINE, &tables.state_machine));
        for (name, text) in [extract].into_iter().chain(upsert) {
            let definition = substituted(text, &context.region)?;
            let deployed = deploy_state_machine(states, &context.region, name, &definition).await;
            deployed.map_err(DeployError::StateMachine)?;
        }
        // Together they share the database's syncs.
        let lake = self.tables.as_ref().map(|_| (LAKE_BUCKET, false));
        let buckets = BUCKETS.into_iter().chain(lake);
        try_join_all(buckets.map(|(bucket, versioned)| make_bucket(context, bucket, versioned))).await?;
        for (key, text) in self.tables.iter().flat_map(|tables| &tables.settings) {
            put_settings(context, key, text).await?;
        }
        Ok(context.store.set_notifications(RAW_BUCKET, &notifications(&context.region)).await?)
    }
}

/// The rules of the default event bus: an execution that was stopped, timed out or broken by Step Functions itself has
/// passed no state that could record it.
pub(crate) fn rules(region: &str) -> Vec<bus::Rule> {
    vec![bus::Rule {
        name: "sluice-ended",
        machine_arn: state_machine_arn(region, STATE_MACHINE),
        statuses: &["ABORTED", "FAILED", "TIMED_OUT"],
        function: CATALOG_FUNCTION.to_owned(),
    }]
}

fn name_of(function: &Function) -> String {
    format!("sluice-{}", function.binary)
}

/// Paths are handed to other processes, which may be elsewhere.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The text with every `${StartJobFunctionArn}` (or `${StartJobFunction}`) replaced by that function's ARN, and what
/// queries need by its name.
fn substituted(text: &str, region: &str) -> Result<String, DeployError> {
    let mut text = text.replace("${LakeBucket}", LAKE_BUCKET).replace("${AthenaWorkGroup}", WORK_GROUP);
    for function in &FUNCTIONS {
        let Some(word) = function.word else { continue };
        let arn = function_arn(region, &name_of(function));
        text = text.replace(&format!("${{{word}FunctionArn}}"), &arn).replace(&format!("${{{word}Function}}"), &arn);
    }
    match text.split_once("${") {
        None => Ok(text),
        Some((_, rest)) => Err(DeployError::Substitution(rest.split('}').next().unwrap_or(rest).to_owned())),
    }
}

/// Creates the machine, or gives it a new revision if its text has changed.
async fn deploy_state_machine(states: &States, region: &str, name: &str, definition: &str) -> Result<(), ServiceError> {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let create = json!({"name": name, "definition": definition, "roleArn": role});
    match states.handle("CreateStateMachine", create).await {
        // Its owner deleted it; executions that are open keep it for a while.
        Err(error) if error.code == "StateMachineDeleting" => {
            tracing::warn!(%error, "the state machine is not deployed again yet");
            Ok(())
        }
        Err(error) if error.code == "StateMachineAlreadyExists" => {
            let arn = state_machine_arn(region, name);
            let update = json!({"stateMachineArn": arn, "definition": definition});
            states.handle("UpdateStateMachine", update).await.map(drop)
        }
        created => created.map(drop),
    }
}

async fn make_bucket(context: &Context, name: &str, versioned: bool) -> Result<(), StoreError> {
    match context.store.create_bucket(name).await {
        // It is there from an earlier start; its owner may have set it up in another way since.
        Err(StoreError::BucketExists(_)) => Ok(()),
        Ok(()) if versioned => context.store.set_versioning(name, Versioning::Enabled).await,
        made => made,
    }
}

/// Writes a settings file, unless it is there as it is.
async fn put_settings(context: &Context, key: &str, text: &str) -> Result<(), StoreError> {
    let etag = format!("{:x}", md5::Md5::digest(text));
    match context.store.head(LAKE_BUCKET, key, None).await {
        Ok(there) if there.etag == etag => Ok(()),
        Ok(_) | Err(StoreError::NoSuchKey(_)) => {
            let bytes = bytes::Bytes::from(text.to_owned());
            context.store.put_bytes(LAKE_BUCKET, key, Some("application/toml"), bytes).await.map(drop)
        }
        Err(error) => Err(error),
    }
}

/// The raw bucket tells `start` of everything that is created in it or removed.
fn notifications(region: &str) -> NotificationRules {
    let rule = Rule {
        id: "sluice-start".to_owned(),
        target: function_arn(region, START_FUNCTION),
        events: vec!["s3:ObjectCreated:*".to_owned(), "s3:ObjectRemoved:*".to_owned()],
        prefix: None,
        suffix: None,
    };
    NotificationRules { rules: vec![rule], event_bridge: false }
}

#[cfg(test)]
mod tests {
    use super::{DeployError, substituted};

    #[test]
    fn functions_are_put_in_by_their_arn() {
        let text = substituted(r#"["${StartJobFunctionArn}", "${CatalogFunction}"]"#, "eu-west-1").unwrap();
        let arn = "arn:aws:lambda:eu-west-1:000000000000:function:sluice";
        assert_eq!(text, format!(r#"["{arn}-start-job", "{arn}-catalog"]"#));
    }

    #[test]
    fn a_name_that_nothing_stands_for_is_refused() {
        let error = substituted("${ClassifyFunctionArn} ${NoSuch}", "eu-west-1").unwrap_err();
        assert!(matches!(&error, DeployError::Substitution(name) if name == "NoSuch"), "{error}");
        assert!(error.to_string().contains("`${NoSuch}`"));
    }
}
