//! Progress on standard error: a bar on a terminal, plain lines otherwise.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{cut, note, plain};
use crate::row::Row;

/// How often the bar's clock ticks.
const TICK: Duration = Duration::from_millis(200);

/// Width of a name beside the bar.
const NAME_CHARS: usize = 40;

/// How far a command has come with its files.
#[derive(Debug)]
pub(crate) struct Progress {
    /// None where standard error is no terminal.
    bar: Option<ProgressBar>,
    done: usize,
    all: usize,
}

impl Progress {
    /// Progress over `all` files.
    pub(crate) fn new(all: usize) -> Self {
        let bar = io::stderr().is_terminal().then(|| bar(all as u64));
        Self { bar, done: 0, all }
    }

    /// One more file is done.
    pub(crate) fn done(&mut self, row: &Row) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => note(&line(self.done, self.all, row)),
        }
    }

    /// Which file has been waited for longest.
    pub(crate) fn waits_for(&self, file: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(cut(&plain(file), NAME_CHARS));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(all: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files, {elapsed}  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(TICK);
    bar
}

fn line(done: usize, all: usize, row: &Row) -> String {
    let reason = row.reason.as_deref().filter(|_| row.has_failed());
    let reason = reason.map(|reason| format!(": {}", plain(reason))).unwrap_or_default();
    format!("[{done}/{all}] {} {}{reason}", row.status, plain(&row.file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_failed_and_why() {
        let row = Row::refused("a\n.txt", None, "it is a folder".into());
        assert_eq!(line(2, 10, &row), "[2/10] FAILED a\\n.txt: it is a folder");
    }
}
