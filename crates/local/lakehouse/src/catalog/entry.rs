//! What the catalog knows of a name: an Iceberg table, an external table, a view, or that it was dropped.
//! Modelled on Glue's tables: <https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html>.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::types::ColumnType;

/// The longest name that Glue takes.
const LONGEST_NAME: usize = 255;

/// A table or view by its full name, in lower case, as Athena keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
}

impl TableName {
    /// A name, made lower case.
    ///
    /// # Errors
    /// If a part is empty, too long, or holds anything but letters, digits and underscores.
    pub fn new(database: &str, table: &str) -> Result<Self> {
        Ok(Self { database: checked(database)?, table: checked(table)? })
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.database, self.table)
    }
}

/// A name in lower case, if it may be one.
pub(crate) fn checked(name: &str) -> Result<String> {
    let lower = name.to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if lower.is_empty() || lower.len() > LONGEST_NAME || !lower.chars().all(fits) {
        let message = format!("`{name}` is no name; use letters, digits and underscores, at most {LONGEST_NAME}");
        return Err(Error::Invalid(message));
    }
    Ok(lower)
}

/// A column as it was declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, in lower case.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// What was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// What was said of it.
    pub comment: Option<String>,
    /// Where its tables go by default.
    pub location: Option<String>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Entry {
    /// An Iceberg table; all else is in its metadata file.
    Iceberg {
        /// The URI of the current metadata file.
        metadata_location: String,
    },
    /// Files that others wrote.
    External(External),
    /// A query with a name.
    View(View),
    /// Nothing any more. The entry stays, so that a commit that comes late finds it.
    Dropped,
}

impl Entry {
    /// The kind, as Glue's `TableType` names it.
    #[must_use]
    pub fn table_type(&self) -> &'static str {
        match self {
            Self::Iceberg { .. } | Self::External(_) => "EXTERNAL_TABLE",
            Self::View(_) => "VIRTUAL_VIEW",
            Self::Dropped => "DROPPED",
        }
    }
}

/// An external table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// The columns in the files.
    pub columns: Vec<Column>,
    /// The columns in the paths.
    pub partition_columns: Vec<Column>,
    /// How the files are written.
    pub format: Format,
    /// The folder that holds them.
    pub location: String,
    /// What was said of the table.
    pub comment: Option<String>,
    /// `TBLPROPERTIES`.
    pub properties: BTreeMap<String, String>,
    /// The partitions that are known. Like in Athena, a folder that nobody added is not read.
    pub partitions: Vec<Partition>,
}

/// One partition of an external table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Partition {
    /// One value for each partition column; null is Hive's default partition.
    pub values: Vec<Option<String>>,
    /// Its folder.
    pub location: String,
}

/// How the files of an external table are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Format {
    /// One JSON object a line (`org.openx.data.jsonserde.JsonSerDe`, `org.apache.hive.hcatalog.data.JsonSerDe`).
    Json {
        /// A malformed line gives a row of nulls rather than an error.
        ignore_malformed: bool,
        /// Column by the JSON key that it is read from.
        mapping: BTreeMap<String, String>,
    },
    /// Delimited text without quotes (`LazySimpleSerDe`).
    Delimited {
        /// Between fields.
        field: char,
        /// Before a character that stands for itself.
        escape: Option<char>,
        /// The text that means null.
        null: String,
        /// Header lines.
        skip_lines: usize,
    },
    /// Quoted CSV (`OpenCSVSerde`).
    Csv {
        /// Between fields.
        separator: char,
        /// Around fields.
        quote: char,
        /// Before a quote that stands for itself.
        escape: char,
        /// Header lines.
        skip_lines: usize,
    },
    /// Apache Parquet, columns found by name.
    Parquet,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The query.
    pub sql: String,
    /// The database that names without one are in.
    pub database: String,
    /// What it gave when it was made.
    pub columns: Vec<Column>,
}
