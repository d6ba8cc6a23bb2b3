//! Starts the local cloud of a data directory, or finds the one that already runs there.
//!
//! Here alone a fault of the cloud becomes a message with what to do next.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use cloud::database::{DatabaseError, LockError};
use cloud::deployment::{DeployError, Stack, Tables};
use cloud::faults::Faults;
use cloud::lambda::Endpoint;
use cloud::states::Retention;
use cloud::{Cloud, CloudError, Config};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::arguments::Hosting;
use crate::environment::Environment;
use crate::problem::{Exit, Problem};

/// The definition that is deployed, in the cloud as here.
const STATE_MACHINE: &str = include_str!("../../../../statemachine/extract.asl.json");
/// Merges changes into tables.
const UPSERT: &str = include_str!("../../../../statemachine/upsert.asl.json");
/// The catalog as one of these tables.
const CATALOG: &str = include_str!("../../../../statemachine/catalog.toml");

/// Another command may hold the directory for a moment without an address: it starts up or shuts down.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// A cloud on this machine answers at once or not at all.
const ANSWER: Duration = Duration::from_secs(2);

/// Where a cloud is to listen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// Any free port of loopback.
    AnyPort,
    /// Exactly here.
    At(IpAddr, u16),
}

/// The cloud of a data directory.
#[derive(Debug)]
pub(crate) enum Hosted {
    /// Started by this command.
    Ours(Box<Cloud>, String),
    /// Started by another process, at this address.
    Others(String),
}

impl Hosted {
    pub(crate) fn address(&self) -> &str {
        match self {
            Self::Ours(_, address) | Self::Others(address) => address,
        }
    }

    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(..))
    }

    /// Ends the cloud if this command started it.
    pub(crate) async fn close(self) {
        if let Self::Ours(cloud, _) = self {
            cloud.shutdown().await;
        }
    }
}

/// Starts the cloud of `data`, or finds the one that runs there.
///
/// # Errors
/// As [`start`]; and when options are given that the running one cannot take.
pub(crate) async fn open(
    data: &Path,
    hosting: &Hosting,
    environment: &Environment,
    place: Place,
) -> anyhow::Result<Hosted> {
    for _ in 0..TRIES {
        match Cloud::start(config(data, hosting, environment, place)?).await {
            Ok(cloud) => {
                let address = cloud.endpoint();
                return Ok(Hosted::Ours(Box::new(cloud), address));
            }
            Err(CloudError::Lock(LockError::Held { address: Some(address), .. })) if answers(&address).await => {
                refuse_options(hosting, &address)?;
                return Ok(Hosted::Others(address));
            }
            Err(CloudError::Lock(LockError::Held { .. })) => sleep(PAUSE).await,
            Err(error) => return Err(explained(&error, data)),
        }
    }
    let message =
        format!("failed to take the data directory `{}`: another process holds it and does not answer", data.display());
    Err(Problem::new(Exit::DataDirectory, message, "end that process, or choose another directory with --data").into())
}

/// Starts a cloud on `data`.
///
/// # Errors
/// When the directory, the port, a program or an option cannot be used.
pub(crate) async fn start(
    data: &Path,
    hosting: &Hosting,
    environment: &Environment,
    place: Place,
) -> anyhow::Result<Cloud> {
    let started = Cloud::start(config(data, hosting, environment, place)?).await;
    started.map_err(|error| explained(&error, data))
}

