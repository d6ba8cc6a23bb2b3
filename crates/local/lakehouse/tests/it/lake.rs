//! A lakehouse in a folder of its own, and its answers as text.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use lakehouse::{Clock, Counts, Error, Lakehouse, Limits, RandomIdentifiers, Settings, Warehouse};
use tempfile::TempDir;

/// A clock that starts at the real time, because the Iceberg library looks at that one too, and is moved by hand.
#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

impl HandClock {
    pub(crate) fn forward(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is a shell too")]
fn real_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

pub(crate) struct Lake {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) lakehouse: Lakehouse,
}

impl Lake {
    pub(crate) async fn new() -> Self {
        let lake = Self::bare();
        lake.run("CREATE DATABASE lake").await;
        lake
    }

    /// One without a database.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(real_ms())));
        let lakehouse = open(folder.path(), &clock);
        Self { folder, clock, lakehouse }
    }

    /// Another process with the same warehouse, as far as one process can show it.
    pub(crate) fn again(&self) -> Lakehouse {
        open(self.folder.path(), &self.clock)
    }

    pub(crate) async fn run(&self, statement: &str) -> Counts {
        self.lakehouse
            .execute("lake", statement)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {}", error.chain()))
            .counts
    }

    pub(crate) async fn refused(&self, statement: &str) -> Error {
        match self.lakehouse.execute("lake", statement).await {
            Err(error) => error,
            Ok(answer) => answer.collect().await.expect_err(statement),
        }
    }

    /// Rows with their values joined by `|`.
    pub(crate) async fn rows(&self, query: &str) -> Vec<String> {
        rows(&self.lakehouse, query).await
    }

    /// The names of an answer's columns, which each of its batches has too.
    pub(crate) async fn columns(&self, query: &str) -> Vec<String> {
        let answer = self.lakehouse.execute("lake", query).await;
        let answer = answer.unwrap_or_else(|error| panic!("{query}: {}", error.chain()));
        let schema = Arc::clone(&answer.schema);
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let batches = answer.collect().await.unwrap_or_else(|error| panic!("{query}: {}", error.chain()));
        for batch in batches {
            let of_batch: Vec<&String> = batch.schema_ref().fields().iter().map(|field| field.name()).collect();
            assert_eq!(of_batch, names.iter().collect::<Vec<_>>(), "{query}");
        }
        names
    }

    /// Puts a file below the warehouse; it is at `s3://` and its path.
    pub(crate) fn file(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn files_below(&self, path: &str) -> Vec<String> {
        fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
            let Ok(entries) = std::fs::read_dir(folder) else { return };
            for entry in entries.flatten() {
                let path = entry.path();
                if path.is_dir() { walk(&path, found) } else { found.push(path.display().to_string()) }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder.path().join(path), &mut found);
        found.sort();
        found
    }
}

fn open(folder: &std::path::Path, clock: &Arc<HandClock>) -> Lakehouse {
    let warehouse = Warehouse::folder(folder).unwrap();
    let limits = Limits { memory_bytes: 512 << 20, parallelism: 2 };
    let settings = Settings { limits, ..Settings::default() };
    Lakehouse::open(warehouse, Arc::clone(clock) as Arc<dyn Clock>, Arc::new(RandomIdentifiers), settings).unwrap()
}

pub(crate) async fn rows(lakehouse: &Lakehouse, query: &str) -> Vec<String> {
    let answer = lakehouse.execute("lake", query).await.unwrap_or_else(|error| panic!("{query}: {}", error.chain()));
    let batches = answer.collect().await.unwrap_or_else(|error| panic!("{query}: {}", error.chain()));
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let values: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            rows.push(values.join("|"));
        }
    }
    rows
}
