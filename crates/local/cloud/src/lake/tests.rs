//! The lakehouse over the store of this cloud, as its writers use it at once.

use std::sync::Arc;
use std::time::Duration;

use lakehouse::{Lakehouse, RandomIdentifiers, Settings, Warehouse};

use super::BUCKET;
use super::objects::Objects;
use crate::clock::Clock;
use crate::database::Database;
use crate::schema::SCHEMA;
use crate::store::Store;

// What the lakehouse is held to over a folder.
#[path = "../../../lakehouse/tests/it/writers.rs"]
mod writers;

/// Many times what it takes.
const LONGEST: Duration = Duration::from_mins(5);

fn open(store: &Store, clock: &Clock) -> Lakehouse {
    let warehouse = Warehouse::buckets(Arc::new(Objects::new(store.clone())), BUCKET);
    Lakehouse::open(warehouse, Arc::new(clock.clone()), Arc::new(RandomIdentifiers), Settings::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_a_compaction_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("d"), &SCHEMA).unwrap();
    let clock = Clock::default();
    let store = Store::open(database, directory.path(), clock.clone()).unwrap();
    store.create_bucket(BUCKET).await.unwrap();
    let work = writers::lose_nothing(open(&store, &clock), || open(&store, &clock));
    tokio::time::timeout(LONGEST, work).await.unwrap();
}
