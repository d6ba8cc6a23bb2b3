//! SQL over Apache Iceberg and external tables, embedded: what Athena over Glue's catalog does in the cloud.
//!
//! | module | what |
//! | --- | --- |
//! | `sql` | text into statements, or a refusal with its place |
//! | `run` | each statement's way through the rest |
//! | `query` | DataFusion with Trino's rules and the catalog's names |
//! | `change` | `INSERT`, `UPDATE`, `DELETE`, `MERGE` by copy on write |
//! | `table` | Iceberg: scanning, writing, snapshots, schema changes, compaction, expiry |
//! | `external` | JSON lines, CSV and Parquet that others wrote |
//! | `catalog` | names, with compare-and-swap |
//! | `warehouse` | the object store below it all |
//!
//! It knows no AWS crate, no HTTP and no environment; time and identifiers come in as arguments ([`Clock`],
//! [`Identifiers`]). What it writes other engines read; what it cannot do it refuses by name.

mod catalog;
mod change;
mod describe;
mod effects;
mod error;
mod external;
mod lakehouse;
mod query;
mod run;
mod session;
mod sql;
mod table;
mod text;
mod types;
mod warehouse;

pub use catalog::{Catalog, Column, Database, Entry, External, Format, Partition, TableName, Versioned, View};
pub use change::Counts;
pub use describe::{Described, Description};
pub use effects::{Clock, Identifiers, RandomIdentifiers};
pub use error::{Error, Result};
pub use lakehouse::{Answer, Kind, Lakehouse, Settings};
pub use query::Limits;
pub use run::HiveStorage;
pub use session::{Meter, Session};
pub use sql::{Class, Position, class, execution, split, with_parameters};
pub use text::{ResultColumn, TextRow, result_columns, text_rows};
pub use types::ColumnType;
pub use warehouse::{Warehouse, key_of_path, path_of_key};
