//! Warm worker processes for speech, bounded in number, restarted when they die.
//!
//! A worker that crashes or does not answer in time takes its utterance with it (after one more try on
//! a fresh worker) and nothing else. It refuses to start more workers than it was told.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use pocketsphinx::worker::{self, Answer, Hello};
use pocketsphinx::{SAMPLE_RATE, Word};

use crate::command;

/// The model takes 300 MB of address space; a long utterance of music up to three times that.
const MEMORY_BYTES: u64 = 2 << 30;

/// Time for a worker to load its model, on a busy machine.
const START: Duration = Duration::from_mins(1);

/// Time that any utterance may take, and more for each of its seconds.
const DECODE_SECONDS: u64 = 20;
const DECODE_SECONDS_A_SECOND: u64 = 15;

/// Workers that may die on one utterance before it is given up.
const ATTEMPTS: u32 = 2;

/// How many workers, and what they are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The `sluice-speech` program.
    pub worker: PathBuf,
    /// Most workers at a time; at least one is used.
    pub workers: usize,
}

/// Why no words came back.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The worker program could not be started.
    #[error("failed to start the speech worker `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Cause.
        source: io::Error,
    },
    /// The worker runs but its engine does not.
    #[error("failed to start the speech engine: {0}")]
    Engine(String),
    /// Every try on this utterance crashed, failed or ran out of time.
    #[error("failed to recognise an utterance")]
    Utterance,
}

/// The pool.
#[derive(Debug)]
pub struct Pool {
    settings: Settings,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Worker>,
    busy: usize,
}

impl Pool {
    /// An empty pool; workers start when they are first needed.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Recognises one utterance, waiting for a worker where all are busy.
    ///
    /// # Errors
    /// When no worker starts, or every try on this utterance fails.
    pub fn decode(&self, samples: &[i16]) -> Result<Vec<Word>, PoolError> {
        let lease = Lease::take(self);
        for _ in 0..ATTEMPTS {
            let mut worker = match lease.idle() {
                Some(worker) => worker,
                None => Worker::start(&self.settings)?,
            };
            // A worker that did not answer is dropped here, which kills it.
            if let Some(answer) = worker.ask(samples) {
                lease.give_back(worker);
                return match answer {
                    Answer::Words(words) => Ok(words),
                    Answer::Failed(_) => Err(PoolError::Utterance),
                };
            }
        }
        Err(PoolError::Utterance)
    }

    /// Starts a worker where none is there yet.
    ///
    /// # Errors
    /// When no worker starts.
    pub fn warm(&self) -> Result<(), PoolError> {
        let lease = Lease::take(self);
        let worker = match lease.idle() {
            Some(worker) => worker,
            None => Worker::start(&self.settings)?,
        };
        lease.give_back(worker);
        Ok(())
    }

    /// A panic elsewhere leaves the state whole: it is only a list and a count.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use one worker; given back when dropped.
struct Lease<'a> {
    pool: &'a Pool,
}

impl<'a> Lease<'a> {
    fn take(pool: &'a Pool) -> Self {
        let most = pool.settings.workers.max(1);
        let free = pool.returned.wait_while(pool.lock(), |state| state.busy >= most);
        free.unwrap_or_else(PoisonError::into_inner).busy += 1;
        Self { pool }
    }

    fn idle(&self) -> Option<Worker> {
        self.pool.lock().idle.pop()
    }

    fn give_back(&self, worker: Worker) {
        self.pool.lock().idle.push(worker);
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.pool.lock().busy -= 1;
        self.pool.returned.notify_one();
    }
}

#[derive(Debug)]
struct Worker {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Worker {
    fn start(settings: &Settings) -> Result<Self, PoolError> {
        let program = settings.worker.display().to_string();
        let mut worker =
            Self::spawn(settings.worker.as_os_str()).map_err(|source| PoolError::Start { program, source })?;
        match worker.read::<Hello>(START) {
            Some(Hello::Ready(_)) => Ok(worker),
            Some(Hello::Failed(reason)) => Err(PoolError::Engine(reason)),
            None => {
                Err(PoolError::Engine(format!("`{}` gave no sign of life; is it built?", settings.worker.display())))
            }
        }
    }

    fn spawn(program: &OsStr) -> io::Result<Self> {
        let mut child = command::limited(program, MEMORY_BYTES, None)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, stdin, lines: lines(stdout) })
    }

    /// The answer, or `None` where the worker died or ran out of time.
    fn ask(&mut self, samples: &[i16]) -> Option<Answer> {
        let seconds = samples.len() as u64 / u64::from(SAMPLE_RATE);
        let limit = Duration::from_secs(DECODE_SECONDS + DECODE_SECONDS_A_SECOND * seconds);
        let Self { child, stdin, lines } = self;
        // Writing has a thread of its own: a worker that hangs does not read, and only its death,
        // which the reading side decides on, lets the writer go on.
        thread::scope(|scope| {
            let written = scope.spawn(|| worker::write_request(stdin, samples));
            let line = lines.recv_timeout(limit).ok();
            if line.is_none() {
                command::kill_group(child.id());
            }
            let is_written = written.join().is_ok_and(|written| written.is_ok());
            line.filter(|_| is_written).and_then(|line| serde_json::from_str(&line).ok())
        })
    }

    fn read<T: serde::de::DeserializeOwned>(&mut self, limit: Duration) -> Option<T> {
        let line = self.lines.recv_timeout(limit).ok()?;
        serde_json::from_str(&line).ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        command::kill_group(self.child.id());
        let _reaped = self.child.wait();
    }
}

/// Lines as they come, read on a thread so that waiting for one can be bounded.
fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
