//! Tasks that wait for more than a service's answer: activities, tokens, jobs.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Effect, Execution, Step, Stimulus, TaskId};
use crate::{Definition, Failure, LogEntry, Payload, StartContext, Status, TaskToken, TokenKey};

fn epoch() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn start_context() -> StartContext {
    StartContext {
        execution_arn: "arn:aws:states:eu-west-1:1:execution:m:run".to_owned(),
        name: "run".to_owned(),
        state_machine_arn: "arn:aws:states:eu-west-1:1:stateMachine:m".to_owned(),
        state_machine_name: "m".to_owned(),
        role_arn: "arn:aws:iam::1:role/r".to_owned(),
        input: json!({ "a": 1 }).into(),
        start_time: epoch(),
        token_key: TokenKey::new([7; 32]),
    }
}

/// An execution with all that came out of it.
struct World {
    definition: Arc<Definition>,
    execution: Execution,
    log: Vec<LogEntry>,
    effects: Vec<Effect>,
    now: Timestamp,
}

impl World {
    fn new(fields: &Value) -> Self {
        let nothing = json!([{ "ErrorEquals": ["Nothing"], "Next": "Caught" }]);
        let mut state = json!({ "Type": "Task", "End": true, "Catch": nothing });
        state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let caught = json!({ "Type": "Pass", "End": true });
        let definition = json!({ "StartAt": "A", "States": { "A": state, "Caught": caught } }).to_string();
        let definition = Arc::new(Definition::parse(&definition).unwrap());
        let (execution, step) = Execution::start(definition.clone(), start_context(), epoch(), &mut || 0.5);
        let mut world = Self { definition, execution, log: Vec::new(), effects: Vec::new(), now: epoch() };
        world.take(step);
        world
    }

    fn take(&mut self, step: Step) {
        self.log.extend(step.events);
        self.effects = step.effects;
        let replayed = Execution::replay(self.definition.clone(), start_context(), self.log.clone()).unwrap();
        assert_eq!(replayed.open_work(), self.execution.open_work(), "a replay has the same open work");
        assert_eq!(replayed.status(), self.execution.status());
    }

    fn tell(&mut self, stimulus: Stimulus) -> &mut Self {
        let step = self.execution.advance(stimulus, self.now, &mut || 0.5);
        self.take(step);
        self
    }

    fn restart(&mut self) -> Vec<Effect> {
        self.execution = Execution::replay(self.definition.clone(), start_context(), self.log.clone()).unwrap();
        let open = self.execution.open_work();
        let step = self.execution.resume(self.now, &mut || 0.5);
        self.take(step);
        open
    }

    /// The task that an effect or the open work names.
    fn task(&self) -> TaskId {
        let task = |effect: &Effect| match effect {
            Effect::InvokeTask { task_id, .. }
            | Effect::FindActivity { task_id, .. }
            | Effect::AwaitTask { task_id, .. } => Some(*task_id),
            _ => None,
        };
        self.execution.open_work().iter().find_map(task).unwrap()
    }

    /// Lets time pass until a timer is due.
    fn wait(&mut self) -> &mut Self {
        let timer = |effect: &Effect| match effect {
            Effect::SetTimer { timer_id, due } => Some((*due, *timer_id)),
            _ => None,
        };
        let (due, timer_id) = self.execution.open_work().iter().filter_map(timer).min().unwrap();
        self.now = due;
        self.tell(Stimulus::TimerFired { timer_id })
    }

    fn types(&self) -> Vec<String> {
        let shown = self.log.iter().filter(|entry| entry.event_id.is_some());
        shown.map(|entry| entry.event.type_name()).filter(|name| !name.contains("State")).collect()
    }

    fn details(&self, event_type: &str, name: &str) -> Value {
        let events = self.log.iter().filter_map(LogEntry::to_history_event);
        events.filter(|event| event["type"] == event_type).map(|event| event[name].clone()).next_back().unwrap()
    }

    fn failure(&self) -> Failure {
        self.execution.finish().unwrap().failure.clone()
    }
}

const ACTIVITY: &str = "arn:aws:states:eu-west-1:1:activity:a";

fn activity() -> World {
    World::new(&json!({ "Resource": ACTIVITY, "TimeoutSeconds": 60, "HeartbeatSeconds": 10 }))
}

fn callback() -> World {
    World::new(&json!({
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "HeartbeatSeconds": 10,
        "Parameters": { "FunctionName": "f", "Payload": { "token.$": "$$.Task.Token" } },
        "Retry": [{ "ErrorEquals": ["Again"] }],
        "Catch": [{ "ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught" }],
    }))
}

