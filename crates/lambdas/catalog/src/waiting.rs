//! Leaves a change record for the catalog's table, and starts the machine that merges it where that is asked for.
//!
//! A machine that cannot be started is no failure: the record waits for the next one, and queries see it meanwhile.

use std::sync::{Mutex, PoisonError};

use aws::Deployment;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use bytes::Bytes;
use domain::change::Change;
use domain::failure::Failure;
use domain::object::ObjectRef;
use domain::upsert::{GATHER_SECONDS, catalog_run, catalog_settings, place};
use serde_json::json;

/// Leaves `change` where what is not merged yet waits; does nothing where no tables are kept.
pub(crate) async fn leave(deployment: &Deployment, change: &Change) -> Result<(), Failure> {
    let Some(lake_bucket) = &deployment.names.lake_bucket else { return Ok(()) };
    let text = serde_json::to_string(change);
    let text = text.map_err(|error| Failure::internal(format!("failed to serialise a change record: {error}")))?;
    let waiting = ObjectRef::new(lake_bucket, place::waiting(&change.run, &text));
    deployment.store.write(&waiting, "application/json", Bytes::from(text)).await?;
    if let Some(machine) = &deployment.names.upsert_state_machine_arn {
        start(deployment, machine, lake_bucket).await;
    }
    Ok(())
}

/// The execution of `upsert` that this process has seen started.
static STARTED: Mutex<Option<String>> = Mutex::new(None);

/// All records of the same half minute start the same execution, which is there after the first.
async fn start(deployment: &Deployment, machine: &str, lake_bucket: &str) {
    let run = catalog_run(aws::clock::now());
    if STARTED.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(&run) {
        return;
    }
    let settings_uri = format!("s3://{lake_bucket}/{}", catalog_settings());
    let input = json!({ "settings_uri": settings_uri, "wait_seconds": GATHER_SECONDS });
    let request = deployment.client(Client::new).start_execution().state_machine_arn(machine);
    match request.name(&run).input(input.to_string()).send().await {
        Err(error) if !error.as_service_error().is_some_and(StartExecutionError::is_execution_already_exists) => {
            let code = aws_sdk_sfn::error::ProvideErrorMetadata::code(&error).unwrap_or("unknown");
            tracing::warn!(code, "the catalog's table is not brought up to date now");
        }
        _ => *STARTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(run),
    }
}
