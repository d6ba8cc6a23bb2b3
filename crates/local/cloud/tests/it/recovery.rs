//! Damaged databases: each kind of damage is told, nothing is deleted, and the next start goes on with what is left.

use std::fs;
use std::path::{Path, PathBuf};

use ::cloud::clock::ManualClock;
use ::cloud::database::DatabaseError;
use ::cloud::recovery::Recovery;
use ::cloud::{Cloud, CloudError, Config};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::common::{call, config, eventually, start};

const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:machine";

/// Executions that have ended, so many that the database has some hundred pages.
const CLOSED: usize = 60;

/// What a damage does to the database's file.
type Damage = fn(&Path);

/// Asks the cloud itself, without the wire.
async fn ask(cloud: &Cloud, operation: &str, body: Value) -> Value {
    cloud.states().handle(operation, body).await.unwrap_or_else(|error| panic!("{operation}: {error}")).body
}

async fn running(cloud: &Cloud) -> usize {
    let listed = ask(cloud, "ListExecutions", json!({"stateMachineArn": MACHINE, "statusFilter": "RUNNING"})).await;
    listed["executions"].as_array().unwrap().len()
}

/// Fills a data directory: a machine, closed executions, one that waits, objects.
async fn fill(config: &Config) {
    let cloud = start(config).await;
    let definition = json!({"StartAt": "Choose", "States": {
        "Choose": {"Type": "Choice", "Choices": [{"Variable": "$.wait", "IsPresent": true, "Next": "Wait"}], "Default": "Done"},
        "Wait": {"Type": "Wait", "Seconds": 3600, "Next": "Done"},
        "Done": {"Type": "Pass", "End": true},
    }});
    let create = json!({"name": "machine", "definition": definition.to_string(), "roleArn": "arn:aws:iam::0:role/r"});
    ask(&cloud, "CreateStateMachine", create).await;
    for number in 0..CLOSED {
        let input = json!({"text": "x".repeat(2000)}).to_string();
        ask(&cloud, "StartExecution", json!({"stateMachineArn": MACHINE, "name": number.to_string(), "input": input}))
            .await;
    }
    eventually("all but the waiting one end", async || running(&cloud).await == 0).await;
    ask(&cloud, "StartExecution", json!({"stateMachineArn": MACHINE, "name": "waits", "input": "{\"wait\":1}"})).await;
    let store = &cloud.context().store;
    store.create_bucket("bucket").await.unwrap();
    for key in ["one", "two"] {
        // Too large to lie in the database itself.
        store.put_bytes("bucket", key, None, Bytes::from(key.repeat(200_000))).await.unwrap();
    }
    cloud.shutdown().await;
}

/// Starts on a damaged directory, which must be told.
async fn recover(config: &Config, name: &str) -> Recovery {
    loop {
        match Cloud::start(config.clone()).await {
            Err(CloudError::Damaged(recovery)) => return *recovery,
            Err(CloudError::Lock(_)) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            Ok(_) => panic!("{name}: the damage went unnoticed"),
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
}

fn edit(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    edit(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// All files of objects under a directory.
fn objects(directory: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(directory.join("blobs")).into_iter().flatten();
    let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test]
async fn every_damage_is_told_and_nothing_is_deleted() {
    let damages: [(&str, Damage); 6] = [
        ("empty", |path| fs::write(path, "").unwrap()),
        ("garbage", |path| fs::write(path, b"no database at all".repeat(4000)).unwrap()),
        ("cut", |path| edit(path, |bytes| bytes.truncate(bytes.len() / 2))),
        ("flipped", |path| {
            edit(path, |bytes| {
                let middle = bytes.len() / 2 / 4096 * 4096;
                bytes[middle..middle + 64].iter_mut().for_each(|byte| *byte = !*byte);
            });
        }),
        ("first page", |path| edit(path, |bytes| bytes[100..4096].fill(0xA5))),
        ("gone", |path| fs::remove_file(path).unwrap()),
    ];
    for (name, damage) in damages {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path());
        fill(&config).await;
        let database = directory.path().join("cloud.sqlite");
        let before = objects(directory.path()).len();
        damage(&database);
        let damaged = fs::read(&database).ok();
        let recovery = recover(&config, name).await;
        assert_eq!(recovery.path, database, "{name}");
        assert_eq!(fs::read(recovery.aside.join("cloud.sqlite")).ok(), damaged, "{name}");
        let after = objects(directory.path()).len() + objects(&recovery.aside).len();
        assert_eq!((after, before), (2, 2), "{name}: {recovery}");
        let cloud = start(&config).await;
        let answer = call(&cloud.endpoint(), "AWSStepFunctions.ListStateMachines", &json!({})).await;
        assert_eq!(answer.status, 200, "{name}");
        cloud.shutdown().await;
    }
}

#[tokio::test]
async fn what_can_be_read_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let time = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    let config = Config { clock: time.clock(), ..config(directory.path()) };
    fill(&config).await;
    // The last page holds what was written last; most of the rest is to be read.
    edit(&directory.path().join("cloud.sqlite"), |bytes| {
        let last = bytes.len() - 4096;
        bytes[last..last + 16].fill(0xFF);
    });
    let recovery = recover(&config, "last page").await;
    let cloud = start(&config).await;
    let listed = ask(&cloud, "ListExecutions", json!({"stateMachineArn": MACHINE, "maxResults": 1000})).await;
    let kept = listed["executions"].as_array().unwrap().len();
    assert!(kept > CLOSED / 2, "{recovery}");
    assert!(recovery.to_string().contains(&format!("{kept} executions")), "{recovery}");
    // An open one goes on, or ends with a reason: none hangs.
    time.advance(jiff::SignedDuration::from_hours(2));
    eventually("nothing is open", async || running(&cloud).await == 0).await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    start(&config).await.shutdown().await;
    let path = directory.path().join("cloud.sqlite");
    // The last handle of the cloud before it may go a moment after that has ended. The last connection of all moves the
    // log into the file; two that close at once leave it.
    let is_alone = async || {
        let newer = rusqlite::Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", 1000).unwrap();
        drop(newer);
        !directory.path().join("cloud.sqlite-wal").exists()
    };
    eventually("nobody else holds the database", is_alone).await;
    let before = fs::read(&path).unwrap();
    match Cloud::start(config).await {
        Err(CloudError::Database(DatabaseError::Newer { form, .. })) => assert_eq!(form, 1000),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}
