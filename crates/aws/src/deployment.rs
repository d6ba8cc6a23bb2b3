//! What a function finds around it: names from its environment, settings, clients.

use std::any::Any;
use std::path::PathBuf;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::SharedCredentialsProvider;
use domain::settings::Settings;

use crate::clients::Clients;
use crate::settings::SettingsError;
use crate::store::Store;

/// The environment variables of the functions; `infra` sets exactly these.
pub mod variable {
    /// Bucket into which people put files.
    pub const RAW_BUCKET: &str = "SLUICE_RAW_BUCKET";
    /// Bucket of extraction documents and raw answers.
    pub const EXTRACTED_BUCKET: &str = "SLUICE_EXTRACTED_BUCKET";
    /// Bucket of catalog changes.
    pub const CATALOG_BUCKET: &str = "SLUICE_CATALOG_BUCKET";
    /// Bucket of partitioned copies; optional.
    pub const PARTITIONED_BUCKET: &str = "SLUICE_PARTITIONED_BUCKET";
    /// Bucket of tables, bookmarks, staged and refused rows; optional where no tables are kept.
    pub const LAKE_BUCKET: &str = "SLUICE_LAKE_BUCKET";
    /// The state machine that merges changes, where `catalog` is to start it; optional.
    pub const UPSERT_STATE_MACHINE_ARN: &str = "SLUICE_UPSERT_STATE_MACHINE_ARN";
    /// The state machine that `start` starts.
    pub const STATE_MACHINE_ARN: &str = "SLUICE_STATE_MACHINE_ARN";
    /// Path of the settings file; optional.
    pub const SETTINGS_FILE: &str = "SLUICE_SETTINGS_FILE";
    /// Region; Lambda sets it.
    pub const REGION: &str = "AWS_REGION";
    /// `true` where calls have to go to the FIPS endpoints.
    pub const USE_FIPS_ENDPOINT: &str = "AWS_USE_FIPS_ENDPOINT";
    /// Set where the endpoint is not AWS itself; S3 is then addressed by path.
    pub const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
}

/// A connection that takes longer than this will not come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Synchronous document analysis is the slowest answer; it comes well within two minutes.
const READ_TIMEOUT: Duration = Duration::from_mins(2);

/// Names that a function needs.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// See [`variable::RAW_BUCKET`].
    pub raw_bucket: String,
    /// See [`variable::EXTRACTED_BUCKET`].
    pub extracted_bucket: String,
    /// See [`variable::CATALOG_BUCKET`].
    pub catalog_bucket: String,
    /// See [`variable::PARTITIONED_BUCKET`].
    pub partitioned_bucket: Option<String>,
    /// See [`variable::STATE_MACHINE_ARN`].
    pub state_machine_arn: String,
    /// See [`variable::LAKE_BUCKET`].
    pub lake_bucket: Option<String>,
    /// See [`variable::UPSERT_STATE_MACHINE_ARN`].
    pub upsert_state_machine_arn: Option<String>,
}

/// What a function finds around it; built once, before the first invocation.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Names from the environment.
    pub names: Names,
    /// What the owner chose.
    pub settings: Settings,
    /// From which every client is made.
    pub sdk: SdkConfig,
    /// Those that were made so far.
    pub clients: Clients,
    /// S3.
    pub store: Store,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// A variable is missing.
    #[error("failed to find the environment variable `{0}`: set it on the function")]
    Missing(&'static str),
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl Deployment {
    /// Reads environment, settings and credentials.
    ///
    /// # Errors
    /// When a variable is missing or the settings file cannot be used.
    pub fn load() -> Result<Self, DeploymentError> {
        let names = Names {
            raw_bucket: required(variable::RAW_BUCKET)?,
            extracted_bucket: required(variable::EXTRACTED_BUCKET)?,
            catalog_bucket: required(variable::CATALOG_BUCKET)?,
            partitioned_bucket: optional(variable::PARTITIONED_BUCKET),
            state_machine_arn: required(variable::STATE_MACHINE_ARN)?,
            lake_bucket: optional(variable::LAKE_BUCKET),
            upsert_state_machine_arn: optional(variable::UPSERT_STATE_MACHINE_ARN),
        };
        let settings = crate::settings::load(optional(variable::SETTINGS_FILE).map(PathBuf::from).as_deref())?;
        let endpoint = optional(variable::ENDPOINT_URL);
        let sdk = sdk_config(endpoint.as_deref());
        let store = Store::new(&sdk, endpoint.is_some());
        Ok(Self { names, settings, sdk, clients: Clients::default(), store })
    }

    /// The client of this type, which `make` makes at its first use.
    pub fn client<C: Any + Clone + Send + Sync>(&self, make: impl FnOnce(&SdkConfig) -> C) -> C {
        self.clients.get(|| make(&self.sdk))
    }
}

/// Lambda gives credentials and region in the environment; the other ways to them would only make packages larger.
fn sdk_config(endpoint: Option<&str>) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(optional(variable::REGION).map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(crate::http::client(endpoint))
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts)
        .use_fips(optional(variable::USE_FIPS_ENDPOINT).is_some_and(|value| value == "true"));
    config.set_endpoint_url(endpoint.map(str::to_owned));
    config.build()
}

fn required(name: &'static str) -> Result<String, DeploymentError> {
    optional(name).ok_or(DeploymentError::Missing(name))
}

#[expect(clippy::disallowed_methods, reason = "this is the permitted caller")]
fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
