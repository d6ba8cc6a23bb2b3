//! The deployment that a command speaks to: the local cloud of a directory, another endpoint, or AWS.
//!
//! Everything behind this type is an AWS API; [`Deployment::is_ours`] says whether work stops when the command ends.

mod address;
mod names;

use std::path::PathBuf;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_s3::config::retry::{RetryPartition, TokenBucket};
use cloud::deployment::{
    CATALOG_BUCKET, EXTRACTED_BUCKET, LAKE_BUCKET, QUEUE, RAW_BUCKET, STATE_MACHINE, UPSERT_STATE_MACHINE, queue_url,
};

use crate::arguments::{Elsewhere, Hosting, Target};
use crate::environment::Environment;
use crate::host::{self, Hosted, Place};
use crate::problem::{Exit, Problem};
pub(crate) use address::Address;
use names::Names;

/// The database that the settings of the catalog's tables name, unless a stack has another.
const DATABASE: &str = "sluice";
/// The work group that every account has.
const WORK_GROUP: &str = "primary";

/// Clients and names; closes the local cloud that it started, if it started one.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sfn: aws_sdk_sfn::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) athena: aws_sdk_athena::Client,
    pub(crate) raw_bucket: String,
    pub(crate) extracted_bucket: Option<String>,
    pub(crate) catalog_bucket: String,
    pub(crate) lake_bucket: String,
    pub(crate) state_machine_arn: String,
    queue_url: Option<String>,
    /// The state machine that merges changes into tables, where it is known.
    pub(crate) upsert_state_machine_arn: Option<String>,
    /// The database of the catalog's tables.
    pub(crate) database: String,
    /// The work group that is meant for people's queries.
    pub(crate) work_group: String,
    /// What to add to a command that is to speak to the same deployment: ` --data DIR`, or nothing.
    pub(crate) option: String,
    /// The directory of a local cloud.
    data: Option<PathBuf>,
    hosted: Option<Hosted>,
}

impl Deployment {
    /// Finds the deployment that `target` means, and starts a local cloud where that is what it means.
    ///
    /// # Errors
    /// When the directory cannot be used, or nothing answers at the address.
    pub(crate) async fn attach(target: &Target, hosting: &Hosting, environment: &Environment) -> anyhow::Result<Self> {
        if let Some(address) = Address::find(target, environment) {
            host::refuse_options(hosting, &address.place())?;
            let sdk = address.loader(environment).load().await;
            let given = Names::of_environment(environment);
            let names = match &address.stack {
                Some(stack) => given.or_of_stack(&sdk, stack, &address.place()).await?,
                None => given,
            };
            return Self::connect(&address, &sdk, names, option(target)).await;
        }
        let data = target.data.clone().unwrap_or_else(|| environment.data.clone());
        let hosted = host::open(&data, hosting, environment, Place::AnyPort).await?;
        let address = Address::of_local_cloud(hosted.address());
        let names = Names { queue_url: Some(queue_url(hosted.address(), QUEUE)), ..Names::default() };
        let sdk = address.loader(environment).load().await;
        let deployment = Self::connect(&address, &sdk, names, option(target)).await?;
        let data = std::path::absolute(&data).unwrap_or(data);
        Ok(Self { data: Some(data), hosted: Some(hosted), ..deployment })
    }

    /// What `names` leave open is called as in the local cloud.
    async fn connect(address: &Address, sdk: &SdkConfig, names: Names, option: String) -> anyhow::Result<Self> {
        let by_path = !address.is_aws();
        let s3 = aws_sdk_s3::config::Builder::from(sdk).force_path_style(by_path).retry_partition(partition()).build();
        let sfn = aws_sdk_sfn::config::Builder::from(sdk).retry_partition(partition()).build();
        let sqs = aws_sdk_sqs::config::Builder::from(sdk).retry_partition(partition()).build();
        let sfn = aws_sdk_sfn::Client::from_conf(sfn);
        let athena = aws_sdk_athena::config::Builder::from(sdk).retry_partition(partition()).build();
        let state_machine_arn = match names.state_machine_arn {
            Some(arn) => arn,
            None => find_state_machine(&sfn, address).await?,
        };
        let extracted = names.extracted_bucket.or_else(|| address.stack.is_none().then(|| EXTRACTED_BUCKET.to_owned()));
        Ok(Self {
            s3: aws_sdk_s3::Client::from_conf(s3),
            sfn,
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
            raw_bucket: names.raw_bucket.unwrap_or_else(|| RAW_BUCKET.to_owned()),
            extracted_bucket: extracted,
            catalog_bucket: names.catalog_bucket.unwrap_or_else(|| CATALOG_BUCKET.to_owned()),
            athena: aws_sdk_athena::Client::from_conf(athena),
            lake_bucket: names.lake_bucket.unwrap_or_else(|| LAKE_BUCKET.to_owned()),
            upsert_state_machine_arn: names.upsert_state_machine_arn.or_else(|| upsert(&state_machine_arn)),
            database: names.database.unwrap_or_else(|| DATABASE.to_owned()),
            work_group: names.work_group.unwrap_or_else(|| WORK_GROUP.to_owned()),
            state_machine_arn,
            queue_url: names.queue_url,
            option,
            data: None,
            hosted: None,
        })
    }

