//! The files that hold larger objects' bytes, named by their SHA-256: `blobs/ab/cdef…`.
//!
//! A file is written beside, synced, then renamed into place, so a name always has its whole content. While a put is
//! between rename and commit its file is *pinned*, so that a collector does not take it for a left-over.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rusqlite::Connection;

use super::digest::{Algorithm, Digests, Expected, Hasher};
use super::error::StoreError;

/// Bytes that are gathered before they are hashed and written off the async threads.
const GATHER_BYTES: usize = 512 * 1024;

/// The folders of the store.
#[derive(Debug)]
pub(super) struct Blobs {
    kept: PathBuf,
    incoming: PathBuf,
    next_incoming: AtomicU64,
    pins: Mutex<HashMap<String, usize>>,
}

/// Keeps a file from being collected until it is dropped.
#[derive(Debug)]
pub(super) struct Pin {
    blobs: Arc<Blobs>,
    name: String,
}

/// Up to here an object's bytes go into its row: one sync then serves for both, and many objects share it. A file of
/// its own costs four. <https://www.sqlite.org/intern-v-extern-blob.html> finds the balance near 100 KB.
pub(super) const MOST_ROW_BYTES: usize = 64 * 1024;

/// A file in place, pinned until somebody has written down what refers to it.
#[derive(Debug)]
pub(super) struct Blob {
    pub(super) digests: Digests,
    pub(super) pin: Pin,
}

/// Bytes that were received and are as expected.
#[derive(Debug)]
pub(super) enum Received {
    /// Few enough for the row.
    Small(Digests, Bytes),
    /// In a file.
    Large(Blob),
}

impl Blobs {
    /// Makes the two folders, and clears what a crash left half written.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let (kept, incoming) = (directory.join("blobs"), directory.join("incoming"));
        if !kept.is_dir() || !incoming.is_dir() {
            fs::create_dir_all(&kept)?;
            fs::create_dir_all(&incoming)?;
            sync_directory(directory)?;
        }
        for entry in fs::read_dir(&incoming)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(Self { kept, incoming, next_incoming: AtomicU64::new(0), pins: Mutex::default() })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        let (folder, file) = name.split_at_checked(2).unwrap_or(("00", name));
        self.kept.join(folder).join(file)
    }

    pub(super) fn pin(self: &Arc<Self>, name: &str) -> Pin {
        *self.lock_pins().entry(name.to_owned()).or_default() += 1;
        Pin { blobs: Arc::clone(self), name: name.to_owned() }
    }

    /// Removes those of `names` that are neither pinned nor referred to by anything committed.
    ///
    /// A put pins before it renames and unpins after its commit, and this looks at both under the pins' lock: what it
    /// finds unpinned and unreferred to has nobody.
    pub(super) fn collect(&self, connection: &Connection, names: &[String]) -> rusqlite::Result<u64> {
        let mut referred = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM versions WHERE sha256 = ?1 AND content IS NULL) OR EXISTS (SELECT 1 FROM parts WHERE sha256 = ?1)",
        )?;
        let mut removed = 0;
        for name in names {
            let pins = self.lock_pins();
            if !pins.contains_key(name) && !referred.query_row([name], |row| row.get(0))? {
                removed += u64::from(fs::remove_file(self.path(name)).is_ok());
            }
            drop(pins);
        }
        Ok(removed)
    }

    /// The names of all files in place.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in fs::read_dir(&self.kept)? {
            let folder = folder?;
            let start = folder.file_name().to_string_lossy().into_owned();
            for file in fs::read_dir(folder.path())? {
                names.push(format!("{start}{}", file?.file_name().to_string_lossy()));
            }
        }
        Ok(names)
    }

    fn lock_pins(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_incoming(&self) -> PathBuf {
        let number = self.next_incoming.fetch_add(1, Ordering::Relaxed);
        self.incoming.join(number.to_string())
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.blobs.lock_pins();
        if let Some(count) = pins.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.name);
            }
        }
    }
}

/// Takes bytes as they come and makes a file of them.
pub(super) struct BlobWriter {
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
    half: Half,
}

/// A file that is being written; removed when it is dropped before it is whole.
pub(super) struct Half {
    blobs: Arc<Blobs>,
    hasher: Hasher,
    path: PathBuf,
    file: Option<File>,
}

impl BlobWriter {
    pub(super) fn new(blobs: &Arc<Blobs>, algorithm: Algorithm) -> Self {
        Self { gathered: Vec::new(), gathered_bytes: 0, half: Half::new(blobs, algorithm) }
    }

    pub(super) async fn write(mut self, bytes: Bytes) -> io::Result<Self> {
        self.gathered_bytes += bytes.len();
        self.gathered.push(bytes);
        if self.gathered_bytes < GATHER_BYTES {
            return Ok(self);
        }
        let Self { gathered, mut half, .. } = self;
        let half = off_thread(move || gathered.iter().try_for_each(|bytes| half.write(bytes)).map(|()| half)).await?;
        Ok(Self { gathered: Vec::new(), gathered_bytes: 0, half })
    }

    /// As [`Self::finish`], but without a file where the bytes are few.
    pub(super) async fn finish_small(self, expected: Expected) -> Result<Received, StoreError> {
        if self.half.file.is_some() || self.gathered_bytes > MOST_ROW_BYTES {
            return self.finish(expected).await.map(Received::Large);
        }
        let Self { mut gathered, mut half, .. } = self;
        let bytes = if gathered.len() == 1 { gathered.remove(0) } else { gathered.concat().into() };
        half.hasher.update(&bytes);
        Ok(Received::Small(half.digests(&expected)?, bytes))
    }

    /// Writes the rest, verifies it, syncs it and puts it in place.
    pub(super) async fn finish(self, expected: Expected) -> Result<Blob, StoreError> {
        let Self { gathered, mut half, .. } = self;
        let done = off_thread(move || {
            gathered.iter().try_for_each(|bytes| half.write(bytes))?;
            Ok(half.keep(&expected))
        });
        done.await?
    }
}

impl Half {
    pub(super) fn new(blobs: &Arc<Blobs>, algorithm: Algorithm) -> Self {
        Self { blobs: Arc::clone(blobs), hasher: Hasher::new(algorithm), path: blobs.new_incoming(), file: None }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.file()?.write_all(bytes)
    }

    /// Puts the file in place unless its bytes are not what was `expected`.
    pub(super) fn keep(mut self, expected: &Expected) -> Result<Blob, StoreError> {
        self.file()?.sync_data()?;
        let digests = self.digests(expected)?;
        let pin = self.blobs.pin(&digests.sha256);
        let place = self.blobs.path(&digests.sha256);
        let folder = place.parent().unwrap_or(&self.blobs.kept);
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            sync_directory(&self.blobs.kept)?;
        }
        fs::rename(&self.path, &place)?;
        self.file = None;
        sync_directory(folder)?;
        Ok(Blob { digests, pin })
    }

    fn digests(&mut self, expected: &Expected) -> Result<Digests, StoreError> {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(Algorithm::Sha256));
        let digests = hasher.finish();
        digests.verify(expected)?;
        Ok(digests)
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            self.file = Some(File::create_new(&self.path)?);
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Whatever stays is cleared at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Runs blocking file work off the async threads.
pub(super) async fn off_thread<T, W>(work: W) -> io::Result<T>
where
    T: Send + 'static,
    W: FnOnce() -> io::Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Makes the names in a directory survive a power cut.
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
