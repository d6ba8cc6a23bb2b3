//! The payloads between the steps of `upsert`: facts, references and statements, never rows.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::object::ObjectRef;
use crate::stage::ExecutionRef;
use crate::table::settings::TableSettings;

/// The input of an execution: the table, in one of two ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// `s3://` address of the settings file: TOML, or JSON if its name ends in `.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_uri: Option<String>,
    /// The settings themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableSettings>,
    /// Seconds to wait for more before the first batch is staged; the state machine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u32>,
}

/// Where the settings are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// In an object.
    At(ObjectRef),
    /// In the input.
    Here(Box<TableSettings>),
}

impl Asked {
    /// Where the settings are.
    ///
    /// # Errors
    /// `InvalidInput` where neither or both are given.
    pub fn named(self) -> Result<Named, Failure> {
        let help = "give the input `settings_uri` (`s3://bucket/key` of a settings file) or `table` (the settings)";
        match (self.settings_uri, self.table) {
            (Some(uri), None) => match ObjectRef::from_uri(&uri) {
                Some(object) => Ok(Named::At(object)),
                None => Err(Failure::invalid_input(format!("`settings_uri` is no `s3://bucket/key`; {help}"))),
            },
            (None, Some(table)) => Ok(Named::Here(Box::new(table))),
            _ => Err(Failure::invalid_input(format!("the input names no table, or two; {help}"))),
        }
    }
}

/// What all batches of an execution did together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Batches that were merged.
    pub batches: u64,
    /// Files that were read to their end.
    pub files: u64,
    /// Rows that were merged.
    pub rows: u64,
    /// Rows that came.
    pub inserted: u64,
    /// Rows that were replaced.
    pub updated: u64,
    /// Rows that went.
    pub deleted: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Where the refused rows lie, of the first batches that had some.
    pub rejects: Vec<String>,
}

/// The input of `stage-changes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRequest {
    /// The execution's input.
    pub input: Asked,
    /// The execution.
    pub execution: ExecutionRef,
    /// What the batches before did; nothing yet at the first.
    #[serde(default)]
    pub totals: Totals,
}

/// What `stage-changes` found; the state machine's choice reads `progress`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "progress", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Progress {
    /// Nothing waits.
    Idle,
    /// Another execution works on the table, and was told that there may be more.
    Busy,
    /// Nothing waits, but table and views are not there yet or are to change.
    Prepare {
        /// Statements that make them, in order.
        setup: Vec<String>,
    },
    /// Files that hold no row to merge.
    Empty {
        /// Their batch.
        batch: u64,
    },
    /// Rows are staged.
    Staged {
        /// Their batch.
        batch: u64,
        /// Statements that make what the others need, in order.
        setup: Vec<String>,
        /// Says what the merge is about to do.
        count: String,
        /// A token by which the count is made once for each batch.
        count_token: String,
        /// Merges.
        merge: String,
        /// Takes the table of the staged rows away.
        cleanup: String,
    },
}

/// The output of `stage-changes`, and of `commit-changes` while there is more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// `database.table`.
    pub table: String,
    /// What the batches before did.
    pub totals: Totals,
    /// What is to be done.
    #[serde(flatten)]
    pub progress: Progress,
}

/// What the merge was about to do, as Athena answers: texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// Rows that came.
    pub inserted: String,
    /// Rows that were replaced.
    pub updated: String,
    /// Rows that went.
    pub deleted: String,
}

/// The input of `commit-changes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRequest {
    /// The execution's input.
    pub input: Asked,
    /// The execution.
    pub execution: ExecutionRef,
    /// What the batches before did.
    pub totals: Totals,
    /// The batch that was merged; nothing where only table and views were made.
    #[serde(default)]
    pub batch: Option<u64>,
    /// What the merge did; nothing where that could not be counted.
    #[serde(default)]
    pub counted: Counted,
}

/// The output of `commit-changes`; the state machine's choices read `next` and `maintain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// `database.table`.
    pub table: String,
    /// What all batches did.
    pub totals: Totals,
    /// `MORE` or `DONE`.
    pub next: Next,
    /// Whether it is time to compact and to clean up.
    pub maintain: bool,
    /// Compacts.
    pub optimize: String,
    /// Cleans up.
    pub vacuum: String,
}

/// Whether there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Next {
    /// Stage the next batch.
    More,
    /// Nothing waited when this batch was staged, or the execution has done its share.
    Done,
}
