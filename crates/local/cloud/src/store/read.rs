//! Finding an object, and its bytes as a stream.

use std::fs::File;
use std::io::{self, Cursor, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::Stream;
use futures::future::Either;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::Store;
use super::blobs::off_thread;
use super::error::StoreError;
use super::object::ObjectVersion;
use super::rows::{self, NULL_VERSION, OBJECT_COLUMNS};

/// Bytes read at a time.
const CHUNK_BYTES: u64 = 256 * 1024;

/// What a bucket holds under a key.
#[derive(Debug, Clone)]
pub enum Found {
    /// An object.
    Object(Box<ObjectVersion>),
    /// A delete marker: S3 answers 404, with its id in a header, or 405 where the marker itself was named.
    DeleteMarker {
        /// The marker's version id.
        version_id: String,
        /// When it was put there.
        modified: jiff::Timestamp,
    },
}

/// An open object: it stays readable even when it is deleted meanwhile.
#[derive(Debug)]
pub struct ObjectBytes {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Row(Cursor<Bytes>),
    File(File, PathBuf),
}

impl Store {
    /// Finds the current version, or the one named, be it an object or a delete marker.
    ///
    /// # Errors
    /// When bucket, key or version does not exist.
    #[expect(clippy::unused_async, reason = "callers need not know that this takes no time")]
    pub async fn find(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<Found, StoreError> {
        self.database.look(|connection| find(connection, bucket, key, version_id))?
    }

    /// Opens the bytes of `object`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchKey`] when it was deleted meanwhile.
    pub async fn open_bytes(&self, object: &ObjectVersion) -> Result<ObjectBytes, StoreError> {
        if object.is_in_row {
            return Ok(ObjectBytes { source: Source::Row(Cursor::new(self.row_bytes(object)?)) });
        }
        let path = self.blobs.path(&object.sha256);
        match off_thread(move || Ok((File::open(&path)?, path))).await {
            Ok((file, path)) => Ok(ObjectBytes { source: Source::File(file, path) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::NoSuchKey(object.key.clone())),
            Err(error) => Err(error.into()),
        }
    }

    /// The bytes of an object that has them in its row.
    pub(super) fn row_bytes(&self, object: &ObjectVersion) -> Result<Bytes, StoreError> {
        let sql = "SELECT content FROM versions WHERE id = ?1";
        let read = |connection: &Connection| {
            connection.prepare_cached(sql)?.query_row([object.row], |row| row.get::<_, Option<Vec<u8>>>(0)).optional()
        };
        let bytes = self.database.look(read)?.flatten();
        bytes.map(Bytes::from).ok_or_else(|| StoreError::NoSuchKey(object.key.clone()))
    }
}

impl ObjectBytes {
    /// Streams the bytes of `range`, a chunk at a time.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
        match self.source {
            Source::Row(bytes) => Either::Left(futures::stream::iter([slice(&bytes.into_inner(), &range)])),
            Source::File(file, _) => {
                let chunks = futures::stream::try_unfold((file, range), |(file, range)| async move {
                    if range.is_empty() {
                        return Ok(None);
                    }
                    off_thread(move || next_chunk(file, range)).await.map(Some)
                });
                Either::Right(chunks)
            }
        }
    }

    /// Gives the bytes a file at `path`, a link where the file system has links: read it, never write it.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn place(mut self, path: &Path) -> io::Result<()> {
        match &self.source {
            Source::File(_, from) if std::fs::hard_link(from, path).is_ok() => Ok(()),
            Source::File(..) | Source::Row(_) => io::copy(&mut self, &mut File::create_new(path)?).map(drop),
        }
    }
}

impl io::Read for ObjectBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.source {
            Source::Row(bytes) => bytes.read(buffer),
            Source::File(file, _) => file.read(buffer),
        }
    }
}

impl io::Seek for ObjectBytes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.source {
            Source::Row(bytes) => bytes.seek(to),
            Source::File(file, _) => file.seek(to),
        }
    }
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> io::Result<Bytes> {
    let end = |place: u64| usize::try_from(place).ok().filter(|place| *place <= bytes.len());
    let (start, end) = end(range.start).zip(end(range.end)).ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(if start < end { bytes.slice(start..end) } else { Bytes::new() })
}

fn next_chunk(mut file: File, range: Range<u64>) -> io::Result<(Bytes, (File, Range<u64>))> {
    let length = CHUNK_BYTES.min(range.end - range.start);
    file.seek(SeekFrom::Start(range.start))?;
    let mut chunk = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    (&mut file).take(length).read_to_end(&mut chunk)?;
    if chunk.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((Bytes::from(chunk), (file, range.start + length..range.end)))
}

/// As [`Store::find`], inside of other work.
pub(super) fn find(
    connection: &Connection,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> rusqlite::Result<Result<Found, StoreError>> {
    let which = if version_id.is_some() { "v.version_id = ?3" } else { "v.latest = 1 AND ?3 IS NULL" };
    let sql = format!(
        "SELECT {OBJECT_COLUMNS} FROM buckets AS b LEFT JOIN versions AS v ON v.bucket = b.name AND v.key = ?2 AND {which} \
         WHERE b.name = ?1"
    );
    let row = connection.prepare_cached(&sql)?.query_row((bucket, key, version_id), found).optional()?;
    Ok(match (row, version_id) {
        (None, _) => Err(StoreError::NoSuchBucket(bucket.to_owned())),
        (Some(Some(found)), _) => Ok(found),
        (Some(None), Some(version_id)) if version_id != NULL_VERSION => {
            Err(StoreError::NoSuchVersion(version_id.to_owned()))
        }
        (Some(None), _) => Err(StoreError::NoSuchKey(key.to_owned())),
    })
}

/// The row of a bucket without the object is there, with nothing in it.
fn found(row: &Row<'_>) -> rusqlite::Result<Option<Found>> {
    match row.get::<_, Option<bool>>(13)? {
        None => Ok(None),
        Some(false) => Ok(Some(Found::Object(Box::new(rows::object(row)?)))),
        Some(true) => {
            let (version_id, modified) = (row.get(3)?, rows::timestamp(row.get(4)?));
            Ok(Some(Found::DeleteMarker { version_id, modified }))
        }
    }
}
