//! `sluice sql`: statements in, rows out; or a prompt.

mod prompt;

use std::io::{self, IsTerminal as _, Read as _};
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_athena::types::{QueryExecution, QueryExecutionStatistics};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::upsert::{catalog_settings, place};
use indicatif::{ProgressBar, ProgressDrawTarget};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::sleep;

use super::{since, wait};
use crate::arguments::SqlArguments;
use crate::athena::Desk;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::output::{self, Output, RowWriter};
use crate::problem::{Exit, Problem};
use crate::sql;

/// A prompt or a file is read up to here; a statement itself may have 262,144 bytes.
const MOST_TEXT_BYTES: u64 = 16 << 20;
/// How often the first making of the catalog's tables is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The view that is made last: where it is there, all are.
const LAST_MADE: &str = "cells";
/// How often it is asked for, where another execution is at work.
const TRIES: u32 = 300;

/// Runs the command.
pub(super) async fn sql(arguments: &SqlArguments, environment: &Environment) -> anyhow::Result<Exit> {
    let time = arguments.as_of.as_deref().map(|text| since::parse(text, aws::clock::now())).transpose()?;
    let text = text(arguments)?;
    let deployment = Deployment::attach(&arguments.target, &arguments.hosting, environment).await?;
    let desk = Desk {
        client: deployment.athena.clone(),
        work_group: arguments.work_group.as_ref().unwrap_or(&deployment.work_group).clone(),
        database: arguments.database.as_ref().unwrap_or(&deployment.database).clone(),
        results: format!("s3://{}/{}", deployment.lake_bucket, place::RESULTS),
    };
    let exit = tokio::select! {
        exit = prepared(arguments, desk, time, &deployment, text, environment) => exit,
        () = wait::stop_signal() => Ok(Exit::Interrupted),
    };
    deployment.close().await;
    exit
}

/// The statements that were given; nothing where there is to be a prompt.
fn text(arguments: &SqlArguments) -> anyhow::Result<Option<String>> {
    if let Some(statement) = &arguments.statement {
        return Ok(Some(statement.clone()));
    }
    if let Some(path) = arguments.file.as_deref().filter(|path| *path != "-") {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let problem = Problem::new(Exit::NotFound, format!("failed to read `{path}`"), "check the path");
            anyhow::Error::new(error).context(problem)
        });
        return text.map(Some);
    }
    if io::stdin().is_terminal() && arguments.file.is_none() {
        return Ok(None);
    }
    let mut text = String::new();
    let read = io::stdin().take(MOST_TEXT_BYTES).read_to_string(&mut text);
    read.context("failed to read standard input")?;
    Ok(Some(text))
}

async fn prepared(
    arguments: &SqlArguments,
    desk: Desk,
    time: Option<Timestamp>,
    deployment: &Deployment,
    text: Option<String>,
    environment: &Environment,
) -> anyhow::Result<Exit> {
    let catalog = prepare(&desk, deployment).await?;
    let session = Session { arguments, desk, catalog, time };
    let Some(text) = text else { return prompt::prompt(&session, environment).await };
    let statements = sql::statements(&text);
    if statements.is_empty() {
        let next = "give one, as in: sluice sql \"SELECT status, count(*) FROM catalog GROUP BY status\"";
        return Err(Problem::new(Exit::Usage, "failed to find a statement", next).into());
    }
    for statement in statements {
        session.run(statement).await?;
    }
    Ok(Exit::Fine)
}

/// Sees to it that the catalog's tables and views are there, and says in which database: whoever asks first has them
/// made. Where no stack says what its database is called, it may be the one that was given.
async fn prepare(desk: &Desk, deployment: &Deployment) -> anyhow::Result<String> {
    let of_deployment = &deployment.database;
    let Some(machine) = &deployment.upsert_state_machine_arn else { return Ok(of_deployment.clone()) };
    for database in [of_deployment, &desk.database] {
        if desk.has_table(database, LAST_MADE).await {
            return Ok(database.clone());
        }
    }
    output::note("the catalog's tables are made, once");
    for _ in 0..TRIES {
        merged(deployment, machine).await?;
        // An execution that finds another one at work leaves it to that one.
        if desk.has_table(of_deployment, LAST_MADE).await {
            return Ok(of_deployment.clone());
        }
        sleep(LOOK).await;
    }
    let message = "failed to find the catalog's tables after they were made";
    Err(Problem::new(Exit::Internal, message, "`sluice up` with SLUICE_LOG=debug says more").into())
}

