//! Runs an external tool over strangers' bytes inside bounds.
//!
//! Every tool gets a wall-clock limit, CPU and address-space limits (`prlimit`, util-linux), an
//! output cap, no standard input, its own directory and its own process group, which is killed as a
//! whole. It refuses to use a shell: arguments are passed as they are.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// A tool and the Debian package that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// Name of the program on the search path.
    pub program: &'static str,
    /// Debian package to install when it is missing.
    pub package: &'static str,
}

/// Bounds on one run of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Wall-clock time; the process group is killed after it.
    pub wall: Duration,
    /// CPU seconds of any one process.
    pub cpu_seconds: u64,
    /// Address space of any one process.
    pub memory_bytes: u64,
    /// Most bytes of standard output that are kept; more is an error.
    pub output_bytes: u64,
}

impl Limits {
    /// Bounds for a tool that should take moments: `seconds` of wall clock and CPU, 2 GiB, 64 MiB out.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self { wall: Duration::from_secs(seconds), cpu_seconds: seconds, memory_bytes: 2 << 30, output_bytes: 64 << 20 }
    }
}

/// One run of a tool: what, with which arguments, where, inside which bounds.
#[derive(Debug)]
pub struct Invocation<'a> {
    /// The tool.
    pub tool: Tool,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its working and temporary directory.
    pub directory: &'a Path,
    /// Its bounds.
    pub limits: Limits,
}

/// What a tool that ended well wrote.
#[derive(Debug)]
pub struct Finished {
    /// Standard output, whole.
    pub stdout: Vec<u8>,
    /// Standard error, cut at [`STDERR_BYTES`].
    pub stderr: String,
}

/// Why a tool gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The tool is not on the search path.
    #[error("failed to find `{program}`: install the Debian package `{package}`")]
    NotInstalled {
        /// Program looked for.
        program: &'static str,
        /// Package that has it.
        package: &'static str,
    },
    /// The process could not be started or read.
    #[error("failed to run `{program}`")]
    Io {
        /// Program that was run.
        program: &'static str,
        /// Cause.
        source: io::Error,
    },
    /// It ran longer than it may.
    #[error("failed to finish `{program}` within {seconds} s")]
    TimedOut {
        /// Program that was run.
        program: &'static str,
        /// Wall-clock limit.
        seconds: u64,
    },
    /// It wrote more than it may.
    #[error("failed to keep the output of `{program}`: more than {bytes} bytes")]
    OutputTooLarge {
        /// Program that was run.
        program: &'static str,
        /// Cap.
        bytes: u64,
    },
    /// It ended with an error.
    #[error("failed in `{program}` ({status}): {complaint}")]
    Failed {
        /// Program that was run.
        program: &'static str,
        /// Exit code or signal.
        status: String,
        /// The first lines that it wrote to standard error.
        complaint: String,
    },
}

/// Most of standard error that is kept: enough for any message, too little to hold a document.
pub const STDERR_BYTES: u64 = 4096;

/// Turns anything string-like into a list of arguments.
pub fn arguments<A: AsRef<OsStr>>(list: impl IntoIterator<Item = A>) -> Vec<OsString> {
    list.into_iter().map(|argument| argument.as_ref().to_owned()).collect()
}

/// Runs a tool to its end and keeps its output.
///
/// # Errors
/// When the tool is missing, fails, or passes one of its bounds.
pub fn run(invocation: &Invocation<'_>) -> Result<Finished, CommandError> {
    let (program, cap) = (invocation.tool.program, invocation.limits.output_bytes);
    let (stdout, stderr) = stream(invocation, |out| {
        let mut kept = Vec::new();
        out.take(cap + 1).read_to_end(&mut kept).map_err(|source| CommandError::Io { program, source })?;
        if kept.len() as u64 > cap {
            return Err(CommandError::OutputTooLarge { program, bytes: cap });
        }
        Ok(kept)
    })?;
    Ok(Finished { stdout, stderr })
}

