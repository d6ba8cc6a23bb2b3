//! Fails at every state of the machine in turn, loses every answer in turn, and runs every step twice.
//!
//! The machine is the shipped definition, the steps are the shipped binaries; only the driver between
//! them is this test's own, so that it can interfere at a state of its choice. Whatever it does, a run
//! ends with one record, and no job is started twice.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::sync::Arc;
use std::time::Duration;

use asl::{Definition, Effect, Execution, Failure, Payload, Resource, StartContext, Status, Step, Stimulus};
use bytes::Bytes;
use cloud::deployment::{CATALOG_BUCKET, EXTRACTED_BUCKET, Stack};
use cloud::faults::Faults;
use cloud::store::Page;
use cloud::{Cloud, Config};
use domain::change::Change;
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{checkout, program};

/// A bucket that tells nobody of its objects, so that no other execution takes them.
const BUCKET: &str = "quiet";
/// More steps than any run here takes: a run that goes in circles ends.
const MOST_TASKS: usize = 400;
/// A failing state may need a redrive for itself and one for what failed before it.
const MOST_REDRIVES: usize = 3;

/// What happens to the first invocation that a state makes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Strike {
    /// The step fails for good, without having run.
    Fails,
    /// The step runs, but its answer is lost with its worker.
    LosesAnswer,
}

/// How often each step runs on the same input; the last answer counts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Runs {
    Once,
    Twice,
}

struct Laboratory {
    cloud: Cloud,
    definition: Arc<Definition>,
    states: Vec<String>,
    _data: tempfile::TempDir,
}

impl Laboratory {
    async fn open() -> Self {
        Self::with(Faults::default()).await
    }

    async fn with(faults: Faults) -> Self {
        let data = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(checkout::root().join("statemachine/extract.asl.json")).unwrap();
        let stack = Stack {
            functions_directory: program::programs(),
            state_machine: text.clone(),
            tables: None,
            settings_file: None,
            environment: [].into(),
        };
        let speech_worker = program::programs().join("sluice-speech");
        let config = Config { stack: Some(stack), speech_worker, faults, ..Config::new(data.path()) };
        let cloud = Cloud::start(config).await.unwrap();
        cloud.context().store.create_bucket(BUCKET).await.unwrap();
        let states = task_states(&serde_json::from_str(&text).unwrap());
        let definition = Arc::new(Definition::parse(&with_arns(&text)).unwrap());
        Self { cloud, definition, states, _data: data }
    }

    /// Puts a file into the quiet bucket and gives the input of its run.
    async fn put(&self, file: &str, key: &str) -> Value {
        let bytes = std::fs::read(checkout::root().join("samples").join(file)).unwrap();
        let object = self.cloud.context().store.put_bytes(BUCKET, key, None, Bytes::from(bytes)).await.unwrap();
        json!({
            "kind": "created", "object": {"bucket": BUCKET, "key": key}, "etag": object.etag,
            "size_bytes": object.size_bytes, "sequencer": "1", "time": "2026-05-01T12:00:00Z",
        })
    }

    async fn call(&self, function: &str, input: String) -> Result<Value, Failure> {
        let invocation = self.cloud.functions().invoke(function, Bytes::from(input)).await.unwrap();
        let answer: Value = serde_json::from_slice(&invocation.payload).unwrap();
        if invocation.function_error.is_none() {
            return Ok(answer);
        }
        Err(failure(answer["errorType"].as_str().unwrap_or("Unknown"), &answer.to_string()))
    }

    async fn records(&self, run: &str) -> Vec<Change> {
        let store = &self.cloud.context().store;
        let listing = store
            .list(CATALOG_BUCKET, Page { prefix: "changes/".into(), most: 1000, ..Page::default() })
            .await
            .unwrap();
        let mut records = Vec::new();
        for entry in listing.entries.iter().filter(|entry| entry.key.ends_with(&format!("-{run}.json"))) {
            let object = store.head(CATALOG_BUCKET, &entry.key, None).await.unwrap();
            records.push(serde_json::from_reader(store.open_bytes(&object).await.unwrap()).unwrap());
        }
        records
    }
}

/// The names of all Task states, those inside a Map too.
fn task_states(machine: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for (name, state) in machine["States"].as_object().unwrap() {
        match state["Type"].as_str() {
            Some("Task") => names.push(name.clone()),
            Some("Map") => names.extend(task_states(&state["ItemProcessor"])),
            _ => {}
        }
    }
    names
}

