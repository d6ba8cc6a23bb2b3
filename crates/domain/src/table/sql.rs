//! The statements of a table, as Athena takes them: DDL in Hive's words and quotes, all else in Trino's.
//!
//! Names are checked before ([`super::Table`]); nothing out of a row gets into a statement.
//! <https://docs.aws.amazon.com/athena/latest/ug/merge-into-statement.html>

use super::{Column, DELETE, Kind, OPERATION, POSITION, RANK, Table, TableName, UPSERT};

/// Seconds of a day, for the age of snapshots.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// The table of one batch's staged rows.
#[must_use]
pub fn staging_name(table: &Table, batch: u64) -> TableName {
    TableName { database: table.name.database.clone(), table: format!("{}_changes_{batch}", table.name.table) }
}

/// What makes the database and the table where they are not there, with the table's data at `location`.
#[must_use]
pub fn create(table: &Table, location: &str) -> Vec<String> {
    let columns: Vec<String> =
        table.columns.iter().map(|column| format!("`{}` {}", column.name, column.kind.declared())).collect();
    let partitions = match table.partitions.as_slice() {
        [] => String::new(),
        fields => format!(" PARTITIONED BY ({})", fields.join(", ")),
    };
    let seconds = u64::from(table.keep_snapshots_days) * DAY_SECONDS;
    vec![
        format!("CREATE DATABASE IF NOT EXISTS `{}`", table.name.database),
        format!(
            "CREATE TABLE IF NOT EXISTS {} ({}){partitions} LOCATION '{location}' TBLPROPERTIES ('table_type'='ICEBERG', \
             'format'='parquet', 'vacuum_max_snapshot_age_seconds'='{seconds}')",
            in_ddl(&table.name),
            columns.join(", "),
        ),
    ]
}

/// What makes the table `staging` of the staged rows below `uri`.
#[must_use]
pub fn create_staging(table: &Table, staging: &TableName, uri: &str) -> String {
    let own = table.columns.iter().map(|column| format!("`{}` {}", column.name, column.kind.staged()));
    let columns: Vec<String> = own.chain([format!("`{OPERATION}` string"), format!("`{POSITION}` bigint")]).collect();
    format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS {} ({}) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION '{uri}'",
        in_ddl(staging),
        columns.join(", ")
    )
}

/// What takes the table of a batch away; the staged rows stay.
#[must_use]
pub fn drop_staging(staging: &TableName) -> String {
    format!("DROP TABLE IF EXISTS {}", in_ddl(staging))
}

/// Inserted, updated, deleted: what [`merge`] is about to do.
#[must_use]
pub fn count(table: &Table, staging: &TableName) -> String {
    let newer = is_not_older(table);
    let when = |operation: &str, matched: &str| format!("count_if(operation = '{operation}' AND {matched})");
    format!(
        "SELECT {} AS inserted, {} AS updated, {} AS deleted FROM (\
         SELECT s.{operation} AS operation, t.{first} IS NOT NULL AS matched, {newer} AS newer \
         FROM ({source}) AS s LEFT JOIN {target} AS t ON {on}) AS counted",
        when(UPSERT, "NOT matched"),
        when(UPSERT, "matched AND newer"),
        when(DELETE, "matched AND newer"),
        operation = quoted(OPERATION),
        first = quoted(&table.key[0]),
        source = latest(table, staging),
        target = in_query(&table.name),
        on = on_key(table),
    )
}