/// Has what waits merged into the catalog's table.
async fn merged(deployment: &Deployment, machine: &str) -> anyhow::Result<()> {
    let settings_uri = format!("s3://{}/{}", deployment.lake_bucket, catalog_settings());
    let input = json!({ "settings_uri": settings_uri }).to_string();
    let started = deployment.sfn.start_execution().state_machine_arn(machine).input(input).send().await;
    let started = started.context("failed to start the making of the catalog's tables")?;
    let arn = started.execution_arn();
    loop {
        let asked = deployment.sfn.describe_execution().execution_arn(arn).send().await;
        let asked = asked.context("failed to ask for the making of the catalog's tables")?;
        match asked.status() {
            ExecutionStatus::Running => sleep(LOOK).await,
            ExecutionStatus::Succeeded => return Ok(()),
            _ => {
                let cause = asked.cause().or(asked.error()).unwrap_or("no reason is known").to_owned();
                let next = format!("look at it with: aws stepfunctions get-execution-history --execution-arn {arn}");
                let problem = Problem::new(Exit::Internal, "failed to make the catalog's tables", next);
                return Err(anyhow::anyhow!(cause).context(problem));
            }
        }
    }
}

/// What all statements share.
#[derive(Debug)]
struct Session<'a> {
    arguments: &'a SqlArguments,
    desk: Desk,
    /// The database of the catalog's tables.
    catalog: String,
    time: Option<Timestamp>,
}

impl Session<'_> {
    /// Runs one statement and prints its rows.
    async fn run(&self, statement: &str) -> anyhow::Result<()> {
        let databases = sql::Databases { session: &self.desk.database, catalog: &self.catalog };
        let past = self.time.map(|time| sql::as_of(statement, time, databases));
        let statement = past.as_deref().unwrap_or(statement);
        let id = self.desk.start(statement).await?;
        let mut running = Running { desk: &self.desk, id: Some(id.clone()), spinner: spinner() };
        let done = self.desk.wait(&id, statement, |query| running.tell(query)).await;
        running.ended();
        let done = done?;
        let mut output = Output::new();
        let mut writer = RowWriter::new(self.arguments.format);
        let mut page = self.desk.page(&done, None).await?;
        while let Some(rows) = page {
            writer.page(&mut output, &rows)?;
            page = self.desk.page(&done, Some(&rows)).await?;
        }
        Ok(())
    }
}

/// A query under way: whoever stops waiting for it cancels it.
struct Running<'a> {
    desk: &'a Desk,
    id: Option<String>,
    spinner: Option<ProgressBar>,
}

impl Running<'_> {
    fn tell(&self, query: &QueryExecution) {
        if let Some(spinner) = &self.spinner {
            let scanned = query.statistics().and_then(QueryExecutionStatistics::data_scanned_in_bytes).unwrap_or(0);
            let scanned = indicatif::HumanBytes(u64::try_from(scanned).unwrap_or(0));
            let seconds = spinner.elapsed().as_secs();
            spinner.set_message(format!("{seconds} s, {scanned} read; Ctrl-C cancels"));
            spinner.tick();
        }
    }

    fn ended(&mut self) {
        self.id = None;
        if let Some(spinner) = self.spinner.take() {
            spinner.finish_and_clear();
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let desk = self.desk.clone();
            tokio::spawn(async move { desk.cancel(&id).await });
        }
    }
}

fn spinner() -> Option<ProgressBar> {
    io::stderr().is_terminal().then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()))
}
