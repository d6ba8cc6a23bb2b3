//! The inventory example: a full load, two incremental files, the latest state, and the state before.

use crate::lake::Lake;

const FULL: &str = "op,product_id,category,product_name,quantity_available,last_update_time
I,100,Electronics,Laptop,10,2022-03-02 11:30:00
I,101,Electronics,Phone,20,2022-03-02 11:30:00
I,102,Furniture,Chair,30,2022-03-02 11:30:00
I,103,Furniture,Table,40,2022-03-02 11:30:00
";
const FIRST: &str = "op,product_id,category,product_name,quantity_available,last_update_time
U,102,Furniture,Chair,25,2022-03-02 11:34:01
D,103,Furniture,Table,40,2022-03-02 11:34:01
I,104,Toys,Puzzle,50,2022-03-02 11:34:01
";
const SECOND: &str = "op,product_id,category,product_name,quantity_available,last_update_time
U,102,Furniture,Chair,22,2022-03-02 11:35:01
";

async fn define(lake: &Lake) {
    lake.run("CREATE DATABASE iceberg_demo").await;
    lake.run(
        "CREATE EXTERNAL TABLE iceberg_demo.raw_csv_input(op string, product_id bigint, category string,
         product_name string, quantity_available bigint, last_update_time string)
         ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
         STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
         OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
         LOCATION 's3://glue-iceberg-demo/raw-csv-input/'
         TBLPROPERTIES ('skip.header.line.count'='1')",
    )
    .await;
    lake.run(
        "CREATE TABLE iceberg_demo.iceberg_output (product_id bigint, category string, product_name string,
         quantity_available bigint, last_update_time timestamp)
         PARTITIONED BY (category, bucket(16,product_id))
         LOCATION 's3://glue-iceberg-demo/iceberg-output/'
         TBLPROPERTIES ('table_type'='ICEBERG','format'='parquet')",
    )
    .await;
}

const MERGE: &str = "MERGE INTO iceberg_demo.iceberg_output t
    USING (SELECT op, product_id, category, product_name, quantity_available,
             CAST(last_update_time AS timestamp) AS last_update_time
           FROM (SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY last_update_time DESC) AS nth
                 FROM iceberg_demo.raw_csv_input) WHERE nth = 1) s
    ON t.product_id = s.product_id
    WHEN MATCHED AND s.op = 'D' THEN DELETE
    WHEN MATCHED THEN UPDATE SET t.quantity_available = s.quantity_available, t.last_update_time = s.last_update_time
    WHEN NOT MATCHED AND s.op <> 'D' THEN INSERT (product_id, category, product_name, quantity_available, last_update_time)
      VALUES (s.product_id, s.category, s.product_name, s.quantity_available, s.last_update_time)";

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_merged_and_the_past_can_be_asked() {
    let lake = Lake::new().await;
    define(&lake).await;
    lake.file("glue-iceberg-demo/raw-csv-input/LOAD00000001.csv", FULL);
    let counts = lake.run(MERGE).await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (4, 0, 0));
    lake.clock.forward(60_000);
    lake.file("glue-iceberg-demo/raw-csv-input/20220302-1134010000.csv", FIRST);
    lake.file("glue-iceberg-demo/raw-csv-input/20220302-1135010000.csv", SECOND);
    let counts = lake.run(MERGE).await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (1, 3, 1));

    let latest = "SELECT product_id, quantity_available FROM iceberg_demo.iceberg_output ORDER BY product_id";
    assert_eq!(lake.rows(latest).await, ["100|10", "101|20", "102|22", "104|50"]);
    let history = lake
        .rows("SELECT snapshot_id, CAST(made_current_at AS VARCHAR) FROM iceberg_demo.\"iceberg_output$history\" ORDER BY 2")
        .await;
    let (snapshot, moment) = history[0].split_once('|').unwrap();
    for version in [
        format!("FOR VERSION AS OF {snapshot}"),
        format!("FOR TIMESTAMP AS OF TIMESTAMP '{moment}'"),
        format!("FOR SYSTEM_TIME AS OF TIMESTAMP '{moment} UTC'"),
    ] {
        let before = format!(
            "SELECT quantity_available FROM iceberg_demo.iceberg_output {version} WHERE product_id IN (102, 103) ORDER BY 1"
        );
        assert_eq!(lake.rows(&before).await, ["30", "40"], "{version}");
    }
    let too_early = "SELECT * FROM iceberg_demo.iceberg_output FOR TIMESTAMP AS OF TIMESTAMP '2001-01-01 00:00:00'";
    assert!(lake.refused(too_early).await.to_string().contains("no version history"));
}
