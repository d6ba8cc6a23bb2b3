//! What one statement is run with: its database, what it may read, and how it is stopped.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::AbortRegistration;

/// Counts the bytes that a statement reads from the files of tables, and refuses more than it may read. The catalog and
/// the metadata of Iceberg tables are not counted, as in Athena.
#[derive(Debug, Clone)]
pub struct Meter {
    read: Arc<AtomicU64>,
    most: u64,
}

impl Default for Meter {
    /// Counts, and refuses nothing.
    fn default() -> Self {
        Self::limited(u64::MAX)
    }
}

/// A statement would read more than it may.
#[derive(Debug, thiserror::Error)]
#[error("Bytes scanned limit was exceeded: the statement may read {most} bytes")]
pub(crate) struct OverLimit {
    most: u64,
}

impl Meter {
    /// Refuses to read more than `most` bytes.
    #[must_use]
    pub fn limited(most: u64) -> Self {
        Self { read: Arc::default(), most }
    }

    /// How many bytes were read so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Whether more was asked for than may be read.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.bytes() > self.most
    }

    pub(crate) fn count(&self, bytes: u64) -> Result<(), OverLimit> {
        let before = self.read.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.most { Err(OverLimit { most: self.most }) } else { Ok(()) }
    }
}

/// What a statement is run with.
#[derive(Default)]
pub struct Session {
    /// The database of names that stand without one.
    pub database: String,
    /// Counts what is read.
    pub meter: Meter,
    /// Stops the statement at its next pause: as if the process had ended there, so a change is committed or is not.
    pub stop: Option<AbortRegistration>,
    /// Kept until the statement has let go of the warehouse.
    pub keep: Option<Box<dyn Any + Send>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Session {
    /// A session in a database, without limits.
    #[must_use]
    pub fn of(database: &str) -> Self {
        Self { database: database.to_owned(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::Meter;

    #[test]
    fn a_meter_refuses_what_goes_beyond_its_limit() {
        let meter = Meter::limited(10);
        assert!(meter.count(10).is_ok());
        assert!(!meter.is_exceeded());
        assert!(meter.clone().count(1).is_err());
        assert!(meter.is_exceeded());
        assert_eq!(meter.bytes(), 11);
    }
}
