//! What Glue's catalog tells of a name, and the little that others may change of it beside statements.
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html>.

use std::collections::BTreeMap;

use iceberg::spec::{FormatVersion, TableMetadata};

use crate::catalog::{Column, Entry, External, Partition, TableName, View};
use crate::error::{Error, Result};
use crate::lakehouse::Lakehouse;
use crate::run::iceberg_columns;

/// What a name stands for, with its columns.
#[derive(Debug, Clone)]
pub struct Description {
    /// The name.
    pub name: TableName,
    /// The number of its entry, which a change of it must name.
    pub number: u64,
    /// What it stands for.
    pub what: Described,
}

/// A table or a view as its readers see it.
#[derive(Debug, Clone)]
pub enum Described {
    /// An Iceberg table.
    Iceberg {
        /// The URI of the current metadata file.
        metadata_location: String,
        /// Its folder.
        location: String,
        /// Its columns.
        columns: Vec<Column>,
        /// Its properties, under the names that Iceberg has for them.
        properties: BTreeMap<String, String>,
    },
    /// An Iceberg table whose metadata file cannot be read.
    Damaged {
        /// The URI of the metadata file.
        metadata_location: String,
        /// What reading it said.
        why: String,
    },
    /// Files that others wrote.
    External(External),
    /// A query with a name.
    View(View),
}

impl Lakehouse {
    /// What a name stands for; nothing if it stands for nothing.
    ///
    /// # Errors
    /// If the catalog cannot be read. A table whose metadata are damaged is described as such.
    pub async fn describe(&self, name: &TableName) -> Result<Option<Description>> {
        let read = self.catalog().entry(name).await?;
        let (Some(number), Some(entry)) = (read.number, read.value) else { return Ok(None) };
        let what = match entry {
            Entry::Iceberg { metadata_location } => self.iceberg(name, number, metadata_location).await,
            Entry::External(external) => Described::External(external),
            Entry::View(view) => Described::View(view),
            Entry::Dropped => return Ok(None),
        };
        Ok(Some(Description { name: name.clone(), number, what }))
    }

    async fn iceberg(&self, name: &TableName, number: u64, metadata_location: String) -> Described {
        let loaded = self.tables().load_at(name, number, &metadata_location).await;
        let described = loaded.and_then(|loaded| {
            let metadata = loaded.metadata();
            let (location, properties) = (metadata.location().to_owned(), metadata.properties().clone());
            let columns = iceberg_columns(&loaded)?;
            Ok((location, columns, properties.into_iter().collect()))
        });
        match described {
            Ok((location, columns, properties)) => {
                Described::Iceberg { metadata_location, location, columns, properties }
            }
            Err(error) => Described::Damaged { metadata_location, why: error.chain() },
        }
    }

    /// The partitions of an external table that a condition on its partition columns wants.
    ///
    /// # Errors
    /// If the name stands for no external table, or the condition is none on its partition columns.
    pub async fn partitions(&self, name: &TableName, condition: &str) -> Result<Vec<Partition>> {
        crate::run::partitions_where(self.shop(), name, condition).await
    }

    /// Makes a name stand for an Iceberg table that another engine wrote, if its entry is still `after`. False if it
    /// is not.
    ///
    /// # Errors
    /// If the metadata file is outside of the warehouse, cannot be read, or is of a form that is not written here.
    pub async fn set_iceberg(&self, name: &TableName, after: Option<u64>, metadata_location: &str) -> Result<bool> {
        let tables = self.tables();
        let at = tables.warehouse.normal(metadata_location)?;
        let metadata = TableMetadata::read_from(tables.file_io(), &at)
            .await
            .map_err(|error| Error::damaged(format!("the metadata file `{metadata_location}`"), error))?;
        if metadata.format_version() != FormatVersion::V2 {
            let message = format!("`{metadata_location}` is not of format version 2, which is what is written here");
            return Err(Error::Invalid(message));
        }
        tables.warehouse.normal(metadata.location())?;
        tables.catalog.set_entry(name, after, &Entry::Iceberg { metadata_location: at }).await
    }
}