/// Merges the latest change of each key. Doing it again changes nothing.
#[must_use]
pub fn merge(table: &Table, staging: &TableName) -> String {
    let newer = is_not_older(table);
    let names: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let set: Vec<String> = table
        .columns
        .iter()
        .filter(|column| !column.keep && !table.key.contains(&column.name))
        .map(|column| format!("{0} = s.{0}", quoted(&column.name)))
        .collect();
    let values: Vec<String> = names.iter().map(|name| format!("s.{name}")).collect();
    // A table of keys alone has nothing to update.
    let update = if set.is_empty() {
        String::new()
    } else {
        format!(" WHEN MATCHED AND s.{} = '{UPSERT}' AND {newer} THEN UPDATE SET {}", quoted(OPERATION), set.join(", "))
    };
    format!(
        "MERGE INTO {target} AS t USING ({source}) AS s ON {on} \
         WHEN MATCHED AND s.{operation} = '{DELETE}' AND {newer} THEN DELETE{update} \
         WHEN NOT MATCHED AND s.{operation} = '{UPSERT}' THEN INSERT ({}) VALUES ({})",
        names.join(", "),
        values.join(", "),
        target = in_query(&table.name),
        source = latest(table, staging),
        on = on_key(table),
        operation = quoted(OPERATION),
    )
}

/// Puts small files together.
#[must_use]
pub fn optimize(table: &Table) -> String {
    format!("OPTIMIZE {} REWRITE DATA USING BIN_PACK", in_query(&table.name))
}

/// Lets old snapshots go, and files that no snapshot names.
#[must_use]
pub fn vacuum(table: &Table) -> String {
    format!("VACUUM {}", in_query(&table.name))
}

