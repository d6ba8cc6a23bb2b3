//! `CREATE TABLE` for Iceberg.
//! <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html>.

use std::collections::{BTreeMap, HashMap};

use futures::TryStreamExt;
use iceberg::spec::{Schema, TableMetadata, TableMetadataBuilder, Transform as IcebergTransform, UnboundPartitionSpec};
use iceberg::{MetadataLocation, TableCreation};
use object_store::ObjectStore;

use super::dropping::remove_files;
use super::properties::to_set;
use super::{Loaded, Tables};
use crate::catalog::{Column, Entry, TableName, Versioned};
use crate::effects::file_name;
use crate::error::{Error, Result, iceberg as failed, store};
use crate::sql::{PartitionField, Transform};
use crate::types::iceberg_fields;

/// What a new table is to be.
#[derive(Debug, Clone)]
pub(crate) struct NewTable {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<Column>,
    pub(crate) partition_fields: Vec<PartitionField>,
    pub(crate) location: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) properties: BTreeMap<String, String>,
}

impl NewTable {
    fn schema(&self) -> Result<Schema> {
        let fields: Vec<_> =
            self.columns.iter().map(|column| (column.name.clone(), column.column_type.clone())).collect();
        let mut next_id = 1;
        let fields = iceberg_fields(&fields, &mut next_id)?;
        let documented = fields.into_iter().zip(&self.columns).map(|(field, column)| match &column.comment {
            Some(comment) => field.as_ref().clone().with_doc(comment).into(),
            None => field,
        });
        Schema::builder().with_fields(documented).build().map_err(failed("make a schema"))
    }

    fn partition_spec(&self, schema: &Schema) -> Result<UnboundPartitionSpec> {
        let mut spec = UnboundPartitionSpec::builder().with_spec_id(0);
        for field in &self.partition_fields {
            let missing = || Error::Missing(format!("{}: there is no column `{}`", field.position, field.column));
            let id = schema.field_id_by_name(&field.column).ok_or_else(missing)?;
            let (name, transform) = named(field);
            let wrong = |_| Error::Invalid(format!("{}: the partition field `{name}` is there twice", field.position));
            spec = spec.add_partition_field(id, name.clone(), transform).map_err(wrong)?;
        }
        let spec = spec.build();
        let bound = spec.clone().bind(schema.clone());
        bound.map_err(|error| Error::Invalid(format!("the table cannot be partitioned so: {}", error.message())))?;
        Ok(spec)
    }

    fn all_properties(&self) -> Result<HashMap<String, String>> {
        let mut properties = to_set(&self.properties)?;
        properties.entry("write.format.default".to_owned()).or_insert_with(|| "parquet".to_owned());
        if let Some(comment) = &self.comment {
            properties.insert("comment".to_owned(), comment.clone());
        }
        Ok(properties)
    }

    fn metadata(&self, location: String) -> Result<TableMetadata> {
        let schema = self.schema()?;
        let creation = TableCreation::builder()
            .name(self.name.table.clone())
            .location(location)
            .partition_spec(self.partition_spec(&schema)?)
            .schema(schema)
            .properties(self.all_properties()?)
            .build();
        let builder = TableMetadataBuilder::from_table_creation(creation).map_err(failed("make a table"))?;
        Ok(builder.build().map_err(failed("make a table"))?.metadata)
    }
}

/// A partition field as Athena names it and what it does.
fn named(field: &PartitionField) -> (String, IcebergTransform) {
    let column = &field.column;
    match field.transform {
        Transform::Identity => (column.clone(), IcebergTransform::Identity),
        Transform::Year => (format!("{column}_year"), IcebergTransform::Year),
        Transform::Month => (format!("{column}_month"), IcebergTransform::Month),
        Transform::Day => (format!("{column}_day"), IcebergTransform::Day),
        Transform::Hour => (format!("{column}_hour"), IcebergTransform::Hour),
        Transform::Bucket(count) => (format!("{column}_bucket"), IcebergTransform::Bucket(count)),
        Transform::Truncate(width) => (format!("{column}_trunc"), IcebergTransform::Truncate(width)),
    }
}

/// A table with a first metadata file that no name stands for yet; nobody can see it.
pub(crate) async fn unborn(tables: &Tables, new: &NewTable, was: &Versioned<Entry>) -> Result<Loaded> {
    let location = if let Some(location) = &new.location {
        tables.warehouse.normal(location)?
    } else {
        let suffix = file_name(tables.identifiers.next());
        tables.warehouse.default_location(&new.name.database, &new.name.table, &suffix)
    };
    let metadata = new.metadata(location.clone())?;
    refuse_used(tables, &location).await?;
    let at = MetadataLocation::new_with_metadata(location, &metadata);
    metadata.write_to(tables.file_io(), &at).await.map_err(failed("write the metadata file"))?;
    tables.opened(&new.name, was.number.unwrap_or(0), metadata, at.to_string())
}

/// Gives a table its name. False if the name was taken meanwhile.
pub(crate) async fn publish(tables: &Tables, unborn: &Loaded) -> Result<bool> {
    let location = unborn.table.metadata_location_result().map_err(failed("find the metadata file"))?;
    let entry = Entry::Iceberg { metadata_location: location.to_owned() };
    let published = tables.catalog.set_entry(&unborn.name, unborn.after(), &entry).await?;
    if !published {
        abandon(tables, unborn).await;
    }
    Ok(published)
}

/// Removes what a table left that never got its name.
pub(crate) async fn abandon(tables: &Tables, unborn: &Loaded) {
    if let Err(error) = remove_files(tables, unborn.metadata().location()).await {
        tracing::debug!(%error, "files of a table that was not made stay");
    }
}

/// A table must have its folder to itself: `VACUUM` removes from it what the table does not name.
async fn refuse_used(tables: &Tables, location: &str) -> Result<()> {
    let folder = tables.warehouse.path(location)?;
    let mut listed = tables.warehouse.store().list(Some(&folder));
    while let Some(meta) = listed.try_next().await.map_err(store(format!("list `{location}`")))? {
        let name = meta.location.filename().unwrap_or_default();
        // What a creation leaves that did not get further than its first file.
        let is_unborn = name.starts_with("00000-") && name.ends_with(".metadata.json");
        if meta.size > 0 && !is_unborn {
            return Err(Error::Invalid(format!(
                "the location `{location}` is not empty; choose another one or empty it"
            )));
        }
    }
    Ok(())
}
