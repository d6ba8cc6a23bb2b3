//! `"$path"`: the file that a row comes from, which a table has for queries that name it, and which `*` leaves out.
//! <https://docs.aws.amazon.com/athena/latest/ug/select.html#select-path>.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, Select, SelectItem, TableFactor, WildcardAdditionalOptions,
};

/// The column's name.
pub(crate) const PATH: &str = "$path";

/// Whether an expression is that column.
pub(super) fn is_path(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(name) => name.value == PATH,
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|name| name.value == PATH),
        _ => false,
    }
}

/// A table's columns and the hidden one.
pub(crate) fn with_path(schema: &SchemaRef) -> SchemaRef {
    let hidden = Arc::new(Field::new(PATH, DataType::Utf8, false));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([hidden]).collect::<Vec<_>>()))
}

/// Leaves the hidden column out of what `*` stands for, in a select over tables that have it.
pub(super) fn hide(select: &mut Select) {
    let is_table = |factor: &TableFactor| matches!(factor, TableFactor::Table { .. });
    let reads_tables = select
        .from
        .iter()
        .any(|item| is_table(&item.relation) || item.joins.iter().any(|join| is_table(&join.relation)));
    for item in select.projection.iter_mut().filter(|_| reads_tables) {
        if let SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) = item {
            exclude(options);
        }
    }
}

fn exclude(options: &mut WildcardAdditionalOptions) {
    let hidden = Ident::with_quote('"', PATH);
    options.opt_exclude = Some(match options.opt_exclude.take() {
        None => ExcludeSelectItem::Single(hidden),
        Some(ExcludeSelectItem::Single(other)) => ExcludeSelectItem::Multiple(vec![other, hidden]),
        Some(ExcludeSelectItem::Multiple(mut others)) => {
            others.push(hidden);
            ExcludeSelectItem::Multiple(others)
        }
    });
}

/// Columns of a batch by their places; no place stands for the file's name.
pub(crate) fn arranged(
    batch: &RecordBatch,
    places: &[Option<usize>],
    path: &str,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let column = |place: &Option<usize>| match place {
        Some(at) => Ok(Arc::clone(batch.column(*at))),
        None => ScalarValue::from(path).to_array_of_size(rows),
    };
    let columns = places.iter().map(column).collect::<Result<Vec<ArrayRef>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
