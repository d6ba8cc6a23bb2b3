//! `"table$snapshots"`, `"table$history"`, `"table$files"`: what an Iceberg table says of itself.
//! <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-table-metadata.html>.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, MapBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::catalog::{MemTable, TableProvider};
use iceberg::spec::{DataContentType, Snapshot};

use crate::catalog::TableName;
use crate::error::{Error, Result, query as failed};
use crate::table::{Loaded, Tables};

/// One part of a table's metadata as a table.
pub(super) async fn provider(tables: &Tables, name: &TableName, part: &str) -> Result<Arc<dyn TableProvider>> {
    let loaded = tables.load(name).await?;
    let columns = match part {
        "snapshots" => snapshots(&loaded)?,
        "history" => history(&loaded),
        "files" => files(tables, &loaded).await?,
        other => {
            let message = format!("`{name}${other}` is not there; `$snapshots`, `$history` and `$files` are");
            return Err(Error::Missing(message));
        }
    };
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    let doing = failed("show the table's metadata");
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|error| doing(error.into()))?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]]).map_err(doing)?))
}

type Columns = Vec<(&'static str, ArrayRef)>;

fn moments(milliseconds: impl Iterator<Item = i64>) -> ArrayRef {
    let micros: Vec<i64> = milliseconds.map(|ms| ms.saturating_mul(1000)).collect();
    Arc::new(TimestampMicrosecondArray::from(micros))
}

fn texts<T: Into<String>>(texts: impl Iterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts.map(Into::into)))
}

fn snapshots(loaded: &Loaded) -> Result<Columns> {
    let mut all: Vec<&Snapshot> = loaded.metadata().snapshots().map(AsRef::as_ref).collect();
    all.sort_by_key(|snapshot| snapshot.sequence_number());
    let each = || all.iter();
    let mut summary = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for snapshot in each() {
        let mut properties: Vec<_> = snapshot.summary().additional_properties.iter().collect();
        properties.sort();
        for (key, value) in properties {
            summary.keys().append_value(key);
            summary.values().append_value(value);
        }
        summary.append(true).map_err(|error| failed("show snapshots")(error.into()))?;
    }
    Ok(vec![
        ("committed_at", moments(each().map(|snapshot| snapshot.timestamp_ms()))),
        ("snapshot_id", Arc::new(Int64Array::from_iter_values(each().map(|snapshot| snapshot.snapshot_id())))),
        ("parent_id", Arc::new(each().map(|snapshot| snapshot.parent_snapshot_id()).collect::<Int64Array>())),
        ("operation", texts(each().map(|snapshot| snapshot.summary().operation.as_str()))),
        ("manifest_list", texts(each().map(|snapshot| snapshot.manifest_list()))),
        ("summary", Arc::new(summary.finish())),
    ])
}

fn history(loaded: &Loaded) -> Columns {
    let metadata = loaded.metadata();
    let mut ancestors = HashSet::new();
    let mut next = metadata.current_snapshot();
    while let Some(snapshot) = next {
        if !ancestors.insert(snapshot.snapshot_id()) {
            break;
        }
        next = snapshot.parent_snapshot_id().and_then(|id| metadata.snapshot_by_id(id));
    }
    let parent = |id| metadata.snapshot_by_id(id).and_then(|snapshot| snapshot.parent_snapshot_id());
    let each = || metadata.history().iter();
    vec![
        ("made_current_at", moments(each().map(iceberg::spec::SnapshotLog::timestamp_ms))),
        ("snapshot_id", Arc::new(Int64Array::from_iter_values(each().map(|entry| entry.snapshot_id)))),
        ("parent_id", Arc::new(each().map(|entry| parent(entry.snapshot_id)).collect::<Int64Array>())),
        (
            "is_current_ancestor",
            Arc::new(each().map(|entry| Some(ancestors.contains(&entry.snapshot_id))).collect::<BooleanArray>()),
        ),
    ]
}

async fn files(tables: &Tables, loaded: &Loaded) -> Result<Columns> {
    let mut files = Vec::new();
    if let Some(snapshot) = loaded.metadata().current_snapshot() {
        let damaged = |error| Error::damaged(format!("the manifest list `{}`", snapshot.manifest_list()), error);
        let list = loaded.table.manifest_list_reader(snapshot).load().await.map_err(damaged)?;
        for manifest in list.entries() {
            let damaged = |error| Error::damaged(format!("the manifest `{}`", manifest.manifest_path), error);
            let read = manifest.load_manifest(tables.file_io()).await.map_err(damaged)?;
            files.extend(read.entries().iter().filter(|entry| entry.is_alive()).map(|entry| entry.data_file().clone()));
        }
    }
    let each = || files.iter();
    let content = |of: DataContentType| match of {
        DataContentType::Data => 0,
        DataContentType::PositionDeletes => 1,
        DataContentType::EqualityDeletes => 2,
    };
    let number = |of: u64| i64::try_from(of).unwrap_or(i64::MAX);
    Ok(vec![
        ("content", Arc::new(Int32Array::from_iter_values(each().map(|file| content(file.content_type()))))),
        ("file_path", texts(each().map(iceberg::spec::DataFile::file_path))),
        ("file_format", texts(each().map(|file| file.file_format().to_string().to_uppercase()))),
        ("record_count", Arc::new(Int64Array::from_iter_values(each().map(|file| number(file.record_count()))))),
        (
            "file_size_in_bytes",
            Arc::new(Int64Array::from_iter_values(each().map(|file| number(file.file_size_in_bytes())))),
        ),
    ])
}
