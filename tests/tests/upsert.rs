//! `upsert`, whole: files in a bucket, the shipped state machine and functions, rows by `sluice sql`.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tests::checkout;
use tests::lake::{self, LAKE};
use tests::program::{Sluice, Up, until};

const EXAMPLE: &str = "examples/inventory";

fn example(name: &str) -> String {
    std::fs::read_to_string(checkout::root().join(EXAMPLE).join(name)).expect("a file of the example")
}

/// A table of numbers and notes, in CSV files with a header below `PREFIX/` of the bucket `changes`.
fn settings(table: &str) -> Value {
    json!({
        "target": format!("trials.{table}"),
        "key": ["id"],
        "order_by": ["version"],
        "operation": {"from": "op"},
        "source": {"bucket": "changes", "prefix": format!("{table}/"), "format": "csv"},
        "columns": [
            {"name": "id", "type": "bigint"},
            {"name": "version", "type": "int"},
            {"name": "note", "type": "string"},
        ],
    })
}

fn with_bucket() -> (Sluice, Up) {
    let sluice = Sluice::default();
    let up = sluice.up(&[]);
    lake::bucket(&up, "changes");
    (sluice, up)
}

fn totals(report: &Value) -> Vec<u64> {
    ["files", "rows", "inserted", "updated", "deleted", "rejected"]
        .map(|name| report["totals"][name].as_u64().unwrap_or_else(|| panic!("{report}")))
        .to_vec()
}

/// `id|version|note` of each row, in the order of ids.
fn content(sluice: &Sluice, table: &str) -> Vec<String> {
    let statement = format!("SELECT id, version, note FROM trials.{table} ORDER BY id");
    let shown = |row: &Value| format!("{}|{}|{}", row["id"], row["version"], row["note"].as_str().unwrap_or("-"));
    lake::rows(sluice, &statement).iter().map(shown).collect()
}

#[test]
fn the_inventory_example_works_as_written() {
    let sluice = Sluice::default();
    let up = sluice.up(&[]);
    lake::bucket(&up, "glue-iceberg-demo");
    lake::put(&up, "glue-iceberg-demo", "settings/inventory.toml", example("inventory.toml"));
    let input = json!({"settings_uri": "s3://glue-iceberg-demo/settings/inventory.toml"});
    let upsert = |files: &[&str]| {
        for file in files {
            lake::put(&up, "glue-iceberg-demo", &format!("raw-csv-input/{file}"), example(file));
        }
        lake::ended(&up, &lake::start(&up, &input))
    };
    assert_eq!(totals(&upsert(&["LOAD00000001.csv"])), [1, 4, 4, 0, 0, 0]);
    let quantity = "SELECT product_id, quantity_available FROM iceberg_demo.iceberg_output ORDER BY product_id";
    let pairs = |rows: Vec<Value>| -> Vec<(i64, i64)> {
        let number = |row: &Value, name: &str| row[name].as_i64().expect("a number");
        rows.iter().map(|row| (number(row, "product_id"), number(row, "quantity_available"))).collect()
    };
    assert_eq!(pairs(lake::rows(&sluice, quantity)), [(100, 50), (101, 20), (102, 30), (103, 25)]);
    let snapshots = "SELECT snapshot_id, committed_at FROM \"iceberg_demo\".\"iceberg_output$snapshots\" ORDER BY 2";
    let first = lake::rows(&sluice, snapshots);
    let (snapshot, committed) = (&first[0]["snapshot_id"], first[0]["committed_at"].as_str().expect("a time"));
    assert_eq!(totals(&upsert(&["20220302-1134010000.csv", "20220302-1135010000.csv"])), [2, 4, 1, 1, 1, 0]);
    assert_eq!(pairs(lake::rows(&sluice, quantity)), [(100, 50), (101, 20), (102, 15), (104, 80)]);
    let before = |clause: &str| pairs(lake::rows(&sluice, &quantity.replace(" ORDER", &format!(" {clause} ORDER"))));
    let loaded = [(100, 50), (101, 20), (102, 30), (103, 25)];
    assert_eq!(before(&format!("FOR VERSION AS OF {snapshot}")), loaded);
    let time = committed.trim_end_matches(" UTC").replace('T', " ");
    assert_eq!(before(&format!("FOR TIMESTAMP AS OF TIMESTAMP '{} UTC'", time.trim_end_matches('Z'))), loaded);
    assert_eq!(totals(&upsert(&[])), [0, 0, 0, 0, 0, 0], "nothing is merged twice");
}

