//! Groups, failures, damage and the lock, against real files.

use futures::future::join_all;

use super::*;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY) STRICT";

fn open(directory: &Path) -> Result<Database, DatabaseError> {
    Database::open(&directory.join("cloud.db"), &Schema::of(&[SCHEMA]))
}

async fn count(database: &Database) -> i64 {
    let sql = "SELECT count(*) FROM numbers";
    database.read(move |connection| connection.query_row(sql, [], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn one_failure_leaves_the_rest_of_its_group_alone() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(directory.path()).unwrap();
    let writes = (0..200).map(|number: i64| {
        database.write(move |transaction| {
            transaction.execute("INSERT INTO numbers VALUES (?1)", [number])?;
            // Every tenth piece of work fails after it has written something.
            if number % 10 == 0 { transaction.execute("INSERT INTO nowhere VALUES (1)", []) } else { Ok(1) }
        })
    });
    let outcomes = join_all(writes).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 20);
    assert_eq!(count(&database).await, 180);
}

#[tokio::test]
async fn work_that_panics_is_undone_and_the_writer_lives() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(directory.path()).unwrap();
    let broken = database.write(|transaction| -> rusqlite::Result<()> {
        transaction.execute("INSERT INTO numbers VALUES (1)", [])?;
        panic!("the work breaks off")
    });
    assert!(matches!(broken.await, Err(DatabaseError::Panicked)));
    database.write(|transaction| transaction.execute("INSERT INTO numbers VALUES (2)", [])).await.unwrap();
    assert_eq!(count(&database).await, 1);
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_files_are_copied_away() {
    let (directory, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let database = open(directory.path()).unwrap();
    database.write(|transaction| transaction.execute("INSERT INTO numbers VALUES (1)", [])).await.unwrap();
    // As a crash would leave them: the log not checkpointed, nothing closed.
    for name in ["cloud.db", "cloud.db-wal"] {
        std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    assert_eq!(count(&open(copy.path()).unwrap()).await, 1);
}

#[tokio::test]
async fn a_damaged_file_is_reported_with_its_path_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cloud.db");
    let damage = b"this was a database once, and no one knows what happened to it".repeat(100);
    std::fs::write(&path, &damage).unwrap();
    match open(directory.path()) {
        Err(DatabaseError::Damaged { path: reported, .. }) => assert_eq!(reported, path),
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read(&path).unwrap(), damage);
}

#[tokio::test]
async fn a_page_that_was_overwritten_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(directory.path()).unwrap();
    let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO numbers SELECT i FROM n";
    database.write(|transaction| transaction.execute(fill, [])).await.unwrap();
    drop(database);
    let path = directory.path().join("cloud.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8192..12288].fill(0xAA);
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(open(directory.path()), Err(DatabaseError::Damaged { .. })));
}

#[test]
fn a_second_cloud_is_told_where_the_first_is() {
    let directory = tempfile::tempdir().unwrap();
    let first = DirectoryLock::take(directory.path()).unwrap();
    first.announce("http://127.0.0.1:4566").unwrap();
    match DirectoryLock::take(directory.path()) {
        Err(LockError::Held { address, holder, .. }) => {
            assert_eq!(address.as_deref(), Some("http://127.0.0.1:4566"));
            assert!(holder.contains(&std::process::id().to_string()));
        }
        other => panic!("{other:?}"),
    }
    drop(first);
    DirectoryLock::take(directory.path()).unwrap();
}

#[test]
fn a_stale_lock_file_locks_nobody_out() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("lock"), "4194304 http://127.0.0.1:1\n").unwrap();
    DirectoryLock::take(directory.path()).unwrap();
}
