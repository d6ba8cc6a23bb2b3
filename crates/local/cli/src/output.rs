//! What goes to standard output and standard error: lines, tables, progress.
//!
//! Nothing here decides what is said. Names that strangers chose are shown without control characters, and colour
//! never carries meaning alone, so there is none.

mod meter;
mod progress;
mod rows;
mod table;

use std::io::{self, Write};

pub(crate) use meter::Meter;
pub(crate) use progress::Progress;
pub(crate) use rows::RowWriter;
pub(crate) use table::{estimate, executions, files, tools};

use anyhow::Context as _;
use serde::Serialize;

/// Standard output; a reader that went away is no error of ours.
#[derive(Debug)]
pub(crate) struct Output {
    out: io::Stdout,
}

/// The reader of standard output went away, as `head` does.
#[derive(Debug, thiserror::Error)]
#[error("failed to write to standard output: its reader went away")]
pub(crate) struct ReaderGone;

impl Output {
    pub(crate) fn new() -> Self {
        Self { out: io::stdout() }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// [`ReaderGone`], or when the line cannot be written.
    pub(crate) fn line(&mut self, line: &str) -> anyhow::Result<()> {
        match writeln!(self.out, "{line}").and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ReaderGone.into()),
            written => written.context("failed to write to standard output"),
        }
    }

    /// Writes one JSON object on a line of its own.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let line = serde_json::to_string(value).context("failed to write JSON")?;
        self.line(&line)
    }
}

/// Writes a line for the person, not for scripts. Where standard error is gone there is nobody to tell.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// `text` as one line that no terminal obeys: control characters become their escapes.
pub(crate) fn plain(text: &str) -> String {
    let escape =
        |c: char| if c.is_control() || is_invisible(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// Marks that change the direction of text, by which a name can be made to look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` cut to `limit` characters.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// `text` as one word of a shell's command line.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_cannot_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nü\u{202e}"), "a\\u{1b}[2Jb\\nü\\u{202e}");
    }

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(shell_word("a/b.txt"), "a/b.txt");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("übermorgen", 5), "über…");
        assert_eq!(cut("über", 4), "über");
    }
}