#[test]
fn files_as_programs_write_them() {
    let (sluice, up) = with_bucket();
    let put = |name: &str, content: &[u8]| lake::put(&up, "changes", &format!("odd/{name}"), content);
    put("1-bom-crlf.csv", b"\xef\xbb\xbfop,id,version,note\r\nI,1,1,one\r\nI,2,1,\"two\r\nlines, \"\"q\"\"\"\r\n");
    put("2-empty.csv", b"");
    put("3-header-only.csv", b"op,id,version,note\n");
    put("4-other-order.csv", b"note,version,id,op,extra\nthree,1,3,I,x\n");
    put("5-wrong.csv", b"op,id,version,note\nI,4,1\nX,5,1,x\nI,six,1,x\nI,7,,x\nI,8,1,eight\nI,9,1,\xff\n");
    put("6-no-header.csv", b"I,10,1,ten\n");
    put("7-duplicates.csv", b"op,id,version,note\nU,1,3,new\nU,1,2,old\nU,1,3,newest\nI,11,1,x\nD,11,2,\n");
    put("8-folder/", b"");
    let report = lake::upsert(&up, &settings("odd"));
    assert_eq!(totals(&report), [7, 9, 4, 0, 0, 6]);
    assert_eq!(content(&sluice, "odd"), ["1|3|newest", "2|1|two\r\nlines, \"q\"", "3|1|three", "8|1|eight"]);
    let prefix = report["totals"]["rejects"][0].as_str().expect("an address").replace("s3://sluice-lake/", "");
    let rejects: Vec<Value> = lake::keys(&up, LAKE, &prefix)
        .iter()
        .flat_map(|key| lake::read(&up, LAKE, key).lines().map(str::to_owned).collect::<Vec<_>>())
        .map(|line| serde_json::from_str(&line).expect("JSON"))
        .collect();
    let told: Vec<(u64, String)> = rejects
        .iter()
        .map(|reject| (reject["line"].as_u64().expect("a line"), reject["reason"].as_str().expect("why").to_owned()))
        .collect();
    let expected = [
        (2, "it has 3 fields, and the file has 4"),
        (3, "`op` is none of the operations I, U, D"),
        (4, "`id`: it is no bigint"),
        (5, "`version`: it is empty, and the key and the order need it"),
        (7, "it is no UTF-8"),
        (1, "the header lacks `id`; the file is not read"),
    ];
    assert_eq!(told, expected.map(|(line, reason)| (line, reason.to_owned())));
    assert!(lake::keys(&up, LAKE, "staging/").is_empty(), "what was staged is gone");
    put("5-wrong.csv", b"op,id,version,note\nI,4,1,four\n");
    assert_eq!(totals(&lake::upsert(&up, &settings("odd"))), [1, 1, 1, 0, 0, 0], "a file written anew is a new file");
}

#[test]
fn json_lines_by_their_paths() {
    let (sluice, up) = with_bucket();
    let table = json!({
        "target": "trials.paths", "key": ["id"],
        "source": {"bucket": "changes", "prefix": "paths/", "format": "json_lines"},
        "columns": [
            {"name": "id", "type": "bigint", "from": "key.id"},
            {"name": "amount", "type": "decimal(10,2)", "from": "value.amount"},
            {"name": "day", "type": "date", "from": "value.day", "keep": true},
            {"name": "rest", "type": "string", "from": "value", "default": "none"},
        ],
    });
    let line = |id: u32, amount: &str, day: &str| {
        format!("{{\"key\":{{\"id\":{id}}},\"value\":{{\"amount\":{amount},\"day\":\"{day}\"}}}}\n")
    };
    lake::put(
        &up,
        "changes",
        "paths/a.jsonl",
        line(1, "1.5", "2026-05-02") + "[]\nnonsense\n{}\n" + &line(2, "2", "2026-05-02"),
    );
    assert_eq!(totals(&lake::upsert(&up, &table)), [1, 2, 2, 0, 0, 3]);
    lake::put(&up, "changes", "paths/b.jsonl", line(1, "7.25", "2026-05-09"));
    assert_eq!(totals(&lake::upsert(&up, &table)), [1, 1, 0, 1, 0, 0]);
    let rows = lake::rows(
        &sluice,
        "SELECT id, CAST(amount AS varchar) AS amount, CAST(day AS varchar) AS day FROM trials.paths ORDER BY id",
    );
    assert_eq!(
        rows,
        [
            json!({"id": 1, "amount": "7.25", "day": "2026-05-02"}),
            json!({"id": 2, "amount": "2.00", "day": "2026-05-02"})
        ]
    );
}

