//! A number that grows, on standard error: beside a spinner on a terminal, as a line now and then otherwise.

use std::cell::Cell;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::note;

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(200);

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(10);

/// How far a command has come that does not know how much there is.
#[derive(Debug)]
pub(crate) struct Meter {
    what: &'static str,
    bar: Option<ProgressBar>,
    last: Cell<Instant>,
}

impl Meter {
    /// Counts `what`: `files sent`.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, bar: io::stderr().is_terminal().then(|| spinner(what)), last: Cell::new(Instant::now()) }
    }

    /// It is this many now.
    pub(crate) fn set(&self, count: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(count),
            None if self.last.get().elapsed() >= LINE => {
                note(&format!("{count} {}", self.what));
                self.last.set(Instant::now());
            }
            None => {}
        }
    }

    /// Takes the spinner away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {pos} {msg}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message(what);
    bar.enable_steady_tick(TICK);
    bar
}
