//! Many writers at once, files that vanish, and files that nobody names.

use crate::lake::{Lake, rows};

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_a_compaction_lose_nothing() {
    let lake = Lake::bare();
    crate::writers::lose_nothing(lake.lakehouse.clone(), || lake.again()).await;
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
