//! An inventory's file as Parquet: columns by name, keys as they are.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html>

use std::fs::File;

use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::record::{Field, Row as Record};
use anyhow::{Context as _, bail};
use jiff::Timestamp;

use super::row::{Row, version};

/// Hands rows over in batches of at most `most`, those after the first `done`, until `send` has enough.
///
/// # Errors
/// When the file is no inventory in Parquet.
pub(super) fn read(data: &File, done: u64, most: usize, mut send: impl FnMut(Vec<Row>) -> bool) -> anyhow::Result<()> {
    let data = data.try_clone().context("failed to read a temporary file")?;
    let reader = SerializedFileReader::new(data).context("it is no Parquet")?;
    let records = reader.get_row_iter(None).context("its columns cannot be read")?;
    let mut batch = Vec::new();
    for (number, record) in (0_u64..).zip(records) {
        let record = record.with_context(|| format!("row {}", number + 1))?;
        if number < done {
            continue;
        }
        batch.push(row(&record).with_context(|| format!("row {}", number + 1))?);
        if batch.len() == most && !send(std::mem::take(&mut batch)) {
            return Ok(());
        }
    }
    if !batch.is_empty() {
        send(batch);
    }
    Ok(())
}

fn row(record: &Record) -> anyhow::Result<Row> {
    let mut row = Row::default();
    for (column, value) in record.get_column_iter() {
        match (column.as_str(), value) {
            ("key", Field::Str(key)) => row.key.clone_from(key),
            ("version_id", Field::Str(id)) => (row.version_id, row.has_version) = (version(id), true),
            ("version_id", Field::Null) => row.has_version = true,
            ("is_latest", Field::Bool(is_latest)) => row.is_latest = Some(*is_latest),
            ("is_delete_marker", Field::Bool(is_marker)) => row.is_delete_marker = *is_marker,
            ("size", Field::Long(size)) => row.size_bytes = u64::try_from(*size).context("its size is negative")?,
            ("last_modified_date", Field::TimestampMillis(milliseconds) | Field::Long(milliseconds)) => {
                row.modified = Timestamp::from_millisecond(*milliseconds).context("its date is no time")?;
            }
            ("last_modified_date", Field::TimestampMicros(microseconds)) => {
                row.modified = Timestamp::from_microsecond(*microseconds).context("its date is no time")?;
            }
            ("e_tag", Field::Str(etag)) => row.etag = Some(etag.clone()).filter(|etag| !etag.is_empty()),
            _ => {}
        }
    }
    if row.key.is_empty() {
        bail!("it has no value in a column `key`");
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;

    use super::*;

    /// As the user guide has it.
    const SCHEMA: &str = "message s3.inventory {
        required binary bucket (STRING);
        required binary key (STRING);
        optional binary version_id (STRING);
        optional boolean is_latest;
        optional boolean is_delete_marker;
        optional int64 size;
        optional int64 last_modified_date (TIMESTAMP(MILLIS,true));
        optional binary e_tag (STRING);
    }";

    fn texts(values: &[&str]) -> Vec<ByteArray> {
        values.iter().map(|value| ByteArray::from(*value)).collect()
    }

    /// Two rows: an object with a version, and one that is no more.
    fn inventory() -> File {
        let file = tempfile::tempfile().unwrap();
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let properties = WriterProperties::builder().set_compression(::parquet::basic::Compression::SNAPPY).build();
        let mut writer = SerializedFileWriter::new(file.try_clone().unwrap(), schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = 0;
        while let Some(mut next) = group.next_column().unwrap() {
            let texts = match column {
                0 => texts(&["b", "b"]),
                1 => texts(&["a b+ü%20.txt", "gone"]),
                2 => texts(&["v1", "v2"]),
                7 => texts(&["e1"]),
                _ => Vec::new(),
            };
            match column {
                0 | 1 => drop(next.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap()),
                2 => drop(next.typed::<ByteArrayType>().write_batch(&texts, Some(&[1, 1]), None).unwrap()),
                3 => drop(next.typed::<BoolType>().write_batch(&[true, true], Some(&[1, 1]), None).unwrap()),
                4 => drop(next.typed::<BoolType>().write_batch(&[false, true], Some(&[1, 1]), None).unwrap()),
                5 => drop(next.typed::<Int64Type>().write_batch(&[12], Some(&[1, 0]), None).unwrap()),
                6 => {
                    let times = [1_777_636_800_000, 1_777_636_801_000];
                    next.typed::<Int64Type>().write_batch(&times, Some(&[1, 1]), None).unwrap();
                }
                _ => drop(next.typed::<ByteArrayType>().write_batch(&texts, Some(&[1, 0]), None).unwrap()),
            }
            next.close().unwrap();
            column += 1;
        }
        group.close().unwrap();
        writer.close().unwrap();
        file
    }

    fn rows(done: u64) -> Vec<Row> {
        let mut rows = Vec::new();
        let send = |mut batch: Vec<Row>| {
            rows.append(&mut batch);
            true
        };
        read(&inventory(), done, 1, send).unwrap();
        rows
    }

    #[test]
    fn values_are_understood_and_keys_stay_as_they_are() {
        let rows = rows(0);
        let first = Row {
            key: "a b+ü%20.txt".into(),
            version_id: Some("v1".into()),
            has_version: true,
            is_latest: Some(true),
            is_delete_marker: false,
            size_bytes: 12,
            modified: "2026-05-01T12:00:00Z".parse().unwrap(),
            etag: Some("e1".into()),
        };
        assert_eq!(rows[0], first);
        assert_eq!((rows[1].is_delete_marker, rows[1].size_bytes, rows[1].etag.as_ref()), (true, 0, None));
    }

    #[test]
    fn rows_that_are_done_are_passed_over() {
        assert_eq!(rows(1).into_iter().map(|row| row.key).collect::<Vec<_>>(), ["gone"]);
        assert_eq!(rows(2), []);
    }

    #[test]
    fn what_is_no_parquet_is_refused() {
        let file = tempfile::tempfile().unwrap();
        assert!(format!("{:#}", read(&file, 0, 1, |_| true).unwrap_err()).contains("no Parquet"));
    }
}
