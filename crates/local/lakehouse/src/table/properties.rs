//! Table properties that Athena knows, by Athena's names, and what they mean to Iceberg. Others are refused by name.
//! <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html#querying-iceberg-table-properties>.

use std::collections::{BTreeMap, HashMap};

use iceberg::spec::TableMetadata;

use crate::error::{Error, Result};

/// A property, its default, and whether a value may stand there.
struct Known {
    name: &'static str,
    fits: fn(&str) -> bool,
}

const PROPERTIES: &[Known] = &[
    Known { name: "format", fits: |value| value.eq_ignore_ascii_case("parquet") },
    Known { name: "write_compression", fits: |value| compression(value).is_some() },
    Known { name: "write_target_data_file_size_bytes", fits: positive },
    Known { name: "optimize_rewrite_min_data_file_size_bytes", fits: positive },
    Known { name: "optimize_rewrite_max_data_file_size_bytes", fits: positive },
    Known { name: "optimize_rewrite_data_file_threshold", fits: positive },
    Known { name: "optimize_rewrite_delete_file_threshold", fits: positive },
    Known { name: "vacuum_min_snapshots_to_keep", fits: positive },
    Known { name: "vacuum_max_snapshot_age_seconds", fits: number },
    Known { name: "vacuum_max_metadata_files_to_keep", fits: positive },
];

/// Iceberg's own names that Athena's stand for; kept beside them, so that other engines act alike.
const ICEBERG_NAMES: &[(&str, &str)] = &[
    ("format", "write.format.default"),
    ("write_compression", "write.parquet.compression-codec"),
    ("write_target_data_file_size_bytes", "write.target-file-size-bytes"),
    ("vacuum_min_snapshots_to_keep", "history.expire.min-snapshots-to-keep"),
    ("vacuum_max_metadata_files_to_keep", "write.metadata.previous-versions-max"),
];

fn number(value: &str) -> bool {
    value.parse::<u64>().is_ok()
}

fn positive(value: &str) -> bool {
    value.parse::<u64>().is_ok_and(|number| number > 0)
}

/// How data files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Zstd,
    Snappy,
    Gzip,
    None,
}

pub(crate) fn compression(value: &str) -> Option<Codec> {
    match value.to_ascii_lowercase().as_str() {
        "zstd" => Some(Codec::Zstd),
        "snappy" => Some(Codec::Snappy),
        "gzip" => Some(Codec::Gzip),
        "none" | "uncompressed" => Some(Codec::None),
        _ => None,
    }
}

/// What a statement may set, under Athena's names and Iceberg's.
pub(crate) fn to_set(given: &BTreeMap<String, String>) -> Result<HashMap<String, String>> {
    let mut set = HashMap::new();
    for (name, value) in given {
        let Some(known) = PROPERTIES.iter().find(|known| known.name == name) else {
            let names: Vec<_> = PROPERTIES.iter().map(|known| known.name).collect();
            return Err(Error::Invalid(format!(
                "the table property `{name}` is not supported; known are {}",
                names.join(", ")
            )));
        };
        if !(known.fits)(value) {
            return Err(Error::Invalid(format!("the table property `{name}` cannot be `{value}`")));
        }
        let lower = value.to_ascii_lowercase();
        if let Some((_, iceberg)) = ICEBERG_NAMES.iter().find(|(athena, _)| athena == name) {
            set.insert((*iceberg).to_owned(), lower.clone());
        }
        set.insert(name.clone(), lower);
    }
    Ok(set)
}

/// The names to remove for those that a statement names.
pub(crate) fn to_unset(given: &[String]) -> Vec<String> {
    let of = |name: &String| ICEBERG_NAMES.iter().find(|(athena, _)| athena == name).map(|(_, own)| (*own).to_owned());
    given.iter().filter_map(of).chain(given.iter().cloned()).collect()
}

fn read(metadata: &TableMetadata, name: &str) -> Option<u64> {
    let properties = metadata.properties();
    let own = ICEBERG_NAMES.iter().find(|(athena, _)| *athena == name).map(|(_, own)| *own);
    let text = properties.get(name).or_else(|| properties.get(own?))?;
    text.parse().ok()
}

/// What the properties say of writing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) codec: Codec,
    pub(crate) target_bytes: u64,
}

/// Athena's default, 512 MiB.
const TARGET_BYTES: u64 = 512 * 1024 * 1024;

pub(crate) fn writing(metadata: &TableMetadata) -> Writing {
    let codec = metadata.properties().get("write.parquet.compression-codec");
    Writing {
        codec: codec.and_then(|codec| compression(codec)).unwrap_or(Codec::Zstd),
        target_bytes: read(metadata, "write_target_data_file_size_bytes").unwrap_or(TARGET_BYTES),
    }
}

/// What they say of `OPTIMIZE`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Optimizing {
    pub(crate) min_bytes: u64,
    pub(crate) max_bytes: u64,
    pub(crate) least_files: u64,
}

pub(crate) fn optimizing(metadata: &TableMetadata) -> Optimizing {
    let target = writing(metadata).target_bytes;
    let one = |name, default| read(metadata, name).unwrap_or(default);
    Optimizing {
        min_bytes: one("optimize_rewrite_min_data_file_size_bytes", target / 4 * 3),
        max_bytes: one("optimize_rewrite_max_data_file_size_bytes", target / 5 * 9),
        least_files: one("optimize_rewrite_data_file_threshold", 5),
    }
}

/// What they say of `VACUUM`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vacuuming {
    pub(crate) least_snapshots: usize,
    pub(crate) max_age_ms: i64,
}

/// Athena's default, five days.
const SNAPSHOT_AGE_SECONDS: u64 = 432_000;

pub(crate) fn vacuuming(metadata: &TableMetadata) -> Vacuuming {
    let least = read(metadata, "vacuum_min_snapshots_to_keep").unwrap_or(1);
    let seconds = read(metadata, "vacuum_max_snapshot_age_seconds").unwrap_or(SNAPSHOT_AGE_SECONDS);
    Vacuuming {
        least_snapshots: usize::try_from(least).unwrap_or(usize::MAX).max(1),
        max_age_ms: i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000)).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_properties_and_values_are_refused_by_name() {
        let one = |name: &str, value: &str| to_set(&BTreeMap::from([(name.to_owned(), value.to_owned())]));
        assert!(one("write_compression", "ZSTD").is_ok());
        for (name, value) in [("format", "orc"), ("vacuum_min_snapshots_to_keep", "0"), ("colour", "red")] {
            assert!(one(name, value).unwrap_err().to_string().contains(name));
        }
    }
}
