//! What a deployment is made of: the names of its buckets, its state machines, its queue and its database.
//!
//! In this order: the variables that the functions read too, the outputs of the stack, and the names of the local
//! cloud, which is no stack.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::Stack;

use crate::environment::Environment;
use crate::problem::{Exit, Problem};

/// What the template calls its outputs.
mod output {
    pub(super) const RAW_BUCKET: &str = "RawBucket";
    pub(super) const EXTRACTED_BUCKET: &str = "ExtractedBucket";
    pub(super) const CATALOG_BUCKET: &str = "CatalogBucket";
    pub(super) const LAKE_BUCKET: &str = "LakeBucket";
    pub(super) const STATE_MACHINE_ARN: &str = "StateMachineArn";
    pub(super) const UPSERT_STATE_MACHINE_ARN: &str = "UpsertStateMachineArn";
    pub(super) const QUEUE_URL: &str = "QueueUrl";
    pub(super) const DATABASE: &str = "DatabaseName";
    pub(super) const WORK_GROUP: &str = "WorkgroupName";
}

/// Names, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) raw_bucket: Option<String>,
    pub(super) extracted_bucket: Option<String>,
    pub(super) catalog_bucket: Option<String>,
    pub(super) lake_bucket: Option<String>,
    pub(super) state_machine_arn: Option<String>,
    pub(super) upsert_state_machine_arn: Option<String>,
    pub(super) queue_url: Option<String>,
    pub(super) database: Option<String>,
    pub(super) work_group: Option<String>,
}

impl Names {
    /// What the environment says.
    pub(super) fn of_environment(environment: &Environment) -> Self {
        Self {
            raw_bucket: environment.raw_bucket.clone(),
            extracted_bucket: environment.extracted_bucket.clone(),
            catalog_bucket: environment.catalog_bucket.clone(),
            lake_bucket: environment.lake_bucket.clone(),
            state_machine_arn: environment.state_machine_arn.clone(),
            upsert_state_machine_arn: environment.upsert_state_machine_arn.clone(),
            queue_url: environment.queue_url.clone(),
            ..Self::default()
        }
    }

    /// What the outputs of a stack say.
    fn of_stack(stack: &Stack) -> Self {
        let value = |wanted: &str| {
            let output = stack.outputs().iter().find(|output| output.output_key() == Some(wanted))?;
            output.output_value().map(str::to_owned)
        };
        Self {
            raw_bucket: value(output::RAW_BUCKET),
            extracted_bucket: value(output::EXTRACTED_BUCKET),
            catalog_bucket: value(output::CATALOG_BUCKET),
            lake_bucket: value(output::LAKE_BUCKET),
            state_machine_arn: value(output::STATE_MACHINE_ARN),
            upsert_state_machine_arn: value(output::UPSERT_STATE_MACHINE_ARN),
            queue_url: value(output::QUEUE_URL),
            database: value(output::DATABASE),
            work_group: value(output::WORK_GROUP),
        }
    }

    /// These, and where something is missing, what `others` say.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            raw_bucket: self.raw_bucket.or(others.raw_bucket),
            extracted_bucket: self.extracted_bucket.or(others.extracted_bucket),
            catalog_bucket: self.catalog_bucket.or(others.catalog_bucket),
            lake_bucket: self.lake_bucket.or(others.lake_bucket),
            state_machine_arn: self.state_machine_arn.or(others.state_machine_arn),
            upsert_state_machine_arn: self.upsert_state_machine_arn.or(others.upsert_state_machine_arn),
            queue_url: self.queue_url.or(others.queue_url),
            database: self.database.or(others.database),
            work_group: self.work_group.or(others.work_group),
        }
    }

    /// Whether all is known that every command needs.
    fn is_enough(&self) -> bool {
        [&self.raw_bucket, &self.catalog_bucket, &self.state_machine_arn].into_iter().all(Option::is_some)
    }

    /// These and the outputs of `stack`, which is asked for only where something is missing.
    ///
    /// # Errors
    /// When there is no such stack, or it is none of ours.
    pub(super) async fn or_of_stack(self, sdk: &SdkConfig, stack: &str, place: &str) -> anyhow::Result<Self> {
        if self.is_enough() && self.queue_url.is_some() {
            return Ok(self);
        }
        let names = self.or(Self::of_stack(&describe(&Client::new(sdk), stack, place).await?));
        if names.is_enough() {
            return Ok(names);
        }
        let message = format!("failed to find the buckets and the state machine in the outputs of the stack `{stack}`");
        Err(Problem::new(Exit::NotFound, message, "name the stack that Sluice was deployed as with --stack").into())
    }
}

async fn describe(client: &Client, stack: &str, place: &str) -> anyhow::Result<Stack> {
    let missing = || {
        let message = format!("failed to find the stack `{stack}` in {place}");
        let next = "name it with --stack or SLUICE_STACK, and its region with --region; `make deploy` makes one";
        Problem::new(Exit::NotFound, message, next)
    };
    match client.describe_stacks().stack_name(stack).send().await {
        Ok(described) => described.stacks.unwrap_or_default().into_iter().next().ok_or_else(|| missing().into()),
        // CloudFormation has no error of its own for this.
        Err(error) if error.code() == Some("ValidationError") => Err(error).with_context(missing),
        Err(error) => {
            let next = "check profile, region and credentials, for instance with `aws sts get-caller-identity`";
            let message = format!("failed to ask CloudFormation for the stack `{stack}` in {place}");
            Err(error).with_context(|| Problem::new(Exit::Address, message, next))
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::types::Output;

    use super::*;

    #[test]
    fn variables_go_before_the_outputs_of_the_stack() {
        let output = |key: &str, value: &str| Output::builder().output_key(key).output_value(value).build();
        let stack = Stack::builder()
            .outputs(output("RawBucket", "raw-1"))
            .outputs(output("CatalogBucket", "catalog-1"))
            .outputs(output("QueueUrl", "https://sqs/q"))
            .outputs(output("DatabaseName", "files"))
            .outputs(output("WorkgroupName", "people"))
            .outputs(output("Other", "x"))
            .build();
        let environment = Environment { raw_bucket: Some("mine".into()), ..Environment::default() };
        let names = Names::of_environment(&environment).or(Names::of_stack(&stack));
        assert_eq!(names.raw_bucket.as_deref(), Some("mine"));
        assert_eq!(names.catalog_bucket.as_deref(), Some("catalog-1"));
        assert_eq!(names.queue_url.as_deref(), Some("https://sqs/q"));
        assert_eq!((names.database.as_deref(), names.work_group.as_deref()), (Some("files"), Some("people")));
        assert!(!names.is_enough(), "the state machine is missing");
    }
}