fn with_arns(text: &str) -> String {
    let words = ["Classify", "StartJob", "PollStatus", "Postprocess", "Catalog"];
    let binaries = ["classify", "start-job", "poll-status", "postprocess", "catalog"];
    words.iter().zip(binaries).fold(text.to_owned(), |text, (word, binary)| {
        let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:sluice-{binary}");
        text.replace(&format!("${{{word}FunctionArn}}"), &arn)
    })
}

/// One execution, driven by hand.
struct Run<'a> {
    laboratory: &'a Laboratory,
    name: String,
    execution: Execution,
    runs: Runs,
    /// Where something happens; each is used up by the first time.
    strikes: Vec<(String, Strike)>,
    now: Timestamp,
    tasks: usize,
}

impl<'a> Run<'a> {
    async fn to_its_end(
        laboratory: &'a Laboratory,
        name: &str,
        input: Value,
        strikes: Vec<(String, Strike)>,
        runs: Runs,
    ) -> Self {
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let context = StartContext {
            execution_arn: format!("arn:aws:states:us-east-1:000000000000:execution:sluice-extract:{name}"),
            name: name.to_owned(),
            state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-extract".into(),
            state_machine_name: "sluice-extract".into(),
            role_arn: "arn:aws:iam::000000000000:role/sluice".into(),
            input: input.into(),
            start_time: now,
            token_key: asl::TokenKey::default(),
        };
        let (execution, step) = Execution::start(laboratory.definition.clone(), context, now, &mut || 0.0);
        let mut run = Self { laboratory, name: name.to_owned(), execution, runs, strikes, now, tasks: 0 };
        run.drive(step).await;
        for _ in 0..MOST_REDRIVES {
            if run.execution.status() == Status::Failed {
                let step = run.advance(Stimulus::Redrive);
                run.drive(step).await;
            }
        }
        run
    }

    fn advance(&mut self, stimulus: Stimulus) -> Step {
        self.execution.advance(stimulus, self.now, &mut || 0.0)
    }

    async fn drive(&mut self, step: Step) {
        let mut waiting = std::collections::VecDeque::from(step.effects);
        while let Some(effect) = waiting.pop_front() {
            let stimulus = match effect {
                Effect::InvokeTask { task_id, resource, input, .. } => match self.invoke(&resource, &input).await {
                    Ok(output) => Stimulus::TaskSucceeded { task_id, output },
                    Err(failure) => Stimulus::TaskFailed { task_id, failure },
                },
                // A task's own time limit never comes: the task is done before anything else is looked at.
                Effect::SetTimer { timer_id, due } if due < self.now + Duration::from_mins(5) => {
                    self.now = self.now.max(due);
                    Stimulus::TimerFired { timer_id }
                }
                _ => continue,
            };
            waiting.extend(self.advance(stimulus).effects);
        }
    }

    async fn invoke(&mut self, resource: &Resource, input: &Payload) -> Result<Payload, Failure> {
        self.tasks += 1;
        assert!(self.tasks < MOST_TASKS, "the run goes in circles");
        let Resource::Function { arn } = resource else { panic!("not a function: {resource:?}") };
        if self.runs == Runs::Twice {
            self.call(arn, input).await.ok();
        }
        let state = state_of(arn, input.value());
        let here = self.strikes.iter().position(|(at, _)| *at == state);
        match here.map(|here| self.strikes.remove(here).1) {
            None => self.call(arn, input).await,
            Some(Strike::Fails) => Err(failure("Internal", "the test wants it")),
            Some(Strike::LosesAnswer) => {
                self.call(arn, input).await.ok();
                Err(failure("Lambda.Unknown", "the worker died with the answer"))
            }
        }
    }

