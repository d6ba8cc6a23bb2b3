//! The `sluice` program, as a person starts it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The longest that one command of a test may take: scans on a slow, busy machine.
const MOST_SECONDS: u64 = 540;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The program with a data directory of its own.
#[derive(Debug)]
pub struct Sluice {
    data: TempDir,
}

/// What a command wrote, and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Each line of standard output as JSON.
    ///
    /// # Panics
    /// When a line is none.
    #[must_use]
    pub fn rows(&self) -> Vec<Value> {
        let read = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}\n{self:?}"))
        };
        self.stdout.lines().map(read).collect()
    }
}

impl Default for Sluice {
    fn default() -> Self {
        Self { data: tempfile::tempdir().expect("a temporary directory") }
    }
}

impl Sluice {
    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Runs `sluice COMMAND --data … ARGUMENTS` to its end.
    #[must_use]
    pub fn call<A: AsRef<OsStr>>(&self, command: &str, arguments: &[A]) -> Finished {
        let mut process = sluice();
        process.arg(command).arg("--data").arg(self.data()).args(arguments);
        finish(process)
    }

    /// Starts `sluice up` on a free port and waits until it says its address.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn up(&self, arguments: &[&str]) -> Up {
        let mut process = sluice();
        process.args(["up", "--json", "--port", "0", "--data"]).arg(self.data()).args(arguments);
        let mut child = process.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line of JSON");
        let address: Value = serde_json::from_str(&line).expect("the address as JSON");
        let endpoint = address["endpoint_url"].as_str().expect("an address").to_owned();
        Up { child, endpoint }
    }
}

/// A running `sluice up`; killed when dropped.
#[derive(Debug)]
pub struct Up {
    child: Child,
    /// Where it answers.
    pub endpoint: String,
}

impl Up {
    /// Process id.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(mut self) {
        self.child.kill().expect("the program is killed");
        self.child.wait().expect("the program has ended");
    }

    /// Asks it to end, and gives its exit code.
    ///
    /// # Panics
    /// When it does not end in time.
    #[must_use]
    pub fn stop(mut self) -> Option<i32> {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("the signal is sent");
        let mut code = None;
        until("the program ends", || {
            code = self.child.try_wait().expect("the program is ours");
            code.is_some()
        });
        code.and_then(|status| status.code())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of the program, in an environment that says nothing of any deployment.
///
/// # Panics
/// When the program is not built.
#[must_use]
pub fn sluice() -> Command {
    let program = programs().join("sluice");
    assert!(program.is_file(), "`{}` is not there: build it with `make build`", program.display());
    let mut command = Command::new(program);
    let names = [
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "SLUICE_CATALOG_BUCKET",
        "SLUICE_EXTRACTED_BUCKET",
        "SLUICE_QUEUE_URL",
        "SLUICE_RAW_BUCKET",
        "SLUICE_STACK",
        "SLUICE_STATE_MACHINE_ARN",
    ];
    for name in names {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// The folder of the built programs: the parent of the one in which this test lies.
///
/// # Panics
/// When the test lies nowhere.
#[must_use]
pub fn programs() -> PathBuf {
    let test = std::env::current_exe().expect("the test is a program");
    test.parent().and_then(Path::parent).expect("tests lie in `deps` beside the programs").to_owned()
}

/// Runs a command to its end.
///
/// # Panics
/// When it does not start, or does not end in time.
#[must_use]
pub fn finish(mut command: Command) -> Finished {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let stdout = gather(child.stdout.take());
    let stderr = gather(child.stderr.take());
    let mut ended = None;
    let in_time = is_reached(|| {
        ended = child.try_wait().expect("the command is ours");
        ended.is_some()
    });
    if !in_time {
        // Its output says how far it came.
        let _ = child.kill();
    }
    let (stdout, stderr) = (stdout.join().expect("text"), stderr.join().expect("text"));
    assert!(in_time, "{command:?} did not end within {MOST_SECONDS} s\n{stdout}\n{stderr}");
    Finished { code: ended.and_then(|status| status.code()), stdout, stderr }
}

fn gather(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).expect("the stream of a child");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Looks again and again until `condition` holds.
///
/// # Panics
/// When it does not hold in time; `what` says what was awaited.
pub fn until(what: &str, condition: impl FnMut() -> bool) {
    assert!(is_reached(condition), "waited {MOST_SECONDS} s in vain until {what}");
}

fn is_reached(mut condition: impl FnMut() -> bool) -> bool {
    let looks = u128::from(MOST_SECONDS) * 1000 / LOOK.as_millis();
    for _ in 0..looks {
        if condition() {
            return true;
        }
        thread::sleep(LOOK);
    }
    false
}
