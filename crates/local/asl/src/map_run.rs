//! What a distributed Map asks for: a Map Run, with what all of its expressions gave.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>. The engine only
//! says what is to be run; the caller reads the items, runs a child execution for each item or batch,
//! and writes the results. An order stands in the log, so a restart runs the same.

use serde::{Deserialize, Serialize};

use crate::payload::Payload;

/// Everything that a Map Run needs to know, except for the items that the state's input holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapRunOrder {
    /// Where the Map state stands in the definition, as a JSON pointer.
    pub location: String,
    /// The part of the run's ARN that names the state.
    pub label: String,
    /// What the children are.
    pub execution_type: ExecutionType,
    /// How many children may run at once; 0 sets no bound.
    pub max_concurrency: u64,
    /// How many items may fail; with neither bound set, none may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated_failure_count: Option<u64>,
    /// How many of a hundred items may fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated_failure_percentage: Option<f64>,
    /// Where the items are read from; without it the state's input holds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<ItemReader>,
    /// How items are put together; without it each is its own child's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batcher: Option<ItemBatcher>,
    /// Where the results go, and in what form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<ResultWriter>,
}

/// The type of child executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the language's")]
pub enum ExecutionType {
    #[default]
    Standard,
    Express,
}

/// Where items are read from:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html>.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemReader {
    /// What is asked of S3.
    pub action: ReaderAction,
    /// The parameters of that, in S3's own names.
    pub parameters: Payload,
    /// What is in the objects; a listing has none, unless the listed objects are read too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_type: Option<InputType>,
    /// The names of the columns; without them the first row holds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv_headers: Option<Vec<String>>,
    /// What stands between the columns.
    pub csv_delimiter: CsvDelimiter,
    /// A JSON pointer to the array within a JSON file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_pointer: Option<String>,
    /// Which kind of manifest it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_type: Option<ManifestType>,
    /// Whether a listing stands for what is in the listed objects.
    #[serde(default)]
    pub transformation: ReaderTransformation,
    /// How many items are read at most; 0 sets no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<i64>,
}

/// The action that gives the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are S3's")]
pub enum ReaderAction {
    GetObject,
    ListObjectsV2,
}

/// What is in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the language's")]
pub enum InputType {
    Csv,
    Json,
    Jsonl,
    Parquet,
    Manifest,
}

/// What stands between columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the language's")]
pub enum CsvDelimiter {
    #[default]
    Comma,
    Pipe,
    Semicolon,
    Space,
    Tab,
}

/// Whose manifest it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the language's")]
pub enum ManifestType {
    AthenaData,
    S3Inventory,
}

/// What becomes of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the language's")]
pub enum ReaderTransformation {
    #[default]
    None,
    LoadAndFlatten,
}

/// How items are put together:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html>.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemBatcher {
    /// The most items of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// The most bytes of a child's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_input_bytes: Option<u64>,
    /// What every batch holds beside its items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_input: Option<Payload>,
}

/// Where results go:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultWriter {
    /// The bucket and the prefix, in S3's own names; without them the results are the state's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Payload>,
    /// What is told of each child.
    pub transformation: WriterTransformation,
    /// How the results are put together.
    pub output_type: OutputType,
}

/// What is told of each child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the language's")]
pub enum WriterTransformation {
    None,
    Compact,
    Flatten,
}

/// How the results are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the language's")]
pub enum OutputType {
    #[default]
    Json,
    Jsonl,
}

impl CsvDelimiter {
    /// The character itself.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Pipe => b'|',
            Self::Semicolon => b';',
            Self::Space => b' ',
            Self::Tab => b'\t',
        }
    }
}

impl MapRunOrder {
    /// Whether so many failed items of all of them are too many. A bound that is not set sets no
    /// limit as long as the other one is.
    #[must_use]
    pub fn exceeds_tolerance(count: Option<u64>, percentage: Option<f64>, failed: u64, total: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a share of at most a hundred million items")]
        let share = failed as f64 / total.max(1) as f64 * 100.0;
        match (count, percentage) {
            (None, None) => failed > 0,
            (count, percentage) => {
                count.is_some_and(|most| failed > most) || percentage.is_some_and(|most| share > most)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MapRunOrder;

    #[test]
    fn either_bound_is_kept_and_no_bound_tolerates_nothing() {
        let exceeds = MapRunOrder::exceeds_tolerance;
        assert!(!exceeds(None, None, 0, 10));
        assert!(exceeds(None, None, 1, 10));
        assert!(!exceeds(Some(2), None, 2, 10));
        assert!(exceeds(Some(2), None, 3, 10));
        assert!(!exceeds(None, Some(20.0), 2, 10));
        assert!(exceeds(None, Some(20.0), 3, 10));
        assert!(exceeds(Some(0), Some(50.0), 1, 10));
        assert!(exceeds(Some(5), Some(10.0), 2, 10));
        assert!(!exceeds(None, Some(0.0), 0, 0));
    }
}
