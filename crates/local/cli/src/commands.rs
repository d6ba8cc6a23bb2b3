//! One file for each command, and the frame in which they run: runtime, logs, signals, exit code.

mod backfill;
pub(crate) mod doctor;
pub(crate) mod executions;
mod put;
mod redrive;
mod replay;
mod run;
mod show;
mod since;
mod sql;
pub(crate) mod up;
mod wait;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command};
use crate::environment::Environment;
use crate::output::{self, ReaderGone};
use crate::problem::{Exit, explain};

/// Logs are for faults of Sluice; what became of files stands in the table.
const DEFAULT_LOG: &str = "error";

/// Runs the program with these arguments and in this environment.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    log(environment);
    let exit = match start(arguments.command, environment) {
        Ok(exit) => exit,
        Err(error) if error.is::<ReaderGone>() => Exit::Fine,
        Err(error) => {
            let (message, exit) = explain(&error);
            output::note(&message);
            exit
        }
    };
    ExitCode::from(exit as u8)
}

/// Help and version are no errors; clap knows which stream each goes to.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell where the stream is gone.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Exit::Usage } else { Exit::Fine } as u8)
}

fn log(environment: &Environment) {
    let filter = environment.log.as_deref().unwrap_or(DEFAULT_LOG);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second subscriber is refused, and the first one serves as well.
    let _ = subscriber.try_init();
}

fn start(command: Command, environment: &Environment) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("failed to start the program's threads")?;
    let exit = runtime.block_on(dispatch(command, environment));
    // A stopped command leaves work behind that nobody waits for.
    runtime.shutdown_background();
    exit
}

async fn dispatch(command: Command, environment: &Environment) -> anyhow::Result<Exit> {
    match command {
        Command::Run(arguments) => run::run(&arguments, environment).await,
        Command::Up(arguments) => up::up(&arguments, environment).await,
        Command::Put(arguments) => put::put(&arguments, environment).await,
        Command::Backfill(arguments) => backfill::backfill(&arguments, environment).await,
        Command::Replay(arguments) => replay::replay(&arguments, environment).await,
        Command::Show(arguments) => show::show(&arguments, environment).await,
        Command::Executions(arguments) => executions::executions(&arguments, environment).await,
        Command::Redrive(arguments) => redrive::redrive(&arguments, environment).await,
        Command::Sql(arguments) => sql::sql(&arguments, environment).await,
        Command::Doctor(arguments) => doctor::doctor(&arguments, environment),
    }
}
