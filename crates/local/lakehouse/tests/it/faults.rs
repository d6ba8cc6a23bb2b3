//! Many writers at once, files that vanish, and files that nobody names.

use std::sync::Arc;

use crate::lake::{Lake, rows};

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_a_compaction_lose_nothing() {
    let lake = Arc::new(Lake::new().await);
    lake.run("CREATE TABLE t (writer int, nth int, n int) TBLPROPERTIES ('optimize_rewrite_data_file_threshold'='2')")
        .await;
    lake.run("INSERT INTO t VALUES (-1, 0, 0)").await;
    // Half of them as other processes would: without a lock in common.
    let writers = (0..16).map(|writer| {
        let lakehouse = if writer % 2 == 0 { lake.lakehouse.clone() } else { lake.again() };
        tokio::spawn(async move {
            for nth in 0..3 {
                let statement = match writer % 4 {
                    0 | 1 => format!("INSERT INTO t VALUES ({writer}, {nth}, 1)"),
                    2 => format!(
                        "MERGE INTO t USING (VALUES ({writer}, {nth})) AS s(writer, nth)
                         ON t.writer = s.writer AND t.nth = s.nth
                         WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.writer, s.nth, 1)"
                    ),
                    _ => "UPDATE t SET n = n + 1 WHERE writer = -1".to_owned(),
                };
                lakehouse.execute("lake", &statement).await.unwrap_or_else(|error| panic!("{}", error.chain()));
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let compaction = lake.again();
    let compaction = tokio::spawn(async move {
        compaction
            .execute("lake", "OPTIMIZE t REWRITE DATA USING BIN_PACK")
            .await
            .unwrap_or_else(|error| panic!("{}", error.chain()));
    });
    for writer in writers {
        writer.await.unwrap();
    }
    compaction.await.unwrap();
    assert_eq!(
        lake.rows("SELECT count(*), count(DISTINCT writer * 10 + nth) FROM t WHERE writer >= 0").await,
        ["36|36"]
    );
    assert_eq!(lake.rows("SELECT n FROM t WHERE writer = -1").await, ["12"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_named_and_nothing_else_is_touched() {
    let lake = Lake::new().await;
    lake.run("CREATE TABLE t (id int)").await;
    lake.run("INSERT INTO t VALUES (1)").await;
    lake.run("INSERT INTO t VALUES (2)").await;
    let files = lake.files_below("warehouse");
    let victim = files.iter().find(|file| file.ends_with(".parquet")).unwrap();
    let kept = std::fs::read(victim).unwrap();
    std::fs::remove_file(victim).unwrap();
    for statement in ["SELECT * FROM t", "DELETE FROM t WHERE id > 0", "UPDATE t SET id = 3"] {
        let error = lake.refused(statement).await;
        assert_eq!(error.name(), "ICEBERG_BAD_DATA", "{}", error.chain());
    }
    std::fs::write(victim, kept).unwrap();
    assert_eq!(lake.rows("SELECT id FROM t ORDER BY 1").await, ["1", "2"]);
    let metadata = files.iter().filter(|file| file.ends_with(".metadata.json")).max().unwrap();
    std::fs::write(metadata, "{").unwrap();
    let error = rows_error(&lake).await;
    assert!(error.contains(".metadata.json"), "{error}");
}

async fn rows_error(lake: &Lake) -> String {
    match lake.again().execute("lake", "SELECT * FROM t").await {
        Err(error) => error.chain(),
        Ok(_) => panic!("damaged metadata were read"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_nobody_names_go_once_they_are_old() {
    let lake = Lake::new().await;
    lake.run("CREATE TABLE t (id int) LOCATION 's3://b/t'").await;
    lake.run("INSERT INTO t VALUES (1)").await;
    lake.file("b/t/data/orphan.parquet", "left by a writer that died");
    lake.run("VACUUM t").await;
    assert!(lake.files_below("b").iter().any(|file| file.ends_with("orphan.parquet")));
    lake.clock.forward(4 * 24 * 60 * 60 * 1000);
    lake.run("VACUUM t").await;
    assert!(!lake.files_below("b").iter().any(|file| file.ends_with("orphan.parquet")));
    assert_eq!(lake.rows("SELECT id FROM t").await, ["1"]);
    assert!(lake.refused("CREATE TABLE u (id int) LOCATION 's3://b/t'").await.to_string().contains("is not empty"));
    lake.run("DROP TABLE t").await;
    lake.run("CREATE TABLE u (id int) LOCATION 's3://b/t'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_means_one_snapshot() {
    let lake = Lake::new().await;
    lake.run("CREATE TABLE t (id int)").await;
    lake.run("INSERT INTO t VALUES (1)").await;
    let answer = lake.lakehouse.execute("lake", "SELECT id FROM t").await.unwrap();
    lake.run("DELETE FROM t").await;
    assert_eq!(
        answer.collect().await.unwrap().iter().map(datafusion::arrow::array::RecordBatch::num_rows).sum::<usize>(),
        1
    );
    assert_eq!(rows(&lake.again(), "SELECT id FROM t").await, Vec::<String>::new());
}