/// Refuses options for starting a cloud where none is started.
pub(crate) fn refuse_options(hosting: &Hosting, place: &str) -> anyhow::Result<()> {
    let given = [
        ("--settings", hosting.settings.is_some()),
        ("--fault", !hosting.fault.is_empty()),
        ("--workers", hosting.workers.is_some()),
        ("--functions", hosting.functions.is_some()),
        ("--lambda-endpoint", hosting.lambda_endpoint.is_some()),
        ("--state-machine", hosting.state_machine.is_some()),
        ("--keep-days", hosting.keep_days.is_some()),
        ("--keep-executions", hosting.keep_executions.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => {
            let message = format!("failed to use {option}: the deployment at {place} already runs");
            Err(Problem::new(Exit::Usage, message, format!("give {option} to the `sluice up` that runs it")).into())
        }
        None => Ok(()),
    }
}

async fn answers(address: &str) -> bool {
    let host = address.trim_start_matches("http://");
    matches!(timeout(ANSWER, TcpStream::connect(host)).await, Ok(Ok(_)))
}

fn config(data: &Path, hosting: &Hosting, environment: &Environment, place: Place) -> anyhow::Result<Config> {
    let (address, port) = match place {
        Place::AnyPort => (IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        Place::At(address, port) => (address, port),
    };
    let faults = Faults::parse(&hosting.fault, fastrand::Rng::new());
    let faults = faults
        .map_err(|error| anyhow::Error::new(Problem::new(Exit::Usage, error.to_string(), "see `sluice run --help`")))?;
    Ok(Config {
        address,
        port,
        stack: Some(stack(hosting, environment)?),
        lambda_endpoint: lambda_endpoint(hosting, environment)?,
        workers_per_function: hosting.workers.unwrap_or(0).into(),
        faults,
        retention: retention(hosting),
        speech_worker: functions(hosting.functions.as_deref(), environment)?.join("sluice-speech"),
        ..Config::new(data)
    })
}

fn lambda_endpoint(hosting: &Hosting, environment: &Environment) -> anyhow::Result<Option<Endpoint>> {
    if let Some(endpoint) = &hosting.lambda_endpoint {
        return Ok(Some(endpoint.clone()));
    }
    let parsed = environment.lambda_endpoint.as_deref().map(str::parse::<Endpoint>).transpose();
    parsed.map_err(|error| {
        let next = "correct or unset SLUICE_LAMBDA_ENDPOINT";
        anyhow::Error::new(Problem::new(Exit::Usage, error.to_string(), next))
    })
}

fn retention(hosting: &Hosting) -> Retention {
    let usual = Retention::default();
    Retention { days: hosting.keep_days.unwrap_or(usual.days), most: hosting.keep_executions }
}

fn stack(hosting: &Hosting, environment: &Environment) -> anyhow::Result<Stack> {
    if let Some(path) = &hosting.settings {
        let next = "the README lists the settings";
        aws::settings::load(Some(path)).map_err(|error| {
            let problem =
                Problem::new(Exit::NotFound, format!("failed to use the settings `{}`", path.display()), next);
            anyhow::Error::new(error).context(problem)
        })?;
    }
    let log = environment.log.as_ref().map(|log| ("RUST_LOG".to_owned(), log.clone()));
    Ok(Stack {
        functions_directory: functions(hosting.functions.as_deref(), environment)?.to_owned(),
        state_machine: state_machine(hosting.state_machine.as_deref())?,
        tables: Some(Tables {
            state_machine: UPSERT.to_owned(),
            settings: vec![(domain::upsert::catalog_settings(), CATALOG.to_owned())],
        }),
        settings_file: hosting.settings.clone(),
        environment: log.into_iter().collect(),
    })
}

/// The folder of the functions' programs.
///
/// # Errors
/// When it is not named and the program's own folder is not known.
pub(crate) fn functions<'a>(named: Option<&'a Path>, environment: &'a Environment) -> anyhow::Result<&'a Path> {
    named.or(environment.programs.as_deref()).ok_or_else(|| {
        let message = "failed to find the folder of the functions' programs";
        Problem::new(Exit::NotInstalled, message, "name it with --functions").into()
    })
}

fn state_machine(path: Option<&Path>) -> anyhow::Result<String> {
    let Some(path) = path else { return Ok(STATE_MACHINE.to_owned()) };
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("failed to read the state machine `{}`", path.display());
        anyhow::Error::new(error).context(Problem::new(Exit::NotFound, message, "check the path"))
    })
}

