//! What the lakehouse needs of the world beside an object store: the time, and identifiers that nobody else has.
//! Both come in as arguments, so that a test may say what they are.

use std::fmt::Debug;

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;
}

/// Makes identifiers for files and snapshots.
pub trait Identifiers: Debug + Send + Sync {
    /// 128 bits that no other writer draws.
    fn next(&self) -> u128;
}

/// Random identifiers.
#[derive(Debug, Default, Clone, Copy)]
pub struct RandomIdentifiers;

impl Identifiers for RandomIdentifiers {
    fn next(&self) -> u128 {
        uuid::Uuid::new_v4().as_u128()
    }
}

/// An identifier as it stands in file names.
pub(crate) fn file_name(id: u128) -> String {
    uuid::Uuid::from_u128(id).to_string()
}

/// A snapshot id: 63 bits, never negative, as other engines expect it.
pub(crate) fn snapshot_id(id: u128) -> i64 {
    let bytes = id.to_be_bytes();
    let mut half = [0; 8];
    half.copy_from_slice(&bytes[8..]);
    i64::from_be_bytes(half) & i64::MAX
}
