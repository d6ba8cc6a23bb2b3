//! `sluice sql` and the catalog's tables: the README's queries, records that come out of order, and what is wrong.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};
use tests::checkout;
use tests::lake::{self, LAKE};
use tests::program::{Sluice, Up, sluice, until};

/// A change record as `catalog` leaves it.
fn record(key: &str, version: &str, sequencer: &str, more: &Value) -> Value {
    let mut record = json!({
        "schema_version": "1.0", "run": format!("{key}-{sequencer}"), "execution_arn": "arn", "bucket": "raw", "key": key,
        "version_id": version, "object_uri": format!("s3://raw/{key}"), "etag": "e", "size_bytes": 10, "event": "created",
        "event_time": "2026-05-04T10:00:00Z", "sequencer": sequencer, "status": "SUCCEEDED", "media_type": "audio/wav",
        "language": "en", "sensitivity": "NONE", "text_chars": 42, "counts": {"pii": 2, "entities": 1},
        "services": ["transcribe"], "engines": ["test"], "cost_usd": 0.25, "started": "2026-05-04T10:00:01Z",
        "recorded": "2026-05-04T10:00:02Z", "seconds": 1.0,
    });
    let members = more.as_object().cloned().unwrap_or_default();
    record.as_object_mut().expect("an object").extend(members);
    record
}

fn leave(up: &Up, record: &Value) {
    let text = record.to_string();
    lake::put(up, LAKE, &format!("waiting/{}-{}.json", record["run"].as_str().expect("a run"), text.len()), text);
}

/// A document that says something about each of the README's questions.
fn document(key: &str, version: &str) -> Value {
    let text = "Anna said the price in Köln was far too high";
    json!({
        "schema_version": "1.0",
        "source": {"object": {"bucket": "raw", "key": key, "version_id": version}, "etag": "e", "size_bytes": 10,
                   "media_type": "audio/wav", "family": "audio"},
        "language": {"code": "en", "confidence": 0.9}, "text": text,
        "segments": [{"start": 0, "end": 20, "start_seconds": 0.5, "end_seconds": 2.0, "speaker": "spk_0"}],
        "entities": [{"start": 23, "end": 27, "kind": "LOCATION", "text": "Köln", "confidence": 0.9},
                     {"start": 0, "end": 4, "kind": "PERSON", "text": "Anna", "confidence": 0.8}],
        "key_phrases": [{"start": 10, "end": 19, "text": "the price", "confidence": 0.7}],
        "sentiment": {"label": "NEGATIVE", "positive": 0.1, "negative": 0.8, "neutral": 0.1, "mixed": 0.0},
        "labels": [{"name": "Phone", "confidence": 0.9}],
        "tables": [{"page": 1, "rows": 1, "columns": 2,
                    "cells": [{"row": 1, "column": 1, "text": "a"}, {"row": 1, "column": 2, "text": "b"}]}],
        "forms": [{"key": "Total", "value": "12.50", "page": 1, "confidence": 0.9}],
        "metadata": {"duration": "2"},
    })
}

fn merge(up: &Up) -> Value {
    lake::ended(up, &lake::start(up, &json!({"settings_uri": format!("s3://{LAKE}/settings/catalog.toml")})))
}

/// The statements of the README's SQL section, by their questions.
fn questions() -> Vec<(String, String)> {
    let readme = std::fs::read_to_string(checkout::root().join("README.md")).expect("the README");
    let block = readme.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of SQL");
    let question = |text: &str| {
        let (comment, statement) = text.trim().split_once('\n')?;
        Some((comment.trim_start_matches("-- ").to_owned(), statement.to_owned()))
    };
    block.split(';').filter_map(question).collect()
}

#[test]
fn the_readmes_questions_are_answered() {
    let program = Sluice::default();
    let up = program.up(&[]);
    let document_key = "documents/dt=2026-05-04/call.json";
    let extraction_uri = format!("s3://sluice-extracted/{document_key}");
    leave(&up, &record("call.wav", "v1", "00A1", &json!({ "extraction_uri": extraction_uri })));
    leave(&up, &record("bad.pdf", "v1", "00A2", &json!({"status": "FAILED", "reason": "damaged", "counts": {}})));
    lake::put(&up, "sluice-extracted", document_key, document("call.wav", "v1").to_string());
    let ask = |statement: &str| lake::rows(&program, statement);
    let answers: Vec<(String, Vec<Value>)> =
        questions().into_iter().map(|(question, statement)| (question, ask(&statement))).collect();
    let first = |start: &str| {
        let answer = answers.iter().find(|(question, _)| question.starts_with(start));
        answer.and_then(|(_, rows)| rows.first()).unwrap_or_else(|| panic!("{start}: {answers:?}")).clone()
    };
    assert!(answers.len() >= 6, "{answers:?}");
    assert_eq!(first("Which recordings from May")["key"], "call.wav");
    assert_eq!(first("What became of all files")["files"], 1);
    assert_eq!(first("What went wrong")["reason"], "damaged");
    assert_eq!(first("Which files hold most")["pii_count"], 2);
    assert_eq!(first("Who is named")["text"], "Anna");
    assert_eq!(first("Where in which recording")["text"], "Anna said the price ");
    assert_eq!(first("What do the forms")["value"], "12.50");
    assert_eq!(ask("SELECT text FROM cells ORDER BY column_number")[1]["text"], "b");
    assert_eq!(ask("SELECT name FROM labels")[0]["name"], "Phone");
}