/// A fault of the cloud as a message with what to do next.
fn explained(error: &CloudError, data: &Path) -> anyhow::Error {
    let (exit, next) = match error {
        CloudError::PortTaken(_) => {
            (Exit::Address, "choose another port with --port, or any free one with --port 0".to_owned())
        }
        CloudError::Listen { .. } => (Exit::Address, "choose an address of this machine with --listen".to_owned()),
        CloudError::Lock(LockError::Held { .. }) => (
            Exit::DataDirectory,
            "use the cloud that runs there, stop it, or choose another directory with --data".to_owned(),
        ),
        CloudError::Damaged(recovery) => (
            Exit::DataDirectory,
            format!(
                "the damaged database lies in `{}` now, and nothing was deleted; start again to go on with what could be read of it: {recovery}",
                recovery.aside.display()
            ),
        ),
        CloudError::Database(DatabaseError::Damaged { path, .. }) => {
            (Exit::DataDirectory, format!("move `{}` aside to start afresh", path.display()))
        }
        CloudError::Database(DatabaseError::Newer { .. }) => (
            Exit::DataDirectory,
            "use the newer `sluice` that made it, or choose another directory with --data".to_owned(),
        ),
        CloudError::DataDirectory { .. } | CloudError::Lock(_) | CloudError::Database(_) | CloudError::Store(_) => (
            Exit::DataDirectory,
            format!(
                "check that `{}` is a folder that you may write to and that the disk has room, or choose another with --data",
                data.display()
            ),
        ),
        CloudError::Deploy(DeployError::MissingFunction { .. }) => (
            Exit::NotInstalled,
            "build all programs with `make build`, or name their folder with --functions".to_owned(),
        ),
        CloudError::Deploy(_) => (Exit::Usage, "check the file given with --state-machine".to_owned()),
        CloudError::Executions(_) | CloudError::Queries(_) | CloudError::Thread(_) => {
            (Exit::Internal, "try again; `SLUICE_LOG=debug` says more".to_owned())
        }
    };
    let problem = Problem::new(exit, error.to_string(), next);
    match std::error::Error::source(error) {
        Some(source) => anyhow::anyhow!("{}", chain(source)).context(problem),
        None => problem.into(),
    }
}

/// An error and its causes, since a borrowed one cannot be handed on.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::explain;

    #[test]
    fn options_for_a_start_are_refused_where_nothing_starts() {
        let hosting = Hosting { fault: vec!["throttle=0.3".into()], ..Hosting::default() };
        let (text, exit) = explain(&refuse_options(&hosting, "http://127.0.0.1:1").unwrap_err());
        assert!(text.contains("--fault") && text.contains("sluice up"), "{text}");
        assert_eq!(exit, Exit::Usage);
        assert!(refuse_options(&Hosting::default(), "x").is_ok());
    }

    #[test]
    fn a_bad_fault_word_is_a_usage_error() {
        let hosting = Hosting { fault: vec!["thrott=0.3".into()], ..Hosting::default() };
        let environment = Environment { programs: Some("/programs".into()), ..Environment::default() };
        let error = config(Path::new("d"), &hosting, &environment, Place::AnyPort).unwrap_err();
        assert_eq!(explain(&error).1, Exit::Usage);
    }

    #[test]
    fn what_is_kept_is_as_on_aws_unless_said() {
        let kept = |hosting: Hosting| (retention(&hosting).days, retention(&hosting).most);
        assert_eq!(kept(Hosting::default()), (90, None));
        let said = Hosting { keep_days: Some(7), keep_executions: Some(100), ..Hosting::default() };
        assert_eq!(kept(said), (7, Some(100)));
    }

    #[test]
    fn a_taken_port_says_what_to_do() {
        let error = CloudError::PortTaken("127.0.0.1:4566".parse().unwrap());
        let (text, exit) = explain(&explained(&error, Path::new("d")));
        assert_eq!(exit, Exit::Address);
        assert!(text.contains("127.0.0.1:4566") && text.contains("--port 0"), "{text}");
    }
}