/// Runs a tool and hands its standard output to `consume` as it comes; gives what `consume` gave and
/// standard error. An error of `consume` kills the tool.
///
/// # Errors
/// The error of `consume`, or why the tool failed.
pub fn stream<T, E, C>(invocation: &Invocation<'_>, consume: C) -> Result<(T, String), E>
where
    E: From<CommandError>,
    C: FnOnce(&mut ChildStdout) -> Result<T, E>,
{
    let mut running = Running::start(invocation)?;
    let consumed = consume(&mut running.stdout);
    let ended = running.end(consumed.is_err())?;
    if ended.timed_out {
        let seconds = invocation.limits.wall.as_secs();
        return Err(CommandError::TimedOut { program: invocation.tool.program, seconds }.into());
    }
    let value = consumed?;
    check_status(invocation.tool, ended.status, &ended.stderr)?;
    Ok((value, ended.stderr))
}

/// The version line of a tool: the first line that it writes when asked with `flag`.
///
/// # Errors
/// When the tool is missing or cannot be run.
pub fn version_line(tool: Tool, flag: &str, directory: &Path) -> Result<String, CommandError> {
    let limits = Limits { output_bytes: 1 << 20, ..Limits::seconds(10) };
    let finished = run(&Invocation { tool, arguments: arguments([flag]), directory, limits })?;
    let stdout = String::from_utf8_lossy(&finished.stdout).into_owned();
    Ok(stdout.lines().chain(finished.stderr.lines()).next().unwrap_or_default().trim().to_owned())
}

/// Kills every process of the group that `leader` leads.
pub(crate) fn kill_group(leader: u32) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // A group that is already gone is what was wanted.
        let _gone = rustix::process::kill_process_group(pid, Signal::KILL);
    }
}

/// A command under `prlimit`, leader of its own process group.
pub(crate) fn limited(program: &OsStr, memory_bytes: u64, cpu_seconds: Option<u64>) -> Command {
    let mut command = Command::new("prlimit");
    command.arg(format!("--as={memory_bytes}")).arg("--core=0");
    if let Some(seconds) = cpu_seconds {
        command.arg(format!("--cpu={seconds}"));
    }
    command.arg("--").arg(program).process_group(0);
    command
}

struct Running {
    program: &'static str,
    child: Child,
    stdout: ChildStdout,
    stderr: JoinHandle<String>,
    finished: Sender<()>,
    watchdog: JoinHandle<bool>,
}

struct Ended {
    status: ExitStatus,
    stderr: String,
    timed_out: bool,
}

impl Running {
    fn start(invocation: &Invocation<'_>) -> Result<Self, CommandError> {
        let program = invocation.tool.program;
        let mut child = spawn(invocation)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(CommandError::Io { program, source: io::ErrorKind::BrokenPipe.into() });
        };
        let (finished, on_finished) = mpsc::channel();
        let (leader, wall) = (child.id(), invocation.limits.wall);
        let watchdog = thread::spawn(move || {
            let timed_out = on_finished.recv_timeout(wall) == Err(RecvTimeoutError::Timeout);
            if timed_out {
                kill_group(leader);
            }
            timed_out
        });
        let stderr = thread::spawn(move || read_start(stderr));
        Ok(Self { program, child, stdout, stderr, finished, watchdog })
    }

    /// Waits for the leader, then kills what is left of its group, and only then reaps the leader:
    /// until it is reaped its process id cannot be given to a stranger.
    fn end(self, kill: bool) -> Result<Ended, CommandError> {
        let Self { program, mut child, stdout, stderr, finished, watchdog } = self;
        drop(stdout);
        if kill {
            kill_group(child.id());
        }
        wait_unreaped(&child);
        drop(finished);
        let timed_out = watchdog.join().unwrap_or(false);
        kill_group(child.id());
        let status = child.wait().map_err(|source| CommandError::Io { program, source })?;
        Ok(Ended { status, stderr: stderr.join().unwrap_or_default(), timed_out })
    }
}

fn spawn(invocation: &Invocation<'_>) -> Result<Child, CommandError> {
    let limits = invocation.limits;
    limited(invocation.tool.program.as_ref(), limits.memory_bytes, Some(limits.cpu_seconds))
        .args(&invocation.arguments)
        .current_dir(invocation.directory)
        .env("TMPDIR", invocation.directory)
        // Tools that fan out over all cores starve the other workers, and gain little on one page.
        .env("OMP_THREAD_LIMIT", "1")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => CommandError::NotInstalled { program: "prlimit", package: "util-linux" },
            _ => CommandError::Io { program: invocation.tool.program, source },
        })
}

/// Keeps the start and reads on to the end, so that the tool never blocks on a full pipe.
fn read_start(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let _partial = stderr.by_ref().take(STDERR_BYTES).read_to_end(&mut kept);
    let _rest = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}

fn wait_unreaped(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _status = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    }
}

fn check_status(tool: Tool, status: ExitStatus, stderr: &str) -> Result<(), CommandError> {
    /// What `prlimit` and shells answer for a program that is not there.
    const NOT_FOUND: i32 = 127;
    let Tool { program, package } = tool;
    match status.code() {
        Some(0) => Ok(()),
        Some(NOT_FOUND) => Err(CommandError::NotInstalled { program, package }),
        _ => Err(CommandError::Failed { program, status: status.to_string(), complaint: first_lines(stderr) }),
    }
}

fn first_lines(stderr: &str) -> String {
    const CHARACTERS: usize = 300;
    stderr.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests;
