//! The thread that owns the writing connection: it takes what waits, commits it as one group, then answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::DatabaseError;

/// Pieces of work that may wait; a caller beyond that waits itself, so memory stays bounded.
const WAITING: usize = 1024;

/// Pieces of work in one transaction: enough to share the sync, few enough that the first is not kept waiting.
const GROUP: usize = 256;

/// One piece of work: runs in the group's transaction and gives back how to answer its caller.
type Piece = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;

/// Answers one caller, once it is known whether the group was committed.
type Answer = Box<dyn FnOnce(Result<(), Arc<rusqlite::Error>>) + Send>;

/// The way to the writer thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Piece>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread, which ends when this handle is dropped.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(WAITING);
        let thread =
            thread::Builder::new().name("database-writer".to_owned()).spawn(move || serve(connection, waiting))?;
        Ok(Self { queue: Some(queue), thread: Mutex::new(Some(thread)) })
    }

    /// Queues `work` and waits until its group is on disk.
    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, DatabaseError>
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
        let queue = self.queue.as_ref().ok_or(DatabaseError::Closed)?;
        queue.send(piece).await.map_err(|_| DatabaseError::Closed)?;
        answer.await.map_err(|_| DatabaseError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A piece of work may hold the last handle; the thread cannot wait for itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            // A panic of the thread has nobody left to hear of it.
            let _ = thread.join();
        }
    }
}

fn serve(mut connection: Connection, mut waiting: mpsc::Receiver<Piece>) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut answers = Vec::with_capacity(group.len());
        let committed = commit(&mut connection, &mut group, &mut answers).map_err(Arc::new);
        if let Err(error) = &committed {
            tracing::error!(%error, pieces = answers.len(), "failed to commit to the database");
        }
        for answer in answers {
            answer(committed.clone());
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
