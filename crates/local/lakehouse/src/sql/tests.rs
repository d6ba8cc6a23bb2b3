//! What is read, and what is said of what is not.

use super::*;

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn the_inventory_example_is_read() {
    let external = "CREATE EXTERNAL TABLE iceberg_demo.raw_csv_input(op string, product_id bigint)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
        STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
        OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
        LOCATION 's3://demo/raw-csv-input/' TBLPROPERTIES ('skip.header.line.count'='1');";
    let Statement::CreateExternal(read) = parse(external).unwrap() else { panic!("another statement") };
    assert_eq!(read.definition.name.database.as_deref(), Some("iceberg_demo"));
    assert_eq!(read.row_format, Some(RowFormat::Delimited { field: Some(','), escape: None, null: None }));
    let table = "CREATE TABLE iceberg_demo.iceberg_output (product_id bigint, category string)
        PARTITIONED BY (category, bucket(16,product_id)) LOCATION 's3://demo/out/'
        TBLPROPERTIES ('table_type'='ICEBERG','format'='parquet')";
    let Statement::CreateIceberg(read) = parse(table).unwrap() else { panic!("another statement") };
    let transforms: Vec<_> = read.partition_fields.iter().map(|field| field.transform).collect();
    assert_eq!(transforms, [Transform::Identity, Transform::Bucket(16)]);
}

#[test]
fn statements_are_told_apart() {
    for text in [
        "SELECT 1",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "(SELECT 1) UNION (SELECT 2)",
        "SELECT * FROM t FOR TIMESTAMP AS OF TIMESTAMP '2024-01-01 00:00:00 UTC' AS a",
        "SELECT * FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01 00:00:00'",
        "SELECT * FROM t FOR VERSION AS OF 949530903748831860",
        "SELECT * FROM \"t$snapshots\"",
        "EXPLAIN SELECT 1",
        "INSERT INTO db.t VALUES (1, 'a'), (2, NULL)",
        "INSERT INTO db.t (a, b) SELECT * FROM u",
        "MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED AND s.op = 'D' THEN DELETE
         WHEN MATCHED THEN UPDATE SET a = s.a WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s.id, s.a)",
        "UPDATE t SET a = a + 1 WHERE id = 3",
        "DELETE FROM t WHERE id IN (SELECT id FROM u)",
        "CREATE DATABASE IF NOT EXISTS d COMMENT 'x' LOCATION 's3://b/d'",
        "CREATE SCHEMA d",
        "DROP DATABASE IF EXISTS d CASCADE",
        "CREATE TABLE t WITH (format = 'PARQUET', partitioned_by = ARRAY['a','b']) AS SELECT 1 a, 2 b WITH NO DATA",
        "CREATE TABLE t WITH (table_type = 'ICEBERG', is_external = false, location = 's3://b/t') AS SELECT 1 a",
        "CREATE OR REPLACE VIEW v AS SELECT 'it''s' AS a",
        "DROP VIEW IF EXISTS v",
        "DROP TABLE `d`.`t`",
        "ALTER TABLE t ADD COLUMNS (a array<struct<b:int,c:map<string,array<int>>>>, d decimal(10,2) COMMENT 'x')",
        "ALTER TABLE t CHANGE COLUMN a b bigint",
        "ALTER TABLE t ADD IF NOT EXISTS PARTITION (y = '2024', m = 1) LOCATION 's3://b/x' PARTITION (y = '2025', m = 2)",
        "ALTER TABLE t DROP PARTITION (y = '2024')",
        "MSCK REPAIR TABLE t",
        "OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE category = 'a'",
        "VACUUM t",
        "SHOW TABLES IN d 'a*'",
        "SHOW COLUMNS IN t IN d",
        "SHOW CREATE TABLE d.t",
        "DESCRIBE FORMATTED d.t",
    ] {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn what_is_refused_is_named_with_its_place() {
    for (text, said) in [
        ("TRUNCATE TABLE t", "line 1:1: `TRUNCATE` is not supported; write `DELETE FROM table`"),
        ("SELECT *\nFROM t FOR VERSION AS OF 'main'", "line 2:26: a version other than a snapshot id is not supported"),
        (
            "CREATE TABLE t (a int) PARTITIONED BY (cube(a))",
            "line 1:40: the partition transform `cube` is not supported",
        ),
        ("CREATE TABLE t (a hyperloglog)", "line 1:19: the type `hyperloglog` is not supported"),
        (
            "CREATE TABLE t (a int) TBLPROPERTIES ('table_type'='HUDI')",
            "line 1:24: the table type `HUDI` is not supported",
        ),
        ("INSERT OVERWRITE t SELECT 1", "line 1:1: `INSERT OVERWRITE` is not supported"),
        ("SHOW GRANTS", "line 1:6: `SHOW GRANTS` is not supported"),
        ("CREATE TABLE t (a int", "line 1:22: expected `)`, found the end"),
        ("SELECT 1 2", "line 1:10: expected the end of the statement"),
        ("DROP TABLE hive.d.t", "line 1:12: the catalog `hive` is not supported"),
        ("", "line 1:1: expected a statement, found the end"),
        ("SELECT 'a", "line 1:8: unterminated string literal"),
    ] {
        let message = refused(text);
        assert!(message.starts_with(said), "{text}: {message}");
    }
}

#[test]
fn hostile_statements_end_in_a_message() {
    refused(&"(".repeat(10_000));
    refused(&format!("SELECT {}", "1 + ".repeat(5_000)));
    refused(&format!("SELECT 1 {}", "UNION SELECT 1 ".repeat(5_000)));
    refused(&format!("CREATE TABLE t (a {})", "array<".repeat(5_000)));
    refused(&"x".repeat(300_000));
    refused(&format!("SELECT {}1", "NOT ".repeat(5_000)));
}

#[test]
fn a_text_is_split_between_its_statements() {
    let text = "-- first; not the end\nSELECT 'a;''b' ; /* ; */\n\n;SELECT \"x;y\" FROM t";
    assert_eq!(split(text).unwrap(), ["-- first; not the end\nSELECT 'a;''b'", "SELECT \"x;y\" FROM t"]);
}

#[test]
fn a_view_keeps_its_text() {
    let Statement::CreateView { query, .. } = parse("CREATE VIEW v AS\n SELECT 'it''s', ä FROM t;").unwrap() else {
        panic!("another statement")
    };
    assert_eq!(query, "SELECT 'it''s', ä FROM t");
}
