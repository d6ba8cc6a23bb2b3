//! Iceberg tables: loading, and the compare-and-swap that every change ends with.
//! Only format version 2 is written; equality deletes are never written, because other readers do not know them.
//! <https://iceberg.apache.org/spec/#optimistic-concurrency>.

pub(crate) mod alter;
pub(crate) mod append;
pub(crate) mod create;
pub(crate) mod dropping;
pub(crate) mod optimize;
pub(crate) mod properties;
pub(crate) mod retry;
pub(crate) mod scan;
pub(crate) mod stage;
pub(crate) mod vacuum;
pub(crate) mod write;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use iceberg::io::FileIO;
use iceberg::spec::{FormatVersion, TableMetadata};
use iceberg::table::Table;
use iceberg::{MetadataLocation, Runtime, TableIdent};

use crate::catalog::{Catalog, Entry, TableName};
use crate::effects::{Clock, Identifiers};
use crate::error::{Error, Result, iceberg as failed};
use crate::warehouse::Warehouse;

/// Tables whose metadata and manifests are kept in memory.
const MOST_CACHED: usize = 64;

/// A table as it stood at one entry of the catalog.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) name: TableName,
    /// The number of the entry; 0 if the name was never used.
    pub(crate) number: u64,
    pub(crate) table: Table,
}

impl Loaded {
    pub(crate) fn metadata(&self) -> &TableMetadata {
        self.table.metadata()
    }

    /// The entry of the catalog that a change is made on.
    pub(crate) fn after(&self) -> Option<u64> {
        (self.number > 0).then_some(self.number)
    }

    /// Refuses what this crate would write wrongly.
    pub(crate) fn writable(self) -> Result<Self> {
        match self.metadata().format_version() {
            FormatVersion::V2 => Ok(self),
            other => Err(Error::Invalid(format!(
                "`{}` has format version {other:?}; only tables of format version 2 are written",
                self.name
            ))),
        }
    }
}

/// The Iceberg tables of a warehouse.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) catalog: Catalog,
    pub(crate) warehouse: Warehouse,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) identifiers: Arc<dyn Identifiers>,
    file_io: FileIO,
    cached: Mutex<HashMap<TableName, Loaded>>,
    /// Writers of this process take turns for each table; those of other processes meet in the compare-and-swap.
    turns: Mutex<HashMap<TableName, Arc<tokio::sync::Mutex<()>>>>,
}

impl Tables {
    pub(crate) fn new(warehouse: Warehouse, clock: Arc<dyn Clock>, identifiers: Arc<dyn Identifiers>) -> Self {
        Self {
            catalog: Catalog::new(warehouse.clone()),
            file_io: warehouse.file_io(),
            warehouse,
            clock,
            identifiers,
            cached: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    /// The newest state of a table.
    pub(crate) async fn load(&self, name: &TableName) -> Result<Loaded> {
        let entry = self.catalog.entry(name).await?;
        match (entry.number, entry.value) {
            (Some(number), Some(Entry::Iceberg { metadata_location })) => {
                self.load_at(name, number, &metadata_location).await
            }
            (_, Some(_)) => Err(Error::Invalid(format!("`{name}` is no Iceberg table"))),
            _ => Err(Error::Missing(format!("the table `{name}` does not exist"))),
        }
    }

    pub(crate) async fn load_at(&self, name: &TableName, number: u64, metadata_location: &str) -> Result<Loaded> {
        if let Some(loaded) = self.cached(name, number) {
            return Ok(loaded);
        }
        let metadata = TableMetadata::read_from(&self.file_io, metadata_location)
            .await
            .map_err(|error| Error::damaged(format!("the metadata file `{metadata_location}` of `{name}`"), error))?;
        let loaded = self.opened(name, number, metadata, metadata_location.to_owned())?;
        self.remember(&loaded);
        Ok(loaded)
    }

    fn cached(&self, name: &TableName, number: u64) -> Option<Loaded> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.get(name).filter(|loaded| loaded.number == number).cloned()
    }

    fn remember(&self, loaded: &Loaded) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() >= MOST_CACHED && !cached.contains_key(&loaded.name) {
            cached.clear();
        }
        cached.insert(loaded.name.clone(), loaded.clone());
    }

    pub(crate) fn opened(
        &self,
        name: &TableName,
        number: u64,
        metadata: TableMetadata,
        location: String,
    ) -> Result<Loaded> {
        let identifier = TableIdent::from_strs([&name.database, &name.table]).map_err(failed("name a table"))?;
        let table = Table::builder()
            .file_io(self.file_io.clone())
            .metadata(metadata)
            .metadata_location(location)
            .identifier(identifier)
            .runtime(Runtime::try_current().map_err(failed("find the runtime"))?)
            .build()
            .map_err(failed("open a table"))?;
        Ok(Loaded { name: name.clone(), number, table })
    }

    /// The lock by which the writers of this process take turns, first come first served.
    pub(crate) fn turn(&self, name: &TableName) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(name.clone()).or_default())
    }

    /// Puts new metadata in the place of those that `base` was loaded with. `None` if the table changed meanwhile.
    pub(crate) async fn swap(&self, base: &Loaded, metadata: TableMetadata) -> Result<Option<Loaded>> {
        let current = base.table.metadata_location_result().map_err(failed("find the metadata file"))?;
        let location = MetadataLocation::from_str(current).map_err(failed("name the next metadata file"))?;
        let location = location.with_next_version().with_new_metadata(&metadata);
        metadata.write_to(&self.file_io, &location).await.map_err(failed("write the metadata file"))?;
        let entry = Entry::Iceberg { metadata_location: location.to_string() };
        if !self.catalog.set_entry(&base.name, base.after(), &entry).await? {
            // Nobody can have read it: its name is in no entry.
            let _ = self.file_io.delete(location.to_string()).await;
            return Ok(None);
        }
        let loaded = self.opened(&base.name, base.number + 1, metadata, location.to_string())?;
        self.remember(&loaded);
        Ok(Some(loaded))
    }

    pub(crate) fn file_io(&self) -> &FileIO {
        &self.file_io
    }
}
