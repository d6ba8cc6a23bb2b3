//! Databases, tables and views by name, each with a history of numbered entries (see [`log`]).
//! A change says which entry it was made on, and is refused if that is no longer the newest: no change is lost.
//! What Glue's catalog does in the cloud: <https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog.html>.

mod entry;
pub(crate) mod log;

use bytes::Bytes;
use object_store::path::Path;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use entry::checked;
pub use entry::{Column, Database, Entry, External, Format, Partition, TableName, View};

use crate::error::{Error, Result};
use crate::warehouse::Warehouse;

/// The object that stands for a database among its tables; no table can bear this name.
const DATABASE: &str = ".database";

/// The names of a warehouse.
#[derive(Debug, Clone)]
pub struct Catalog {
    warehouse: Warehouse,
}

/// An entry and its number, which a change must name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The number, if the name was ever used.
    pub number: Option<u64>,
    /// What stands there; nothing if it was never used or dropped.
    pub value: Option<T>,
}

impl Catalog {
    /// The catalog of a warehouse.
    #[must_use]
    pub fn new(warehouse: Warehouse) -> Self {
        Self { warehouse }
    }

    fn folder(&self, database: &str, table: &str) -> Path {
        self.warehouse.catalog_root().join(database).join(table)
    }

    async fn read<T: DeserializeOwned>(&self, folder: &Path) -> Result<Versioned<T>> {
        let Some(head) = log::head(self.warehouse.store().as_ref(), folder).await? else {
            return Ok(Versioned { number: None, value: None });
        };
        let value = serde_json::from_slice(&head.body)
            .map_err(|error| Error::damaged(format!("the catalog entry `{folder}` {}", head.number), error))?;
        Ok(Versioned { number: Some(head.number), value })
    }

    async fn write(&self, folder: &Path, after: Option<u64>, value: &impl Serialize) -> Result<bool> {
        let body = serde_json::to_vec(value).map_err(|error| Error::damaged("a catalog entry", error))?;
        let written = log::append(self.warehouse.store().as_ref(), folder, after, Bytes::from(body)).await?;
        Ok(written.is_some())
    }

    /// The databases, sorted.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn databases(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for name in log::folders(self.warehouse.store().as_ref(), &self.warehouse.catalog_root()).await? {
            if self.database(&name).await?.value.is_some() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// A database.
    ///
    /// # Errors
    /// If its entry cannot be read.
    pub async fn database(&self, name: &str) -> Result<Versioned<Database>> {
        let read: Versioned<Option<Database>> = self.read(&self.folder(name, DATABASE)).await?;
        Ok(Versioned { number: read.number, value: read.value.flatten() })
    }

    /// Makes or drops a database. False if it changed since `after`.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_database(&self, name: &str, after: Option<u64>, value: Option<&Database>) -> Result<bool> {
        self.write(&self.folder(name, DATABASE), after, &value).await
    }

    /// The tables and views of a database, sorted, with what they are.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn tables(&self, database: &str) -> Result<Vec<(String, Entry)>> {
        let folder = self.warehouse.catalog_root().join(database);
        let mut tables = Vec::new();
        for name in log::folders(self.warehouse.store().as_ref(), &folder).await? {
            if name == DATABASE {
                continue;
            }
            if let Some(entry) = self.entry_at(&self.folder(database, &name)).await?.value {
                tables.push((name, entry));
            }
        }
        tables.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(tables)
    }

    async fn entry_at(&self, folder: &Path) -> Result<Versioned<Entry>> {
        let read: Versioned<Entry> = self.read(folder).await?;
        Ok(Versioned { number: read.number, value: read.value.filter(|entry| *entry != Entry::Dropped) })
    }

    /// What a name stands for.
    ///
    /// # Errors
    /// If its entry cannot be read.
    pub async fn entry(&self, name: &TableName) -> Result<Versioned<Entry>> {
        self.entry_at(&self.folder(&name.database, &name.table)).await
    }

    /// Gives a name a new meaning. False if it changed since `after`.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_entry(&self, name: &TableName, after: Option<u64>, entry: &Entry) -> Result<bool> {
        self.write(&self.folder(&name.database, &name.table), after, entry).await
    }

    /// Removes entries that nobody can build on any more.
    pub(crate) async fn prune(&self, name: &TableName, now_ms: i64) -> Result<usize> {
        log::prune(self.warehouse.store().as_ref(), &self.folder(&name.database, &name.table), now_ms).await
    }
}
