//! What workers print, in one bounded file for each function.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The file is put aside (one older one is kept) at this size, so a function costs 8 MiB of logs at most.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes read from a worker at once; a line is rarely longer.
const CHUNK_BYTES: usize = 8 * 1024;

/// The log of one function; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    path: PathBuf,
    open: Arc<Mutex<Option<(File, u64)>>>,
}

impl Log {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, open: Arc::default() }
    }

    /// Copies `output` into the log until it ends. A disk that refuses the log does not stop the worker.
    pub(crate) async fn copy<R: AsyncRead + Unpin>(&self, mut output: R) {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(length @ 1..) = output.read(&mut chunk).await {
            if let Err(error) = self.append(&chunk[..length]) {
                tracing::debug!(path = %self.path.display(), %error, "failed to write a function's log");
            }
        }
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|(_, size_bytes)| *size_bytes >= MOST_BYTES) {
            *open = None;
            fs::rename(&self.path, self.path.with_extension("old.log"))?;
        }
        let (mut file, size_bytes) = match open.take() {
            Some(opened) => opened,
            None => self.open_file()?,
        };
        file.write_all(bytes)?;
        *open = Some((file, size_bytes + bytes.len() as u64));
        Ok(())
    }

    fn open_file(&self) -> io::Result<(File, u64)> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(&self.path)?;
        let size_bytes = file.metadata()?.len();
        Ok((file, size_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::{Log, MOST_BYTES};

    #[tokio::test]
    async fn a_log_keeps_one_older_file_and_stays_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("echo.log");
        let log = Log::at(path.clone());
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..20 {
            log.copy(line.as_slice()).await;
        }
        let size = |path| std::fs::metadata(path).unwrap().len();
        assert!(size(path.clone()) <= MOST_BYTES);
        assert!(size(path.with_extension("old.log")) <= MOST_BYTES + 8 * 1024);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
