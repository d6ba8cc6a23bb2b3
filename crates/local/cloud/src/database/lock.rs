//! One cloud for each data directory: an advisory lock on a file that also says who holds it.
//!
//! The operating system drops the lock with the process that held it, so a stale file never locks anybody out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Name of the lock file in the data directory.
const FILE_NAME: &str = "lock";

/// The file holds one short line; more is not ours.
const MOST_BYTES: u64 = 4096;

/// Holds the data directory until it is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    file: File,
    path: PathBuf,
}

/// Why the data directory could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process uses the directory.
    #[error("failed to take the data directory `{}`: {holder} uses it", directory.display())]
    Held {
        /// The data directory.
        directory: PathBuf,
        /// Who: `the cloud at http://127.0.0.1:4566 (process 123)`, as far as it said.
        holder: String,
        /// The other's address, once it has announced one.
        address: Option<String>,
    },
    /// The lock file cannot be made or read.
    #[error("failed to lock `{}`", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Takes `directory` for this process, and writes down its process id.
    ///
    /// # Errors
    /// [`LockError::Held`] with the holder's address when another process has it.
    pub fn take(directory: &Path) -> Result<Self, LockError> {
        let path = directory.join(FILE_NAME);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(|source| LockError::Io { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => {
                let lock = Self { file, path };
                lock.write("")?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => Err(held(directory, &mut file)),
            Err(TryLockError::Error(source)) => Err(LockError::Io { path, source }),
        }
    }

    /// Writes down the address under which this cloud answers, for whoever comes second.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub fn announce(&self, address: &str) -> Result<(), LockError> {
        self.write(address)
    }

    fn write(&self, address: &str) -> Result<(), LockError> {
        let line = format!("{} {address}\n", std::process::id());
        let mut file = &self.file;
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(line.as_bytes()));
        written.map_err(|source| LockError::Io { path: self.path.clone(), source })
    }
}

fn held(directory: &Path, file: &mut File) -> LockError {
    let mut line = String::new();
    // An unreadable line only makes the message poorer.
    let _ = file.take(MOST_BYTES).read_to_string(&mut line);
    let (process, address) = line.trim_end().split_once(' ').unwrap_or((line.trim(), ""));
    let address = Some(address.to_owned()).filter(|address| !address.is_empty());
    let holder = match (&address, process) {
        (Some(address), _) => format!("the cloud at {address} (process {process})"),
        (None, "") => "another process".to_owned(),
        (None, _) => format!("process {process}"),
    };
    LockError::Held { directory: directory.to_owned(), holder, address }
}
