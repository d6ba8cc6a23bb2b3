//! Moves the log into the database beside those who read and write, so that no commit takes the time of it.
//!
//! `SQLite` itself would do it in the commit that makes the log long. The log starts over once all of it is moved and
//! nobody reads from it; under load something is always added meanwhile, so the last of it is moved while nobody writes.
//!
//! <https://www.sqlite.org/wal.html#ckpt>, <https://www.sqlite.org/c3ref/wal_hook.html>

use std::cell::Cell;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::configure;

/// Pages of the log that are worth moving: 4 MiB, as for `SQLite` itself.
const LONG_PAGES: i32 = 1000;

thread_local! {
    /// Pages of the log after this thread's last commit.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Tells the thread that moves the log that it has become long. The thread ends with the last of these.
#[derive(Debug, Clone)]
pub(super) struct Checkpoints(SyncSender<()>);

impl Checkpoints {
    /// Takes the checkpoints of the database at `path` away from `writer`.
    pub(super) fn start(path: &Path, writer: Arc<Mutex<Connection>>) -> std::io::Result<(Self, JoinHandle<()>)> {
        writer.lock().unwrap_or_else(PoisonError::into_inner).wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        let (sender, signals) = sync_channel(1);
        let path = path.to_owned();
        let serve = move || serve(&path, &writer, &signals);
        Ok((Self(sender), thread::Builder::new().name("checkpoints".to_owned()).spawn(serve)?))
    }

    /// To be called by whoever has committed, on the same thread.
    pub(super) fn committed(&self) {
        if PAGES.get() >= LONG_PAGES {
            // A signal that waits already is as good.
            let _ = self.0.try_send(());
        }
    }
}

fn serve(path: &Path, writer: &Mutex<Connection>, signals: &Receiver<()>) {
    let mut own = None;
    while signals.recv().is_ok() {
        if let Err(error) = move_log(&mut own, path, writer) {
            tracing::warn!(%error, "failed to move the log into the database; the next commit asks for it again");
        }
    }
}

fn move_log(own: &mut Option<Connection>, path: &Path, writer: &Mutex<Connection>) -> rusqlite::Result<()> {
    let connection = match own {
        Some(connection) => connection,
        None => own.insert(connect(path)?),
    };
    checkpoint(connection)?;
    let _nobody_writes = writer.lock().unwrap_or_else(PoisonError::into_inner);
    checkpoint(connection)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    configure(&connection)?;
    Ok(connection)
}

fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
