//! The lakehouse over the buckets of this cloud: what Athena's and Glue's surfaces stand on.
//!
//! It is opened by whoever needs it first, so a cloud that nobody queries pays nothing for it. It runs on threads of its
//! own: a query that computes for seconds keeps nobody else from being answered. What it writes goes through the store
//! like any other object, so it is on disk before a statement is acknowledged.

mod objects;
#[cfg(test)]
mod tests;
mod upload;

use std::future::Future;
use std::num::NonZero;
use std::sync::Arc;

use lakehouse::{Clock as _, Lakehouse, Limits, RandomIdentifiers, Settings, Warehouse};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::context::Context;
use crate::store::StoreError;
use crate::wire::ServiceError;
use objects::Objects;

/// The bucket of the catalog, and of the tables that name no location.
const BUCKET: &str = "sluice-lakehouse";

/// The database that is always there, as in Glue.
pub(crate) const DEFAULT_DATABASE: &str = "default";

/// What all queries together may use for joins, sorts and aggregates, which spill to disk beyond it.
const MEMORY_BYTES: usize = 1 << 30;

/// The planner recurses, and does so on these threads too.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The lakehouse of a cloud; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Lake {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    context: Context,
    opened: OnceCell<Opened>,
}

#[derive(Debug)]
struct Opened {
    lakehouse: Lakehouse,
    engine: Engine,
}

/// Threads for queries. They are not waited for when they are dropped: what they do is committed or is not.
#[derive(Debug)]
struct Engine(Option<Runtime>);

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl lakehouse::Clock for Clock {
    fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }
}

impl Lake {
    pub(crate) fn new(context: Context) -> Self {
        Self { inner: Arc::new(Inner { context, opened: OnceCell::new() }) }
    }

    /// Does something with the lakehouse, on its own threads. If the caller goes away, so does the work.
    ///
    /// # Errors
    /// If the lakehouse cannot be opened, or the work broke off.
    pub(crate) async fn with<T, F, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
        W: FnOnce(Lakehouse) -> F + Send + 'static,
    {
        let opened = self.inner.opened.get_or_try_init(|| open(&self.inner.context)).await?;
        let task = Abandoned(opened.handle()?.spawn(work(opened.lakehouse.clone())));
        task.ended().await.map_err(|error| broken(&error))
    }
}

impl Opened {
    fn handle(&self) -> Result<Handle, ServiceError> {
        let runtime = self.engine.0.as_ref();
        runtime.map(|runtime| runtime.handle().clone()).ok_or_else(|| broken(&"its threads have ended"))
    }
}

/// A task that ends when nobody waits for it any more.
struct Abandoned<T>(tokio::task::JoinHandle<T>);

impl<T> Abandoned<T> {
    async fn ended(mut self) -> Result<T, tokio::task::JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for Abandoned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn broken(why: &dyn std::fmt::Display) -> ServiceError {
    ServiceError::internal("InternalServerException", format!("the lakehouse broke off: {why}"))
}

async fn open(context: &Context) -> Result<Opened, ServiceError> {
    match context.store.create_bucket(BUCKET).await {
        Ok(()) | Err(StoreError::BucketExists(_)) => {}
        Err(error) => return Err(broken(&error)),
    }
    let threads = std::thread::available_parallelism().map_or(2, NonZero::get);
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("lakehouse")
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|error| broken(&error))?;
    let engine = Engine(Some(runtime));
    let warehouse = Warehouse::buckets(Arc::new(Objects::new(context.store.clone())), BUCKET);
    let scratch = context.scratch.join("queries");
    std::fs::create_dir_all(&scratch).map_err(|error| broken(&error))?;
    let limits = Limits { memory_bytes: MEMORY_BYTES, parallelism: threads };
    let settings = Settings { limits, scratch: Some(scratch), ..Settings::default() };
    let opened = Lakehouse::open(warehouse, Arc::new(context.clock.clone()), Arc::new(RandomIdentifiers), settings);
    let opened = Opened { lakehouse: opened.map_err(|error| broken(&error.chain()))?, engine };
    let lakehouse = opened.lakehouse.clone();
    let create = format!("CREATE DATABASE IF NOT EXISTS {DEFAULT_DATABASE}");
    let made = opened.handle()?.spawn(async move { lakehouse.execute(DEFAULT_DATABASE, &create).await });
    made.await.map_err(|error| broken(&error))?.map_err(|error| broken(&error.chain()))?;
    tracing::debug!(now_ms = context.clock.now_ms(), "the lakehouse is open");
    Ok(opened)
}
