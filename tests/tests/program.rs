//! Bad input to the program: each gets a message that says what to do, and a documented exit code.

use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use tests::checkout;
use tests::program::{Finished, Sluice, finish, sluice};

#[track_caller]
fn assert_explained(finished: &Finished, code: i32, words: &str) {
    assert_eq!(finished.code, Some(code), "{}", finished.stderr);
    assert!(finished.stderr.contains(words), "{}", finished.stderr);
    assert!(code == 2 || finished.stderr.contains("next: "), "it does not say what to do: {}", finished.stderr);
}

fn call(arguments: &[&str]) -> Finished {
    let mut command = sluice();
    command.args(arguments);
    finish(command)
}

#[test]
fn a_missing_file() {
    let run = Sluice::default().call("run", &["nowhere/at/all.txt"]);
    assert_explained(&run, 3, "`nowhere/at/all.txt`");
}

#[test]
fn a_folder_without_files() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_explained(&Sluice::default().call("run", &[folder.path()]), 3, "failed to find any file");
}

#[test]
fn words_that_nobody_understands() {
    assert_explained(&call(&["run", "--no-such-option", "a"]), 2, "--no-such-option");
    assert_explained(
        &Sluice::default().call("run", &["--fault", "thrott=1", "/dev/null", "/etc/hostname"]),
        2,
        "thrott=1",
    );
}

#[test]
fn a_taken_port() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    assert_explained(&Sluice::default().call("up", &["--port", &port]), 5, "--port 0");
}

#[test]
fn an_address_that_others_reach() {
    assert_explained(&Sluice::default().call("up", &["--listen", "0.0.0.0", "--port", "0"]), 2, "--allow-remote");
}

#[test]
fn nothing_answers() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let finished = call(&["executions", "--endpoint-url", &format!("http://{free}")]);
    assert_explained(&finished, 5, "sluice up");
}

#[test]
fn a_damaged_data_directory() {
    let sluice = Sluice::default();
    fs::write(sluice.data().join("cloud.sqlite"), "this is no database".repeat(1000)).expect("a file");
    let run = sluice.call("executions", &[] as &[&str]);
    assert_explained(&run, 4, "cloud.sqlite");
    let entries = fs::read_dir(sluice.data()).expect("the folder").map(|entry| entry.expect("an entry").path());
    let aside: Vec<_> = entries.filter(|path| path.to_string_lossy().contains("/damaged-")).collect();
    let kept = fs::read(aside[0].join("cloud.sqlite")).expect("the file is kept");
    assert_eq!((aside.len(), kept), (1, b"this is no database".repeat(1000)));
    let again = sluice.call("executions", &[] as &[&str]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
}

#[test]
fn a_data_directory_that_is_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("data");
    fs::write(&file, "").expect("a file");
    let finished = call(&["executions", "--data", file.to_str().expect("a plain path")]);
    assert_explained(&finished, 4, "data");
}

#[test]
fn a_data_directory_that_cannot_be_written() {
    // Not even the owner of the machine can write there.
    assert_explained(&call(&["executions", "--data", "/proc/sluice"]), 4, "/proc/sluice");
}

#[test]
fn functions_that_are_not_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let functions = folder.path().to_str().expect("a plain path");
    assert_explained(&Sluice::default().call("executions", &["--functions", functions]), 6, "make build");
}

#[test]
fn a_key_that_is_not_there() {
    assert_explained(&Sluice::default().call("show", &["no such key"]), 3, "`no such key`");
    assert_explained(&Sluice::default().call("redrive", &["no-such-run"]), 3, "`no-such-run`");
}

#[test]
fn settings_with_a_slip_of_the_pen() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("settings.toml");
    fs::write(&settings, "[redactoin]\nenabled = true\n").expect("a file");
    let sample = checkout::root().join("samples/text/notes.md");
    let arguments = ["--settings".as_ref(), settings.as_os_str(), sample.as_os_str()];
    assert_explained(&Sluice::default().call("run", &arguments), 3, "redactoin");
}

#[test]
fn an_engine_that_is_not_installed() {
    let mut doctor = sluice();
    // Nothing is found on this path.
    doctor.arg("doctor").env("PATH", "/nonexistent");
    let finished = finish(doctor);
    assert_eq!(finished.code, Some(6), "{}", finished.stdout);
    assert!(
        finished.stdout.contains("apt-get install") && finished.stdout.contains("tesseract-ocr"),
        "{}",
        finished.stdout
    );
}

#[test]
fn files_that_cannot_be_sent_do_not_stop_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("good.txt"), "All is well with this one.").expect("a file");
    std::os::unix::fs::symlink("nowhere", folder.path().join("broken")).expect("a link");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).expect("a link");
    let name = std::ffi::OsStr::from_bytes(b"odd \xff name.txt");
    fs::write(folder.path().join(name), "A name that is no text.").expect("a file");
    let run = Sluice::default().call("run", &["--json".as_ref(), folder.path().as_os_str()]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let status = |key: &str| run.rows().into_iter().find(|row| row["key"] == key).map(|row| row["status"].clone());
    assert_eq!(status("good.txt"), Some("SUCCEEDED".into()));
    assert_eq!(status("odd %FF name.txt"), Some("SUCCEEDED".into()));
    let refused = run.rows().into_iter().find(|row| row["key"].is_null()).expect("the broken link has a row");
    assert_eq!(refused["status"], "FAILED");
    assert!(run.stderr.contains("this folder was walked already"), "{}", run.stderr);
}

#[test]
fn two_commands_share_one_directory() {
    let sluice = Sluice::default();
    let up = sluice.up(&[]);
    let sample = checkout::root().join("samples/text/notes.md");
    let run = sluice.call("run", &["--json".as_ref(), sample.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(up.stop(), Some(0));
    assert!(Path::new(sluice.data()).is_dir());
}
