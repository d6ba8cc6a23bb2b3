//! The local cloud is killed outright under running executions, again and again: each execution ends as if nothing had
//! happened, its history has no hole, and what a function answered and was written down is asked for once.
//!
//! `SLUICE_KILLS` says how often (`make soak` asks for 200), `SLUICE_SEED` repeats a run.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::program::programs;

/// Kills in a usual run: some ten seconds.
const KILLS: usize = 6;

/// Executions that run when the program is killed.
const RUNNING: usize = 100;

/// The longest life of the program. An execution takes some three seconds, most of it in waits.
const MOST_LIFE_MS: u64 = 1500;

/// How long executions may take to end after the last kill.
const PATIENCE: Duration = Duration::from_mins(3);

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

/// A program that runs until it is killed, and a client of it.
struct Server {
    child: Child,
    client: Client,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(programs().join("examples/serve"));
        command.arg(data).args(["0", "worker"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the example `serve` is built");
        let mut endpoint = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut endpoint).expect("an address");
        let config = aws_sdk_sfn::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint.trim())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .build();
        Self { child, client: Client::from_conf(config) }
    }

    async fn create(&self, name: &str, definition: &Value) -> String {
        let request = self.client.create_state_machine().name(name).definition(definition.to_string());
        request.role_arn(ROLE).send().await.expect("the definition is valid").state_machine_arn
    }

    /// Starts an execution unless that was done already.
    async fn begin(&self, machine: &str, name: &str) {
        let started = self.client.start_execution().state_machine_arn(machine).name(name).input("{}").send().await;
        if let Err(error) = started {
            let error = error.into_service_error();
            assert!(error.is_execution_already_exists(), "{error:?}");
        }
    }

    async fn has_ended(&self, arn: &str) -> bool {
        let described = self.client.describe_execution().execution_arn(arn).send().await;
        *described.expect("the execution is there").status() != ExecutionStatus::Running
    }

    async fn outcome(&self, arn: &str) -> Outcome {
        let described = self.client.describe_execution().execution_arn(arn).send().await.expect("it is there");
        let mut pages = self.client.get_execution_history().execution_arn(arn).into_paginator().send();
        let mut history = Vec::new();
        while let Some(page) = pages.next().await {
            history.extend(page.expect("a page of the history").events);
        }
        let (status, output, error) = (described.status, described.output, described.error);
        Outcome { end: (status, output, error), history }
    }

    fn kill(mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it has ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Outcome {
    end: (ExecutionStatus, Option<String>, Option<String>),
    history: Vec<HistoryEvent>,
}

impl Outcome {
    /// What is the same however often the program was killed: all but times and the order of what ran side by side.
    fn shape(&self) -> BTreeMap<String, usize> {
        let mut shape = BTreeMap::new();
        for event in &self.history {
            let name = event.state_entered_event_details().map_or("", |details| details.name());
            *shape.entry(format!("{} {name}", event.r#type())).or_default() += 1;
        }
        shape
    }

    fn assert_whole(&self, arn: &str) {
        let ids: Vec<i64> = self.history.iter().map(HistoryEvent::id).collect();
        assert_eq!(ids, (1..=i64::try_from(ids.len()).expect("few")).collect::<Vec<_>>(), "{arn} has a hole");
        for event in &self.history {
            let before = event.previous_event_id();
            // The service gives the first state no event to follow, as it does the start.
            assert!(before < event.id() && (before > 0 || event.id() <= 2), "{arn}: {event:?}");
        }
        let terminal = |event: &&HistoryEvent| {
            let kind = event.r#type().as_str();
            kind.starts_with("Execution") && kind != "ExecutionStarted"
        };
        assert_eq!(self.history.iter().filter(terminal).count(), 1, "{arn}");
        assert!(self.history.last().as_ref().is_some_and(terminal), "{arn}");
    }

    /// When the answer to each task was written down, by the task's key.
    fn answered(&self) -> HashMap<String, i64> {
        let by_id: HashMap<i64, &HistoryEvent> = self.history.iter().map(|event| (event.id(), event)).collect();
        let ends = self.history.iter().filter(|event| {
            event.lambda_function_succeeded_event_details().is_some()
                || event.lambda_function_failed_event_details().is_some()
        });
        let key = |end: &&HistoryEvent| {
            let mut event = *end;
            while event.lambda_function_scheduled_event_details().is_none() {
                event = by_id.get(&event.previous_event_id())?;
            }
            let input = event.lambda_function_scheduled_event_details()?.input()?;
            let input: Value = serde_json::from_str(input).ok()?;
            Some(input["key"].as_str()?.to_owned())
        };
        ends.map(|end| {
            let at = end.timestamp().to_millis().expect("a time of our days");
            (key(&end).expect("a task has a key"), at)
        })
        .collect()
    }
}

/// Says to `notes` that it was asked, and for what.
fn task(notes: &Path, key: &str, value: &str, fails: u64) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:000000000000:function:worker",
        "Parameters": {
            "do": "note", "to": notes, "key.$": key, "value.$": value, "fails": fails, "retry.$": "$$.State.RetryCount",
        },
    })
}

