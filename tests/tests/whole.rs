//! The main job, whole: the samples go through the real state machine and the real functions.

use std::collections::{BTreeMap, BTreeSet};

use domain::change::Change;
use serde_json::Value;
use tests::checkout;
use tests::expectation::{problems, read};
use tests::program::{Sluice, until};
use tests::records;
use tests::schema;

fn key(row: &Value) -> String {
    row["key"].as_str().expect("a row has a key").to_owned()
}

#[test]
fn every_sample_comes_out_as_expected_and_once() {
    let expected = read(include_str!("../samples.json"));
    let sluice = Sluice::default();
    let samples = checkout::root().join("samples");
    let run = sluice.call("run", &["--json".as_ref(), samples.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let rows: BTreeMap<String, Value> = run.rows().into_iter().map(|row| (key(&row), row)).collect();
    let keys = |keys: Vec<&String>| keys.into_iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        keys(rows.keys().collect()),
        keys(expected.keys().collect()),
        "each sample has one expectation and one row"
    );

    let up = sluice.up(&[]);
    let document_schema = schema::published("extraction");
    let mut wrong = Vec::new();
    for (key, row) in &rows {
        let shown = sluice.call("show", &["--json", key]).rows().remove(0);
        wrong.extend(problems(&expected[key], row, &shown).into_iter().map(|problem| format!("{key}: {problem}")));
        if !shown["extraction"].is_null() {
            wrong.extend(
                schema::problems(&document_schema, &shown["extraction"])
                    .into_iter()
                    .map(|problem| format!("{key}: {problem}")),
            );
        }
        assert_eq!(shown["execution"]["status"], "SUCCEEDED", "{key}");
        assert_eq!(shown["change"]["status"], row["status"], "{key}");
    }
    let change_schema = schema::published("change");
    for record in records::values(&up.endpoint) {
        wrong.extend(
            schema::problems(&change_schema, &record)
                .into_iter()
                .map(|problem| format!("{}: {problem}", record["key"])),
        );
    }
    assert_eq!(wrong, Vec::<String>::new());
    one_record_for_each_version(&records::changes(&up.endpoint), expected.len());
}

/// As many records as versions, and no version twice.
fn one_record_for_each_version(changes: &[Change], versions: usize) {
    let recorded: BTreeSet<_> = changes.iter().map(|change| (&change.object.key, &change.object.version_id)).collect();
    assert_eq!((changes.len(), recorded.len()), (versions, versions));
}

#[test]
fn a_text_takes_eight_transitions() {
    let sluice = Sluice::default();
    let sample = checkout::root().join("samples/text/welcome.txt");
    let run = sluice.call("run", &["--json".as_ref(), sample.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let shown = sluice.call("show", &["--json", "welcome.txt"]).rows().remove(0);
    let path = shown["execution"]["path"].as_array().expect("a path").len();
    assert_eq!(path, 8, "{}", shown["execution"]["path"]);
}

#[test]
fn a_second_version_is_a_second_run_and_both_are_kept() {
    let sluice = Sluice::default();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a + b & 100% ü.txt");
    for text in ["The first version of this note.", "The second version of this note."] {
        std::fs::write(&file, text).expect("a file");
        let run = sluice.call("run", &["--json".as_ref(), file.as_os_str()]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    let shown = sluice.call("show", &["--json", "a + b & 100% ü.txt"]).rows().remove(0);
    assert!(shown["extraction"]["text"].as_str().expect("a text").contains("second"));
    assert_eq!(sluice.call("executions", &["--json", "--key", "a + b & 100% ü.txt"]).rows().len(), 2);
}

#[test]
fn what_is_put_into_a_running_cloud_is_worked_on() {
    let sluice = Sluice::default();
    let up = sluice.up(&[]);
    let sample = checkout::root().join("samples/text/notes.md");
    let put = sluice.call("put", &["--json".as_ref(), sample.as_os_str()]);
    assert_eq!(put.code, Some(0), "{}", put.stderr);
    until("the record is there", || records::changes(&up.endpoint).len() == 1);
    assert_eq!(
        records::changes(&up.endpoint)[0].execution_arn,
        put.rows()[0]["execution_arn"].as_str().expect("an ARN")
    );
    assert_eq!(up.stop(), Some(0));
}
