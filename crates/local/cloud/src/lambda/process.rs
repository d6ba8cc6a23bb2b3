//! One worker process: how it starts, what it may take, and that it dies with the cloud.
//!
//! On Linux `setpriv --pdeathsig KILL` (util-linux) ties its life to ours, even when we are killed outright. Without
//! that command a worker ends when its next poll finds nobody listening.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::launcher::Launcher;
use super::logs::Log;
use super::{FunctionConfig, Surroundings};

/// What a Lambda worker finds as its search path; ours is not inherited.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/bin";

/// Where util-linux puts the command.
const SETPRIV: &str = "/usr/bin/setpriv";

/// A running worker.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts worker number `worker` of `function`.
    pub(crate) async fn start(
        function: &FunctionConfig,
        worker: u64,
        surroundings: &Surroundings,
        launcher: &Launcher,
        log: &Log,
    ) -> io::Result<Self> {
        let mut child = launcher.launch(command(function, worker, surroundings)).await?;
        if let Some(pid) = group(&child) {
            bound_memory(pid, function.memory_megabytes);
        }
        for output in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
            let log = log.clone();
            surroundings.tasks.spawn(async move { log.copy(output).await });
        }
        Ok(Self { child })
    }

    /// Waits until the process ends by itself.
    pub(crate) async fn wait(&mut self) -> Option<ExitStatus> {
        self.child.wait().await.ok()
    }

    /// Kills the process with all that it started.
    pub(crate) async fn kill(&mut self) {
        self.kill_group();
        // It is dead either way: an error says that it was reaped already.
        let _ = self.child.kill().await;
    }

    fn kill_group(&self) {
        if let Some(group) = group(&self.child) {
            // Fails only when nobody is left in the group.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

fn boxed<R: tokio::io::AsyncRead + Send + Unpin + 'static>(output: R) -> Box<dyn tokio::io::AsyncRead + Send + Unpin> {
    Box::new(output)
}

fn command(function: &FunctionConfig, worker: u64, surroundings: &Surroundings) -> Command {
    let mut command = leashed(&function.binary);
    command
        .env_clear()
        .envs(lambda_environment(function, worker, surroundings))
        .envs(&function.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// A command that runs `binary` and dies with this process, where the system can do that.
fn leashed(binary: &Path) -> Command {
    if !Path::new(SETPRIV).exists() {
        return Command::new(binary);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--"]).arg(binary);
    command
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
fn lambda_environment(
    function: &FunctionConfig,
    worker: u64,
    surroundings: &Surroundings,
) -> [(&'static str, String); 17] {
    let name = &function.name;
    [
        ("PATH", SEARCH_PATH.to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{}", surroundings.address)),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_REGION", surroundings.region.to_string()),
        ("AWS_DEFAULT_REGION", surroundings.region.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_megabytes.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("worker-{worker}")),
        // AWS gives host and port alone; with a path the client only takes it as a whole address.
        ("AWS_LAMBDA_RUNTIME_API", format!("http://{}/_lambda/{name}/{worker}", surroundings.address)),
    ]
}

fn group(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

#[cfg(target_os = "linux")]
fn bound_memory(pid: Pid, megabytes: u32) {
    use rustix::process::{Resource, Rlimit, prlimit};
    let bytes = Some(u64::from(megabytes) * 1024 * 1024);
    for (resource, limit) in [(Resource::Data, bytes), (Resource::Core, Some(0))] {
        // Fails only for a process that is gone, and then there is nothing to bound.
        let _ = prlimit(Some(pid), resource, Rlimit { current: limit, maximum: limit });
    }
}

/// Only Linux can bound another process's memory; elsewhere a worker takes what it takes.
#[cfg(not(target_os = "linux"))]
fn bound_memory(_pid: Pid, _megabytes: u32) {}
