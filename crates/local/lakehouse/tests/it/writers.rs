//! Sixteen writers and a compaction at once, over whatever store; other crates run it over theirs.

use lakehouse::{Lakehouse, text_rows};

/// How many write at once, and how often each.
const WRITERS: usize = 16;
const TURNS: usize = 3;

/// Half of the writers share `lakehouse`; the others have one each from `again`, as other processes would: without a
/// lock in common. Nothing that was acknowledged is lost.
pub(crate) async fn lose_nothing(lakehouse: Lakehouse, again: impl Fn() -> Lakehouse) {
    run(&lakehouse, "CREATE DATABASE lake").await;
    run(
        &lakehouse,
        "CREATE TABLE t (writer int, nth int, n int) TBLPROPERTIES ('table_type'='ICEBERG', 'optimize_rewrite_data_file_threshold'='2')",
    )
    .await;
    run(&lakehouse, "INSERT INTO t VALUES (-1, 0, 0)").await;
    let writers = (0..WRITERS).map(|writer| {
        let lakehouse = if writer % 2 == 0 { lakehouse.clone() } else { again() };
        tokio::spawn(async move {
            for nth in 0..TURNS {
                run(&lakehouse, &statement(writer, nth)).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let compacting = again();
    let compaction = tokio::spawn(async move { run(&compacting, "OPTIMIZE t REWRITE DATA USING BIN_PACK").await });
    for writer in writers {
        writer.await.unwrap();
    }
    compaction.await.unwrap();
    for lakehouse in [lakehouse, again()] {
        let rows = "SELECT count(*), count(DISTINCT writer * 10 + nth) FROM t WHERE writer >= 0";
        assert_eq!(first(&lakehouse, rows).await, ["36", "36"]);
        assert_eq!(first(&lakehouse, "SELECT n FROM t WHERE writer = -1").await, ["12"]);
    }
}

fn statement(writer: usize, nth: usize) -> String {
    match writer % 4 {
        0 | 1 => format!("INSERT INTO t VALUES ({writer}, {nth}, 1)"),
        2 => format!(
            "MERGE INTO t USING (VALUES ({writer}, {nth})) AS s(writer, nth)
             ON t.writer = s.writer AND t.nth = s.nth
             WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.writer, s.nth, 1)"
        ),
        _ => "UPDATE t SET n = n + 1 WHERE writer = -1".to_owned(),
    }
}

async fn run(lakehouse: &Lakehouse, statement: &str) {
    lakehouse.execute("lake", statement).await.map_err(|error| error.chain()).unwrap();
}

/// The first row of an answer.
async fn first(lakehouse: &Lakehouse, query: &str) -> Vec<String> {
    let answer = lakehouse.execute("lake", query).await.map_err(|error| error.chain()).unwrap();
    let batches = answer.collect().await.map_err(|error| error.chain()).unwrap();
    let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap();
    let row = text_rows(batch).unwrap().swap_remove(0);
    row.into_iter().map(Option::unwrap_or_default).collect()
}
