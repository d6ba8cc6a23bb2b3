//! What the columns of an answer are called: several alike, and those that nobody named.

use crate::lake::Lake;

async fn with_tables() -> Lake {
    let lake = Lake::new().await;
    lake.run("CREATE TABLE t (id bigint, a string, r struct<x:int,y:string>)").await;
    lake.run("CREATE TABLE u (id bigint, b string)").await;
    lake.run("INSERT INTO t (id, a) VALUES (1, 'p'), (2, 'q'), (2, 'r')").await;
    lake.run("INSERT INTO u VALUES (1, 'x'), (2, 'y')").await;
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_named_as_in_athena() {
    let lake = with_tables().await;
    for (query, names) in [
        ("SELECT 1, 1", "_col0 _col1"),
        ("SELECT count(*) FROM t", "_col0"),
        ("SELECT id, count(*), max(a) AS m, upper('x') FROM t GROUP BY id", "id _col1 m _col3"),
        ("SELECT a, a FROM t", "a a"),
        ("SELECT a, id AS a, (a), t.a FROM t", "a a a a"),
        ("SELECT r.x, t.r.y, r.x + 1 FROM t", "x y _col2"),
        ("SELECT *, * FROM u", "id b id b"),
        ("SELECT *, upper(b) AS b, 1 FROM u", "id b b _col3"),
        ("SELECT 1, u.* FROM u", "_col0 id b"),
        ("SELECT * FROM t JOIN u ON t.id = u.id", "id a r id b"),
        ("SELECT u.*, t.id FROM t, u", "id b id"),
        ("SELECT * FROM (SELECT * FROM t JOIN u ON t.id = u.id) s", "id a r id b"),
        ("SELECT * FROM (SELECT 1, 2, 2 AS x)", "_col0 _col1 x"),
        ("SELECT 5 AS five, s.* FROM (SELECT 1, id, id FROM u) AS s", "five _col1 id id"),
        ("SELECT * FROM (SELECT 1 AS a), (SELECT 2 AS a)", "a a"),
        ("SELECT s.*, 1 AS x FROM (SELECT 1) AS s(x)", "x x"),
        ("WITH c AS (SELECT id, id FROM u) SELECT *, 1 AS id FROM c", "id id id"),
        ("WITH c AS (SELECT *, b FROM u), d AS (SELECT c.*, 1 FROM c) SELECT * FROM d", "id b b _col3"),
        ("SELECT id, 1 FROM t UNION ALL SELECT id, 2 FROM u", "id _col1"),
        ("SELECT 1, 1 UNION SELECT 2, 2", "_col0 _col1"),
        ("(SELECT a, a FROM t) EXCEPT (SELECT b, b FROM u)", "a a"),
        ("VALUES (1, 'a')", "_col0 _col1"),
        ("SELECT * FROM (VALUES (1, 2))", "_col0 _col1"),
        ("SELECT * FROM (VALUES (1, 2)) AS v(x, y)", "x y"),
        ("SELECT 1, * FROM UNNEST(ARRAY[1, 2])", "_col0 _col1"),
        ("SELECT *, \"$path\" IS NULL FROM u", "id b _col2"),
        ("SELECT *, b AS id FROM u FOR TIMESTAMP AS OF current_timestamp + INTERVAL '1' DAY", "id b id"),
    ] {
        assert_eq!(lake.columns(query).await.join(" "), names, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unnamed_columns_are_grouped_sorted_and_compared() {
    let lake = with_tables().await;
    for (query, rows) in [
        ("SELECT id, count(*) FROM t GROUP BY 1 ORDER BY count(*) DESC", vec!["2|2", "1|1"]),
        ("SELECT count(*), id FROM t GROUP BY 2 HAVING count(*) > 1 ORDER BY 1", vec!["2|2"]),
        ("SELECT count(*), count(*) FROM t", vec!["3|3"]),
        ("SELECT id, id FROM t ORDER BY id LIMIT 1", vec!["1|1"]),
        ("SELECT id, a AS id FROM t ORDER BY t.id, t.a DESC", vec!["1|p", "2|r", "2|q"]),
        ("SELECT DISTINCT id + 1 FROM t ORDER BY id + 1", vec!["2", "3"]),
        ("SELECT DISTINCT t.id FROM t ORDER BY t.id DESC", vec!["2", "1"]),
        ("SELECT DISTINCT count(*), 1 FROM t GROUP BY id ORDER BY count(*) DESC", vec!["2|1", "1|1"]),
        ("SELECT upper(a) FROM t ORDER BY upper(a) DESC LIMIT 1", vec!["R"]),
        ("SELECT t.id % 2, sum(t.id) FROM t GROUP BY t.id % 2 ORDER BY sum(t.id)", vec!["1|1", "0|4"]),
        ("SELECT row_number() OVER (ORDER BY a), a FROM t ORDER BY 1 DESC LIMIT 1", vec!["3|r"]),
        ("SELECT b, (SELECT count(*) FROM t WHERE t.id = u.id) FROM u ORDER BY b", vec!["x|1", "y|2"]),
        ("SELECT b FROM u WHERE id IN (SELECT max(id) FROM t)", vec!["y"]),
        ("SELECT b FROM u WHERE EXISTS (SELECT 1, 1 FROM t WHERE t.id = u.id AND t.a = 'p')", vec!["x"]),
        ("SELECT s.b FROM (SELECT *, id AS i FROM u) s WHERE s.i = 2", vec!["y"]),
        ("SELECT t.id, u.id FROM t JOIN u ON t.id = u.id ORDER BY u.id, t.a", vec!["1|1", "2|2", "2|2"]),
        ("SELECT *, b AS id FROM u ORDER BY b DESC", vec!["2|y|y", "1|x|x"]),
        ("SELECT b, 1 FROM t JOIN u USING (id) WHERE a = 'p'", vec!["x|1"]),
        (
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT * FROM n",
            vec!["1", "2", "3"],
        ),
        (
            "WITH RECURSIVE n(x, y) AS (VALUES (1, 'a') UNION ALL SELECT x + 1, y || y FROM n WHERE x < 2) SELECT * FROM n",
            vec!["1|a", "2|aa"],
        ),
        ("VALUES (2, 'b'), (1, 'a') ORDER BY 1", vec!["1|a", "2|b"]),
        ("SELECT length(CAST(id AS varchar)), length(CAST(id AS varchar)) FROM u LIMIT 1", vec!["1|1"]),
    ] {
        assert_eq!(lake.rows(query).await, rows, "{query}");
    }
    for ambiguous in [
        "SELECT id FROM (SELECT id, id FROM u)",
        "SELECT s.a FROM (SELECT a, a FROM t) s",
        "SELECT _col0 FROM (SELECT 1)",
    ] {
        lake.refused(ambiguous).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_go_into_tables_by_their_places() {
    let lake = with_tables().await;
    lake.run("INSERT INTO u SELECT 1 + id, upper(b) FROM u").await;
    lake.run("CREATE TABLE w (x string, y string, z string)").await;
    lake.run("INSERT INTO w SELECT upper(b), upper(b), b FROM u WHERE b = 'x'").await;
    lake.run("INSERT INTO w (z, x) SELECT b, b FROM u WHERE b = 'y'").await;
    assert_eq!(lake.rows("SELECT * FROM w ORDER BY z").await, ["X|X|x", "y|NULL|y"]);
    let merged = lake
        .run("MERGE INTO w USING (SELECT b, count(*) AS n, max(id) FROM u GROUP BY b) AS s ON w.z = s.b WHEN MATCHED THEN UPDATE SET y = s.b")
        .await;
    assert_eq!(merged.updated, 2);
    lake.run("UPDATE w SET y = 'one' WHERE z IN (SELECT lower(b) FROM u)").await;
    assert_eq!(lake.rows("SELECT y FROM w").await, ["one", "one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_columns_need_names_of_their_own() {
    let lake = with_tables().await;
    let places = [
        "CREATE TABLE n WITH (table_type = 'ICEBERG', is_external = false) AS",
        "CREATE TABLE n WITH (external_location = 's3://b/n/') AS",
        "CREATE VIEW n AS",
    ];
    for place in places {
        for (query, name, message) in [
            (
                "SELECT id, count(*) FROM t GROUP BY id",
                "MISSING_COLUMN_NAME",
                "Column name not specified at position 2",
            ),
            ("VALUES (1)", "MISSING_COLUMN_NAME", "Column name not specified at position 1"),
            (
                "SELECT a, id, a FROM t",
                "DUPLICATE_COLUMN_NAME",
                "Column name 'a' specified more than once, at positions 1 and 3",
            ),
            (
                "SELECT * FROM t JOIN u ON t.id = u.id",
                "DUPLICATE_COLUMN_NAME",
                "Column name 'id' specified more than once",
            ),
        ] {
            let error = lake.refused(&format!("{place} {query}")).await;
            assert_eq!(error.name(), name, "{place} {query}: {error}");
            assert!(error.to_string().contains(message), "{place} {query}: {error}");
        }
    }
    lake.run("CREATE VIEW v AS SELECT id, count(*) AS n FROM t GROUP BY id").await;
    lake.run("CREATE VIEW w (one, two) AS SELECT id, id FROM t").await;
    assert_eq!(lake.columns("SELECT *, 1 FROM v").await, ["id", "n", "_col2"]);
    assert_eq!(lake.columns("SELECT * FROM w").await, ["one", "two"]);
    assert_eq!(lake.rows("SELECT n FROM v WHERE id = 2").await, ["2"]);
}
