//! What the user is told when a command cannot go on: what happened, what to do next, and the exit code.

use std::fmt;

/// How the program ends; the numbers are documented in `--help` and in the README, and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All went well.
    Fine = 0,
    /// The command worked, but a file failed or did not end in time.
    FileFailed = 1,
    /// The command line cannot be understood; the number is clap's.
    Usage = 2,
    /// What was named is not there: a file, a key, an execution.
    NotFound = 3,
    /// The data directory cannot be used: damaged, not writable, taken.
    DataDirectory = 4,
    /// The address cannot be used: the port is taken, or nothing answers.
    Address = 5,
    /// Something that Sluice needs is not installed.
    NotInstalled = 6,
    /// A fault of Sluice itself, or an answer that nobody expected.
    Internal = 7,
    /// Stopped by a signal; the number is the shell's for an interrupt.
    Interrupted = 130,
}

/// The table of exit codes, as `--help` prints it.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  all went well (unsupported, empty, encrypted and too large files are recorded as such, and are no failures)
    1  a file failed, or did not end in time
    2  the command line cannot be understood
    3  what was named is not there: a file, a key, an execution
    4  the data directory cannot be used: damaged, not writable, taken
    5  the address cannot be used: the port is taken, or nothing answers there
    6  something is not installed; `sluice doctor` says what
    7  a fault of Sluice itself, or of the service that it asked
  130  stopped by a signal";

/// A message for the user with what to do next; causes are added behind it by `anyhow`.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) next: String,
}

impl Problem {
    pub(crate) fn new(exit: Exit, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { exit, message: message.into(), next: next.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// What goes to standard error, and how the program ends.
pub(crate) fn explain(error: &anyhow::Error) -> (String, Exit) {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    let message = format!("error: {}", without_repeats(&causes).join(": "));
    match error.downcast_ref::<Problem>() {
        Some(problem) => (format!("{message}\n  next: {}", problem.next), problem.exit),
        None => (message, Exit::Internal),
    }
}

/// The causes without those whose words the one before them has already said.
fn without_repeats(causes: &[String]) -> Vec<&str> {
    let mut said: Vec<&str> = Vec::new();
    for cause in causes {
        if !said.last().is_some_and(|last| last.contains(cause.as_str())) {
            said.push(cause);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_keeps_its_code_under_its_cause() {
        let cause = anyhow::anyhow!("permission denied");
        let error = cause.context(Problem::new(Exit::DataDirectory, "failed to write `x`", "choose another"));
        let (text, exit) = explain(&error);
        assert_eq!(text, "error: failed to write `x`: permission denied\n  next: choose another");
        assert_eq!(exit, Exit::DataDirectory);
    }

    #[test]
    fn causes_that_repeat_are_said_once() {
        let error =
            anyhow::anyhow!("no such bucket").context("service error: no such bucket").context("failed to list");
        assert_eq!(explain(&error).0, "error: failed to list: service error: no such bucket");
    }

    #[test]
    fn every_code_is_in_the_table() {
        let codes = [Exit::Fine, Exit::FileFailed, Exit::Usage, Exit::NotFound, Exit::DataDirectory, Exit::Address];
        for code in codes.into_iter().chain([Exit::NotInstalled, Exit::Internal, Exit::Interrupted]) {
            let number = format!("{:>5}  ", code as u8);
            assert!(EXIT_CODES.lines().any(|line| line.starts_with(&number)), "{code:?}");
        }
    }
}
