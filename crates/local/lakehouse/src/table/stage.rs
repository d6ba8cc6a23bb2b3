//! The metadata of a snapshot that adds and removes data files: what the library has no public action for.
//! Manifests that hold a removed file are written anew without it, the others are kept as they are, and small ones are
//! put together now and then. <https://iceberg.apache.org/spec/#snapshots>.

use std::collections::{HashMap, HashSet};

use iceberg::spec::{
    DataFile, MAIN_BRANCH, ManifestContentType, ManifestFile, ManifestListWriter, ManifestWriter,
    ManifestWriterBuilder, Operation, PartitionSpecRef, SchemaRef, Snapshot, SnapshotSummaryCollector, Summary,
    TableMetadata,
};

use super::{Loaded, Tables};
use crate::effects::{file_name, snapshot_id};
use crate::error::{Error, Result, iceberg as failed};

/// Data manifests of one partition spec before they are put together: Iceberg's default for
/// `commit.manifest.min-count-to-merge`.
const MOST_MANIFESTS: usize = 100;

/// What a commit changes.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) operation: Operation,
    pub(crate) added: Vec<DataFile>,
    /// The paths of files that are no longer part of the table.
    pub(crate) removed: HashSet<String>,
}

impl Change {
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// One snapshot in the making.
struct Staging<'a> {
    tables: &'a Tables,
    base: &'a Loaded,
    schema: SchemaRef,
    snapshot_id: i64,
    commit: String,
    manifests: Vec<ManifestFile>,
    written: usize,
    summary: SnapshotSummaryCollector,
}

/// New metadata with the change as the newest snapshot. `None` if a file that is to be removed is gone already.
pub(crate) async fn stage(tables: &Tables, base: &Loaded, change: &Change) -> Result<Option<TableMetadata>> {
    let mut staging = Staging {
        tables,
        base,
        schema: base.metadata().current_schema().clone(),
        snapshot_id: snapshot_id(tables.identifiers.next()),
        commit: file_name(tables.identifiers.next()),
        manifests: Vec::new(),
        written: 0,
        summary: SnapshotSummaryCollector::default(),
    };
    if staging.keep(&change.removed).await? != change.removed.len() {
        return Ok(None);
    }
    staging.add(&change.added).await?;
    staging.put_together().await?;
    staging.finish(change.operation.clone()).await.map(Some)
}

