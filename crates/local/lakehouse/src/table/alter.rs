//! Changes of a table's schema and properties. No data file is touched: columns are known by their ids.
//! <https://iceberg.apache.org/spec/#schema-evolution>.

use std::collections::BTreeMap;
use std::sync::Arc;

use iceberg::spec::{NestedField, NestedFieldRef, PrimitiveType, Schema, TableMetadata, TableMetadataBuilder, Type};

use super::properties::{to_set, to_unset};
use super::retry::until_committed;
use super::{Loaded, Tables};
use crate::catalog::{Column, TableName};
use crate::error::{Error, Result, iceberg as failed};
use crate::types::{ColumnType, iceberg_fields};

/// A change of an Iceberg table.
#[derive(Debug)]
pub(crate) enum SchemaChange {
    Add(Vec<Column>),
    Drop(String),
    Change { from: String, to: String, column_type: Option<ColumnType> },
    Set(BTreeMap<String, String>),
    Unset(Vec<String>),
}

/// Changes a table.
pub(crate) async fn alter(tables: &Tables, name: &TableName, change: &SchemaChange) -> Result<()> {
    let turn = tables.turn(name);
    let _turn = turn.lock().await;
    until_committed(tables, name, async |base: Loaded, _| {
        let builder = base.metadata().clone().into_builder(base.table.metadata_location().map(str::to_owned));
        let builder = changed(builder, base.metadata(), change)?;
        let built = builder.build().map_err(failed("change the table"))?;
        Ok(tables.swap(&base, built.metadata).await?.map(|_| ()))
    })
    .await
}

fn changed(
    builder: TableMetadataBuilder,
    metadata: &TableMetadata,
    change: &SchemaChange,
) -> Result<TableMetadataBuilder> {
    let fields = metadata.current_schema().as_struct().fields().to_vec();
    let fields = match change {
        SchemaChange::Add(columns) => added(fields, metadata, columns)?,
        SchemaChange::Drop(name) => dropped(fields, metadata, name)?,
        SchemaChange::Change { from, to, column_type } => renamed(fields, from, to, column_type.as_ref())?,
        SchemaChange::Set(properties) => {
            return builder.set_properties(to_set(properties)?).map_err(failed("set table properties"));
        }
        SchemaChange::Unset(names) => {
            return builder.remove_properties(&to_unset(names)).map_err(failed("unset table properties"));
        }
    };
    let keys = metadata.current_schema().identifier_field_ids();
    let schema = Schema::builder().with_fields(fields).with_identifier_field_ids(keys).build();
    let schema =
        schema.map_err(|error| Error::Invalid(format!("the columns cannot be changed so: {}", error.message())))?;
    builder.add_current_schema(schema).map_err(|error| Error::Invalid(error.message().to_owned()))
}

fn place(fields: &[NestedFieldRef], name: &str) -> Result<usize> {
    let found = fields.iter().position(|field| field.name == name);
    found.ok_or_else(|| Error::Missing(format!("there is no column `{name}`")))
}

fn free(fields: &[NestedFieldRef], name: &str) -> Result<()> {
    if fields.iter().any(|field| field.name == name) {
        return Err(Error::Exists(format!("the column `{name}`")));
    }
    Ok(())
}

fn added(mut fields: Vec<NestedFieldRef>, metadata: &TableMetadata, new: &[Column]) -> Result<Vec<NestedFieldRef>> {
    let mut next_id = metadata.last_column_id() + 1;
    for column in new {
        free(&fields, &column.name)?;
        let made = iceberg_fields(&[(column.name.clone(), column.column_type.clone())], &mut next_id)?;
        fields.extend(made.into_iter().map(|field| match &column.comment {
            Some(comment) => field.as_ref().clone().with_doc(comment).into(),
            None => field,
        }));
    }
    Ok(fields)
}

fn dropped(mut fields: Vec<NestedFieldRef>, metadata: &TableMetadata, name: &str) -> Result<Vec<NestedFieldRef>> {
    let at = place(&fields, name)?;
    let id = fields[at].id;
    // Every spec, not only the newest: files of older ones are still read by it.
    let is_source = metadata.partition_specs_iter().any(|spec| spec.fields().iter().any(|field| field.source_id == id));
    if is_source {
        return Err(Error::Invalid(format!("the column `{name}` cannot be dropped: the table is partitioned by it")));
    }
    if fields.len() == 1 {
        return Err(Error::Invalid(format!("the column `{name}` cannot be dropped: it is the only one")));
    }
    fields.remove(at);
    Ok(fields)
}

fn renamed(
    mut fields: Vec<NestedFieldRef>,
    from: &str,
    to: &str,
    column_type: Option<&ColumnType>,
) -> Result<Vec<NestedFieldRef>> {
    let at = place(&fields, from)?;
    if from != to {
        free(&fields, to)?;
    }
    let mut field: NestedField = fields[at].as_ref().clone();
    to.clone_into(&mut field.name);
    if let Some(column_type) = column_type {
        field.field_type = Box::new(widened(from, &field.field_type, column_type)?);
    }
    fields[at] = Arc::new(field);
    Ok(fields)
}

/// The promotions that the specification allows: <https://iceberg.apache.org/spec/#schema-evolution>.
fn widened(name: &str, old: &Type, wanted: &ColumnType) -> Result<Type> {
    if ColumnType::of_iceberg(old)? == *wanted {
        return Ok(old.clone());
    }
    let new = wanted.iceberg(&mut 0)?;
    let fits = match (old, &new) {
        (Type::Primitive(PrimitiveType::Int), Type::Primitive(PrimitiveType::Long))
        | (Type::Primitive(PrimitiveType::Float), Type::Primitive(PrimitiveType::Double)) => true,
        (
            Type::Primitive(PrimitiveType::Decimal { precision: old, scale: old_scale }),
            Type::Primitive(PrimitiveType::Decimal { precision, scale }),
        ) => scale == old_scale && precision >= old,
        _ => false,
    };
    if fits {
        return Ok(new);
    }
    let old = ColumnType::of_iceberg(old)?;
    let message = format!(
        "the column `{name}` cannot go from {old} to {wanted}; only int to bigint, float to double and decimals to more digits can"
    );
    Err(Error::Mismatch(message))
}
