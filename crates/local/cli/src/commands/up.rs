//! `sluice up`: the local cloud, until somebody stops it.

use cloud::deployment::{
    CATALOG_BUCKET, EXTRACTED_BUCKET, QUEUE, RAW_BUCKET, STATE_MACHINE, queue_url, state_machine_arn,
};
use serde_json::json;

use super::wait;
use crate::arguments::UpArguments;
use crate::deployment::refuse_elsewhere;
use crate::environment::Environment;
use crate::host::{self, Place};
use crate::output::{self, Output, shell_word};
use crate::problem::{Exit, Problem};

/// The region of the local cloud.
pub(crate) const REGION: &str = "us-east-1";

/// Runs the command.
pub(super) async fn up(arguments: &UpArguments, environment: &Environment) -> anyhow::Result<Exit> {
    refuse_elsewhere("up", &arguments.elsewhere)?;
    if !arguments.listen.is_loopback() && !arguments.allow_remote {
        let message =
            format!("failed to listen on `{}`: whoever reaches it can read and change everything", arguments.listen);
        return Err(Problem::new(Exit::Usage, message, "add --allow-remote if that is meant").into());
    }
    super::doctor::warn_of_missing();
    let data = arguments.data.as_deref().unwrap_or(&environment.data);
    let place = Place::At(arguments.listen, arguments.port);
    let cloud = host::start(data, &arguments.hosting, environment, place).await?;
    greet(arguments, data, &cloud.endpoint())?;
    wait::stop_signal().await;
    output::note("stopping; what has not ended goes on at the next start");
    cloud.shutdown().await;
    Ok(Exit::Fine)
}

fn greet(arguments: &UpArguments, data: &std::path::Path, endpoint: &str) -> anyhow::Result<()> {
    let mut output = Output::new();
    if arguments.form.json {
        return output.json(&json!({
            "endpoint_url": endpoint,
            "data": data,
            "region": REGION,
            "raw_bucket": RAW_BUCKET,
            "extracted_bucket": EXTRACTED_BUCKET,
            "catalog_bucket": CATALOG_BUCKET,
            "queue_url": queue_url(endpoint, QUEUE),
            "state_machine_arn": state_machine_arn(REGION, STATE_MACHINE),
            "process": std::process::id(),
        }));
    }
    let data = shell_word(&data.display().to_string());
    let lines = [
        format!("sluice is up at {endpoint}, its data is in {data}; stop it with Ctrl-C"),
        String::new(),
        "AWS CLI, boto3 and every SDK find it with:".to_owned(),
        format!(
            "  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={REGION} AWS_ACCESS_KEY_ID=sluice AWS_SECRET_ACCESS_KEY=sluice"
        ),
        "  export AWS_DISABLE_HOST_PREFIX_INJECTION=true   # for start-sync-execution".to_owned(),
        String::new(),
        format!("  aws s3 cp FILE s3://{RAW_BUCKET}/          or: sluice put --data {data} FILE"),
        format!("  aws s3 ls --recursive s3://{CATALOG_BUCKET}/     or: sluice executions --data {data}"),
    ];
    lines.iter().try_for_each(|line| output.line(line))
}
