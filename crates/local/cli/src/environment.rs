//! The environment, read once.
//!
//! The names of buckets and state machine are those that the functions read, so one `.env` file serves both.

use std::path::PathBuf;

use aws::deployment::variable;

/// What the program reads from its environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `AWS_ENDPOINT_URL`.
    pub(crate) endpoint_url: Option<String>,
    /// `SLUICE_RAW_BUCKET`.
    pub(crate) raw_bucket: Option<String>,
    /// `SLUICE_EXTRACTED_BUCKET`.
    pub(crate) extracted_bucket: Option<String>,
    /// `SLUICE_CATALOG_BUCKET`.
    pub(crate) catalog_bucket: Option<String>,
    /// `SLUICE_STATE_MACHINE_ARN`.
    pub(crate) state_machine_arn: Option<String>,
    /// `SLUICE_QUEUE_URL`: the queue in front of `start`.
    pub(crate) queue_url: Option<String>,
    /// `SLUICE_STACK`: the `CloudFormation` stack that is the deployment.
    pub(crate) stack: Option<String>,
    /// `SLUICE_LAKE_BUCKET`.
    pub(crate) lake_bucket: Option<String>,
    /// `SLUICE_UPSERT_STATE_MACHINE_ARN`.
    pub(crate) upsert_state_machine_arn: Option<String>,
    /// `SLUICE_LOG`: what goes to standard error, in the words of `tracing`'s filter.
    pub(crate) log: Option<String>,
    /// `SLUICE_LAMBDA_ENDPOINT`: where functions are served that are not deployed here.
    pub(crate) lambda_endpoint: Option<String>,
    /// Where data lies unless `--data` says otherwise.
    pub(crate) data: PathBuf,
    /// The folder of the running program, where the functions' programs lie too.
    pub(crate) programs: Option<PathBuf>,
    /// Whether there is a key for AWS in the environment.
    pub(crate) has_credentials: bool,
}

impl Environment {
    /// Reads the environment of this process.
    #[must_use]
    pub fn read() -> Self {
        Self {
            endpoint_url: variable(variable::ENDPOINT_URL),
            raw_bucket: variable(variable::RAW_BUCKET),
            extracted_bucket: variable(variable::EXTRACTED_BUCKET),
            catalog_bucket: variable(variable::CATALOG_BUCKET),
            state_machine_arn: variable(variable::STATE_MACHINE_ARN),
            queue_url: variable("SLUICE_QUEUE_URL"),
            stack: variable("SLUICE_STACK"),
            lake_bucket: variable(variable::LAKE_BUCKET),
            upsert_state_machine_arn: variable(variable::UPSERT_STATE_MACHINE_ARN),
            log: variable("SLUICE_LOG"),
            lambda_endpoint: variable("SLUICE_LAMBDA_ENDPOINT"),
            data: data_directory(),
            programs: std::env::current_exe().ok().and_then(|program| program.parent().map(PathBuf::from)),
            has_credentials: ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"].into_iter().any(|name| variable(name).is_some()),
        }
    }
}

/// `$XDG_DATA_HOME/sluice`, by default `~/.local/share/sluice`; `.sluice` for who has no home.
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
fn data_directory() -> PathBuf {
    let chosen = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let shared = chosen.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".local/share")));
    shared.map_or_else(|| PathBuf::from(".sluice"), |shared| shared.join("sluice"))
}

#[expect(clippy::disallowed_methods, reason = "this is the permitted caller")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