#[test]
fn settings_that_cannot_be_used_are_refused_with_the_member() {
    let sluice = Sluice::default();
    let up = sluice.up(&[]);
    let mut wrong = settings("wrong");
    wrong["columns"][1]["type"] = json!("number");
    for (input, said) in [
        (json!({}), "the input names no table"),
        (json!({"settings_uri": "s3://nowhere/x.toml"}), "s3://nowhere/x.toml"),
        (json!({"table": wrong}), "`columns[1].type`"),
    ] {
        let cause = lake::outcome(&up, &lake::start(&up, &input)).expect_err("it fails");
        assert!(cause.contains(said), "{said}: {cause}");
    }
}

#[test]
fn two_runs_at_once_merge_each_file_once() {
    let (sluice, up) = with_bucket();
    let mut expected = Vec::new();
    for file in 0..30 {
        lake::put(&up, "changes", &format!("race/{file:02}.csv"), format!("op,id,version,note\nI,{file},1,n{file}\n"));
        expected.push(format!("{file}|1|n{file}"));
    }
    let mut small = settings("race");
    small["limits"] = json!({"files": 10});
    let input = json!({ "table": small });
    let runs: Vec<String> = (0..3).map(|_| lake::start(&up, &input)).collect();
    let reports: Vec<Value> = runs.iter().map(|run| lake::ended(&up, run)).collect();
    let sum = |name: &str| reports.iter().map(|report| report["totals"][name].as_u64().expect("a number")).sum::<u64>();
    assert_eq!((sum("batches"), sum("files"), sum("inserted"), sum("updated")), (3, 30, 30, 0), "{reports:?}");
    assert_eq!(content(&sluice, "race").len(), expected.len());
}

#[test]
fn a_large_file_goes_on_in_the_next_batch() {
    let (sluice, up) = with_bucket();
    let rows = (0..2_500).map(|id| format!("I,{id},1,\"a\n{id}\"\n")).collect::<Vec<_>>().concat();
    lake::put(&up, "changes", "large/a.csv", format!("op,id,version,note\n{rows}U,7,2,last\n"));
    let mut small = settings("large");
    small["limits"] = json!({"rows": 1_000});
    let report = lake::upsert(&up, &small);
    assert_eq!(report["totals"]["batches"], 3);
    assert_eq!(totals(&report), [1, 2_501, 2_500, 1, 0, 0]);
    let counted = lake::rows(&sluice, "SELECT count(*) AS n, max(version) AS v FROM trials.large");
    assert_eq!(counted, [json!({"n": 2_500, "v": 2})]);
}

/// The changes of one key, applied one after the other.
#[derive(Default)]
struct Model(BTreeMap<u64, (u64, String)>);

impl Model {
    fn apply(&mut self, operation: &str, id: u64, version: u64, note: &str) {
        match operation {
            "D" => drop(self.0.remove(&id)),
            _ => drop(self.0.insert(id, (version, note.to_owned()))),
        }
    }

    fn content(&self) -> Vec<String> {
        self.0.iter().map(|(id, (version, note))| format!("{id}|{version}|{note}")).collect()
    }
}

/// Changes at random: versions rise over time, within a batch their order is shuffled.
fn batch(random: &mut fastrand::Rng, model: &mut Model, version: &mut u64) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..random.usize(1..40) {
        *version += 1;
        let (operation, id) = (["I", "U", "U", "D"][random.usize(0..4)], random.u64(0..12));
        let note = format!("n{}", random.u16(..));
        model.apply(operation, id, *version, &note);
        lines.push(format!("{operation},{id},{version},{note}\n"));
    }
    random.shuffle(&mut lines);
    lines
}

