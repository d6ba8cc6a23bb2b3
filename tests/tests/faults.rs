//! What may go wrong does: throttles, errors, odd delivery, dying workers, and a power cut. Only the time may change.

use std::collections::BTreeMap;
use std::path::Path;

use domain::change::{Change, Status};
use tempfile::TempDir;
use tests::checkout;
use tests::program::{Sluice, until};
use tests::records;

/// Enough files that faults of a few per cent strike.
const FILES: usize = 20;

fn texts() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..FILES {
        let text = format!("This is letter number {number}. It was written on a sunny day, and the writer was glad.");
        std::fs::write(folder.path().join(format!("letter {number:02} + ü%.txt")), text).expect("a file");
    }
    folder
}

/// Each file has exactly one record, and it says that all went well.
fn assert_each_once(changes: &[Change]) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for change in changes {
        assert_eq!(change.status, Status::Succeeded, "{}: {:?}", change.object.key, change.reason);
        *seen.entry(&change.object.key).or_default() += 1;
    }
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    assert_eq!(seen.len(), FILES);
}

fn run_with_faults(faults: &[&str]) {
    let sluice = Sluice::default();
    let folder = texts();
    let mut arguments = vec!["--json"];
    for fault in faults {
        arguments.extend(["--fault", fault]);
    }
    let path = folder.path().to_str().expect("a plain path").to_owned();
    arguments.push(&path);
    let run = sluice.call("run", &arguments);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    assert_eq!(run.rows().len(), FILES);
    let up = sluice.up(&[]);
    assert_each_once(&records::changes(&up.endpoint));
}

#[test]
fn throttling_changes_nothing_but_the_time() {
    run_with_faults(&["throttle=0.3"]);
}

#[test]
fn slow_answers_and_errors_change_nothing_but_the_time() {
    run_with_faults(&["delay=20ms", "comprehend:error=0.1", "s3:error=0.1"]);
}

#[test]
fn events_twice_and_out_of_order_start_each_run_once() {
    run_with_faults(&["duplicate-events=1", "reorder-events=0.5"]);
}

#[test]
fn workers_may_die() {
    run_with_faults(&["kill-workers=0.05"]);
}

#[test]
fn after_a_power_cut_each_file_ends_once() {
    let sluice = Sluice::default();
    let folder = texts();
    let up = sluice.up(&["--fault", "comprehend:delay=300ms"]);
    put(&sluice, folder.path());
    until("the first records are there", || records::changes(&up.endpoint).len() >= 3);
    up.kill();
    let up = sluice.up(&[]);
    until("all records are there", || records::changes(&up.endpoint).len() >= FILES);
    until("nothing runs any more", || sluice.call("executions", &["--json", "--status", "RUNNING"]).stdout.is_empty());
    assert_each_once(&records::changes(&up.endpoint));
    let executions = sluice.call("executions", &["--json", "--limit", "0"]).rows();
    assert_eq!(executions.len(), FILES);
    assert!(executions.iter().all(|execution| execution["status"] == "SUCCEEDED"), "{executions:?}");
}

#[test]
fn after_a_power_cut_no_job_is_started_twice() {
    let sluice = Sluice::default();
    let recording = checkout::root().join("samples/audio/announcement.wav");
    let up = sluice.up(&[]);
    put(&sluice, &recording);
    until("the job is started", || records::transcription_jobs(&up.endpoint) == 1);
    up.kill();
    let up = sluice.up(&[]);
    until("the record is there", || !records::changes(&up.endpoint).is_empty());
    assert_eq!(records::changes(&up.endpoint)[0].status, Status::Succeeded);
    assert_eq!(records::transcription_jobs(&up.endpoint), 1);
}

fn put(sluice: &Sluice, path: &Path) {
    let put = sluice.call("put", &["--json".as_ref(), path.as_os_str()]);
    assert_eq!(put.code, Some(0), "{}", put.stderr);
}
