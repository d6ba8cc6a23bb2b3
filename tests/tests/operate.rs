//! The commands that operate a deployment, with the real program: backfill, replay, redrive.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aws_sdk_sqs::types::QueueAttributeName;
use domain::change::Status;
use serde_json::Value;
use tests::bucket::{block_on, fill, sdk};
use tests::program::{Finished, Sluice, Up, sluice, until};
use tests::{checkout, records};

/// Text files below `in/`, some with keys that are hard to write, and what is not meant.
fn old_files(count: usize) -> Vec<(String, String)> {
    let hard = ["in/a b+c%20&ü.txt", "in/日本/お知らせ.txt", "in/100%.txt"];
    let keys = hard.iter().map(|key| (*key).to_owned()).chain((hard.len()..count).map(|n| format!("in/{n:03}.txt")));
    let files = keys.map(|key| (key.clone(), format!("The old file {key} says that all is well.")));
    let others = [("in/folder/", ""), ("in/skip.tmp", "no"), ("out/other.txt", "no")];
    // An older version, which is not the current one.
    let older = [("in/003.txt".to_owned(), "An older version.".to_owned())];
    older.into_iter().chain(files).chain(others.map(|(key, text)| (key.to_owned(), text.to_owned()))).collect()
}

/// Names, statuses and keys of all executions.
fn executions(sluice: &Sluice) -> Vec<Value> {
    let listed = sluice.call("executions", &["--json", "--limit", "0"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    listed.rows()
}

fn wait_for_executions(sluice: &Sluice, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    until("all executions have ended", || {
        found = executions(sluice);
        found.len() >= count && found.iter().all(|execution| execution["status"] != "RUNNING")
    });
    found
}

/// Waits until the function has taken all that is in the queue.
fn wait_for_queue(up: &Up) {
    use QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible};
    let client = block_on(async { aws_sdk_sqs::Client::new(&sdk(&up.endpoint).await) });
    let url = format!("{}/000000000000/sluice-start", up.endpoint);
    until("the queue is empty", || {
        let request = client.get_queue_attributes().queue_url(&url);
        let request =
            request.attribute_names(ApproximateNumberOfMessages).attribute_names(ApproximateNumberOfMessagesNotVisible);
        let found = block_on(request.send()).expect("the queue is there").attributes.expect("it has attributes");
        found.len() == 2 && found.values().all(|count| count == "0")
    });
}

fn backfill(sluice: &Sluice, arguments: &[&str]) -> Value {
    let finished = sluice.call("backfill", &[&["--json"][..], arguments].concat());
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    finished.rows().remove(0)
}

fn begin_backfill(sluice: &Sluice, arguments: &[&str]) -> Child {
    let mut command: Command = self::sluice();
    command.args(["backfill", "--data"]).arg(sluice.data()).args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

/// How many files the checkpoint of the only backfill says were sent.
fn sent(data: &Path) -> Option<u64> {
    let folder = fs::read_dir(data.join("backfill")).ok()?;
    let paths = folder.map(|entry| entry.expect("an entry").path());
    let path = paths.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "json"))?;
    let checkpoint: Value = serde_json::from_slice(&fs::read(path).ok()?).expect("a checkpoint is whole");
    checkpoint["tally"]["sent"].as_u64()
}

