//! Random statements against a plain map: the table and the map say the same after each of them, and so does every
//! snapshot afterwards.

use std::collections::BTreeMap;

use crate::lake::Lake;

/// A small generator; the seed is in the message of a failure.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn id(&mut self) -> i64 {
        i64::try_from(self.below(30)).unwrap()
    }
}

/// Rows by key: a group and a number, either of which may be null.
type Model = BTreeMap<i64, (Option<String>, Option<i64>)>;

fn expected(model: &Model) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
    let row = |(id, (group, n)): (&i64, &(Option<String>, Option<i64>))| {
        format!("{id}|{}|{}", text(group.clone()), text(n.map(|n| n.to_string())))
    };
    model.iter().map(row).collect()
}

fn literal(group: Option<&String>) -> String {
    group.map_or_else(|| "NULL".to_owned(), |group| format!("'{}'", group.replace('\'', "''")))
}

fn group(random: &mut Random) -> Option<String> {
    let names = ["a", "b/c", "d'e", "ä=f", ""];
    names.get(usize::try_from(random.below(6)).unwrap()).map(|name| (*name).to_owned())
}

/// One statement, which is also done to the model.
fn step(random: &mut Random, model: &mut Model) -> String {
    let (low, high) = (random.id(), random.id());
    match random.below(7) {
        0 => {
            model.retain(|id, _| *id < low || *id > low + 3);
            format!("DELETE FROM t WHERE id BETWEEN {low} AND {}", low + 3)
        }
        1 => {
            let group = group(random);
            model.retain(|_, (own, _)| group.is_none() || *own != group);
            format!("DELETE FROM t WHERE grp = {}", literal(group.as_ref()))
        }
        2 => {
            for (_, (_, n)) in model.range_mut(low..) {
                *n = n.map(|n| n + 1);
            }
            format!("UPDATE t SET n = n + 1 WHERE id >= {low}")
        }
        3 => {
            let group = group(random);
            for (_, (own, n)) in model.iter_mut().filter(|(_, (_, n))| n.is_none_or(|n| n < 5)) {
                own.clone_from(&group);
                *n = Some(9);
            }
            format!("UPDATE t SET grp = {}, n = 9 WHERE n < 5 OR n IS NULL", literal(group.as_ref()))
        }
        4 => "OPTIMIZE t REWRITE DATA USING BIN_PACK".to_owned(),
        _ => merge(random, model, low, high),
    }
}

/// Changes of some keys: odd numbers delete, keys that are there are updated, new ones are inserted.
fn merge(random: &mut Random, model: &mut Model, low: i64, high: i64) -> String {
    let mut rows = Vec::new();
    for id in low.min(high)..=low.max(high) {
        let (group, n) = (group(random), i64::try_from(random.below(10)).unwrap());
        rows.push(format!("({id}, {}, {n})", literal(group.as_ref())));
        match (model.contains_key(&id), n % 2) {
            (true, 1) => drop(model.remove(&id)),
            (true, _) => {
                if let Some(row) = model.get_mut(&id) {
                    row.0 = group;
                }
            }
            (false, _) if n < 8 => drop(model.insert(id, (group, (n > 2).then_some(n)))),
            _ => {}
        }
    }
    format!(
        "MERGE INTO t USING (VALUES {}) AS s(id, grp, n) ON s.id = t.id
         WHEN MATCHED AND s.n % 2 = 1 THEN DELETE
         WHEN MATCHED THEN UPDATE SET grp = s.grp
         WHEN NOT MATCHED AND s.n < 8 THEN INSERT (grp, id, n) VALUES (s.grp, s.id, CASE WHEN s.n > 2 THEN s.n END)",
        rows.join(", ")
    )
}

async fn follow(seed: u64, partitioned: &str) {
    let lake = Lake::new().await;
    let properties = "TBLPROPERTIES ('optimize_rewrite_data_file_threshold'='2')";
    lake.run(&format!("CREATE TABLE t (id bigint, grp string, n bigint) {partitioned} {properties}")).await;
    let (mut random, mut model) = (Random(seed), Model::new());
    let mut snapshots: Vec<(String, Vec<String>)> = Vec::new();
    for nth in 0..25 {
        let statement = step(&mut random, &mut model);
        lake.run(&statement).await;
        let rows = lake.rows("SELECT * FROM t ORDER BY id").await;
        assert_eq!(rows, expected(&model), "seed {seed}, step {nth}: {statement}");
        let newest = lake.rows("SELECT snapshot_id FROM \"t$snapshots\" ORDER BY committed_at DESC LIMIT 1").await;
        if let Some(snapshot) = newest.into_iter().next() {
            snapshots.push((snapshot, rows));
        }
    }
    for (snapshot, rows) in snapshots {
        let then = lake.rows(&format!("SELECT * FROM t FOR VERSION AS OF {snapshot} ORDER BY id")).await;
        assert_eq!(then, rows, "seed {seed}, snapshot {snapshot}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_does_what_a_map_does() {
    follow(1, "").await;
    follow(2, "PARTITIONED BY (grp, bucket(3, id))").await;
    follow(3, "PARTITIONED BY (truncate(10, id))").await;
}
