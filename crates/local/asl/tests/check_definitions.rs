//! The program behind `make check`, held against the shipped definition and against faults that
//! are planted into it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn shipped() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../statemachine/extract.asl.json");
    std::fs::read_to_string(file).unwrap()
}

/// Beside this test's own binary: `target/debug/deps` and `target/debug/examples`.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().join("examples/check_definitions")
}

fn check(text: &str) -> (i32, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("machine.asl.json");
    std::fs::write(&file, text).unwrap();
    let output = Command::new(program()).arg(&file).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_shipped_definition_is_sound() {
    assert_eq!(check(&shipped()), (0, String::new()));
}

#[test]
fn planted_faults_are_found_at_their_line() {
    let text = shipped();
    let cases = [
        ("\"Next\": \"Supported?\"", "\"Next\": \"Suported?\"", 0, "MISSING_TRANSITION_TARGET: Missing 'Next' target"),
        (
            "\"StartAt\": \"Classify\"",
            "\"StartAt\": \"Clasify\"",
            0,
            "MISSING_TRANSITION_TARGET: Missing 'Next' target",
        ),
        (
            "\"${ClassifyFunctionArn}\"",
            "\"Classify\"",
            0,
            "SCHEMA_VALIDATION_FAILED: Value is not a valid resource ARN",
        ),
        ("\"BackoffRate\": 2", "\"BackoffRate\": 0.2", 0, "SCHEMA_VALIDATION_FAILED: Minimum value is 1.0"),
        ("\"Type\": \"Map\"", "\"Type\": \"Mop\"", 0, "SCHEMA_VALIDATION_FAILED: Value should be one of"),
        (
            "\"event.$\": \"$$.",
            "\"event.$\": \"$$..[",
            0,
            "SCHEMA_VALIDATION_FAILED: The value for the field 'event.$'",
        ),
        // The parser stumbles over the next line's first sign.
        (
            "\"StartAt\": \"Classify\",",
            "\"StartAt\": \"Classify\"",
            1,
            "INVALID_JSON_DESCRIPTION: Unexpected character",
        ),
    ];
    for (right, wrong, lines_further, expected) in cases {
        let at = text.find(right).unwrap_or_else(|| panic!("{right} is not in the definition"));
        let line = text[..at].matches('\n').count() + 1 + lines_further;
        let (code, said) = check(&text.replacen(right, wrong, 1));
        let found = said.lines().any(|one| one.contains(&format!(".json:{line}:")) && one.contains(expected));
        assert!(code == 1 && found, "{wrong} in line {line}: {code}, {said}");
    }
}

#[test]
fn a_file_that_is_not_there_is_said_so() {
    let output = Command::new(program()).arg("/nowhere/machine.asl.json").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stdout).unwrap().contains("failed to read the file"));
}