fn with(mut state: Value, more: &Value) -> Value {
    let more = more.as_object().expect("an object").clone();
    state.as_object_mut().expect("an object").extend(more);
    state
}

/// A Map over tasks and waits, branches side by side, a task that fails twice, and a Choice.
fn machine(notes: &Path) -> Value {
    let key = "States.Format('{}/{}/{}', $$.Execution.Name, $$.State.Name, $$.State.RetryCount)";
    let item_key = "States.Format('{}/{}/{}', $.run, $$.State.Name, $.index)";
    let again = json!([{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 1.0}]);
    let iteration = json!({
        "StartAt": "Ask",
        "States": {
            "Ask": with(task(notes, item_key, "$.index", 0), &json!({"ResultPath": "$.first", "Next": "Pause"})),
            "Pause": {"Type": "Wait", "Seconds": 1, "Next": "AskAgain"},
            "AskAgain": with(task(notes, item_key, "$.first", 0), &json!({"End": true})),
        },
    });
    let branch =
        |name: &str, first: Value| json!({"StartAt": name, "States": {name: with(first, &json!({"End": true}))}});
    json!({
        "StartAt": "Items",
        "States": {
            "Items": {"Type": "Pass", "Result": [3, 1, 4, 1, 5], "ResultPath": "$.items", "Next": "Each"},
            "Each": {
                "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 3, "ItemProcessor": iteration,
                "ItemSelector": {"index.$": "$$.Map.Item.Index", "run.$": "$$.Execution.Name"},
                "ResultPath": "$.each", "Next": "Beside",
            },
            "Beside": {
                "Type": "Parallel", "ResultPath": "$.beside", "Next": "Flaky",
                "Branches": [
                    branch("Slow", json!({"Type": "Wait", "Seconds": 1})),
                    branch("Quick", task(notes, key, "$.each", 0)),
                ],
            },
            "Flaky": with(task(notes, key, "$.each", 2), &json!({"Retry": again, "ResultPath": "$.flaky", "Next": "Right?"})),
            "Right?": {
                "Type": "Choice", "Default": "Wrong",
                "Choices": [{"Variable": "$.flaky[4]", "NumericEquals": 4, "Next": "Right"}],
            },
            "Right": {"Type": "Succeed"},
            "Wrong": {"Type": "Fail", "Error": "Wrong"},
        },
    })
}

/// A task that fails for good after one more try.
fn broken(notes: &Path) -> Value {
    let key = "States.Format('{}/{}/{}', $$.Execution.Name, $$.State.Name, $$.State.RetryCount)";
    let again = json!([{"ErrorEquals": ["Flaky"], "IntervalSeconds": 1, "MaxAttempts": 1}]);
    let caught = json!([{"ErrorEquals": ["States.ALL"], "ResultPath": "$.why", "Next": "GiveUp"}]);
    json!({
        "StartAt": "Break",
        "States": {
            "Break": with(task(notes, key, "$", 9), &json!({"Retry": again, "Catch": caught, "End": true})),
            "GiveUp": {"Type": "Fail", "ErrorPath": "$.why.Error", "Cause": "it broke"},
        },
    })
}

#[expect(clippy::disallowed_methods, reason = "a test is a shell too")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|value| value.parse().ok())
}