#[test]
fn the_sequencer_decides_merged_or_waiting() {
    let program = Sluice::default();
    let up = program.up(&[]);
    let state = || {
        let rows = lake::rows(&program, "SELECT key, status, reason FROM catalog ORDER BY key, version_id");
        let shown = |row: &Value| {
            format!("{} {}", row["key"].as_str().expect("a key"), row["status"].as_str().expect("a status"))
        };
        rows.iter().map(shown).collect::<Vec<_>>()
    };
    leave(&up, &record("a.txt", "v1", "00B0", &json!({"status": "FAILED", "reason": "x"})));
    leave(&up, &record("b.txt", "v1", "00B1", &json!({})));
    assert_eq!(state(), ["a.txt FAILED", "b.txt SUCCEEDED"], "what waits is seen");
    let report = merge(&up);
    assert!(lake::keys(&up, LAKE, "waiting/").is_empty(), "what is merged waits no longer: {report}");
    assert_eq!(state(), ["a.txt FAILED", "b.txt SUCCEEDED"]);
    // A redrive's record of the same event, an older event that comes late, and a removal.
    leave(&up, &record("a.txt", "v1", "00B0", &json!({"recorded": "2026-05-04T11:00:00Z"})));
    leave(&up, &record("b.txt", "v1", "00AF", &json!({"status": "FAILED", "event_time": "2026-05-03T10:00:00Z"})));
    leave(&up, &record("c.txt", "v1", "00B2", &json!({})));
    leave(&up, &record("c.txt", "v1", "00B3", &json!({"status": "REMOVED", "event": "removed"})));
    let expected = ["a.txt SUCCEEDED", "b.txt SUCCEEDED", "c.txt REMOVED"];
    assert_eq!(state(), expected, "waiting");
    let report = merge(&up);
    assert_eq!(report["totals"]["rejected"], 0);
    assert_eq!(state(), expected, "merged");
    let files = lake::rows(&program, "SELECT key FROM files ORDER BY key");
    assert_eq!(files, [json!({"key": "a.txt"}), json!({"key": "b.txt"})]);
}

#[test]
fn a_file_is_in_the_catalog_at_once_and_merged_soon() {
    let program = Sluice::default();
    let up = program.up(&[]);
    let sample = checkout::root().join("samples/text/notes.md");
    let run = program.call("run", &["--json".as_ref(), sample.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let rows = lake::rows(&program, "SELECT key, status, text_chars FROM catalog");
    assert_eq!((rows.len(), &rows[0]["status"]), (1, &json!("SUCCEEDED")), "{rows:?}");
    until("it is merged by itself", || lake::keys(&up, LAKE, "waiting/").is_empty());
    assert_eq!(lake::rows(&program, "SELECT key, status, text_chars FROM catalog"), rows);
}

#[test]
fn statements_come_in_every_way_and_rows_in_every_form() {
    let program = Sluice::default();
    let _up = program.up(&[]);
    let two = "SELECT 1 AS n, 'a, \"b\"' AS t, CAST(NULL AS bigint) AS z;\n-- and\nSELECT 2 AS n";
    let json = program.call("sql", &["--format", "json", two]);
    assert_eq!(json.stdout, "{\"n\":1,\"t\":\"a, \\\"b\\\"\",\"z\":null}\n{\"n\":2}\n", "{}", json.stderr);
    let csv = program.call("sql", &["--format", "csv", two]);
    assert_eq!(csv.stdout, "n,t,z\n1,\"a, \"\"b\"\"\",\nn\n2\n");
    let table = program.call("sql", &[two]);
    assert!(table.stdout.contains("a, \"b\"") && table.code == Some(0), "{table:?}");
    let file = program.data().join("two.sql");
    std::fs::write(&file, two).expect("a file");
    let given = program.call("sql", &["--format".as_ref(), "csv".as_ref(), "--file".as_ref(), file.as_os_str()]);
    assert_eq!(given.stdout, csv.stdout, "{}", given.stderr);
    let mut piped = sluice();
    piped.args(["sql", "--format", "csv", "--data"]).arg(program.data()).stdin(Stdio::piped());
    piped.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(two.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), csv.stdout);
}

#[test]
fn wrong_sql_is_told_with_its_place() {
    let program = Sluice::default();
    let _up = program.up(&[]);
    for (statement, code, said) in [
        ("SELECT *\nFROM catalog WHERE", 2, "| FROM catalog WHERE"),
        ("SELECT * FROM nothing_of_that_name", 2, "nothing_of_that_name"),
        (" ; -- nothing", 2, "failed to find a statement"),
    ] {
        let run = program.call("sql", &[statement]);
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.stderr.contains(said) && run.stderr.contains("next:"), "{}", run.stderr);
    }
    let file = program.call("sql", &["--file", "/no/such/file.sql"]);
    assert_eq!(file.code, Some(3), "{}", file.stderr);
}

#[test]
fn as_of_asks_the_past() {
    let program = Sluice::default();
    let up = program.up(&[]);
    leave(&up, &record("a.txt", "v1", "00B0", &json!({})));
    let _ = merge(&up);
    let snapshots = "SELECT max(committed_at) AS at FROM \"catalog_merged$snapshots\"";
    let at = lake::rows(&program, snapshots)[0]["at"].as_str().expect("a time").to_owned();
    let at = at.trim_end_matches(" UTC").trim_end_matches('Z').replace(' ', "T") + "Z";
    leave(&up, &record("b.txt", "v1", "00B1", &json!({})));
    let _ = merge(&up);
    let count = |more: &[&str]| {
        let arguments = [&["--format", "json"], more, &["SELECT count(*) AS n FROM catalog"]].concat();
        let run = program.call("sql", &arguments);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.rows()[0]["n"].clone()
    };
    assert_eq!((count(&["--as-of", &at]), count(&[])), (json!(1), json!(2)));
}
