//! The deployment that a command speaks to: the local cloud of a directory, another endpoint, or AWS.
//!
//! Everything behind this type is an AWS API; [`Deployment::is_ours`] says whether work stops when the command ends.

use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use cloud::deployment::{CATALOG_BUCKET, LAKE_BUCKET, RAW_BUCKET, STATE_MACHINE, UPSERT_STATE_MACHINE};

use crate::arguments::{Hosting, Target};
use crate::commands::up::REGION;
use crate::environment::Environment;
use crate::host::{self, Hosted, Place};
use crate::problem::{Exit, Problem};

/// A command must get through a deployment that refuses every third call: 0.3^12 is less than one in a million.
const MOST_ATTEMPTS: u32 = 12;

/// The longest pause between two attempts: a person waits.
const MOST_PAUSE: Duration = Duration::from_secs(2);

/// A local cloud that does not take a connection within this time will not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Clients and names; closes the local cloud that it started, if it started one.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sfn: aws_sdk_sfn::Client,
    pub(crate) athena: aws_sdk_athena::Client,
    pub(crate) raw_bucket: String,
    pub(crate) catalog_bucket: String,
    pub(crate) lake_bucket: String,
    pub(crate) state_machine_arn: String,
    /// The state machine that merges changes into tables, where it is known.
    pub(crate) upsert_state_machine_arn: Option<String>,
    /// What to add to a command that is to speak to the same deployment: ` --data DIR`, or nothing.
    pub(crate) option: String,
    hosted: Option<Hosted>,
}

/// Where a deployment answers, and who to be there.
#[derive(Debug, Default)]
struct Address {
    endpoint_url: Option<String>,
    profile: Option<String>,
}

impl Deployment {
    /// Finds the deployment that `target` means, and starts a local cloud where that is what it means.
    ///
    /// # Errors
    /// When the directory cannot be used, or nothing answers at the address.
    pub(crate) async fn attach(target: &Target, hosting: &Hosting, environment: &Environment) -> anyhow::Result<Self> {
        if let Some(address) = remote(target, environment) {
            host::refuse_options(hosting, address.endpoint_url.as_deref().unwrap_or("AWS"))?;
            let option = option(target);
            return Self::connect(address, option, None, environment).await;
        }
        let data = target.data.clone().unwrap_or_else(|| environment.data.clone());
        let hosted = host::open(&data, hosting, environment, Place::AnyPort).await?;
        let address = Address { endpoint_url: Some(hosted.address().to_owned()), profile: None };
        Self::connect(address, option(target), Some(hosted), environment).await
    }

    async fn connect(
        address: Address,
        option: String,
        hosted: Option<Hosted>,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let local = address.endpoint_url.as_deref().is_some_and(is_loopback);
        let sdk = loader(&address, local, environment).load().await;
        let custom = address.endpoint_url.is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(custom).retry_partition(partition()).build();
        let sfn = aws_sdk_sfn::config::Builder::from(&sdk).retry_partition(partition()).build();
        let sfn = aws_sdk_sfn::Client::from_conf(sfn);
        let athena = aws_sdk_athena::config::Builder::from(&sdk).retry_partition(partition()).build();
        let state_machine_arn = match environment.state_machine_arn.clone().filter(|_| hosted.is_none()) {
            Some(arn) => arn,
            None => find_state_machine(&sfn, address.endpoint_url.as_deref()).await?,
        };
        let named = |name: &Option<String>, local: &str| {
            name.clone().filter(|_| hosted.is_none()).unwrap_or_else(|| local.to_owned())
        };
        Ok(Self {
            s3: aws_sdk_s3::Client::from_conf(s3),
            sfn,
            athena: aws_sdk_athena::Client::from_conf(athena),
            raw_bucket: named(&environment.raw_bucket, RAW_BUCKET),
            catalog_bucket: named(&environment.catalog_bucket, CATALOG_BUCKET),
            lake_bucket: named(&environment.lake_bucket, LAKE_BUCKET),
            upsert_state_machine_arn: upsert(&state_machine_arn, environment, hosted.is_some()),
            state_machine_arn,
            option,
            hosted,
        })
    }

    /// The ARN of the execution `run`.
    pub(crate) fn execution_arn(&self, run: &str) -> String {
        crate::executions::arn(&self.state_machine_arn, run)
    }

    /// Whether this command started the cloud, so that work stops when the command ends.
    pub(crate) fn is_ours(&self) -> bool {
        self.hosted.as_ref().is_some_and(Hosted::is_ours)
    }

    /// Ends the local cloud, if this command started it; its state stays.
    pub(crate) async fn close(self) {
        if let Some(hosted) = self.hosted {
            hosted.close().await;
        }
    }
}

