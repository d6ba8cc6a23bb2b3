//! `INSERT INTO`: files are written first, then added to whatever the table is by then.
//! An append never conflicts with another writer's rows, so its files are written once however often it is tried.

use std::collections::HashSet;

use datafusion::arrow::array::RecordBatch;
use futures::Stream;
use iceberg::spec::{DataFile, Operation};

use super::retry::{commit, discard, until_committed};
use super::stage::Change;
use super::write::Files;
use super::{Loaded, Tables};
use crate::error::{Error, Result};

/// Adds rows to a table and says how many. They have the columns of `loaded`, in their order.
pub(crate) async fn append(
    tables: &Tables,
    loaded: Loaded,
    rows: impl Stream<Item = Result<RecordBatch>> + Unpin,
) -> Result<u64> {
    let loaded = loaded.writable()?;
    let mut files = Files::new(tables, &loaded)?;
    files.write_all(rows).await?;
    let count = files.rows;
    let added = files.finish().await?;
    if added.is_empty() {
        return Ok(0);
    }
    let committed = add(tables, &loaded, &added).await;
    if matches!(committed, Err(Error::Conflict { .. } | Error::Invalid(_))) {
        discard(tables, &added).await;
    }
    committed.map(|()| count)
}

/// Makes a table with its first rows in one step. `None` if its name was taken meanwhile.
pub(crate) async fn create_with(
    tables: &Tables,
    unborn: &Loaded,
    rows: impl Stream<Item = Result<RecordBatch>> + Unpin,
) -> Result<Option<u64>> {
    let mut files = Files::new(tables, unborn)?;
    files.write_all(rows).await?;
    let count = files.rows;
    let change = Change { operation: Operation::Append, added: files.finish().await?, removed: HashSet::new() };
    Ok(commit(tables, unborn, &change).await?.map(|_| count))
}

async fn add(tables: &Tables, written_for: &Loaded, added: &[DataFile]) -> Result<()> {
    let change = Change { operation: Operation::Append, added: added.to_vec(), removed: HashSet::new() };
    let turn = tables.turn(&written_for.name);
    let _turn = turn.lock().await;
    until_committed(tables, &written_for.name, async |base: Loaded, _| {
        same_shape(written_for, &base)?;
        Ok(commit(tables, &base, &change).await?.map(|_| ()))
    })
    .await
}

/// Files fit a table that is still the same one and is still partitioned the same way.
fn same_shape(written_for: &Loaded, base: &Loaded) -> Result<()> {
    let (old, new) = (written_for.metadata(), base.metadata());
    if old.uuid() == new.uuid() && old.default_partition_spec_id() == new.default_partition_spec_id() {
        return Ok(());
    }
    Err(Error::Invalid(format!("`{}` was made anew or partitioned anew meanwhile; run the statement again", base.name)))
}
