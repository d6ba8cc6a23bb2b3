//! The settings file of a table, as its owner writes it (TOML or JSON): every member that can have a default has one.
//!
//! ```toml
//! target = "iceberg_demo.iceberg_output"
//! partitioned_by = ["category", "bucket(16, product_id)"]
//! key = ["product_id"]
//! order_by = ["last_update_time"]
//!
//! [operation]
//! from = "op"
//!
//! [source]
//! bucket = "glue-iceberg-demo"
//! prefix = "raw-csv-input/"
//! format = "csv"
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The settings file of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableSettings {
    /// `database.table`; both are made if they are not there.
    pub target: String,
    /// `s3://bucket/prefix/` of the table's data; by default below `tables/` in the lake's bucket.
    #[serde(default)]
    pub location: Option<String>,
    /// Partition fields: a column, or `year(c)`, `month(c)`, `day(c)`, `hour(c)`, `bucket(n, c)`, `truncate(n, c)`.
    #[serde(default)]
    pub partitioned_by: Vec<String>,
    /// Columns that together name a row.
    pub key: Vec<String>,
    /// Columns that say which of two changes is newer, the most significant first; none means that the later file and
    /// row is.
    #[serde(default)]
    pub order_by: Vec<String>,
    /// Which field says what to do with a row; without it every row is new or changed.
    #[serde(default)]
    pub operation: Option<OperationSettings>,
    /// Where the changes lie.
    pub source: SourceSettings,
    /// The columns of the table, in order.
    pub columns: Vec<ColumnSettings>,
    /// What one batch may hold.
    #[serde(default)]
    pub limits: Limits,
    /// Compaction, expiry of snapshots, clean-up.
    #[serde(default)]
    pub maintenance: Maintenance,
    /// Statements that are run after the table was made, and whenever they change: `CREATE OR REPLACE VIEW …`.
    /// `${lake_bucket}`, `${extracted_bucket}` and `${catalog_bucket}` stand for the deployment's buckets.
    #[serde(default)]
    pub views: Vec<String>,
}

/// How the operation of a row is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationSettings {
    /// The field, or the path to it in a JSON object.
    pub from: String,
    /// Words for a row that is new or changed.
    #[serde(default = "upsert_words")]
    pub upsert: Vec<String>,
    /// Words for a row that goes.
    #[serde(default = "delete_words")]
    pub delete: Vec<String>,
}

fn upsert_words() -> Vec<String> {
    ["I", "U"].map(str::to_owned).to_vec()
}

fn delete_words() -> Vec<String> {
    vec!["D".to_owned()]
}

/// Where the changes lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// The bucket; by default the lake's own.
    #[serde(default)]
    pub bucket: Option<String>,
    /// What all keys begin with.
    pub prefix: String,
    /// What all keys end with, such as `.csv`.
    #[serde(default)]
    pub suffix: String,
    /// How the files are written.
    pub format: Format,
    /// How CSV files are written.
    #[serde(default)]
    pub csv: Csv,
    /// How many days after its last-modified time a file may still appear: an upload in parts bears the time of its
    /// beginning. Files older than the newest merged one by more than this are taken for merged.
    #[serde(default = "late_days")]
    pub late_days: u32,
    /// Remove each file once it is merged; only for files whose keys are never written again.
    #[serde(default)]
    pub remove_merged: bool,
}

fn late_days() -> u32 {
    3
}

/// How the files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// RFC 4180: fields in quotes may hold delimiters and line ends.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// How CSV files are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Csv {
    /// Names of the fields in order, for files without a header; empty where each file begins with a header.
    pub fields: Vec<String>,
    /// One ASCII character.
    pub delimiter: char,
    /// The text that stands for null.
    pub null: String,
}

impl Default for Csv {
    fn default() -> Self {
        Self { fields: Vec::new(), delimiter: ',', null: String::new() }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnSettings {
    /// Lower case letters, digits and `_`.
    pub name: String,
    /// `boolean`, `int`, `bigint`, `double`, `decimal(p,s)`, `string`, `date`, `timestamp`, `array<string>`, or
    /// `sequencer` (a string that compares as the sequencers of S3 do).
    #[serde(rename = "type")]
    pub kind: String,
    /// The field, or the path to it in a JSON object (`counts.entities`); by default the name.
    #[serde(default)]
    pub from: Option<String>,
    /// Taken where the field is missing or null.
    #[serde(default)]
    pub default: Option<String>,
    /// Keep the first value, whatever comes later; of several changes in one batch the least.
    #[serde(default)]
    pub keep: bool,
}

/// What one batch may hold; a file that is larger goes on in the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Files.
    pub files: u32,
    /// Rows, the refused ones too.
    pub rows: u32,
    /// Bytes that are read.
    pub bytes: u64,
}

impl Default for Limits {
    /// What a function reads within a minute or two.
    fn default() -> Self {
        Self { files: 1_000, rows: 200_000, bytes: 64 << 20 }
    }
}

/// Compaction, expiry of snapshots, clean-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Maintenance {
    /// `OPTIMIZE` and `VACUUM` after this many batches; 0 for never.
    pub every_batches: u32,
    /// Days for which the table can be asked what was known then.
    pub keep_snapshots_days: u32,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self { every_batches: 20, keep_snapshots_days: 30 }
    }
}
