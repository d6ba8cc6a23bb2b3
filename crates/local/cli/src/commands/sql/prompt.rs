//! The prompt: lines until a semicolon, a history that stays, names of tables and words completed.

use std::borrow::Cow;
use std::path::PathBuf;

use anyhow::Context as _;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper};

use super::Session;
use crate::environment::Environment;
use crate::output;
use crate::problem::{Exit, explain};
use crate::sql;

/// Lines of history that are kept.
const HISTORY: usize = 10_000;

/// Words that are worth completing.
const WORDS: [&str; 24] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "JOIN",
    "LEFT JOIN",
    "CROSS JOIN UNNEST",
    "DISTINCT",
    "BETWEEN",
    "LIKE",
    "count(*)",
    "SHOW TABLES",
    "SHOW DATABASES",
    "DESCRIBE",
    "INSERT INTO",
    "UPDATE",
    "DELETE FROM",
    "MERGE INTO",
    "CREATE TABLE",
    "FOR TIMESTAMP AS OF TIMESTAMP",
    "DESC",
];

/// Asks for statements until there are no more.
pub(super) async fn prompt(session: &Session<'_>, environment: &Environment) -> anyhow::Result<Exit> {
    let config = Config::builder().max_history_size(HISTORY).map(|config| config.history_ignore_space(true).build());
    let mut editor: Editor<Names, FileHistory> =
        Editor::with_config(config.context("failed to set the prompt up")?).context("failed to set the prompt up")?;
    editor.set_helper(Some(Names { tables: session.desk.tables().await }));
    let history = history(environment);
    // There is none at first.
    let _ = editor.load_history(&history);
    output::note("end a statement with `;`, the prompt with Ctrl-D; `SHOW TABLES;` says what there is");
    let exit = ask(session, &mut editor).await;
    if let Err(error) = editor.save_history(&history) {
        output::note(&format!("failed to keep the history in `{}`: {error}", history.display()));
    }
    exit
}

async fn ask(session: &Session<'_>, editor: &mut Editor<Names, FileHistory>) -> anyhow::Result<Exit> {
    loop {
        match tokio::task::block_in_place(|| editor.readline("sluice> ")) {
            Ok(text) => {
                // A history without this line is no reason not to run it.
                let _ = editor.add_history_entry(text.as_str());
                for statement in sql::statements(&text) {
                    if let Err(error) = session.run(statement).await {
                        output::note(&explain(&error).0);
                    }
                }
            }
            // Ctrl-C gives up the line, Ctrl-D the prompt.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(Exit::Fine),
            Err(error) => return Err(error).context("failed to read a line"),
        }
    }
}

fn history(environment: &Environment) -> PathBuf {
    // Where it cannot be made, saving says so.
    let _ = std::fs::create_dir_all(&environment.data);
    environment.data.join("sql-history")
}

/// What can be completed.
struct Names {
    tables: Vec<String>,
}

impl Helper for Names {}
impl Hinter for Names {
    type Hint = String;
}
impl Highlighter for Names {
    fn highlight_candidate<'c>(&self, candidate: &'c str, _: rustyline::CompletionType) -> Cow<'c, str> {
        Cow::Owned(output::plain(candidate))
    }
}

impl Validator for Names {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let (_, rest) = sql::split(context.input());
        Ok(if sql::is_blank(rest) { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete(&line[..position], &self.tables))
    }
}

/// Where the last word begins, and what it may become.
fn complete(before: &str, tables: &[String]) -> (usize, Vec<String>) {
    let start = before
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let begun = before[start..].to_lowercase();
    if begun.is_empty() {
        return (start, Vec::new());
    }
    let names = tables.iter().map(String::as_str).chain(WORDS);
    (start, names.filter(|name| name.to_lowercase().starts_with(&begun)).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_words_are_completed() {
        let tables = ["catalog".to_owned(), "catalog_merged".to_owned()];
        assert_eq!(complete("SELECT * FROM cat", &tables), (14, tables.to_vec()));
        assert_eq!(complete("sel", &tables), (0, vec!["SELECT".to_owned()]));
        assert_eq!(complete("FROM sluice.ent", &["entities".to_owned()]), (12, vec!["entities".to_owned()]));
        assert_eq!(complete("SELECT ", &tables), (7, Vec::new()));
    }
}
