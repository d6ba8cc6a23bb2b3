//! A table that `upsert` keeps: what its owner writes in one small file, and what of it can be used.
//!
//! Pure: [`settings`] is the file, [`Table`] is the file after every name and number in it was checked, [`sql`] are the
//! statements for it, [`row`] makes rows of cells. <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html>

mod check;
mod kind;
pub mod row;
pub mod settings;
pub mod sql;

use std::fmt;

pub use check::TableError;
pub use kind::Kind;
use settings::{Csv, Format, Limits, TableSettings};

/// The column of staged rows that says what to do: [`UPSERT`] or [`DELETE`].
pub const OPERATION: &str = "change_operation";
/// The column of staged rows that orders rows with the same ordering columns: file by file, row by row.
pub const POSITION: &str = "change_position";
/// The column that numbers the changes of a key from the newest.
pub const RANK: &str = "change_rank";
/// The row replaces the one with the same key, or is new.
pub const UPSERT: &str = "U";
/// The row with the key is taken away.
pub const DELETE: &str = "D";

/// `database.table`, both in lower case letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

/// A column with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Name of the field in the file, or the path to it in a JSON object.
    pub from: Vec<String>,
    /// Taken where the field is missing or null.
    pub default: Option<String>,
    /// Whether the first value stays, whatever comes later.
    pub keep: bool,
    /// Whether it is one of the key or ordering columns, which are never null.
    pub required: bool,
}

/// How the operation of a row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Field or path.
    pub from: Vec<String>,
    /// Words for a row that is new or changed.
    pub upsert: Vec<String>,
    /// Words for a row that goes.
    pub delete: Vec<String>,
}

/// Where the changes lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The bucket; the lake's own where none is named.
    pub bucket: Option<String>,
    /// What all keys begin with.
    pub prefix: String,
    /// What all keys end with.
    pub suffix: String,
    /// How the files are written.
    pub format: Format,
    /// How CSV files are written.
    pub csv: Csv,
    /// How long after its time a file may still appear.
    pub late_days: u32,
    /// Whether files are removed once they are merged.
    pub remove_merged: bool,
}

/// A table whose settings can be used; made by [`Table::new`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Where its data lies; below the lake's bucket where it is not said.
    pub location: Option<String>,
    /// Partition fields, as Athena writes them.
    pub partitions: Vec<String>,
    /// Where the changes lie.
    pub source: Source,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// Names of the key columns.
    pub key: Vec<String>,
    /// Names of the ordering columns, the most significant first; none means that position decides.
    pub order_by: Vec<String>,
    /// How the operation of a row is written; none means that every row is new or changed.
    pub operation: Option<Operation>,
    /// What one batch may hold.
    pub limits: Limits,
    /// Compaction and clean-up after this many batches; 0 for never.
    pub maintain_every: u32,
    /// How long old snapshots stay.
    pub keep_snapshots_days: u32,
    /// Statements that are run after the table was made, and whenever they change.
    pub views: Vec<String>,
}

impl Table {
    /// Checks `settings` and takes them apart.
    ///
    /// # Errors
    /// The first member that cannot be used, and why.
    pub fn new(settings: TableSettings) -> Result<Self, TableError> {
        check::table(settings)
    }

    /// The column `name`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
