//! `sluice put`: files into the raw bucket; the deployment does the rest in its own time.

use futures::StreamExt as _;
use serde::Serialize;

use super::run::{find, not_uploaded, run_name, uploads};
use super::wait;
use crate::arguments::PutArguments;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::files::{self, Found, SourceFile};
use crate::output::{self, Output};
use crate::problem::Exit;
use crate::row::Row;

/// One file that is in the raw bucket now.
#[derive(Debug, Serialize)]
struct Put {
    file: String,
    key: String,
    version_id: String,
    uri: String,
    execution_arn: String,
}

/// Runs the command.
pub(super) async fn put(arguments: &PutArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let data = arguments.target.data.as_deref().unwrap_or(&environment.data);
    let found = find(&arguments.files, data)?;
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    let exit = tokio::select! {
        exit = send(arguments, &deployment, found) => exit,
        () = wait::stop_signal() => Ok(Exit::Interrupted),
    };
    wait::tell_what_stands_still(&deployment);
    deployment.close().await;
    exit
}

async fn send(arguments: &PutArguments, deployment: &Deployment, found: Found) -> anyhow::Result<Exit> {
    let mut output = Output::new();
    let mut failed = false;
    for refused in &found.refused {
        failed = true;
        tell_failure(
            &mut output,
            arguments,
            &Row::refused(&files::display(&refused.path), None, refused.reason.clone()),
        )?;
    }
    let mut uploads = std::pin::pin!(uploads(found.files, deployment));
    while let Some((file, version)) = uploads.next().await {
        match version {
            Ok(version) => tell_put(&mut output, arguments, &made(&file, version, deployment))?,
            Err(error) => {
                failed = true;
                tell_failure(&mut output, arguments, &not_uploaded(&file, &error))?;
            }
        }
    }
    Ok(if failed { Exit::FileFailed } else { Exit::Fine })
}

fn made(file: &SourceFile, version: String, deployment: &Deployment) -> Put {
    let run = run_name(&deployment.raw_bucket, &file.key, version.clone());
    Put {
        file: files::display(&file.path),
        key: file.key.clone(),
        version_id: version,
        uri: format!("s3://{}/{}", deployment.raw_bucket, file.key),
        execution_arn: deployment.execution_arn(&run),
    }
}

fn tell_put(output: &mut Output, arguments: &PutArguments, put: &Put) -> anyhow::Result<()> {
    if arguments.form.json { output.json(put) } else { output.line(&output::plain(&put.uri)) }
}

fn tell_failure(output: &mut Output, arguments: &PutArguments, row: &Row) -> anyhow::Result<()> {
    if arguments.form.json {
        return output.json(row);
    }
    let reason = row.reason.as_deref().unwrap_or_default();
    output::note(&format!("failed to put `{}`: {}", output::plain(&row.file), output::plain(reason)));
    Ok(())
}