impl Staging<'_> {
    fn spec(&self, id: i32) -> Result<PartitionSpecRef> {
        let found = self.base.metadata().partition_spec_by_id(id).cloned();
        found.ok_or_else(|| Error::Invalid(format!("`{}` has no partition spec {id}", self.base.name)))
    }

    fn writer(&mut self, spec: &PartitionSpecRef, content: ManifestContentType) -> Result<ManifestWriter> {
        let folder = self.base.metadata().location().trim_end_matches('/');
        let at = format!("{folder}/metadata/{}-m{}.avro", self.commit, self.written);
        self.written += 1;
        let output = self.tables.file_io().new_output(at).map_err(failed("name a manifest"))?;
        let schema = self.schema.clone();
        let builder = ManifestWriterBuilder::new(output, Some(self.snapshot_id), schema, spec.as_ref().clone());
        Ok(match content {
            ManifestContentType::Data => builder.build_v2_data(),
            ManifestContentType::Deletes => builder.build_v2_deletes(),
        })
    }

    /// Carries over the manifests of the snapshot before, without the removed files. Says how many were found.
    async fn keep(&mut self, removed: &HashSet<String>) -> Result<usize> {
        let Some(snapshot) = self.base.metadata().current_snapshot().cloned() else { return Ok(0) };
        let damaged = |error| Error::damaged(format!("the manifest list of `{}`", self.base.name), error);
        let list = self.base.table.manifest_list_reader(&snapshot).load().await.map_err(damaged)?;
        let mut found = 0;
        for manifest in list.entries() {
            if !(manifest.has_added_files() || manifest.has_existing_files()) {
                continue;
            }
            found += self.keep_one(manifest, removed).await?;
        }
        Ok(found)
    }

    async fn keep_one(&mut self, manifest: &ManifestFile, removed: &HashSet<String>) -> Result<usize> {
        if removed.is_empty() || manifest.content == ManifestContentType::Deletes {
            self.manifests.push(manifest.clone());
            return Ok(0);
        }
        let damaged = |error| Error::damaged(format!("the manifest `{}`", manifest.manifest_path), error);
        let loaded = manifest.load_manifest(self.tables.file_io()).await.map_err(damaged)?;
        let is_removed = |path: &str| removed.contains(path);
        let hits = loaded.entries().iter().filter(|entry| entry.is_alive() && is_removed(entry.file_path())).count();
        if hits == 0 {
            self.manifests.push(manifest.clone());
            return Ok(0);
        }
        let spec = self.spec(manifest.partition_spec_id)?;
        let mut writer = self.writer(&spec, ManifestContentType::Data)?;
        for entry in loaded.entries().iter().filter(|entry| entry.is_alive()) {
            if is_removed(entry.file_path()) {
                self.summary.remove_file(entry.data_file(), self.schema.clone(), spec.clone());
                let sequence = entry.sequence_number().unwrap_or(0);
                writer
                    .add_delete_file(entry.data_file().clone(), sequence, entry.file_sequence_number)
                    .map_err(failed("write a manifest"))?;
            } else {
                add_existing(&mut writer, entry)?;
            }
        }
        self.manifests.push(writer.write_manifest_file().await.map_err(failed("write a manifest"))?);
        Ok(hits)
    }

    async fn add(&mut self, added: &[DataFile]) -> Result<()> {
        if added.is_empty() {
            return Ok(());
        }
        let spec = self.base.metadata().default_partition_spec().clone();
        let mut writer = self.writer(&spec, ManifestContentType::Data)?;
        for file in added {
            self.summary.add_file(file, self.schema.clone(), spec.clone());
            writer.add_file(file.clone(), -1).map_err(failed("write a manifest"))?;
        }
        self.manifests.push(writer.write_manifest_file().await.map_err(failed("write a manifest"))?);
        Ok(())
    }

    /// Puts the older manifests of the current spec together once there are many.
    async fn put_together(&mut self) -> Result<()> {
        let spec = self.base.metadata().default_partition_spec().clone();
        let mine = |manifest: &ManifestFile| {
            manifest.content == ManifestContentType::Data
                && manifest.partition_spec_id == spec.spec_id()
                && manifest.added_snapshot_id != self.snapshot_id
        };
        if self.manifests.iter().filter(|manifest| mine(manifest)).count() < MOST_MANIFESTS {
            return Ok(());
        }
        let (old, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.manifests).into_iter().partition(mine);
        self.manifests = kept;
        let mut writer = self.writer(&spec, ManifestContentType::Data)?;
        for manifest in &old {
            let damaged = |error| Error::damaged(format!("the manifest `{}`", manifest.manifest_path), error);
            let loaded = manifest.load_manifest(self.tables.file_io()).await.map_err(damaged)?;
            for entry in loaded.entries().iter().filter(|entry| entry.is_alive()) {
                add_existing(&mut writer, entry)?;
            }
        }
        self.manifests.push(writer.write_manifest_file().await.map_err(failed("write a manifest"))?);
        Ok(())
    }

    async fn finish(self, operation: Operation) -> Result<TableMetadata> {
        let metadata = self.base.metadata();
        let sequence = metadata.next_sequence_number();
        let folder = metadata.location().trim_end_matches('/');
        let list = format!("{folder}/metadata/snap-{}-0-{}.avro", self.snapshot_id, self.commit);
        let output = self.tables.file_io().new_output(&list).map_err(failed("name a manifest list"))?;
        let output = output.writer().await.map_err(failed("write a manifest list"))?;
        let parent = metadata.current_snapshot_id();
        let mut writer = ManifestListWriter::v2(output, self.snapshot_id, parent, sequence);
        writer.add_manifests(self.manifests.into_iter()).map_err(failed("write a manifest list"))?;
        writer.close().await.map_err(failed("write a manifest list"))?;
        let snapshot = Snapshot::builder()
            .with_snapshot_id(self.snapshot_id)
            .with_parent_snapshot_id(parent)
            .with_sequence_number(sequence)
            .with_timestamp_ms(next_ms(self.tables, metadata))
            .with_manifest_list(list)
            .with_summary(Summary { operation, additional_properties: totals(metadata, self.summary.build()) })
            .with_schema_id(metadata.current_schema_id())
            .build();
        let builder = metadata.clone().into_builder(self.base.table.metadata_location().map(str::to_owned));
        let builder = builder.set_branch_snapshot(snapshot, MAIN_BRANCH).map_err(failed("add a snapshot"))?;
        Ok(builder.build().map_err(failed("add a snapshot"))?.metadata)
    }
}

fn add_existing(writer: &mut ManifestWriter, entry: &iceberg::spec::ManifestEntry) -> Result<()> {
    let sequence = entry.sequence_number().unwrap_or(0);
    let snapshot = entry.snapshot_id().unwrap_or(0);
    writer
        .add_existing_file(entry.data_file().clone(), snapshot, sequence, entry.file_sequence_number)
        .map_err(failed("write a manifest"))
}

/// The time of a snapshot: later than that of the one before, so that each moment has one state.
fn next_ms(tables: &Tables, metadata: &TableMetadata) -> i64 {
    let last = metadata.current_snapshot().map_or(0, |snapshot| snapshot.timestamp_ms() + 1);
    tables.clock.now_ms().max(last)
}

const TOTALS: &[(&str, &str, &str)] = &[
    ("total-records", "added-records", "deleted-records"),
    ("total-data-files", "added-data-files", "deleted-data-files"),
    ("total-files-size", "added-files-size", "removed-files-size"),
    ("total-delete-files", "added-delete-files", "removed-delete-files"),
    ("total-equality-deletes", "added-equality-deletes", "removed-equality-deletes"),
    ("total-position-deletes", "added-position-deletes", "removed-position-deletes"),
];

/// The running totals that <https://iceberg.apache.org/spec/#optional-snapshot-summary-fields> asks for.
fn totals(metadata: &TableMetadata, mut summary: HashMap<String, String>) -> HashMap<String, String> {
    let before = metadata.current_snapshot().map(|snapshot| snapshot.summary().additional_properties.clone());
    let before = before.unwrap_or_default();
    let number = |of: &HashMap<String, String>, key: &str| of.get(key).and_then(|text| text.parse::<i64>().ok());
    for (total, added, removed) in TOTALS {
        let sum = number(&before, total).unwrap_or(0) + number(&summary, added).unwrap_or(0)
            - number(&summary, removed).unwrap_or(0);
        summary.insert((*total).to_owned(), sum.max(0).to_string());
    }
    summary
}
