//! `OPTIMIZE … REWRITE DATA USING BIN_PACK`: small files of a partition become larger ones; no row changes.
//! It runs beside other writers and starts anew if they touched its files; after a few times it takes its turn first,
//! so that it ends. <https://docs.aws.amazon.com/athena/latest/ug/optimize-statement.html>.

use std::collections::{HashMap, HashSet};

use iceberg::expr::Predicate;
use iceberg::scan::FileScanTask;
use iceberg::spec::{Operation, Struct};

use super::properties::{Optimizing, optimizing};
use super::retry::{commit, discard, until_committed};
use super::stage::Change;
use super::write::Files;
use super::{Loaded, Tables, scan};
use crate::catalog::TableName;
use crate::error::Result;

/// Attempts beside other writers before it asks them to wait.
const POLITE_ATTEMPTS: usize = 3;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) removed_files: usize,
    pub(crate) added_files: usize,
}

/// Rewrites the small files of a table, or of the partitions that a predicate names.
pub(crate) async fn optimize(tables: &Tables, name: &TableName, predicate: Option<&Predicate>) -> Result<Rewritten> {
    let turn = tables.turn(name);
    until_committed(tables, name, async |base: Loaded, attempts| {
        let early = if attempts < POLITE_ATTEMPTS { None } else { Some(turn.lock().await) };
        let base = if early.is_some() { tables.load(name).await?.writable()? } else { base };
        let Some(change) = rewritten(tables, &base, predicate).await? else { return Ok(Some(Rewritten::default())) };
        let _turn = match early {
            Some(held) => held,
            None => turn.lock().await,
        };
        // The newest state will do as a base as long as it still has the files that go.
        let newest = tables.load(name).await?.writable()?;
        let done = Rewritten { removed_files: change.removed.len(), added_files: change.added.len() };
        let same_spec = newest.metadata().default_partition_spec_id() == base.metadata().default_partition_spec_id();
        if same_spec && commit(tables, &newest, &change).await?.is_some() {
            return Ok(Some(done));
        }
        discard(tables, &change.added).await;
        Ok(None)
    })
    .await
}

async fn rewritten(tables: &Tables, base: &Loaded, predicate: Option<&Predicate>) -> Result<Option<Change>> {
    let metadata = base.metadata();
    let schema = metadata.current_schema();
    let columns: Vec<i32> = schema.as_struct().fields().iter().map(|field| field.id).collect();
    let planned = scan::plan(&base.table, metadata.current_snapshot_id(), schema, &columns, predicate.cloned()).await?;
    let chosen = chosen(planned, optimizing(metadata), metadata.default_partition_spec_id());
    if chosen.is_empty() {
        return Ok(None);
    }
    let removed: HashSet<String> = chosen.iter().map(|task| task.data_file_path.clone()).collect();
    let arrow = scan::arrow_schema(schema)?;
    let mut files = Files::new(tables, base)?;
    files.write_all(scan::read(&base.table, tables.file_io(), chosen, arrow)).await?;
    let added = files.finish().await?;
    Ok(Some(Change { operation: Operation::Replace, added, removed }))
}

/// The files worth rewriting: those of a partition with several too small ones, too large ones, and any with deletes.
fn chosen(tasks: Vec<FileScanTask>, wanted: Optimizing, spec_id: i32) -> Vec<FileScanTask> {
    let mut partitions: HashMap<(i32, Option<Struct>), Vec<FileScanTask>> = HashMap::new();
    for mut task in tasks {
        // Whole files are written again; the predicate only chose them.
        task.predicate = None;
        let spec = task.partition_spec.as_ref().map_or(spec_id, |spec| spec.spec_id());
        partitions.entry((spec, task.partition.clone())).or_default().push(task);
    }
    let mut chosen = Vec::new();
    for ((spec, _), tasks) in partitions {
        let is_odd = |task: &FileScanTask| {
            let size = task.file_size_in_bytes;
            size < wanted.min_bytes || size > wanted.max_bytes || !task.deletes.is_empty() || spec != spec_id
        };
        let must = tasks.iter().any(|task| !task.deletes.is_empty() || spec != spec_id);
        let odd: Vec<_> = tasks.into_iter().filter(is_odd).collect();
        let enough = u64::try_from(odd.len()).unwrap_or(0) >= wanted.least_files;
        if must || enough {
            chosen.extend(odd);
        }
    }
    chosen.sort_by(|one, other| one.data_file_path.cmp(&other.data_file_path));
    chosen
}
