//! Real files that nobody made for this project, where there are any: `SLUICE_CORPUS` names their folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::expectation::{problems, read};
use tests::program::Sluice;
use tests::records;

#[expect(clippy::disallowed_methods, reason = "a test is a shell too")]
fn corpus() -> Option<PathBuf> {
    std::env::var("SLUICE_CORPUS").ok().filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

#[test]
fn every_file_ends_as_expected_with_one_record() {
    let Some(corpus) = corpus() else {
        println!("skipped: SLUICE_CORPUS names no folder");
        return;
    };
    let expected = read(&std::fs::read_to_string(corpus.join("expected.json")).expect("expected.json"));
    let sluice = Sluice::default();
    let rows = run(&sluice, &corpus, expected.keys());
    let mut wrong = Vec::new();
    for (name, expected) in &expected {
        let Some(row) = rows.get(name) else {
            wrong.push(format!("{name}: no row"));
            continue;
        };
        let shown = sluice.call("show", &["--json", name]).rows().remove(0);
        wrong.extend(problems(expected, row, &shown).into_iter().map(|problem| format!("{name}: {problem}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
    let up = sluice.up(&[]);
    assert_eq!(records::values(&up.endpoint).len(), rows.len());
}

/// The rows by the names of the files. Some files may fail, as expected, so the exit code says nothing.
fn run<'a>(sluice: &Sluice, corpus: &Path, names: impl Iterator<Item = &'a String>) -> BTreeMap<String, Value> {
    let mut command = tests::program::sluice();
    command.current_dir(corpus).args(["run", "--json", "--data"]).arg(sluice.data()).args(names);
    let rows = tests::program::finish(command).rows();
    rows.into_iter().map(|row| (row["file"].as_str().expect("a file").to_owned(), row)).collect()
}