/// A run of the test: what was begun, and what each execution must be like in the end.
struct Soak {
    data: TempDir,
    machines: [String; 2],
    undisturbed: [Outcome; 2],
    begun: Vec<(usize, String)>,
    open: Vec<(usize, String)>,
}

impl Soak {
    async fn prepare() -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let (server, notes) = (Server::start(data.path()), data.path().join("notes"));
        let machines =
            [server.create("machine", &machine(&notes)).await, server.create("broken", &broken(&notes)).await];
        let mut soak =
            Self { data, machines, undisturbed: [Outcome::none(), Outcome::none()], begun: vec![], open: vec![] };
        for kind in 0..2 {
            let arn = soak.begin(&server, kind, &format!("undisturbed-{kind}")).await;
            soak.wait_for(&server).await;
            soak.undisturbed[kind] = server.outcome(&arn).await;
        }
        server.kill();
        soak
    }

    async fn begin(&mut self, server: &Server, kind: usize, name: &str) -> String {
        server.begin(&self.machines[kind], name).await;
        let arn = format!("{}:{name}", self.machines[kind].replace(":stateMachine:", ":execution:"));
        self.begun.push((kind, arn.clone()));
        self.open.push((kind, arn.clone()));
        arn
    }

    /// Lets the program live for a while under a full load of executions, and kills it.
    async fn round(&mut self, round: usize, random: &mut fastrand::Rng) {
        let server = Server::start(self.data.path());
        self.forget_ended(&server).await;
        for number in self.open.len()..RUNNING {
            // One in ten is of the kind that fails.
            let kind = usize::from(number % 10 == 9);
            self.begin(&server, kind, &format!("run-{round}-{number}")).await;
        }
        // The instant is what is random here, so nothing else can be waited for.
        tokio::time::sleep(Duration::from_millis(random.u64(0..MOST_LIFE_MS))).await;
        server.kill();
    }

    async fn forget_ended(&mut self, server: &Server) {
        let mut open = Vec::new();
        for (kind, arn) in std::mem::take(&mut self.open) {
            if !server.has_ended(&arn).await {
                open.push((kind, arn));
            }
        }
        self.open = open;
    }

    async fn wait_for(&mut self, server: &Server) {
        let all = tokio::time::timeout(PATIENCE, async {
            while !self.open.is_empty() {
                self.forget_ended(server).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(all.await.is_ok(), "some executions never end: {:?}", self.open);
    }

    /// Holds each execution against one that nobody disturbed, and what was asked against what was written down.
    async fn check(&self, server: &Server) {
        let mut answered = HashMap::new();
        for (kind, arn) in &self.begun {
            let outcome = server.outcome(arn).await;
            let undisturbed = &self.undisturbed[*kind];
            assert_eq!(outcome.end, undisturbed.end, "{arn}");
            outcome.assert_whole(arn);
            assert_eq!(outcome.shape(), undisturbed.shape(), "{arn}");
            answered.extend(outcome.answered());
        }
        let notes = std::fs::read_to_string(self.data.path().join("notes")).expect("the notes are text");
        for line in notes.lines() {
            let (key, asked) = line.rsplit_once(' ').expect("a key and a time");
            let asked: i64 = asked.parse().expect("milliseconds");
            let answered = answered.get(key);
            assert!(answered.is_some(), "`{key}` is in no history");
            let answered = answered.expect("it is there");
            // On its way through a floating-point number a time may lose a millisecond.
            assert!(asked <= *answered + 1, "`{key}` was asked for at {asked} although answered at {answered}");
        }
    }
}

impl Outcome {
    fn none() -> Self {
        Self { end: (ExecutionStatus::Running, None, None), history: Vec::new() }
    }
}

#[tokio::test]
async fn whenever_the_program_is_killed_each_execution_ends_as_if_it_had_not_been() {
    let seed = number("SLUICE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = number("SLUICE_KILLS").and_then(|kills| usize::try_from(kills).ok()).unwrap_or(KILLS);
    println!("SLUICE_SEED={seed} SLUICE_KILLS={kills}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut soak = Soak::prepare().await;
    for round in 0..kills {
        soak.round(round, &mut random).await;
    }
    let server = Server::start(soak.data.path());
    soak.wait_for(&server).await;
    soak.check(&server).await;
    println!("{} executions ended as they should", soak.begun.len());
}
