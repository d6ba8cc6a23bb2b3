//! Trying a commit again when another writer was faster: a bounded number of times, with growing random waits.

use std::time::Duration;

use iceberg::spec::DataFile;

use super::stage::{Change, stage};
use super::{Loaded, Tables};
use crate::catalog::TableName;
use crate::catalog::log::LONGEST_COMMIT_MS;
use crate::error::{Error, Result};

/// Enough for sixteen processes that all write at once; the measured need of eight is below ten.
const MOST_ATTEMPTS: usize = 40;
/// The first wait; each is at most double the one before, up to [`LONGEST_WAIT_MS`].
const FIRST_WAIT_MS: u64 = 10;
const LONGEST_WAIT_MS: u64 = 1_000;

/// Tries until an attempt says that it is done. Each gets the newest state of the table.
pub(crate) async fn until_committed<T>(
    tables: &Tables,
    name: &TableName,
    mut attempt: impl AsyncFnMut(Loaded, usize) -> Result<Option<T>>,
) -> Result<T> {
    let started = tables.clock.now_ms();
    for attempts in 0..MOST_ATTEMPTS {
        let loaded = tables.load(name).await?.writable()?;
        if let Some(done) = attempt(loaded, attempts).await? {
            return Ok(done);
        }
        if tables.clock.now_ms() - started > LONGEST_COMMIT_MS / 2 {
            return Err(Error::Conflict { table: name.to_string(), attempts: attempts + 1 });
        }
        tokio::time::sleep(wait(tables, attempts)).await;
    }
    Err(Error::Conflict { table: name.to_string(), attempts: MOST_ATTEMPTS })
}

fn wait(tables: &Tables, attempts: usize) -> Duration {
    let doubled = FIRST_WAIT_MS.saturating_mul(1 << attempts.min(10)).min(LONGEST_WAIT_MS);
    let random = u64::try_from(tables.identifiers.next() % u128::from(doubled)).unwrap_or(0);
    Duration::from_millis(FIRST_WAIT_MS / 2 + random)
}

/// Stages a change on a state and puts it in place. `None` if the table changed meanwhile.
pub(crate) async fn commit(tables: &Tables, base: &Loaded, change: &Change) -> Result<Option<Loaded>> {
    match stage(tables, base, change).await? {
        Some(metadata) => tables.swap(base, metadata).await,
        None => Ok(None),
    }
}

/// Removes data files that no commit will name. What remains of it is found by the next `VACUUM`.
pub(crate) async fn discard(tables: &Tables, files: &[DataFile]) {
    for file in files {
        if let Err(error) = tables.file_io().delete(file.file_path()).await {
            tracing::debug!(%error, "a data file that nobody names stays until the next VACUUM");
        }
    }
}
