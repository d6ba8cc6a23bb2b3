//! The rows of uploads and their parts.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::super::digest::Algorithm;
use super::super::error::StoreError;
use super::super::rows;
use super::{NewPart, NewUpload, PartEntry, Upload};

pub(super) fn find(
    connection: &Connection,
    bucket: &str,
    key: &str,
    upload_id: &str,
) -> rusqlite::Result<Option<Upload>> {
    let sql = "SELECT * FROM uploads WHERE upload_id = ?1 AND bucket = ?2 AND key = ?3";
    connection.prepare_cached(sql)?.query_row((upload_id, bucket, key), upload).optional()
}

pub(super) fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let algorithm: Option<String> = row.get("algorithm")?;
    Ok(Upload {
        upload_id: row.get("upload_id")?,
        initiated: rows::timestamp(row.get("initiated_ms")?),
        new: NewUpload {
            bucket: row.get("bucket")?,
            key: row.get("key")?,
            attributes: rows::json(row, 4)?,
            tags: rows::json(row, 5)?,
            algorithm: algorithm.and_then(|name| Algorithm::named(&name)),
            full_object: row.get("full_object")?,
        },
    })
}

pub(super) fn parts(
    connection: &Connection,
    upload_id: &str,
    after: i32,
    most: i64,
) -> rusqlite::Result<Vec<PartEntry>> {
    let sql = "SELECT number, etag, size_bytes, sha256, checksums, modified_ms FROM parts \
               WHERE upload_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let entries = statement.query_map((upload_id, after, most), |row| {
        Ok(PartEntry {
            number: row.get(0)?,
            etag: row.get(1)?,
            size_bytes: row.get::<_, i64>(2)?.cast_unsigned(),
            sha256: row.get(3)?,
            checksums: rows::json(row, 4)?,
            modified: rows::timestamp(row.get(5)?),
        })
    })?;
    entries.collect()
}

/// Gives back the file of the part that this one replaces.
pub(super) fn insert_part(
    transaction: &Transaction<'_>,
    part: &NewPart,
    entry: &PartEntry,
) -> rusqlite::Result<Result<Vec<String>, StoreError>> {
    if find(transaction, &part.bucket, &part.key, &part.upload_id)?.is_none() {
        return Ok(Err(StoreError::NoSuchUpload(part.upload_id.clone())));
    }
    let sql = "DELETE FROM parts WHERE upload_id = ?1 AND number = ?2 RETURNING sha256";
    let mut replaced = transaction.prepare_cached(sql)?;
    let replaced = replaced.query_map((&part.upload_id, part.number), |row| row.get(0))?;
    let freed = replaced.collect::<rusqlite::Result<Vec<String>>>()?;
    transaction.prepare_cached("INSERT INTO parts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(params![
        part.upload_id,
        part.number,
        entry.etag,
        entry.size_bytes.cast_signed(),
        entry.sha256,
        rows::to_json(&entry.checksums)?,
        entry.modified.as_millisecond(),
    ])?;
    Ok(Ok(freed))
}

/// Removes an upload and its parts; gives back their files, or nothing where there is no such upload.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    bucket: &str,
    key: &str,
    upload_id: &str,
) -> rusqlite::Result<Option<Vec<String>>> {
    if find(transaction, bucket, key, upload_id)?.is_none() {
        return Ok(None);
    }
    let mut removed = transaction.prepare_cached("DELETE FROM parts WHERE upload_id = ?1 RETURNING sha256")?;
    let freed = removed.query_map([upload_id], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    transaction.execute("DELETE FROM uploads WHERE upload_id = ?1", [upload_id])?;
    Ok(Some(freed))
}
