//! An inventory's file as compressed CSV: no header, every value in quotes, keys form-encoded.

use std::io::{BufReader, Read};

use ::csv::{ReaderBuilder, StringRecord};
use anyhow::{Context as _, bail};
use domain::object::decode_notification_key;
use flate2::read::MultiGzDecoder;

use super::row::{Row, version};

/// Hands rows over in batches of at most `most`, those after the first `done`, until `send` has enough.
///
/// # Errors
/// When the file is not what the columns say.
pub(super) fn read(
    data: impl Read,
    columns: &[String],
    done: u64,
    most: usize,
    mut send: impl FnMut(Vec<Row>) -> bool,
) -> anyhow::Result<()> {
    if !columns.iter().any(|column| column == "Key") {
        bail!("the inventory has no column `Key`");
    }
    let text = MultiGzDecoder::new(BufReader::new(data));
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut batch = Vec::new();
    for (number, record) in (0_u64..).zip(reader.records()) {
        let record = record.context("it is no CSV in gzip")?;
        if number < done {
            continue;
        }
        batch.push(row(columns, &record).with_context(|| format!("row {}", number + 1))?);
        if batch.len() == most && !send(std::mem::take(&mut batch)) {
            return Ok(());
        }
    }
    if !batch.is_empty() {
        send(batch);
    }
    Ok(())
}

fn row(columns: &[String], record: &StringRecord) -> anyhow::Result<Row> {
    if record.len() < columns.len() {
        bail!("it has {} values for {} columns", record.len(), columns.len());
    }
    let mut row = Row::default();
    for (column, value) in columns.iter().zip(record) {
        match column.as_str() {
            "Key" => row.key = decode_notification_key(value),
            "VersionId" => (row.version_id, row.has_version) = (version(value), true),
            "IsLatest" => row.is_latest = Some(value == "true"),
            "IsDeleteMarker" => row.is_delete_marker = value == "true",
            "Size" if !value.is_empty() => row.size_bytes = value.parse().context("its size is no number")?,
            "LastModifiedDate" => row.modified = value.parse().context("its date is no time")?,
            "ETag" => row.etag = Some(value.to_owned()).filter(|etag| !etag.is_empty()),
            _ => {}
        }
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    const COLUMNS: &str =
        "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass";

    fn columns(text: &str) -> Vec<String> {
        text.split(", ").map(str::to_owned).collect()
    }

    const ROWS: &str = concat!(
        r#""b","a+b%2B%C3%BC.txt","v1","true","false","12","2026-05-01T12:00:00.000Z","e1","STANDARD""#,
        "\n",
        r#""b","gone","v2","true","true","","2026-05-01T12:00:01.000Z","",""#,
        "\"\n",
        r#""b","old","","false","false","3","2026-05-01T12:00:02.000Z","e3","GLACIER""#,
        "\n",
    );

    #[test]
    fn rows_are_read_in_batches_behind_the_position() {
        let read_from = |done: u64| {
            let mut batches = Vec::new();
            let send = |rows: Vec<Row>| {
                batches.push(rows.into_iter().map(|row| row.key).collect::<Vec<_>>());
                true
            };
            read(packed(ROWS).as_slice(), &columns(COLUMNS), done, 2, send).unwrap();
            batches
        };
        assert_eq!(read_from(0), [vec!["a b+ü.txt", "gone"], vec!["old"]]);
        assert_eq!(read_from(1), [vec!["gone", "old"]]);
        assert_eq!(read_from(3), Vec::<Vec<String>>::new());
    }

    #[test]
    fn values_are_understood() {
        let mut rows = Vec::new();
        let send = |mut batch: Vec<Row>| {
            rows.append(&mut batch);
            true
        };
        read(packed(ROWS).as_slice(), &columns(COLUMNS), 0, 10, send).unwrap();
        assert_eq!(
            (rows[0].version_id.as_deref(), rows[0].size_bytes, rows[0].is_latest),
            (Some("v1"), 12, Some(true))
        );
        assert_eq!((rows[1].is_delete_marker, rows[1].size_bytes, rows[1].etag.as_ref()), (true, 0, None));
        assert_eq!((rows[2].version_id.as_ref(), rows[2].has_version), (None, true));
    }

    #[test]
    fn what_is_no_inventory_is_refused() {
        let cases = [
            (packed("\"b\"\n"), COLUMNS, "row 1"),
            (packed(r#""b","k","v","true","false","x","2026-05-01T12:00:00Z","e","S""#), COLUMNS, "row 1"),
            (b"plain".to_vec(), COLUMNS, "no CSV in gzip"),
            (packed(ROWS), "Bucket, Size", "no column `Key`"),
        ];
        for (data, names, words) in cases {
            let error = read(data.as_slice(), &columns(names), 0, 10, |_| true).unwrap_err();
            assert!(format!("{error:#}").contains(words), "{error:#}");
        }
    }
}
