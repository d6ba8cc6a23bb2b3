//! What every surface of the local cloud is handed: the database, the store, the clock.

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Clock;
use crate::database::Database;
use crate::store::Store;

/// The account that the local cloud plays; it is in every ARN.
pub const ACCOUNT: &str = "000000000000";

/// Cheap to clone; one for each running cloud.
#[derive(Debug, Clone)]
pub struct Context {
    /// The one `SQLite` database of the data directory.
    pub database: Database,
    /// Buckets and objects.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// A directory for files that live no longer than one request or job.
    pub scratch: Arc<PathBuf>,
    /// The region in ARNs and answers, `us-east-1` unless set.
    pub region: Arc<str>,
}
