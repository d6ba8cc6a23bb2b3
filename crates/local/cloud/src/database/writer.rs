//! The one connection that writes. Who finds nobody waiting commits on the thread it is on, which saves two changes of
//! threads; whatever comes meanwhile waits for a thread that commits it as one group and then answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::DatabaseError;
use super::checkpoint::Checkpoints;

/// Pieces of work that may wait; a caller beyond that waits itself, so memory stays bounded.
const WAITING: usize = 1024;

/// Pieces of work in one transaction: enough to share the sync, few enough that the first is not kept waiting.
const GROUP: usize = 256;

/// One piece of work: runs in the group's transaction and gives back how to answer its caller.
type Piece = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;

/// Answers one caller, once it is known whether the group was committed.
type Answer = Box<dyn FnOnce(Result<(), Arc<rusqlite::Error>>) + Send>;

/// The way to the writing connection.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Arc<Mutex<Connection>>,
    /// Nobody waits while the last handle goes.
    ways: Option<Ways>,
    /// In the order in which they end.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The ways to the two threads.
#[derive(Debug)]
struct Ways {
    queue: mpsc::Sender<Piece>,
    checkpoints: Checkpoints,
}

impl Writer {
    /// Starts the thread for groups and the one for checkpoints, which end when this handle is dropped.
    pub(super) fn start(connection: Connection, path: &Path) -> std::io::Result<Self> {
        let connection = Arc::new(Mutex::new(connection));
        let (checkpoints, moving) = Checkpoints::start(path, Arc::clone(&connection))?;
        let (queue, waiting) = mpsc::channel(WAITING);
        let (shared, told) = (Arc::clone(&connection), checkpoints.clone());
        let serving = thread::Builder::new().name("database-writer".to_owned());
        let serving = serving.spawn(move || serve(&shared, waiting, &told))?;
        let threads = Mutex::new(vec![serving, moving]);
        Ok(Self { connection, ways: Some(Ways { queue, checkpoints }), threads })
    }

    /// Runs `work` in a transaction, and comes back once that is on disk.
    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let Ways { queue, checkpoints } = self.ways.as_ref().ok_or(DatabaseError::Closed)?;
        if let Some(mut connection) = self.idle(queue) {
            let outcome = alone(&mut connection, work);
            checkpoints.committed();
            return outcome;
        }
        in_group(queue, work).await
    }

    /// The connection, if nobody uses it or waits for it.
    fn idle(&self, queue: &mpsc::Sender<Piece>) -> Option<MutexGuard<'_, Connection>> {
        if queue.capacity() < queue.max_capacity() {
            return None;
        }
        match self.connection.try_lock() {
            Ok(connection) => Some(connection),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.ways = None;
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        // A piece of work may hold the last handle; the thread cannot wait for itself, nor the other one for it.
        if threads.iter().all(|thread| thread.thread().id() != thread::current().id()) {
            for thread in threads {
                // A panic of a thread has nobody left to hear of it.
                let _ = thread.join();
            }
        }
    }
}

async fn in_group<T, W>(queue: &mpsc::Sender<Piece>, work: W) -> Result<T, DatabaseError>
where
    T: Send + 'static,
    W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let piece: Piece = Box::new(move |transaction| {
        let outcome = in_savepoint(transaction, work);
        Box::new(move |committed| {
            let outcome = committed.map_err(DatabaseError::Commit).and(outcome);
            // The caller may have gone away: its work is kept all the same.
            let _ = reply.send(outcome);
        })
    });
    queue.send(piece).await.map_err(|_| DatabaseError::Closed)?;
    answer.await.map_err(|_| DatabaseError::Closed)?
}

fn serve(connection: &Mutex<Connection>, mut waiting: mpsc::Receiver<Piece>, checkpoints: &Checkpoints) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        // What has come while another one committed goes along.
        while let Some(piece) = (group.len() < GROUP).then(|| waiting.try_recv().ok()).flatten() {
            group.push(piece);
        }
        let mut answers = Vec::with_capacity(group.len());
        let outcome = commit(&mut connection, &mut group, &mut answers).map_err(Arc::new);
        drop(connection);
        checkpoints.committed();
        if let Err(error) = &outcome {
            tracing::error!(%error, pieces = answers.len(), "failed to commit to the database");
        }
        for answer in answers {
            answer(outcome.clone());
        }
        group.clear();
    }
}

fn commit(connection: &mut Connection, group: &mut Vec<Piece>, answers: &mut Vec<Answer>) -> rusqlite::Result<()> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = match begun {
        Ok(transaction) => transaction,
        Err(error) => {
            refuse(group, answers);
            return Err(error);
        }
    };
    for piece in group.drain(..) {
        answers.push(piece(&transaction));
    }
    transaction.commit()
}

/// Gives every piece its answer without running it: dropping a piece tells its caller that the writer is closed.
fn refuse(group: &mut Vec<Piece>, answers: &mut Vec<Answer>) {
    group.clear();
    answers.clear();
}

/// Runs a piece of work that has the transaction to itself: where it fails, dropping that undoes it.
fn alone<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, DatabaseError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(&transaction)));
    let done = outcome.map_err(|_| DatabaseError::Panicked)??;
    transaction.commit().map_err(|error| DatabaseError::Commit(Arc::new(error)))?;
    Ok(done)
}

fn in_savepoint<T, W>(transaction: &Transaction<'_>, work: W) -> Result<T, DatabaseError>
where
    W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
{
    execute(transaction, "SAVEPOINT piece")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(transaction)));
    if !matches!(outcome, Ok(Ok(_))) {
        execute(transaction, "ROLLBACK TO piece")?;
    }
    execute(transaction, "RELEASE piece")?;
    outcome.map_err(|_| DatabaseError::Panicked)?.map_err(DatabaseError::from)
}

/// Parsing these anew would cost as much as a small piece of work.
fn execute(transaction: &Transaction<'_>, sql: &str) -> rusqlite::Result<()> {
    transaction.prepare_cached(sql)?.execute([]).map(drop)
}
