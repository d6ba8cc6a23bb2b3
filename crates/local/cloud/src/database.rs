//! The one `SQLite` database: one connection that writes, readers beside it.
//!
//! Whoever wants to write while nobody else does commits at once; what comes meanwhile shares one transaction and one
//! sync, each piece of work in a savepoint, so one failure leaves the others alone. Nobody is answered before the sync.
//! It refuses to open a damaged file, and never moves or deletes one itself; `recovery` does.
//!
//! <https://www.sqlite.org/wal.html>, <https://www.sqlite.org/pragma.html#pragma_synchronous>

mod checkpoint;
mod lock;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction};
use tokio::sync::Semaphore;

pub use lock::{DirectoryLock, LockError};
pub use schema::Schema;
use writer::Writer;

/// How long a connection waits for another one's lock before it gives up; only a checkpoint ever holds one for long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that read at once. Reads are short and the machine small: more would only wait for the same disk.
const READERS: usize = 4;

/// A file up to this size is checked before it is used, which takes some milliseconds; a larger one while it is.
const CHECKED_AT_ONCE_BYTES: u64 = 4 * 1024 * 1024;

/// Prepared statements that a connection keeps; all surfaces together use fewer.
const STATEMENTS: usize = 256;

/// Why the database could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A statement failed.
    #[error("failed to use the database")]
    Sqlite(#[from] rusqlite::Error),
    /// The group that held the work could not be committed: nothing of it was kept.
    #[error("failed to commit to the database")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// The file cannot be opened or made.
    #[error("failed to open the database `{}`", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` says.
        source: rusqlite::Error,
    },
    /// The file is not a whole database any more. It was left as it is: move it aside to start afresh.
    #[error("failed to open the database `{}`: the file is damaged ({detail})", path.display())]
    Damaged {
        /// The database file, beside which `-wal` and `-shm` files may lie.
        path: PathBuf,
        /// What the check found first.
        detail: String,
    },
    /// The file is of a form that only a later program knows. It was left as it is.
    #[error("failed to open the database `{}`: a newer program made it (form {form})", path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its form.
        form: i64,
    },
    /// The operating system refused a thread.
    #[error("failed to start the database writer")]
    Thread(#[source] std::io::Error),
    /// The work panicked; nothing of it was kept.
    #[error("failed to use the database: the work broke off")]
    Panicked,
    /// The writer thread is gone.
    #[error("failed to reach the database writer: the cloud is shutting down")]
    Closed,
}

/// A handle; cheap to clone. The last one to go waits for the writer to finish.
#[derive(Debug, Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    // These go first: the last connection to go moves the log into the database, which only the writer may.
    idle_readers: Mutex<Vec<Connection>>,
    writer: Writer,
    reader_permits: Semaphore,
}

impl Database {
    /// Opens (or makes) the database at `path` and brings it to the form of `schema`.
    ///
    /// # Errors
    /// When the file cannot be opened ([`DatabaseError::Open`]), is damaged ([`DatabaseError::Damaged`]) or of a later
    /// form ([`DatabaseError::Newer`]).
    pub fn open(path: &Path, schema: &Schema<'_>) -> Result<Self, DatabaseError> {
        let connection = open_writer(path, schema).map_err(|error| classify(path, error))?;
        let inner = Inner {
            path: path.to_owned(),
            writer: Writer::start(connection, path).map_err(DatabaseError::Thread)?,
            idle_readers: Mutex::new(Vec::new()),
            reader_permits: Semaphore::new(READERS),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reads the whole file and finds whether it is damaged: seconds for a large one, beside other work.
    ///
    /// # Errors
    /// [`DatabaseError::Damaged`].
    pub async fn check(&self) -> Result<(), DatabaseError> {
        let path = self.inner.path.clone();
        let checked = tokio::task::spawn_blocking(move || {
            open_reader(&path).and_then(|reader| check(&reader)).map_err(|fault| classify(&path, fault))
        });
        checked.await.map_err(|_| DatabaseError::Closed)?
    }

    /// Runs `work` in a transaction, its own or that of the next group; resolves once that is synced to disk.
    ///
    /// It may run on the caller's own thread, so it is to be as short as a transaction should be.
    ///
    /// # Errors
    /// When `work` or the commit fails.
    pub async fn write<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.inner.writer.run(work).await
    }

    /// Runs `work` on a read-only connection on the caller's own thread: for finding a row or two by their key, which
    /// takes less time than handing it to another thread and back.
    ///
    /// # Errors
    /// When `work` fails.
    pub fn look<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DatabaseError> {
        self.inner.look(work)
    }

    /// Runs `work` on a read-only connection, off the async threads.
    ///
    /// # Errors
    /// When `work` fails.
    pub async fn read<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let _permit = self.inner.reader_permits.acquire().await.map_err(|_| DatabaseError::Closed)?;
        let inner = Arc::clone(&self.inner);
        let answer = tokio::task::spawn_blocking(move || inner.look(work));
        answer.await.map_err(|error| if error.is_panic() { DatabaseError::Panicked } else { DatabaseError::Closed })?
    }
}

impl Inner {
    fn look<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DatabaseError> {
        let connection = self.take_reader()?;
        let answer = work(&connection);
        self.give_back(connection);
        answer.map_err(DatabaseError::from)
    }

    fn take_reader(&self) -> Result<Connection, DatabaseError> {
        let idle = self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| open_reader(&self.path).map_err(|error| classify(&self.path, error)), Ok)
    }

    fn give_back(&self, connection: Connection) {
        self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

/// What kept the file from being opened: `SQLite`'s own error, or what its check found.
enum OpenFault {
    Sqlite(rusqlite::Error),
    Check(String),
    Newer(i64),
}

impl From<rusqlite::Error> for OpenFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn open_writer(path: &Path, schema: &Schema<'_>) -> Result<Connection, OpenFault> {
    let mut connection = Connection::open(path)?;
    configure(&connection)?;
    // As long as it may be damaged or a later program's, nothing is written to it, nor moved into it from its log.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    if std::fs::metadata(path).is_ok_and(|file| file.len() <= CHECKED_AT_ONCE_BYTES) {
        check(&connection)?;
    }
    schema.apply(&mut connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(connection)
}

fn check(connection: &Connection) -> Result<(), OpenFault> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(OpenFault::Check(found)) }
}

fn open_reader(path: &Path) -> Result<Connection, OpenFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn classify(path: &Path, fault: OpenFault) -> DatabaseError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let path = path.to_owned();
    match fault {
        OpenFault::Newer(form) => DatabaseError::Newer { path, form },
        OpenFault::Check(detail) => DatabaseError::Damaged { path, detail },
        OpenFault::Sqlite(source) => match source.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => DatabaseError::Damaged { path, detail: source.to_string() },
            _ => DatabaseError::Open { path, source },
        },
    }
}