    async fn call(&self, arn: &str, input: &Payload) -> Result<Payload, Failure> {
        let function = arn.rsplit(':').next().unwrap();
        if function == "sluice-poll-status" {
            // The clock of the run is the test's, the job's is not: give the job some of its own time.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.laboratory.call(function, input.to_json()).await.map(Payload::from)
    }

    async fn assert_one_record(&self, what: &str) {
        let records = self.laboratory.records(&self.name).await;
        assert_eq!(records.len(), 1, "{what}");
        assert_eq!(records[0].status, domain::change::Status::Succeeded, "{what}: {:?}", records[0].reason);
        assert_eq!(self.execution.status(), Status::Succeeded, "{what}");
    }
}

fn failure(error: &str, cause: &str) -> Failure {
    Failure::new(error, cause)
}

/// The state behind an invocation; three states share the catalog's function and tell it which they are.
fn state_of(arn: &str, input: &Value) -> String {
    let state = match (arn.rsplit('-').next().unwrap(), input["catalog"].as_str()) {
        ("classify", _) => "Classify",
        ("job", _) => "StartJob",
        ("status", _) => "PollStatus",
        ("postprocess", _) => "Postprocess",
        (_, Some("OUTCOME")) => "Catalog",
        (_, Some("FAILURE")) => "CatalogFailure",
        (_, Some("CONCLUDE")) => "FailOrResume",
        other => panic!("no state invokes {other:?}"),
    };
    state.to_owned()
}

/// A text, whose services answer at once, and a scan, whose service runs a job.
const FILES: [&str; 2] = ["text/welcome.txt", "pdf/fire-drill-scan.pdf"];

async fn strike_everywhere(strike: Strike) {
    let laboratory = Laboratory::open().await;
    assert!(laboratory.states.len() >= 7, "{:?}", laboratory.states);
    for (number, file) in FILES.iter().enumerate() {
        for state in &laboratory.states {
            let name = format!("{number}-{state}");
            let input = laboratory.put(file, &name).await;
            let run = Run::to_its_end(&laboratory, &name, input, strikes(state, strike), Runs::Once).await;
            let what = format!("{strike:?} at {state} of {file}");
            run.assert_one_record(&what).await;
            let waits_for_nothing = state == "PollStatus" && number == 0;
            assert!(run.strikes.is_empty() || waits_for_nothing, "{what} was never reached");
        }
    }
    laboratory.cloud.shutdown().await;
}

/// The states of failure are reached by a failure only.
fn strikes(state: &str, strike: Strike) -> Vec<(String, Strike)> {
    let before = ["CatalogFailure", "FailOrResume"].contains(&state).then(|| ("Classify".to_owned(), Strike::Fails));
    before.into_iter().chain([(state.to_owned(), strike)]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_a_failure_at_every_state() {
    strike_everywhere(Strike::Fails).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_a_lost_answer_at_every_state() {
    strike_everywhere(Strike::LosesAnswer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_may_run_twice() {
    let laboratory = Laboratory::open().await;
    for (number, file) in FILES.iter().enumerate() {
        let (once, twice) = (format!("once-{number}"), format!("twice-{number}"));
        let input = laboratory.put(file, &once).await;
        let once = Run::to_its_end(&laboratory, &once, input, Vec::new(), Runs::Once).await;
        let input = laboratory.put(file, &twice).await;
        let twice = Run::to_its_end(&laboratory, &twice, input, Vec::new(), Runs::Twice).await;
        once.assert_one_record(file).await;
        twice.assert_one_record(file).await;
        let facts = async |name: &str| {
            let mut record = laboratory.records(name).await.remove(0);
            record.facts.extraction_uri = None;
            record.facts
        };
        assert_eq!(facts(&once.name).await, facts(&twice.name).await, "{file}");
    }
    laboratory.cloud.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_task_has_found_is_kept_when_the_next_one_fails() {
    let faults = Faults::parse(&["comprehend:error=1"], fastrand::Rng::with_seed(1)).unwrap();
    let laboratory = Laboratory::with(faults).await;
    let event = laboratory.put(FILES[0], "kept").await;
    let execution = json!({"arn": "arn", "name": "kept", "started": "2026-05-01T12:00:00Z"});
    let arrived = json!({"event": event, "execution": execution});
    let classified = laboratory.call("sluice-classify", arrived.to_string()).await.unwrap();
    let track = json!({
        "execution": execution, "subject": classified["subject"], "track": classified["tracks"][0], "progress": "START",
    });
    let first = laboratory.call("sluice-start-job", track.to_string()).await.unwrap();
    assert_eq!((&first["progress"], &first["position"]), (&json!("START"), &json!(1)), "{first}");
    let key = first["answers"][0]["key"].as_str().unwrap();
    let store = &laboratory.cloud.context().store;
    let answer = store.head(EXTRACTED_BUCKET, key, None).await.unwrap();
    let answer: Value = serde_json::from_reader(store.open_bytes(&answer).await.unwrap()).unwrap();
    assert_eq!(answer["service"], "document-text");
    let second = laboratory.call("sluice-start-job", first.to_string()).await.unwrap_err();
    assert_eq!(second.error.as_deref(), Some("Transient"), "{second:?}");
    laboratory.cloud.shutdown().await;
}