fn succeeded(task_id: TaskId) -> Stimulus {
    Stimulus::TaskSucceeded { task_id, output: json!("done").into() }
}

fn submitted(task_id: TaskId) -> Stimulus {
    Stimulus::TaskSubmitted { task_id, output: json!({ "Payload": null }).into() }
}

#[test]
fn an_activity_is_found_taken_and_answered() {
    let mut world = activity();
    assert_eq!(world.effects, [Effect::FindActivity { task_id: world.task(), arn: ACTIVITY.to_owned() }]);
    let task_id = world.task();
    world.tell(Stimulus::ActivityFound { task_id });
    let task_id = world.task();
    assert!(matches!(world.effects[..], [Effect::InvokeTask { started: false, .. }]), "{:?}", world.effects);
    world.tell(Stimulus::TaskStarted { task_id, worker_name: Some("w".to_owned()) });
    // Its time begins when it is taken, and it is not handed out again.
    assert_eq!(world.effects.iter().filter(|effect| matches!(effect, Effect::SetTimer { .. })).count(), 2);
    assert!(world.restart().iter().any(|effect| matches!(effect, Effect::InvokeTask { started: true, .. })));
    world.now = world.now.saturating_add(SignedDuration::from_secs(9)).unwrap();
    world.tell(Stimulus::TaskHeartbeat { task_id }).tell(succeeded(task_id));
    let types = ["ExecutionStarted", "ActivityScheduled", "ActivityStarted", "ActivitySucceeded", "ExecutionSucceeded"];
    assert_eq!(world.types(), types);
    let scheduled = json!({
        "resource": ACTIVITY, "input": "{\"a\":1}", "inputDetails": { "truncated": false },
        "timeoutInSeconds": 60, "heartbeatInSeconds": 10,
    });
    assert_eq!(world.details("ActivityScheduled", "activityScheduledEventDetails"), scheduled);
    assert_eq!(world.details("ActivityStarted", "activityStartedEventDetails"), json!({ "workerName": "w" }));
}

#[test]
fn an_activity_that_is_not_there_fails_the_state_before_anything_is_scheduled() {
    let mut world = activity();
    let task_id = world.task();
    world.tell(Stimulus::ActivityMissing { task_id });
    assert_eq!(world.types(), ["ExecutionStarted", "ExecutionFailed"]);
    let cause = format!(
        "An error occurred while executing the state 'A' (entered at the event id #2). The activity {ACTIVITY} does not exist."
    );
    assert_eq!(world.failure(), Failure::new("States.Runtime", cause));
}

#[test]
fn an_activity_that_nobody_takes_has_no_time() {
    let mut world = activity();
    let task_id = world.task();
    world.tell(Stimulus::ActivityFound { task_id });
    assert!(!world.execution.open_work().iter().any(|effect| matches!(effect, Effect::SetTimer { .. })));
    world.restart();
    let task_id = world.task();
    world.tell(Stimulus::TaskStarted { task_id, worker_name: None }).wait();
    assert_eq!(world.types()[2..], ["ActivityStarted", "ActivityTimedOut", "ExecutionFailed"]);
    assert_eq!(world.details("ActivityStarted", "activityStartedEventDetails"), json!({}));
    let timed_out = json!({ "error": "States.Timeout" });
    assert_eq!(world.details("ActivityTimedOut", "activityTimedOutEventDetails"), timed_out);
}

#[test]
fn a_token_is_that_of_the_task_and_answers_it_once() {
    let mut world = callback();
    let task_id = world.task();
    let Some(Effect::InvokeTask { input, .. }) = world.effects.first().cloned() else { panic!("{:?}", world.effects) };
    let token = TokenKey::new([7; 32]).read(input.value()["Payload"]["token"].as_str().unwrap()).unwrap();
    let (execution_arn, start_time) = (start_context().execution_arn, epoch());
    assert_eq!(token, TaskToken { execution_arn, start_time, task_id });
    world.tell(submitted(task_id));
    assert!(matches!(world.effects[..], [Effect::AwaitTask { .. }]), "{:?}", world.effects);
    assert!(world.restart().iter().any(|effect| matches!(effect, Effect::AwaitTask { .. })));
    assert!(world.execution.is_open(task_id));
    world.tell(succeeded(task_id));
    assert!(!world.execution.is_open(task_id));
    let entries = world.log.len();
    world.tell(succeeded(task_id));
    assert_eq!(world.log.len(), entries);
    let types =
        ["ExecutionStarted", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "ExecutionSucceeded"];
    assert_eq!(world.types(), types);
    assert_eq!(world.details("TaskSubmitted", "taskSubmittedEventDetails")["resource"], "invoke.waitForTaskToken");
}