#[test]
fn a_backfill_that_is_killed_goes_on_and_does_nothing_twice() {
    const FILES: usize = 60;
    let sluice = Sluice::default();
    let up = sluice.up(&[]);
    fill(&up.endpoint, "old", &old_files(FILES));
    let arguments = ["s3://old/in/", "--exclude", "*.tmp", "--rate", "10"];
    for least in [10, 30] {
        let mut running = begin_backfill(&sluice, &arguments);
        until("some files are sent", || sent(sluice.data()).is_some_and(|sent| sent >= least));
        running.kill().expect("it is killed");
        running.wait().expect("it has ended");
    }
    let report = backfill(&sluice, &arguments);
    assert_eq!(report["resumed"], true, "{report}");
    assert_eq!((&report["sent"], &report["filtered"], &report["folders"]), (&60.into(), &1.into(), &1.into()));
    assert_eq!(fs::read_dir(sluice.data().join("backfill")).expect("a folder").count(), 0, "the checkpoint is gone");
    wait_for_queue(&up);
    let found = wait_for_executions(&sluice, FILES);
    assert_eq!(found.len(), FILES, "one execution for each current version");
    let mut keys: Vec<_> =
        records::changes(&up.endpoint).into_iter().map(|change| (change.object.key, change.status)).collect();
    keys.sort_by(|left, right| left.0.cmp(&right.0));
    keys.dedup();
    assert_eq!(keys.len(), FILES, "one record for each");
    assert!(keys.iter().all(|(_, status)| *status == Status::Succeeded), "{keys:?}");

    // What is done is not done again, and another version is another file.
    let again = backfill(&sluice, &["s3://old/in/", "--exclude", "*.tmp", "--rate", "1000", "--versions", "all"]);
    assert_eq!((&again["resumed"], &again["sent"]), (&false.into(), &61.into()));
    wait_for_queue(&up);
    assert_eq!(wait_for_executions(&sluice, FILES + 1).len(), FILES + 1);
}

#[test]
fn a_dry_run_counts_and_sends_nothing() {
    let sluice = Sluice::default();
    let up = sluice.up(&[]);
    let keys = ["a.pdf", "b.PDF", "c.txt", "d.wav", "e.zip", "f"];
    let objects: Vec<_> = keys.iter().map(|key| ((*key).to_owned(), "x".repeat(1_000))).collect();
    fill(&up.endpoint, "old", &objects);
    let report = backfill(&sluice, &["s3://old", "--dry-run", "--min-size", "1000"]);
    let estimate = &report["estimate"];
    let files = |family: &str| estimate["families"][family]["files"].as_u64();
    assert_eq!([files("pdf"), files("text"), files("audio"), files("other")], [Some(2), Some(1), Some(1), Some(2)]);
    assert_eq!((&estimate["suffixes"]["pdf"], &estimate["total"]["bytes"]), (&2.into(), &6_000.into()));
    let usd = |member: &str| estimate["total"][member].as_f64().expect("a price");
    assert!(0.0 < usd("least_usd") && usd("least_usd") < usd("most_usd") && usd("most_usd") < 1.0, "{estimate}");
    let table = sluice.call("backfill", &["s3://old", "--dry-run"]).stdout;
    assert!(table.contains("estimate: ") && table.contains("list prices"), "{table}");
    assert_eq!(executions(&sluice), Vec::<Value>::new());
    assert!(!sluice.data().join("backfill").exists(), "a dry run leaves nothing behind");
    let none = sluice.call("backfill", &["s3://old/nothing/"]);
    assert_eq!(none.code, Some(3), "{}", none.stderr);
    assert!(sluice.call("backfill", &["s3://sluice-catalog"]).stderr.contains("writes there itself"));
}

