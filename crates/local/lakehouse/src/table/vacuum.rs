//! `VACUUM`: snapshots that are too old are forgotten, and files that no snapshot names are removed.
//! A file that was written lately stays even if nobody names it: a writer may be about to.
//! <https://docs.aws.amazon.com/athena/latest/ug/vacuum-statement.html>.

use std::collections::HashSet;

use futures::TryStreamExt;
use iceberg::spec::{SnapshotRef, TableMetadata};
use object_store::{ObjectStore, ObjectStoreExt};

use super::properties::vacuuming;
use super::retry::until_committed;
use super::{Loaded, Tables};
use crate::catalog::TableName;
use crate::error::{Error, Result, iceberg as failed, store};

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Vacuumed {
    pub(crate) expired_snapshots: usize,
    pub(crate) removed_files: usize,
}

/// Forgets old snapshots, then removes files that nobody names and that are older than `orphan_age_ms`.
pub(crate) async fn vacuum(tables: &Tables, name: &TableName, orphan_age_ms: i64) -> Result<Vacuumed> {
    let (loaded, expired, unreachable) = expire(tables, name).await?;
    let retained = reachable(tables, &loaded, loaded.metadata().snapshots()).await?;
    let mut removed_files = 0;
    for uri in unreachable.difference(&retained) {
        tables.file_io().delete(uri).await.map_err(failed("delete a file of an expired snapshot"))?;
        removed_files += 1;
    }
    removed_files += remove_orphans(tables, &loaded, &retained, orphan_age_ms).await?;
    tables.catalog.prune(name, tables.clock.now_ms()).await?;
    Ok(Vacuumed { expired_snapshots: expired, removed_files })
}

/// The table without its old snapshots, how many there were, and all the files that they named.
async fn expire(tables: &Tables, name: &TableName) -> Result<(Loaded, usize, HashSet<String>)> {
    let turn = tables.turn(name);
    let _turn = turn.lock().await;
    until_committed(tables, name, async |base: Loaded, _| {
        let old = expired(base.metadata(), tables.clock.now_ms())?;
        if old.is_empty() {
            return Ok(Some((base, 0, HashSet::new())));
        }
        let named = reachable(tables, &base, old.iter()).await?;
        let ids: Vec<i64> = old.iter().map(|snapshot| snapshot.snapshot_id()).collect();
        let builder = base.metadata().clone().into_builder(base.table.metadata_location().map(str::to_owned));
        let built = builder.remove_snapshots(&ids).build().map_err(failed("forget old snapshots"))?;
        let swapped = tables.swap(&base, built.metadata).await?;
        Ok(swapped.map(|loaded| (loaded, ids.len(), named)))
    })
    .await
}

/// Snapshots beyond the age that the table allows; never the current one, one that a branch or tag names, or one of
/// the newest that are to be kept.
fn expired(metadata: &TableMetadata, now_ms: i64) -> Result<Vec<SnapshotRef>> {
    let named = referenced(metadata)?;
    let wanted = vacuuming(metadata);
    let mut snapshots: Vec<SnapshotRef> = metadata.snapshots().cloned().collect();
    snapshots.sort_by_key(|snapshot| std::cmp::Reverse((snapshot.timestamp_ms(), snapshot.sequence_number())));
    let old = |snapshot: &SnapshotRef| {
        !named.contains(&snapshot.snapshot_id()) && now_ms.saturating_sub(snapshot.timestamp_ms()) > wanted.max_age_ms
    };
    Ok(snapshots.into_iter().skip(wanted.least_snapshots).filter(old).collect())
}

/// The snapshots that a branch or tag names. The library shows them only in what it writes.
fn referenced(metadata: &TableMetadata) -> Result<HashSet<i64>> {
    let written = serde_json::to_value(metadata).map_err(|error| Error::damaged("the table's metadata", error))?;
    let references = written["refs"].as_object();
    let named = references.into_iter().flatten().filter_map(|(_, reference)| reference["snapshot-id"].as_i64());
    Ok(named.chain(metadata.current_snapshot_id()).collect())
}

/// Every file that these snapshots name, and those of the table's metadata.
async fn reachable<'a>(
    tables: &Tables,
    loaded: &Loaded,
    snapshots: impl Iterator<Item = &'a SnapshotRef>,
) -> Result<HashSet<String>> {
    let metadata = loaded.metadata();
    let mut named: HashSet<String> = metadata.metadata_log().iter().map(|log| log.metadata_file.clone()).collect();
    named.extend(loaded.table.metadata_location().map(str::to_owned));
    named.extend(metadata.statistics_iter().map(|file| file.statistics_path.clone()));
    named.extend(metadata.partition_statistics_iter().map(|file| file.statistics_path.clone()));
    for snapshot in snapshots {
        named.insert(snapshot.manifest_list().to_owned());
        let damaged = |error| Error::damaged(format!("the manifest list `{}`", snapshot.manifest_list()), error);
        let list = loaded.table.manifest_list_reader(snapshot).load().await.map_err(damaged)?;
        for manifest in list.entries() {
            // Each manifest is read once, however many snapshots share it.
            if named.insert(manifest.manifest_path.clone()) {
                let damaged = |error| Error::damaged(format!("the manifest `{}`", manifest.manifest_path), error);
                let read = manifest.load_manifest(tables.file_io()).await.map_err(damaged)?;
                let alive = read.entries().iter().filter(|entry| entry.is_alive());
                named.extend(alive.map(|entry| entry.file_path().to_owned()));
            }
        }
    }
    Ok(named)
}

async fn remove_orphans(
    tables: &Tables,
    loaded: &Loaded,
    retained: &HashSet<String>,
    orphan_age_ms: i64,
) -> Result<usize> {
    let location = loaded.metadata().location();
    let kept: HashSet<_> = retained.iter().filter_map(|uri| tables.warehouse.path(uri).ok()).collect();
    let files = tables.warehouse.store();
    let before = tables.clock.now_ms().saturating_sub(orphan_age_ms);
    let mut removed = 0;
    let mut listed = files.list(Some(&tables.warehouse.path(location)?));
    while let Some(meta) = listed.try_next().await.map_err(store(format!("list `{location}`")))? {
        if kept.contains(&meta.location) || meta.last_modified.timestamp_millis() >= before {
            continue;
        }
        match files.delete(&meta.location).await {
            Ok(()) => removed += 1,
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(store(format!("delete `{}`", meta.location))(error)),
        }
    }
    Ok(removed)
}
