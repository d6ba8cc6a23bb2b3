//! How rows of the tables become what the store gives back, and the one sequence that orders everything.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::buckets::Versioning;
use super::digest::hex;
use super::events::NotificationRules;
use super::object::ObjectVersion;

/// The version id of what was written while the bucket was not versioned.
pub(super) const NULL_VERSION: &str = "null";

/// The columns that [`object`] reads, of `versions AS v` joined to `buckets AS b`.
pub(super) const OBJECT_COLUMNS: &str = "b.versioning, v.bucket, v.key, v.version_id, v.modified_ms, v.sequencer, v.etag, \
     v.size_bytes, v.sha256, v.attributes, v.tags, v.checksums, v.parts, v.delete_marker, \
     v.id, v.content IS NOT NULL";

/// Bits of the sequence below the millisecond: a million events in one before the sequence runs ahead of the clock.
const SEQUENCE_BITS: u32 = 20;

/// What a writer must know of a bucket.
pub(super) struct BucketRow {
    pub(super) versioning: Option<Versioning>,
    pub(super) rules: NotificationRules,
}

pub(super) fn bucket(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<BucketRow>> {
    let mut statement = transaction.prepare_cached("SELECT versioning, notifications FROM buckets WHERE name = ?1")?;
    let read = |row: &Row<'_>| Ok(BucketRow { versioning: versioning(row, 0)?, rules: rules(row, 1)? });
    statement.query_row([name], read).optional()
}

pub(super) fn object(row: &Row<'_>) -> rusqlite::Result<ObjectVersion> {
    let versioned = versioning(row, 0)?.is_some();
    let attributes: super::object::Attributes = json(row, 9)?;
    Ok(ObjectVersion {
        bucket: row.get(1)?,
        key: row.get(2)?,
        version_id: Some(row.get(3)?).filter(|_| versioned),
        modified: timestamp(row.get(4)?),
        sequencer: sequencer(row.get(5)?),
        etag: row.get(6)?,
        size_bytes: row.get::<_, i64>(7)?.cast_unsigned(),
        sha256: row.get(8)?,
        content_type: attributes.content_type.clone(),
        attributes,
        tags: json(row, 10)?,
        checksums: json(row, 11)?,
        parts: json(row, 12)?,
        row: row.get(14)?,
        is_in_row: row.get(15)?,
    })
}

pub(super) fn versioning(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Versioning>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|name| Versioning::named(&name)))
}

pub(super) fn rules(row: &Row<'_>, column: usize) -> rusqlite::Result<NotificationRules> {
    match row.get::<_, Option<String>>(column)? {
        None => Ok(NotificationRules::default()),
        Some(_) => json(row, column),
    }
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

pub(super) fn to_json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A time of the database; a value outside of what a clock can show becomes 1970.
pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The next number of the sequence: it grows with the clock, and by one where the clock does not.
pub(super) fn next_in_sequence(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<i64> {
    let floor = now.as_millisecond() << SEQUENCE_BITS;
    let sql = "UPDATE sequence SET value = max(value + 1, ?1) RETURNING value";
    transaction.prepare_cached(sql)?.query_row([floor], |row| row.get(0))
}

/// As S3 shows it: upper-case hexadecimal of one width, so that text order is the order of events.
pub(crate) fn sequencer(number: i64) -> String {
    format!("{number:018X}")
}

/// An opaque id of 32 letters and digits, unique because the number is.
pub(super) fn opaque_id(number: i64, salt: &str) -> String {
    let digest = Sha256::new().chain_update(number.to_be_bytes()).chain_update(salt).finalize();
    hex(&digest)[..32].to_owned()
}
