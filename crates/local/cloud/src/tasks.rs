//! The background work of one running cloud: it ends with the cloud, and holds the data directory until it has ended.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

use crate::database::DirectoryLock;

/// Spawns work that ends when the cloud closes; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    closing: watch::Sender<bool>,
    lock: Option<Arc<DirectoryLock>>,
}

impl Tasks {
    /// Work over the directory that `lock` holds; none for work that touches no directory.
    pub(crate) fn new(lock: Option<Arc<DirectoryLock>>) -> Self {
        Self { closing: watch::Sender::new(false), lock }
    }

    /// Runs `work` until it is done or the cloud closes.
    pub(crate) fn spawn<F>(&self, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut closing = self.closing.subscribe();
        let lock = self.lock.clone();
        tokio::spawn(async move {
            {
                let work = work;
                tokio::select! {
                    biased;
                    () = closed(&mut closing) => {}
                    () = work => {}
                }
            }
            // Nobody else may open the directory before the work has let go of it.
            drop(lock);
        });
    }

    /// Keeps the cloud from having ended until the guard is dropped.
    pub(crate) fn hold(&self) -> Hold {
        Hold { _lock: self.lock.clone(), _closing: self.closing.subscribe() }
    }

    /// Tells all work to end at its next pause.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Resolves once [`Tasks::close`] was called.
    pub(crate) async fn closing(&self) {
        closed(&mut self.closing.subscribe()).await;
    }

    /// Resolves once all work has ended.
    pub(crate) async fn ended(&self) {
        self.closing.closed().await;
    }
}

/// Work that ends by itself; see [`Tasks::hold`].
#[derive(Debug)]
pub(crate) struct Hold {
    // The lock goes first: who waits for the end wants the directory free.
    _lock: Option<Arc<DirectoryLock>>,
    _closing: watch::Receiver<bool>,
}

async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the cloud is gone altogether, which is as good as closed.
    let _ = closing.wait_for(|closed| *closed).await;
}