#[test]
fn an_answer_that_comes_before_the_services_own_waits_for_it() {
    let mut world = callback();
    let task_id = world.task();
    world.tell(succeeded(task_id));
    assert_eq!(world.execution.status(), Status::Running);
    assert!(!world.execution.is_open(task_id), "it was answered");
    world.tell(Stimulus::TaskFailed { task_id, failure: Failure::new("Late", "") }).tell(submitted(task_id));
    assert_eq!(world.types()[3..], ["TaskSubmitted", "TaskSucceeded", "ExecutionSucceeded"]);
}

#[test]
fn an_answer_that_was_given_survives_whatever_becomes_of_the_call() {
    type Loss = dyn Fn(&mut World, TaskId);
    let lost: [&Loss; 3] = [
        &|world, _| assert!(!world.restart().iter().any(|effect| matches!(effect, Effect::InvokeTask { .. }))),
        &|world, task_id| {
            world.tell(Stimulus::TaskSubmitFailed { task_id, failure: Failure::new("Lambda.Unknown", "") });
        },
        &|world, _| {
            world.wait();
        },
    ];
    for lose in lost {
        let mut world = callback();
        let task_id = world.task();
        world.tell(succeeded(task_id));
        lose(&mut world, task_id);
        assert_eq!(world.execution.status(), Status::Succeeded);
        assert_eq!(world.types()[2..], ["TaskStarted", "TaskSucceeded", "ExecutionSucceeded"]);
    }
}

#[test]
fn a_call_that_is_refused_is_a_failed_submission() {
    let mut world = callback();
    let task_id = world.task();
    world.tell(Stimulus::TaskSubmitFailed { task_id, failure: Failure::new("Lambda.ServiceException", "no") });
    assert_eq!(world.types()[2..], ["TaskStarted", "TaskSubmitFailed", "ExecutionFailed"]);
    let details = world.details("TaskSubmitFailed", "taskSubmitFailedEventDetails");
    assert_eq!(details["error"], "Lambda.ServiceException");
}

#[test]
fn a_missed_heartbeat_is_a_timeout_that_a_catcher_can_tell() {
    let mut world = callback();
    let task_id = world.task();
    world.tell(submitted(task_id)).wait();
    assert_eq!(world.types()[4..], ["TaskTimedOut", "ExecutionSucceeded"]);
    assert_eq!(world.details("TaskTimedOut", "taskTimedOutEventDetails")["error"], "States.Timeout");
    let output = world.execution.finish().unwrap().output.clone().unwrap();
    assert_eq!(output.value(), &json!({ "Error": "States.Timeout", "Cause": null }));
}

#[test]
fn each_attempt_has_a_token_of_its_own() {
    let mut world = callback();
    let first = world.task();
    world.tell(submitted(first)).tell(Stimulus::TaskFailed { task_id: first, failure: Failure::new("Again", "") });
    world.wait();
    let second = world.task();
    assert_ne!(first, second);
    let token = |world: &World| {
        let Some(Effect::InvokeTask { input, .. }) = world.effects.first().cloned() else {
            panic!("{:?}", world.effects)
        };
        TokenKey::new([7; 32]).read(input.value()["Payload"]["token"].as_str().unwrap()).unwrap()
    };
    assert_eq!(token(&world).task_id, second);
    world.tell(succeeded(first));
    assert!(world.execution.is_open(second), "the first token is of no use any more");
}

#[test]
fn only_a_task_that_waits_for_its_token_has_one() {
    let world = World::new(&json!({
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": "f", "Payload.$": "$$.Task.Token" },
    }));
    assert_eq!(world.failure().error.as_deref(), Some("States.Runtime"));
}

#[test]
fn a_job_ends_the_task_that_started_it() {
    let mut world = World::new(&json!({
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": { "StateMachineArn": "m", "Input": {} },
    }));
    let task_id = world.task();
    world.tell(submitted(task_id)).tell(succeeded(task_id));
    assert_eq!(world.types()[2..], ["TaskStarted", "TaskSubmitted", "TaskSucceeded", "ExecutionSucceeded"]);
    assert_eq!(world.details("TaskSucceeded", "taskSucceededEventDetails")["resource"], "startExecution.sync:2");
}

#[test]
fn an_answer_too_large_fails_the_task() {
    let mut world = callback();
    let task_id = world.task();
    let output: Payload = json!("x".repeat(300_000)).into();
    world.tell(submitted(task_id)).tell(Stimulus::TaskSucceeded { task_id, output });
    assert_eq!(world.failure().error.as_deref(), Some("States.DataLimitExceeded"));
}