#[test]
fn changes_at_random_give_what_the_model_gives() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (sluice, up) = with_bucket();
    let mut table = settings("random");
    table["partitioned_by"] = json!(["bucket(3, id)"]);
    table["maintenance"] = json!({"every_batches": 3});
    let (mut model, mut version) = (Model::default(), 0);
    for round in 0..6 {
        let lines = batch(&mut random, &mut model, &mut version);
        let files = random.usize(1..4);
        for (file, lines) in lines.chunks(lines.len().div_ceil(files)).enumerate() {
            let content = format!("op,id,version,note\n{}", lines.concat());
            lake::put(&up, "changes", &format!("random/{}-{round}-{file}.csv", random.u8(..)), content);
        }
        table["limits"] = json!({"rows": random.u32(1_000..2_000)});
        let _ = lake::upsert(&up, &table);
        assert_eq!(content(&sluice, "random"), model.content(), "seed {seed}, round {round}");
    }
}

/// Puts files of changes below `table/`, and says what they lead to.
fn changes(up: &Up, table: &str) -> Model {
    let mut model = Model::default();
    for file in 0..12_u64 {
        let lines: Vec<String> = (0..50)
            .map(|row| {
                let (id, version) = ((file * 31 + row * 7) % 90, file * 50 + row + 1);
                model.apply("U", id, version, "x");
                format!("U,{id},{version},x\n")
            })
            .collect();
        lake::put(up, "changes", &format!("{table}/{file:02}.csv"), format!("op,id,version,note\n{}", lines.concat()));
    }
    model
}

/// The run that merges them, in batches of so many files.
fn merge(up: &Up, table: &str, files: u64) -> String {
    let mut settings = settings(table);
    settings["limits"] = json!({ "files": files });
    lake::start(up, &json!({ "table": settings }))
}

#[test]
fn killed_at_any_instant_each_change_is_merged_once() {
    let (sluice, mut up) = with_bucket();
    let model = changes(&up, "instants");
    let run = merge(&up, "instants", 2);
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..8 {
        // The instant is what is random here, so nothing else can be waited for.
        std::thread::sleep(Duration::from_millis(random.u64(0..1500)));
        up.kill();
        up = sluice.up(&[]);
    }
    let report = lake::ended(&up, &run);
    let totals = (&report["totals"]["batches"], &report["totals"]["rows"]);
    assert_eq!(totals, (&json!(6), &json!(600)), "seed {seed}: {report}");
    assert_eq!(content(&sluice, "instants"), model.content(), "seed {seed}");
}

#[test]
fn killed_at_any_step_each_change_is_merged_once() {
    type Holds<'a> = &'a dyn Fn(&Up) -> bool;
    let (sluice, mut up) = with_bucket();
    let model = changes(&up, "killed");
    let run = merge(&up, "killed", 4);
    // Each is a moment in the life of a batch: staged, its table made, merged, its rows cleared.
    let moments: [(&str, Holds<'_>); 4] = [
        ("rows are staged", &|up| !lake::keys(up, LAKE, "staging/").is_empty()),
        ("a query runs", &|up| !lake::keys(up, LAKE, "results/").is_empty()),
        ("the table has data", &|up| lake::keys(up, LAKE, "tables/trials/killed/").len() > 2),
        ("the first batch is done", &|up| {
            let key = "bookmarks/trials/killed.json";
            !lake::keys(up, LAKE, key).is_empty()
                && serde_json::from_str::<Value>(&lake::read(up, LAKE, key)).expect("JSON")["batches"] != 0
        }),
    ];
    for (what, holds) in moments {
        until(what, || holds(&up));
        up.kill();
        up = sluice.up(&[]);
    }
    let report = lake::ended(&up, &run);
    assert_eq!((&report["totals"]["batches"], &report["totals"]["rows"]), (&json!(3), &json!(600)), "{report}");
    assert_eq!(content(&sluice, "killed"), model.content());
}