/// A cloud with one file that went through.
fn with_one_file(key: &str) -> (Sluice, Up) {
    let sluice = Sluice::default();
    let up = sluice.up(&[]);
    let sample = checkout::root().join("samples/text").join(key);
    let run = sluice.call("run", &["--json".as_ref(), sample.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    (sluice, up)
}

#[test]
fn what_an_event_brought_in_is_not_done_again() {
    let (sluice, up) = with_one_file("notes.md");
    wait_for_executions(&sluice, 1);
    let report = backfill(&sluice, &["s3://sluice-raw", "--include", "*.md"]);
    assert_eq!(report["sent"], 1);
    wait_for_queue(&up);
    assert_eq!(executions(&sluice).len(), 1);
}

fn replay(sluice: &Sluice, arguments: &[&str]) -> Finished {
    let finished = sluice.call("replay", &[&["--json"][..], arguments].concat());
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    finished
}

#[test]
fn a_replay_is_one_new_run_however_often_it_is_asked_for() {
    let (sluice, up) = with_one_file("notes.md");
    let first = sluice.call("show", &["--json", "notes.md"]).rows().remove(0);
    for _ in 0..2 {
        let row = replay(&sluice, &["--id", "again", "notes.md"]).rows().remove(0);
        assert_eq!((&row["key"], &row["status"]), (&"notes.md".into(), &"SUCCEEDED".into()));
        assert_ne!(row["execution_arn"], first["execution"]["execution_arn"]);
        wait_for_queue(&up);
        assert_eq!(wait_for_executions(&sluice, 2).len(), 2);
    }
    let shown = sluice.call("show", &["--json", "notes.md"]).rows().remove(0);
    assert_ne!(shown["change"]["run"], first["change"]["run"], "the later run counts");
    assert_eq!(shown["change"]["sequencer"], first["change"]["sequencer"]);
    assert_eq!(shown["execution"]["name"], shown["change"]["run"]);
    assert_eq!(records::changes(&up.endpoint).len(), 2, "each run has its record");

    // By the catalog: each file once, by its newest record.
    let wanted = ["--all", "--status", "succeeded", "--family", "text", "--service", "document-text", "--dry-run"];
    let listed = replay(&sluice, &wanted).rows();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let outdated = ["--all", "--outdated", concat!("sluice documents ", env!("CARGO_PKG_VERSION")), "--dry-run"];
    assert_eq!(replay(&sluice, &outdated).rows(), Vec::<Value>::new());
    let sent = replay(&sluice, &["--all", "--outdated", "sluice documents 99.0", "--id", "new", "--no-wait"]).rows();
    assert_eq!((sent.len(), &sent[0]["replay"]), (1, &"new".into()));
    wait_for_queue(&up);
    assert_eq!(wait_for_executions(&sluice, 3).len(), 3);
    let missing = sluice.call("replay", &["no such key"]);
    assert_eq!(missing.code, Some(3), "{}", missing.stderr);
}

#[test]
fn a_redrive_takes_what_its_filters_leave() {
    let sluice = Sluice::default();
    let up = sluice.up(&["--fault", "comprehend:delay=60s"]);
    let sample = checkout::root().join("samples/text/notes.md");
    assert_eq!(sluice.call("put", &[&sample]).code, Some(0));
    let mut arn = String::new();
    until("it runs", || {
        let running = executions(&sluice);
        arn = running.first().and_then(|one| one["execution_arn"].as_str()).unwrap_or_default().to_owned();
        !arn.is_empty()
    });
    block_on(async {
        let client = aws_sdk_sfn::Client::new(&sdk(&up.endpoint).await);
        client.stop_execution().execution_arn(&arn).error("ByHand").send().await.expect("it is stopped");
    });
    assert_eq!(up.stop(), Some(0));
    let up = sluice.up(&[]);
    let redriven = |words: &[&str]| {
        let finished = sluice.call("redrive", &[&["--all", "--json"][..], words].concat());
        assert_eq!(finished.code, Some(0), "{}", finished.stderr);
        finished.rows()
    };
    for none in [["--status", "FAILED"], ["--reason", "Throttled"], ["--prefix", "x"], ["--until", "1h"]] {
        assert_eq!(redriven(&none), Vec::<Value>::new(), "{none:?}");
    }
    let listed = redriven(&["--dry-run", "--reason", "byhand"]);
    assert_eq!((listed.len(), &listed[0]["status"]), (1, &"ABORTED".into()));
    let rows = redriven(&["--status", "ABORTED", "--since", "1h", "--rate", "5"]);
    assert_eq!((rows.len(), &rows[0]["status"]), (1, &"SUCCEEDED".into()));
    assert_eq!(up.stop(), Some(0));
}

#[test]
fn what_is_about_this_machine_says_so() {
    for arguments in
        [&["up", "--profile", "work"][..], &["doctor", "--region", "eu-west-1"], &["run", "--stack", "s", "f"]]
    {
        let mut command = self::sluice();
        command.args(arguments);
        let finished = tests::program::finish(command);
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.stderr);
        assert!(
            finished.stderr.contains("is about this machine") && finished.stderr.contains("next: "),
            "{}",
            finished.stderr
        );
    }
}
