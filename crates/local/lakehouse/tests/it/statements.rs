//! Each statement from text to rows, and what is said of those that are wrong.

use crate::lake::Lake;

async fn with_numbers() -> Lake {
    let lake = Lake::new().await;
    lake.run(
        "CREATE TABLE t (id bigint, name string, price double, day date) PARTITIONED BY (day(day), bucket(4, id))",
    )
    .await;
    lake.run(
        "INSERT INTO t VALUES (1, 'a', 1.5, DATE '2024-01-01'), (2, 'b', NULL, DATE '2024-01-02'),
         (3, NULL, 3, DATE '2024-01-02'), (4, 'd', 4, NULL)",
    )
    .await;
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_changed() {
    let lake = with_numbers().await;
    let all = "SELECT * FROM t ORDER BY id";
    assert_eq!(
        lake.rows(all).await,
        ["1|a|1.5|2024-01-01", "2|b|NULL|2024-01-02", "3|NULL|3.0|2024-01-02", "4|d|4.0|NULL"]
    );
    assert_eq!(
        lake.run("UPDATE t SET price = price + 1, name = upper(name) WHERE day = DATE '2024-01-02' OR id = 4")
            .await
            .updated,
        3
    );
    assert_eq!(
        lake.rows(all).await,
        ["1|a|1.5|2024-01-01", "2|B|NULL|2024-01-02", "3|NULL|4.0|2024-01-02", "4|D|5.0|NULL"]
    );
    assert_eq!(
        lake.run("DELETE FROM t AS x WHERE x.id IN (SELECT id FROM t WHERE name IS NULL) OR x.price > 4.5")
            .await
            .deleted,
        2
    );
    assert_eq!(lake.rows(all).await, ["1|a|1.5|2024-01-01", "2|B|NULL|2024-01-02"]);
    assert_eq!(lake.run("INSERT INTO t (name, id) SELECT name || '!', id + 10 FROM t").await.inserted, 2);
    assert_eq!(lake.rows("SELECT id, name, price FROM t WHERE id > 10 ORDER BY 1").await, ["11|a!|NULL", "12|B!|NULL"]);
    assert_eq!(lake.run("DELETE FROM t").await.deleted, 4);
    assert_eq!(lake.rows("SELECT count(*) FROM t").await, ["0"]);
    assert_eq!(lake.run("UPDATE t SET id = 1 WHERE id = 1").await.updated, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_follows_its_clauses() {
    let lake = with_numbers().await;
    let counts = lake
        .run(
            "MERGE INTO t USING (VALUES (1, 'x'), (2, 'y'), (3, 'z'), (9, 'new'), (8, 'skip')) AS s(id, name)
             ON t.id = s.id
             WHEN MATCHED AND s.name = 'x' THEN UPDATE SET price = t.price * 2, name = s.name
             WHEN MATCHED AND t.price IS NULL THEN DELETE
             WHEN NOT MATCHED AND s.name <> 'skip' THEN INSERT (id, name) VALUES (s.id, s.name)",
        )
        .await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (1, 1, 1));
    assert_eq!(
        lake.rows("SELECT id, name, price FROM t ORDER BY id").await,
        ["1|x|3.0", "3|NULL|3.0", "4|d|4.0", "9|new|NULL"]
    );
    let twice = "MERGE INTO t USING (VALUES (1, 'p'), (1, 'q')) AS s(id, name) ON t.id = s.id
                 WHEN MATCHED THEN UPDATE SET name = s.name";
    assert_eq!(lake.refused(twice).await.name(), "MERGE_TARGET_ROW_MULTIPLE_MATCHES");
    assert_eq!(lake.rows("SELECT name FROM t WHERE id = 1").await, ["x"]);
    let once = "MERGE INTO t USING (VALUES (1, 'p'), (1, 'q')) AS s(id, name) ON t.id = s.id
                WHEN MATCHED AND s.name = 'q' THEN UPDATE SET name = s.name";
    assert_eq!(lake.run(once).await.updated, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_come_go_and_are_renamed() {
    let lake = Lake::new().await;
    lake.run("CREATE TABLE t (id int, a string)").await;
    lake.run("INSERT INTO t VALUES (1, 'one')").await;
    lake.run("ALTER TABLE t ADD COLUMNS (b int, c struct<x:int,y:string>)").await;
    assert_eq!(lake.rows("SELECT id, a, b FROM t").await, ["1|one|NULL"]);
    lake.run("INSERT INTO t (id, a, b) VALUES (2, 'two', 22)").await;
    lake.run("ALTER TABLE t RENAME COLUMN a TO old").await;
    lake.run("ALTER TABLE t CHANGE COLUMN b b bigint").await;
    lake.run("ALTER TABLE t ADD COLUMNS (a string)").await;
    assert_eq!(
        lake.rows("SELECT id, old, a, b FROM t WHERE old <> 'x' ORDER BY id").await,
        ["1|one|NULL|NULL", "2|two|NULL|22"]
    );
    lake.run("UPDATE t SET b = 5000000000 WHERE id = 2").await;
    lake.run("ALTER TABLE t DROP COLUMN old").await;
    assert_eq!(lake.rows("SELECT * FROM t WHERE b > 1").await, ["2|5000000000|NULL|NULL"]);
    let first = lake.rows("SELECT snapshot_id FROM \"t$snapshots\" ORDER BY committed_at LIMIT 1").await;
    assert_eq!(lake.rows(&format!("SELECT * FROM t FOR VERSION AS OF {}", first[0])).await, ["1|one"]);
    assert!(lake.refused("ALTER TABLE t CHANGE COLUMN b b int").await.to_string().contains("bigint to int"));
    assert!(lake.refused("ALTER TABLE t ADD COLUMNS (id int)").await.to_string().contains("already exists"));
}

#[tokio::test(flavor = "multi_thread")]
async fn external_tables_are_read_by_their_partitions() {
    let lake = Lake::new().await;
    lake.file("raw/y=2023/m=1/a.json", "{\"Id\":1,\"tags\":[\"x\",\"y\"],\"o\":{\"K\":true}}\n{\"id\":2}\n");
    lake.file("raw/y=2024/m=2/b.json", "{\"id\":3,\"tags\":[]}\n\n");
    lake.file("raw/y=2024/m=2/_hidden.json", "nonsense");
    lake.run(
        "CREATE EXTERNAL TABLE raw (id int, tags array<string>, o struct<k:boolean>) PARTITIONED BY (y string, m int)
         ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://raw/'",
    )
    .await;
    assert_eq!(lake.rows("SELECT * FROM raw").await, Vec::<String>::new());
    lake.run("MSCK REPAIR TABLE raw").await;
    assert_eq!(lake.rows("SHOW PARTITIONS raw").await, ["y=2023/m=1", "y=2024/m=2"]);
    assert_eq!(lake.rows("SELECT id, y, m FROM raw ORDER BY id").await, ["1|2023|1", "2|2023|1", "3|2024|2"]);
    assert_eq!(lake.rows("SELECT count(*) FROM raw WHERE m = 2").await, ["1"]);
    assert_eq!(lake.rows("SELECT tags[2] FROM raw WHERE o.k").await, ["y"]);
    assert_eq!(lake.rows("SELECT unnest(tags) AS tag FROM raw ORDER BY 1").await, ["x", "y"]);
    lake.file("raw/y=2023/m=1/c.json", "{\"id\":4}\nno json\n");
    let error = lake.refused("SELECT * FROM raw WHERE y = '2023'").await;
    assert_eq!(error.name(), "HIVE_BAD_DATA");
    assert!(error.to_string().contains("c.json: line 2"), "{error}");
    lake.run("ALTER TABLE raw DROP PARTITION (y = '2023', m = 1)").await;
    assert_eq!(lake.rows("SELECT id FROM raw").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_files_are_read_as_their_serde_reads_them() {
    let lake = Lake::new().await;
    lake.file("d/a.csv", "id|name|n\n1|a b|7\n2|\\N|x\n3\n");
    lake.run(
        "CREATE EXTERNAL TABLE d (id int, name string, n int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'
         LOCATION 's3://d' TBLPROPERTIES ('skip.header.line.count'='1')",
    )
    .await;
    assert_eq!(lake.rows("SELECT * FROM d ORDER BY id").await, ["1|a b|7", "2|NULL|NULL", "3|NULL|NULL"]);
    lake.file("q/a.csv", "1,\"a, \"\"b\"\"\",1.5\n2,c,\n");
    lake.run(
        "CREATE EXTERNAL TABLE q (id int, name string, price double)
         ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://q'",
    )
    .await;
    assert_eq!(lake.rows("SELECT * FROM q ORDER BY id").await, ["1|a, \"b\"|1.5", "2|c|NULL"]);
    lake.file("q/b.csv", "x,y,z\n");
    assert!(lake.refused("SELECT * FROM q").await.to_string().contains("`x` is no int"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_of_queries_and_views_stand_on_them() {
    let lake = with_numbers().await;
    let counts = lake
        .run("CREATE TABLE copy WITH (table_type = 'ICEBERG', is_external = false, partitioning = ARRAY['bucket(2, id)']) AS SELECT id, name FROM t WHERE id < 4")
        .await;
    assert_eq!(counts.inserted, 3);
    lake.run("CREATE VIEW named AS SELECT id, name FROM copy WHERE name IS NOT NULL").await;
    lake.run("CREATE OR REPLACE VIEW twice (id2) AS SELECT id * 2 FROM named").await;
    assert_eq!(lake.rows("SELECT id2 FROM twice ORDER BY 1").await, ["2", "4"]);
    assert_eq!(lake.rows("SHOW TABLES").await, ["copy", "named", "t", "twice"]);
    assert_eq!(lake.rows("SHOW VIEWS").await, ["named", "twice"]);
    lake.run("CREATE OR REPLACE VIEW named AS SELECT id, name FROM twice, copy").await;
    assert!(lake.refused("SELECT * FROM twice").await.to_string().contains("or on itself"));
    lake.run("DROP VIEW twice").await;
    lake.run("DROP TABLE copy").await;
    assert_eq!(lake.rows("SHOW TABLES '*a*'").await, ["named"]);
    assert!(lake.refused("DROP TABLE named").await.to_string().contains("DROP VIEW"));
    assert!(lake.refused("DROP DATABASE lake").await.to_string().contains("CASCADE"));
    lake.run("DROP DATABASE lake CASCADE").await;
    assert!(lake.files_below("warehouse/lake").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_are_put_together_and_old_ones_go() {
    let lake = Lake::new().await;
    lake.run("CREATE TABLE t (id int, part string) PARTITIONED BY (part) TBLPROPERTIES ('optimize_rewrite_data_file_threshold'='2')").await;
    for id in 0..6 {
        lake.run(&format!("INSERT INTO t VALUES ({id}, 'a'), ({id}, 'b')")).await;
    }
    assert_eq!(lake.rows("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE part = 'a'").await, ["6|1"]);
    assert_eq!(lake.rows("SELECT count(*) FROM \"t$files\"").await, ["7"]);
    assert!(
        lake.refused("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE id = 1")
            .await
            .to_string()
            .contains("partitioned by")
    );
    assert_eq!(lake.rows("OPTIMIZE t REWRITE DATA USING BIN_PACK").await, ["6|1"]);
    assert_eq!(lake.rows("SELECT count(*), sum(id) FROM t").await, ["12|30"]);
    lake.clock.forward(6 * 24 * 60 * 60 * 1000);
    let before = lake.files_below("warehouse").len();
    let said = lake.rows("VACUUM t").await;
    assert!(said[0].starts_with("7|"), "{said:?}");
    assert!(lake.files_below("warehouse").len() < before - 10);
    assert_eq!(lake.rows("SELECT count(*), sum(id) FROM t").await, ["12|30"]);
    lake.run("INSERT INTO t VALUES (9, 'a')").await;
    assert_eq!(lake.rows("SELECT count(*) FROM t").await, ["13"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said() {
    let lake = with_numbers().await;
    for (statement, said) in [
        ("SELECT * FROM missing", "the table `lake.missing` does not exist"),
        ("SELECT * FROM nowhere.t", "the database `nowhere` does not exist"),
        ("SELECT * FROM t FOR VERSION AS OF 12", "`lake.t` has no snapshot 12"),
        ("SELECT * FROM \"t$colours\"", "`$snapshots`, `$history` and `$files` are"),
        ("SELECT transform(ARRAY[1], 2)", "line 1:8: the function `transform` is not supported; it takes a lambda"),
        ("SELECT arrow_cast(1, 'Int8')", "the function `arrow_cast` is not supported"),
        ("SELECT lengt('a')", "did you mean `length`?"),
        ("SELECT * FROM t CROSS JOIN UNNEST(name) AS u(x)", "UNNEST takes an array or a map"),
        ("SELECT * FROM t CROSS JOIN UNNEST(ARRAY[1]) AS u(x, y)", "names 2 columns and UNNEST gives 1"),
        ("SELECT * FROM t RIGHT JOIN UNNEST(ARRAY[id]) AS u(x) ON TRUE", "line 1:"),
        ("SELECT * FROM UNNEST(id) AS u(x)", "put the table before it"),
        ("SELECT * FROM t TABLESAMPLE BERNOULLI (10)", "`TABLESAMPLE` is not supported"),
        ("SELECT * FROM t FOR UPDATE", "not supported"),
        ("SELECT * FROM t FETCH FIRST 2 ROWS ONLY", "`FETCH FIRST` is not supported; write LIMIT"),
        ("INSERT INTO t VALUES ('x', 'a', 1, NULL)", "the column `id` is bigint and the value is string"),
        ("INSERT INTO t VALUES (1)", "takes 4 values"),
        ("INSERT INTO t (id, id) VALUES (1, 1)", "given twice"),
        ("UPDATE t SET colour = 1", "there is no column `colour`"),
        ("UPDATE t SET id = 'x'", "the column `id` is bigint"),
        ("DELETE FROM t FOR VERSION AS OF 1", "cannot be changed"),
        ("MERGE INTO t USING t s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE", "is not supported"),
        ("CREATE TABLE t (a int)", "already exists"),
        ("CREATE TABLE u (a int, A string)", "declared twice"),
        ("CREATE TABLE u (a int) PARTITIONED BY (b)", "there is no column `b`"),
        ("CREATE TABLE u (a double) PARTITIONED BY (bucket(4, a))", "cannot be partitioned so"),
        ("CREATE TABLE u (a int) LOCATION 'file:///etc'", "is not below"),
        ("CREATE TABLE u WITH (format = 'ORC') AS SELECT 1 a", "the format `ORC` is not supported"),
        ("CREATE TABLE u WITH (bucketed_by = ARRAY['a']) AS SELECT 1 a", "the property `bucketed_by`"),
        ("CREATE TABLE u WITH (partitioned_by = ARRAY['a']) AS SELECT 1 a, 2 b", "must be the last ones"),
        ("UNLOAD (SELECT 1) TO 's3://b/u/'", "the format `ORC` is not supported"),
        (
            "CREATE EXTERNAL TABLE e (a int) STORED AS ORC LOCATION 's3://b/e'",
            "the format `orc` is not supported; use TEXTFILE or PARQUET",
        ),
        (
            "CREATE EXTERNAL TABLE e (a int) LOCATION 's3://b/e' TBLPROPERTIES ('projection.enabled'='true')",
            "MSCK REPAIR TABLE",
        ),
        ("ALTER TABLE t DROP COLUMN day", "partitioned by"),
    ] {
        let error = lake.refused(statement).await;
        assert!(error.chain().contains(said), "{statement}: {}", error.chain());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_mean_what_they_mean_in_trino() {
    let lake = Lake::new().await;
    for (expression, expected) in [
        ("concat('a', NULL, 'b')", "NULL"),
        ("concat('a', 'b', 'c')", "abc"),
        ("greatest(1, NULL)", "NULL"),
        ("least(3, 2, 1)", "1"),
        ("if(1 > 2, 'x')", "NULL"),
        ("if(1 < 2, 'x', 'y')", "x"),
        ("substr('köln', -2)", "ln"),
        ("substring('köln' FROM 2 FOR 2)", "öl"),
        ("split_part('a,b', ',', 3)", "NULL"),
        ("cardinality(split('a,b,c', ','))", "3"),
        ("element_at(ARRAY[4, 5], 2)", "5"),
        ("contains(ARRAY[4, 5], 5)", "true"),
        ("array_join(ARRAY['a', 'b'], '-')", "a-b"),
        ("regexp_replace('aXbX', 'X', '')", "ab"),
        ("regexp_extract('a1b22', 'b([0-9]+)', 1)", "22"),
        ("regexp_like('Köln', 'ö')", "true"),
        ("json_extract_scalar('{\"a\":[1,{\"b\":\"x\"}]}', '$.a[1].b')", "x"),
        ("year(DATE '2024-03-05')", "2024"),
        ("day_of_week(DATE '2024-03-10')", "7"),
        ("day_of_week(DATE '2024-03-11')", "1"),
        ("date_add('day', 1, DATE '2024-02-28')", "2024-02-29"),
        ("date_diff('hour', TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-02 01:30:00')", "25"),
        ("date_format(TIMESTAMP '2024-03-05 07:08:09', '%Y/%m/%d %H:%i')", "2024/03/05 07:08"),
        ("date_parse('2022-03-02', '%Y-%m-%d') = TIMESTAMP '2022-03-02 00:00:00'", "true"),
        ("TIMESTAMP '2024-07-01 10:00:00 Europe/Berlin' = TIMESTAMP '2024-07-01 08:00:00'", "true"),
        ("0.1 + 0.2 = 0.3", "true"),
        ("7 / 2", "3"),
        ("mod(7, 4)", "3"),
        ("TRY_CAST('x' AS bigint)", "NULL"),
        ("coalesce(NULL, 'a') || 'b'", "ab"),
        ("'a' IN ('b', 'a')", "true"),
        ("count_if(true)", "1"),
        ("max_by(1, 2)", "1"),
        ("arbitrary('a')", "a"),
    ] {
        assert_eq!(lake.rows(&format!("SELECT {expression}")).await, [expected], "{expression}");
    }
    let ordered = "SELECT x FROM (VALUES (1), (NULL), (2)) AS t(x) ORDER BY x DESC";
    assert_eq!(lake.rows(ordered).await, ["2", "1", "NULL"]);
    let windows = "SELECT x, row_number() OVER (ORDER BY x), sum(x) OVER () FROM (VALUES (1), (2)) AS t(x) ORDER BY 1";
    assert_eq!(lake.rows(windows).await, ["1|1|3", "2|2|3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_there_that_trino_has() {
    let lake = Lake::new().await;
    for (expression, expected) in [
        ("to_hex(sha256(to_utf8('abc')))", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
        ("lower(to_hex(md5(to_utf8('abc'))))", "900150983cd24fb0d6963f7d28e17f72"),
        ("from_utf8(from_base64(to_base64(to_utf8('kö'))))", "kö"),
        ("from_utf8(X'6B61')", "ka"),
        ("to_utf8('ka') = X'6B61'", "true"),
        ("length(to_utf8('kö'))", "3"),
        ("length('kö')", "2"),
        ("length(CAST('kö' AS char(5)))", "5"),
        ("from_utf8(NULL)", "NULL"),
        ("url_extract_path('s3://bucket/a%20b.pdf')", "/a b.pdf"),
        ("cardinality(regexp_extract_all('a1b22', '[0-9]+'))", "2"),
        ("regexp_split('a, b', ', ')[2]", "b"),
        ("json_array_contains('[1, 2]', 2)", "true"),
        ("json_array_contains('[\"a\"]', 'a')", "true"),
        ("format_datetime(TIMESTAMP '2024-03-05 17:08:09', 'yyyy-MM-dd HH')", "2024-03-05 17"),
        ("parse_datetime('05.03.2024', 'dd.MM.yyyy') = TIMESTAMP '2024-03-05 00:00:00'", "true"),
        ("millisecond(TIMESTAMP '2024-03-05 17:08:09.250')", "250"),
        ("year_of_week(DATE '2024-12-30')", "2025"),
        ("bitwise_and(12, 10)", "8"),
        ("bitwise_or(12, 10)", "14"),
        ("bitwise_xor(12, 10)", "6"),
        ("bitwise_not(0)", "-1"),
        ("width_bucket(5, 0, 10, 4)", "3"),
        ("width_bucket(5, 10, 0, 4)", "2"),
        ("width_bucket(10, 10, 0, 4)", "0"),
        ("width_bucket(-1, 10, 0, 4)", "5"),
        ("is_finite(1e0)", "true"),
        ("is_infinite(infinity())", "true"),
        ("is_finite(nan())", "false"),
        ("random(3) BETWEEN 0 AND 2", "true"),
        ("random(5, 6)", "5"),
        ("truncate(1.55, 1)", "1.5"),
        // It removed the first alone, and there was null for what is not there.
        ("array_join(array_remove(ARRAY[1, 2, 1], 1), ',')", "2"),
        ("array_position(ARRAY['a'], 'b')", "0"),
        ("array_position(ARRAY['a', 'b'], 'b')", "2"),
        ("array_join(trim_array(ARRAY[1, 2, 3], 1), ',')", "1,2"),
        ("(SELECT bitwise_or_agg(x) FROM (VALUES (1), (4)) AS v(x))", "5"),
    ] {
        assert_eq!(lake.rows(&format!("SELECT {expression}")).await, [expected], "{expression}");
    }
    assert!(lake.refused("SELECT to_base64('text')").await.to_string().contains("plan"));
    assert!(lake.refused("SELECT listagg('a', ',')").await.to_string().contains("array_join(array_agg"));
}

#[tokio::test(flavor = "multi_thread")]
async fn elements_of_arrays_are_rows() {
    let lake = Lake::new().await;
    lake.file(
        "docs/a.json",
        "{\"id\":1,\"tags\":[\"x\",\"y\"],\"parts\":[{\"start\":1,\"text\":\"a\",\"words\":[\"p\",\"q\"]},{\"start\":2,\"text\":\"b\",\"words\":[]}],\"marks\":{\"k\":\"v\",\"l\":null}}\n\
         {\"id\":2,\"tags\":[],\"parts\":null,\"marks\":{}}\n{\"id\":3}\n",
    );
    lake.run(
        "CREATE EXTERNAL TABLE docs (id int, tags array<string>,
         parts array<struct<start:int,text:string,words:array<string>>>, marks map<string,string>)
         ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://docs/'",
    )
    .await;
    for (query, rows) in [
        ("SELECT d.id, t.tag FROM docs d CROSS JOIN UNNEST(d.tags) AS t(tag) ORDER BY 1, 2", vec!["1|x", "1|y"]),
        ("SELECT id, tag FROM docs, UNNEST(tags) AS t(tag) WHERE tag <> 'x'", vec!["1|y"]),
        (
            "SELECT id, tag, n FROM docs CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(tag, n) ORDER BY n",
            vec!["1|x|1", "1|y|2"],
        ),
        (
            "SELECT id, tag FROM docs LEFT JOIN UNNEST(tags) AS t(tag) ON TRUE ORDER BY id, tag",
            vec!["1|x", "1|y", "2|NULL", "3|NULL"],
        ),
        (
            "SELECT id, start, text FROM docs CROSS JOIN UNNEST(parts) AS p(start, text, words) ORDER BY start",
            vec!["1|1|a", "1|2|b"],
        ),
        (
            "SELECT p.text, w.word FROM docs CROSS JOIN UNNEST(parts) AS p(start, text, words)
             CROSS JOIN UNNEST(p.words) AS w(word) ORDER BY 2",
            vec!["a|p", "a|q"],
        ),
        ("SELECT k, v FROM docs CROSS JOIN UNNEST(marks) AS m(k, v) ORDER BY k", vec!["k|v", "l|NULL"]),
        (
            "SELECT a, b FROM UNNEST(ARRAY[1, 2], ARRAY['x']) WITH ORDINALITY AS u(a, b, n) ORDER BY n",
            vec!["1|x", "2|NULL"],
        ),
        (
            "SELECT tag, count(*) FROM docs JOIN (VALUES (1, 'one')) AS v(id, name) ON docs.id = v.id
             CROSS JOIN UNNEST(tags) AS t(tag) GROUP BY tag ORDER BY tag",
            vec!["x|1", "y|1"],
        ),
        ("SELECT count(*) FROM (SELECT id FROM docs, UNNEST(tags) AS t(tag) UNION ALL SELECT 7)", vec!["3"]),
    ] {
        assert_eq!(lake.rows(query).await, rows, "{query}");
    }
    lake.run("CREATE TABLE kept (id int, tags array<string>, parts array<struct<start:int,text:string>>, marks map<string,string>)").await;
    lake.run("INSERT INTO kept (id, tags, marks) SELECT id, tags, marks FROM docs").await;
    lake.run("UPDATE kept SET tags = ARRAY['new'] WHERE id = 3").await;
    let kept = "SELECT id, tag FROM kept CROSS JOIN UNNEST(tags) AS t(tag) ORDER BY 1, 2";
    assert_eq!(lake.rows(kept).await, ["1|x", "1|y", "3|new"]);
    assert_eq!(lake.rows("SELECT k FROM kept CROSS JOIN UNNEST(marks) AS m(k, v) ORDER BY 1").await, ["k", "l"]);
    lake.run("OPTIMIZE kept REWRITE DATA USING BIN_PACK").await;
    assert_eq!(lake.rows("SELECT count(*) FROM kept").await, ["3"]);
    lake.run("CREATE VIEW tagged AS SELECT id, tag FROM docs CROSS JOIN UNNEST(tags) AS t(tag)").await;
    assert_eq!(lake.rows("SELECT max(tag) FROM tagged").await, ["y"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn casts_are_trinos() {
    let lake = Lake::new().await;
    for (expression, expected) in [
        ("CAST(2.5 AS bigint)", "3"),
        ("CAST(CAST(-2.5 AS double) AS integer)", "-3"),
        ("CAST('17' AS bigint)", "17"),
        ("CAST(1.25 AS varchar)", "1.25"),
        ("CAST(CAST(1 AS double) AS varchar)", "1.0"),
        ("CAST(CAST(12345678 AS double) AS varchar)", "1.2345678E7"),
        ("CAST(true AS varchar)", "true"),
        ("CAST(DATE '2024-02-03' AS varchar)", "2024-02-03"),
        ("CAST(TIMESTAMP '2024-02-03 04:05:06' AS varchar)", "2024-02-03 04:05:06.000"),
        ("CAST('abcdef' AS varchar(3))", "abc"),
        ("CAST('a' AS char(3)) || '|'", "a  |"),
        ("CAST(7 AS varchar(1))", "7"),
        ("CAST(1.7 AS decimal)", "2"),
        ("CAST('12.345' AS decimal(10,2))", "12.35"),
        ("TRY_CAST('x' AS integer)", "NULL"),
    ] {
        assert_eq!(lake.rows(&format!("SELECT {expression}")).await, [expected], "{expression}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_tell_the_file_that_they_come_from() {
    let lake = with_numbers().await;
    lake.file("raw/y=1/a.json", "{\"id\":1}\n");
    lake.file("raw/y=2/b.json", "{\"id\":2}\n{\"id\":3}\n");
    lake.run(
        "CREATE EXTERNAL TABLE raw (id int) PARTITIONED BY (y int)
         ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://raw/'",
    )
    .await;
    lake.run("MSCK REPAIR TABLE raw").await;
    let last = "regexp_extract(\"$path\", '[^/]*$')";
    let named = format!("SELECT {last}, * FROM raw WHERE \"$path\" LIKE '%b.json' ORDER BY id");
    assert_eq!(lake.rows(&named).await, ["b.json|2|2", "b.json|3|2"]);
    assert_eq!(lake.rows("SELECT * FROM raw WHERE id = 1").await, ["1|1"]);
    let counted = "SELECT count(DISTINCT \"$path\"), count(*) FROM raw r";
    assert_eq!(lake.rows(counted).await, ["2|3"]);
    let joined = format!("SELECT t.id, {} FROM t JOIN raw r ON t.id = r.id ORDER BY 1", last.replace("\"$", "r.\"$"));
    assert_eq!(lake.rows(&joined).await, ["1|a.json", "2|b.json", "3|b.json"]);
    assert_eq!(lake.rows("SELECT count(DISTINCT \"$path\") FROM t").await, ["4"]);
    lake.run("CREATE VIEW v AS SELECT * FROM raw").await;
    assert_eq!(lake.rows("SELECT count(*) FROM v, raw WHERE raw.\"$path\" LIKE '%a.json'").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_becomes_files_of_parquet() {
    let lake = with_numbers().await;
    let counts = lake
        .run("CREATE TABLE files WITH (format = 'PARQUET', external_location = 's3://out/f/', write_compression = 'ZSTD', partitioned_by = ARRAY['name']) AS SELECT id, price, day, name FROM t")
        .await;
    assert_eq!(counts.inserted, 4);
    assert_eq!(lake.rows("SELECT id, name FROM files WHERE name = 'b'").await, ["2|b"]);
    assert_eq!(lake.rows("SELECT id, price, day FROM files ORDER BY id LIMIT 1").await, ["1|1.5|2024-01-01"]);
    let partitions = ["name=__HIVE_DEFAULT_PARTITION__", "name=a", "name=b", "name=d"];
    assert_eq!(lake.rows("SHOW PARTITIONS files").await, partitions);
    assert_eq!(lake.rows("SELECT id FROM files WHERE name IS NULL").await, ["3"]);
    assert!(
        lake.refused("CREATE TABLE again WITH (external_location = 's3://out/f/') AS SELECT 1 a")
            .await
            .to_string()
            .contains("not empty")
    );
    lake.run("CREATE TABLE empty WITH (format = 'PARQUET') AS SELECT id, name FROM t WITH NO DATA").await;
    assert_eq!(lake.rows("SELECT count(*) FROM empty").await, ["0"]);
    let many = "CREATE TABLE many WITH (external_location = 's3://out/m/', partitioned_by = ARRAY['p']) AS SELECT x, x AS p FROM UNNEST(sequence(1, 200)) AS u(x)";
    assert!(lake.refused(many).await.to_string().contains("more than 100 partitions"));
    assert!(lake.files_below("out/m").is_empty());
    assert_eq!(
        lake.run("UNLOAD (SELECT id, name FROM t WHERE id < 3) TO 's3://out/u/' WITH (format = 'PARQUET')")
            .await
            .inserted,
        2
    );
    lake.run("CREATE EXTERNAL TABLE u (id bigint, name string) STORED AS PARQUET LOCATION 's3://out/u/'").await;
    assert_eq!(lake.rows("SELECT * FROM u ORDER BY id").await, ["1|a", "2|b"]);
}