/// The address that `target` or the environment names, unless a directory is meant.
fn remote(target: &Target, environment: &Environment) -> Option<Address> {
    if target.data.is_some() {
        return None;
    }
    let endpoint_url = target.endpoint_url.clone().or_else(|| environment.endpoint_url.clone());
    let named = endpoint_url.is_some() || target.profile.is_some();
    named.then(|| Address { endpoint_url, profile: target.profile.clone() })
}

/// The machine beside `extract`: the one that is named, or the one of the local cloud's name.
fn upsert(extract: &str, environment: &Environment, is_hosted: bool) -> Option<String> {
    let named = environment.upsert_state_machine_arn.clone().filter(|_| !is_hosted);
    let beside = || Some(format!("{}{UPSERT_STATE_MACHINE}", extract.strip_suffix(STATE_MACHINE)?));
    named.or_else(beside)
}

fn option(target: &Target) -> String {
    let data = target.data.as_deref().map(|data| quoted("--data", &data.display().to_string()));
    let endpoint_url = target.endpoint_url.as_deref().map(|url| quoted("--endpoint-url", url));
    let profile = target.profile.as_deref().map(|profile| quoted("--profile", profile));
    data.into_iter().chain(endpoint_url).chain(profile).collect()
}

fn quoted(option: &str, value: &str) -> String {
    format!(" {option} {}", crate::output::shell_word(value))
}

fn loader(address: &Address, local: bool, environment: &Environment) -> ConfigLoader {
    let retry = RetryConfig::standard().with_max_attempts(MOST_ATTEMPTS).with_max_backoff(MOST_PAUSE);
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let client = aws::http::client(address.endpoint_url.as_deref());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .retry_config(retry)
        .timeout_config(timeouts);
    if let Some(url) = &address.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(profile) = &address.profile {
        loader = loader.profile_name(profile);
    }
    if local && !environment.has_credentials {
        // The local cloud believes everybody, but the SDK signs nothing without a key.
        loader = loader.credentials_provider(Credentials::new("sluice", "sluice", None, None, "sluice"));
    }
    if local { loader.region(Region::new(REGION)) } else { loader }
}

/// Retries that no earlier failure can use up: the default allowance would end after a hundred refused calls.
fn partition() -> RetryPartition {
    RetryPartition::custom("sluice").token_bucket(TokenBucket::unlimited()).build()
}

fn is_loopback(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url);
    ["127.", "localhost", "[::1]"].iter().any(|name| host.starts_with(name))
}

async fn find_state_machine(sfn: &aws_sdk_sfn::Client, endpoint_url: Option<&str>) -> anyhow::Result<String> {
    let mut machines = sfn.list_state_machines().into_paginator().items().send();
    while let Some(machine) = machines.next().await {
        let machine = machine.with_context(|| unanswered(endpoint_url))?;
        if machine.name() == STATE_MACHINE {
            return Ok(machine.state_machine_arn().to_owned());
        }
    }
    let message = format!("failed to find a state machine named `{STATE_MACHINE}`");
    Err(Problem::new(Exit::Address, message, "name it in SLUICE_STATE_MACHINE_ARN").into())
}

fn unanswered(endpoint_url: Option<&str>) -> Problem {
    let place = endpoint_url.unwrap_or("AWS");
    let next = match endpoint_url {
        Some(_) => "start the deployment with `sluice up`, or give its directory with --data",
        None => "check region and credentials, for instance with `aws sts get-caller-identity`",
    };
    Problem::new(Exit::Address, format!("failed to reach Step Functions at {place}"), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(data: Option<&str>, endpoint_url: Option<&str>) -> Target {
        Target { data: data.map(Into::into), endpoint_url: endpoint_url.map(Into::into), profile: None }
    }

    #[test]
    fn a_directory_goes_before_the_environment() {
        let environment = Environment { endpoint_url: Some("http://127.0.0.1:1".into()), ..Environment::default() };
        assert!(remote(&target(Some("d"), None), &environment).is_none());
        assert_eq!(
            remote(&target(None, None), &environment).unwrap().endpoint_url.as_deref(),
            Some("http://127.0.0.1:1")
        );
        let named = remote(&target(None, Some("http://localhost:2")), &environment).unwrap();
        assert_eq!(named.endpoint_url.as_deref(), Some("http://localhost:2"));
        assert!(remote(&target(None, None), &Environment::default()).is_none());
    }

    #[test]
    fn the_next_command_names_the_same_deployment() {
        assert_eq!(option(&target(Some("my data"), None)), " --data 'my data'");
        assert_eq!(option(&target(None, None)), "");
    }

    #[test]
    fn only_this_machine_is_local() {
        for (url, local) in
            [("http://127.0.0.1:4566", true), ("http://localhost:1", true), ("https://s3.amazonaws.com", false)]
        {
            assert_eq!(is_loopback(url), local, "{url}");
        }
    }
}
