//! Statements from standard input, a JSON string a line; answers to standard output, a JSON object a line. For tests
//! that look at a warehouse from outside, and that kill its writer.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "an example is a shell")]

use std::io::BufRead;
use std::sync::Arc;

use anyhow::{Context, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use lakehouse::{Clock, Lakehouse, RandomIdentifiers, Settings, Warehouse};
use serde_json::{Value, json};

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("which folder?")?;
    let database = std::env::args().nth(2).unwrap_or_else(|| "default".to_owned());
    let warehouse = Warehouse::folder(folder.as_ref())?;
    let lakehouse =
        Lakehouse::open(warehouse, Arc::new(SystemClock), Arc::new(RandomIdentifiers), Settings::default())?;
    for line in std::io::stdin().lock().lines() {
        let statement: String = serde_json::from_str(&line?)?;
        let answer = match answered(&lakehouse, &database, &statement).await {
            Ok(answer) => answer,
            Err(error) => json!({ "error": error.chain() }),
        };
        println!("{answer}");
    }
    Ok(())
}

async fn answered(lakehouse: &Lakehouse, database: &str, statement: &str) -> lakehouse::Result<Value> {
    let answer = lakehouse.execute(database, statement).await?;
    let counts = answer.counts;
    let rows: Vec<Value> = answer.collect().await?.iter().flat_map(rows).collect();
    let counts = json!({ "inserted": counts.inserted, "updated": counts.updated, "deleted": counts.deleted });
    Ok(json!({ "rows": rows, "counts": counts }))
}

/// A batch as rows of texts; null stays null.
fn rows(batch: &RecordBatch) -> Vec<Value> {
    let options = FormatOptions::default();
    let columns: Vec<_> =
        batch.columns().iter().filter_map(|one| ArrayFormatter::try_new(one, &options).ok()).collect();
    let value = |row: usize, at: usize| {
        if batch.column(at).is_null(row) { Value::Null } else { Value::String(columns[at].value(row).to_string()) }
    };
    (0..batch.num_rows()).map(|row| (0..columns.len()).map(|at| value(row, at)).collect()).collect()
}