    /// The ARN of the execution `run`.
    pub(crate) fn execution_arn(&self, run: &str) -> String {
        crate::executions::arn(&self.state_machine_arn, run)
    }

    /// The queue that holds what is to be started.
    ///
    /// # Errors
    /// When nobody named it and none bears the usual name.
    pub(crate) async fn queue_url(&self) -> anyhow::Result<String> {
        if let Some(url) = &self.queue_url {
            return Ok(url.clone());
        }
        let found = self.sqs.get_queue_url().queue_name(QUEUE).send().await;
        let missing = || {
            let message = format!("failed to find a queue named `{QUEUE}`");
            Problem::new(Exit::NotFound, message, "name it in SLUICE_QUEUE_URL, or the stack with --stack")
        };
        found.with_context(missing)?.queue_url.with_context(missing)
    }

    /// What tells this deployment from others, however often it is started anew: its directory, or its queue.
    pub(crate) fn identity(&self, queue_url: &str) -> String {
        self.data.as_ref().map_or_else(|| queue_url.to_owned(), |data| data.display().to_string())
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

/// Refuses AWS where a command is about this machine.
///
/// # Errors
/// When `target` or the environment means AWS.
pub(crate) fn refuse_aws(command: &str, target: &Target, environment: &Environment) -> anyhow::Result<()> {
    match Address::find(target, environment) {
        Some(address) if address.is_aws() => Err(not_in_aws(command, "AWS").into()),
        _ => Ok(()),
    }
}

/// Refuses the options that mean AWS where a command has no others.
///
/// # Errors
/// When one is given.
pub(crate) fn refuse_elsewhere(command: &str, elsewhere: &Elsewhere) -> anyhow::Result<()> {
    elsewhere.given().map_or(Ok(()), |option| Err(not_in_aws(command, option).into()))
}

fn not_in_aws(command: &str, what: &str) -> Problem {
    let message = format!("failed to use {what}: `sluice {command}` is about this machine");
    let next = "`sluice put` and `sluice backfill` feed a deployment in AWS, `sluice executions` and `sluice show` tell \
                of it; with --data DIR the local cloud is meant";
    Problem::new(Exit::Usage, message, next)
}

/// The machine beside `extract`, under the local cloud's name.
fn upsert(extract: &str) -> Option<String> {
    Some(format!("{}{UPSERT_STATE_MACHINE}", extract.strip_suffix(STATE_MACHINE)?))
}

fn option(target: &Target) -> String {
    let data = target.data.as_deref().map(|data| data.display().to_string());
    let options = [
        ("--data", data.as_ref()),
        ("--endpoint-url", target.endpoint_url.as_ref()),
        ("--profile", target.profile.as_ref()),
        ("--region", target.region.as_ref()),
        ("--stack", target.stack.as_ref()),
    ];
    let given = options.into_iter().filter_map(|(option, value)| Some((option, value?)));
    given.map(|(option, value)| format!(" {option} {}", crate::output::shell_word(value))).collect::<Vec<_>>().concat()
}

/// Retries that no earlier failure can use up: the default allowance would end after a hundred refused calls.
fn partition() -> RetryPartition {
    RetryPartition::custom("sluice").token_bucket(TokenBucket::unlimited()).build()
}

async fn find_state_machine(sfn: &aws_sdk_sfn::Client, address: &Address) -> anyhow::Result<String> {
    let mut machines = sfn.list_state_machines().into_paginator().items().send();
    while let Some(machine) = machines.next().await {
        let machine = machine.with_context(|| unanswered(address))?;
        if machine.name() == STATE_MACHINE {
            return Ok(machine.state_machine_arn().to_owned());
        }
    }
    let message = format!("failed to find a state machine named `{STATE_MACHINE}`");
    Err(Problem::new(Exit::Address, message, "name it in SLUICE_STATE_MACHINE_ARN, or the stack with --stack").into())
}

fn unanswered(address: &Address) -> Problem {
    let next = if address.is_aws() {
        "check region and credentials, for instance with `aws sts get-caller-identity`"
    } else {
        "start the deployment with `sluice up`, or give its directory with --data"
    };
    Problem::new(Exit::Address, format!("failed to reach Step Functions at {}", address.place()), next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::explain;

    #[test]
    fn the_next_command_names_the_same_deployment() {
        let target = |data: Option<&str>| Target { data: data.map(Into::into), ..Target::default() };
        assert_eq!(option(&target(Some("my data"))), " --data 'my data'");
        assert_eq!(option(&target(None)), "");
        let stack = Target { stack: Some("s".into()), region: Some("eu-west-1".into()), ..Target::default() };
        assert_eq!(option(&stack), " --region eu-west-1 --stack s");
    }

    #[test]
    fn what_is_about_this_machine_says_so_when_aws_is_meant() {
        let target = Target { profile: Some("work".into()), ..Target::default() };
        let (text, exit) = explain(&refuse_aws("run", &target, &Environment::default()).unwrap_err());
        assert!(text.contains("`sluice run` is about this machine") && text.contains("--data"), "{text}");
        assert_eq!(exit, Exit::Usage);
        let here = Target { endpoint_url: Some("http://127.0.0.1:1".into()), ..Target::default() };
        assert!(refuse_aws("run", &here, &Environment::default()).is_ok());
        assert!(refuse_elsewhere("up", &Elsewhere::default()).is_ok());
    }
}
