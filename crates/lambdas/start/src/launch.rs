//! Starting an execution under the run's own name, so that a duplicate event starts nothing.

use aws::Deployment;
use aws::call::failure;
use aws_sdk_sfn::Client;
use domain::event::{ObjectEvent, is_folder_marker};
use domain::failure::Failure;
use domain::run::execution_name;

/// Starts executions.
pub(crate) struct Launcher {
    client: Client,
    state_machine_arn: String,
    own_buckets: Vec<String>,
}

impl Launcher {
    pub(crate) fn new(deployment: &Deployment) -> Self {
        let names = &deployment.names;
        let mut own_buckets = vec![names.extracted_bucket.clone(), names.catalog_bucket.clone()];
        own_buckets.extend(names.partitioned_bucket.clone());
        Self { client: deployment.client(Client::new), state_machine_arn: names.state_machine_arn.clone(), own_buckets }
    }

    /// Starts the run of `event`, unless it runs or ran already, or there is nothing to run.
    pub(crate) async fn launch(&self, event: &ObjectEvent) -> Result<(), Failure> {
        if is_folder_marker(event) || self.is_own_output(event) {
            return Ok(());
        }
        let input = serde_json::to_string(event)
            .map_err(|error| Failure::internal(format!("failed to serialise an event: {error}")))?;
        let request = self
            .client
            .start_execution()
            .state_machine_arn(&self.state_machine_arn)
            .name(execution_name(event))
            .input(input);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_sfn::operation::start_execution::StartExecutionError::is_execution_already_exists,
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(failure("states:StartExecution", &error)),
        }
    }

    /// An output must never become an input, or the pipeline would feed itself for ever.
    fn is_own_output(&self, event: &ObjectEvent) -> bool {
        self.own_buckets.contains(&event.object.bucket)
    }
}