/// The latest change of each key among the staged rows: by the ordering columns, then by position.
fn latest(table: &Table, staging: &TableName) -> String {
    let keys = list(&table.key);
    let order: Vec<String> = table.order_by.iter().map(|name| format!("{} DESC", quoted(name))).collect();
    let order = [order, vec![format!("{} DESC", quoted(POSITION))]].concat().join(", ");
    let column = |column: &Column| {
        let name = quoted(&column.name);
        if column.keep { format!("min({name}) OVER (PARTITION BY {keys}) AS {name}") } else { name }
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    let typed: Vec<String> = table.columns.iter().map(|column| typed(&column.name, column.kind)).collect();
    format!(
        "SELECT * FROM (SELECT {columns}, {operation}, row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS {rank} \
         FROM (SELECT {typed}, {operation}, {position} FROM {staging}) AS changes) AS ranked WHERE {rank} = 1",
        columns = columns.join(", "),
        typed = typed.join(", "),
        operation = quoted(OPERATION),
        position = quoted(POSITION),
        rank = quoted(RANK),
        staging = in_query(staging),
    )
}

fn typed(name: &str, kind: Kind) -> String {
    let name = quoted(name);
    match kind.of_staged(&name) {
        same if same == name => name,
        cast => format!("{cast} AS {name}"),
    }
}

fn on_key(table: &Table) -> String {
    let equal = table.key.iter().map(|name| format!("t.{0} = s.{0}", quoted(name)));
    equal.collect::<Vec<_>>().join(" AND ")
}

/// Whether the change is as new as the row, or newer. What is equally new replaces: a later batch brings it.
fn is_not_older(table: &Table) -> String {
    let Some((last, before)) = table.order_by.split_last() else { return "true".to_owned() };
    let last = quoted(last);
    let innermost = format!("(t.{last} IS NULL OR s.{last} >= t.{last})");
    before.iter().rev().fold(innermost, |rest, name| {
        let name = quoted(name);
        format!("(t.{name} IS NULL OR s.{name} > t.{name} OR (s.{name} = t.{name} AND {rest}))")
    })
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn in_query(name: &TableName) -> String {
    format!("\"{}\".\"{}\"", name.database, name.table)
}

fn in_ddl(name: &TableName) -> String {
    format!("`{}`.`{}`", name.database, name.table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn table() -> Table {
        let settings = json!({
            "target": "d.t", "key": ["id"], "order_by": ["at", "n"], "operation": {"from": "op"},
            "partitioned_by": ["bucket(4, id)"],
            "source": {"bucket": "b", "prefix": "in/", "format": "csv"},
            "columns": [
                {"name": "id", "type": "bigint"}, {"name": "at", "type": "timestamp"}, {"name": "n", "type": "int"},
                {"name": "first", "type": "date", "keep": true},
            ],
        });
        Table::new(serde_json::from_value(settings).unwrap()).unwrap()
    }

    #[test]
    fn statements() {
        let table = table();
        let staging = staging_name(&table, 7);
        let create = create(&table, "s3://lake/tables/d/t/").join(";\n");
        let all = [
            create,
            create_staging(&table, &staging, "s3://lake/staging/d/t/7/"),
            count(&table, &staging),
            merge(&table, &staging),
            drop_staging(&staging),
            optimize(&table),
            vacuum(&table),
        ];
        expect![[r#"
            CREATE DATABASE IF NOT EXISTS `d`;
            CREATE TABLE IF NOT EXISTS `d`.`t` (`id` bigint, `at` timestamp, `n` int, `first` date) PARTITIONED BY (bucket(4, `id`)) LOCATION 's3://lake/tables/d/t/' TBLPROPERTIES ('table_type'='ICEBERG', 'format'='parquet', 'vacuum_max_snapshot_age_seconds'='2592000');
            CREATE EXTERNAL TABLE IF NOT EXISTS `d`.`t_changes_7` (`id` bigint, `at` string, `n` int, `first` string, `change_operation` string, `change_position` bigint) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/staging/d/t/7/';
            SELECT count_if(operation = 'U' AND NOT matched) AS inserted, count_if(operation = 'U' AND matched AND newer) AS updated, count_if(operation = 'D' AND matched AND newer) AS deleted FROM (SELECT s."change_operation" AS operation, t."id" IS NOT NULL AS matched, (t."at" IS NULL OR s."at" > t."at" OR (s."at" = t."at" AND (t."n" IS NULL OR s."n" >= t."n"))) AS newer FROM (SELECT * FROM (SELECT "id", "at", "n", min("first") OVER (PARTITION BY "id") AS "first", "change_operation", row_number() OVER (PARTITION BY "id" ORDER BY "at" DESC, "n" DESC, "change_position" DESC) AS "change_rank" FROM (SELECT "id", CAST("at" AS timestamp(6)) AS "at", "n", CAST("first" AS date) AS "first", "change_operation", "change_position" FROM "d"."t_changes_7") AS changes) AS ranked WHERE "change_rank" = 1) AS s LEFT JOIN "d"."t" AS t ON t."id" = s."id") AS counted;
            MERGE INTO "d"."t" AS t USING (SELECT * FROM (SELECT "id", "at", "n", min("first") OVER (PARTITION BY "id") AS "first", "change_operation", row_number() OVER (PARTITION BY "id" ORDER BY "at" DESC, "n" DESC, "change_position" DESC) AS "change_rank" FROM (SELECT "id", CAST("at" AS timestamp(6)) AS "at", "n", CAST("first" AS date) AS "first", "change_operation", "change_position" FROM "d"."t_changes_7") AS changes) AS ranked WHERE "change_rank" = 1) AS s ON t."id" = s."id" WHEN MATCHED AND s."change_operation" = 'D' AND (t."at" IS NULL OR s."at" > t."at" OR (s."at" = t."at" AND (t."n" IS NULL OR s."n" >= t."n"))) THEN DELETE WHEN MATCHED AND s."change_operation" = 'U' AND (t."at" IS NULL OR s."at" > t."at" OR (s."at" = t."at" AND (t."n" IS NULL OR s."n" >= t."n"))) THEN UPDATE SET "at" = s."at", "n" = s."n" WHEN NOT MATCHED AND s."change_operation" = 'U' THEN INSERT ("id", "at", "n", "first") VALUES (s."id", s."at", s."n", s."first");
            DROP TABLE IF EXISTS `d`.`t_changes_7`;
            OPTIMIZE "d"."t" REWRITE DATA USING BIN_PACK;
            VACUUM "d"."t";
        "#]]
        .assert_eq(&(all.join(";\n") + ";\n"));
    }
}
