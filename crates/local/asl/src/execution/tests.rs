//! Executions in a small deterministic world: functions answer by their names, and time jumps to
//! the next timer. Every stimulus is taken from the open work, so a world needs no memory and a
//! replayed execution meets the same future as a live one.

mod jsonata;
mod map_run;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Effect, Execution, MAX_HISTORY_EVENTS, ReplayError, Step, Stimulus};
use crate::{Definition, Event, Failure, LogEntry, Payload, StartContext, Status, TimerPurpose, TokenKey};

fn random() -> f64 {
    0.5
}

fn epoch() -> Timestamp {
    "2026-01-02T03:04:05.678901Z".parse().unwrap()
}

fn start_context(input: &Value) -> StartContext {
    StartContext {
        execution_arn: "arn:aws:states:eu-west-1:1:execution:m:run".to_owned(),
        name: "run".to_owned(),
        state_machine_arn: "arn:aws:states:eu-west-1:1:stateMachine:m".to_owned(),
        state_machine_name: "m".to_owned(),
        role_arn: "arn:aws:iam::1:role/r".to_owned(),
        input: input.clone().into(),
        start_time: epoch(),
        token_key: TokenKey::new([7; 32]),
    }
}

fn define(definition: &Value) -> Arc<Definition> {
    Arc::new(Definition::parse(&definition.to_string()).unwrap())
}

/// What a function answers, by its name.
fn answer(input: &Value) -> Option<Result<Payload, Failure>> {
    match input["FunctionName"].as_str().unwrap_or("echo") {
        "never" => None,
        "broken" => Some(Err(Failure::new("Broken", "always"))),
        // Works at the third attempt.
        "flaky" if input["Payload"]["count"].as_u64() < Some(2) => Some(Err(Failure::new("Flaky", "once more"))),
        "large" => Some(Ok(json!("x".repeat(300_000)).into())),
        _ => Some(Ok(input["Payload"].clone().into())),
    }
}

/// The next thing that happens in the world: an answer, or else the earliest timer.
fn next_stimulus(execution: &Execution, now: &mut Timestamp) -> Option<Stimulus> {
    let work = execution.open_work();
    let answered = work.iter().find_map(|effect| match effect {
        Effect::InvokeTask { task_id, input, .. } => Some((*task_id, answer(input.value())?)),
        _ => None,
    });
    if let Some((task_id, result)) = answered {
        return Some(match result {
            Ok(output) => Stimulus::TaskSucceeded { task_id, output },
            Err(failure) => Stimulus::TaskFailed { task_id, failure },
        });
    }
    let map_run = work.iter().find_map(|effect| map_run::ended(execution, effect));
    if map_run.is_some() {
        return map_run;
    }
    let timers = work.iter().filter_map(|effect| match effect {
        Effect::SetTimer { timer_id, due } => Some((*due, *timer_id)),
        _ => None,
    });
    let (due, timer_id) = timers.min()?;
    *now = (*now).max(due);
    Some(Stimulus::TimerFired { timer_id })
}

/// Runs to the end, or until nothing can happen any more.
fn run_on(execution: &mut Execution, log: &mut Vec<LogEntry>, mut now: Timestamp) {
    while execution.status() == Status::Running {
        let Some(stimulus) = next_stimulus(execution, &mut now) else {
            return;
        };
        let step = execution.advance(stimulus.clone(), now, &mut random);
        let again = execution.advance(stimulus, now, &mut random);
        assert!(again.events.is_empty() && again.effects.is_empty(), "a stimulus had an effect twice");
        log.extend(step.events);
    }
}

fn run(definition: &Value, input: &Value) -> (Execution, Vec<LogEntry>) {
    let (mut execution, step) = Execution::start(define(definition), start_context(input), epoch(), &mut random);
    let mut log = step.events;
    run_on(&mut execution, &mut log, epoch());
    (execution, log)
}

/// Runs a machine for a while and replays its log: the state must be the one that wrote it.
pub(crate) fn survives_replay(definition: &Value, input: &Value) {
    let (mut live, step) = Execution::start(define(definition), start_context(input), epoch(), &mut random);
    let (mut log, mut now) = (step.events, epoch());
    for _ in 0..50 {
        let Some(stimulus) = next_stimulus(&live, &mut now).filter(|_| live.status() == Status::Running) else {
            break;
        };
        log.extend(live.advance(stimulus, now, &mut random).events);
    }
    let read: Vec<LogEntry> = serde_json::from_str(&serde_json::to_string(&log).unwrap()).unwrap();
    let again = Execution::replay(define(definition), start_context(input), read).unwrap();
    assert_eq!((again.status(), again.finish()), (live.status(), live.finish()), "{definition}");
    assert_eq!(again.history_length(), live.history_length(), "{definition}");
    let [live, again] = [live, again].map(|execution| format!("{:?}", execution.open_work()));
    assert_eq!(again, live, "{definition}");
}

fn types(log: &[LogEntry]) -> Vec<String> {
    log.iter().filter(|entry| entry.event_id.is_some()).map(|entry| entry.event.type_name()).collect()
}

fn output(execution: &Execution) -> Value {
    let finish = execution.finish().expect("the execution has ended");
    finish.output.as_ref().map_or(Value::Null, |output| output.value().clone())
}

fn error(execution: &Execution) -> String {
    execution.finish().expect("the execution has ended").failure.error.clone().unwrap_or_default()
}

fn invoke(function: &str, extra: &Value) -> Value {
    let mut state = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": function, "Payload": { "in.$": "$", "count.$": "$$.State.RetryCount" } },
        "End": true
    });
    state.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    state
}

fn machine(start: &str, states: &Value) -> Value {
    json!({ "StartAt": start, "States": states })
}

fn jittered_retry() -> Value {
    json!([{ "ErrorEquals": ["Flaky"], "IntervalSeconds": 4, "MaxAttempts": 5, "BackoffRate": 3, "MaxDelaySeconds": 6, "JitterStrategy": "FULL" }])
}

/// Machines that between them pass through every kind of state and every kind of event.
#[expect(clippy::too_many_lines, reason = "a table")]
fn machines() -> Vec<(&'static str, Value)> {
    let pass = json!({ "Type": "Pass", "End": true });
    let wait = json!({ "Type": "Wait", "Seconds": 30, "End": true });
    let poll = machine(
        "Start",
        &json!({
            "Start": invoke("echo", &json!({ "OutputPath": "$.in", "Next": "Wait", "End": null })),
            "Wait": { "Type": "Wait", "SecondsPath": "$.wait", "Next": "Retry" },
            "Retry": invoke("flaky", &json!({ "Retry": jittered_retry(), "ResultPath": "$.answer" }))
        }),
    );
    let poll = without_null_ends(poll);
    vec![
        (
            "pass",
            machine(
                "A",
                &json!({ "A": { "Type": "Pass", "Next": "B", "Assign": { "x.$": "$.a" } }, "B": { "Type": "Pass", "Parameters": { "y.$": "$x" }, "End": true } }),
            ),
        ),
        ("succeed", machine("A", &json!({ "A": { "Type": "Succeed", "OutputPath": "$.a" } }))),
        ("fail", machine("A", &json!({ "A": { "Type": "Fail", "Error": "E", "CausePath": "$.cause" } }))),
        (
            "no choice",
            machine(
                "A",
                &json!({ "A": { "Type": "Choice", "Choices": [{ "Variable": "$.a", "NumericEquals": 9, "Next": "B" }] }, "B": pass }),
            ),
        ),
        ("wait", machine("A", &json!({ "A": wait }))),
        ("task", machine("A", &json!({ "A": invoke("echo", &json!({})) }))),
        (
            "function",
            machine(
                "A",
                &json!({ "A": { "Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:1:function:f", "End": true } }),
            ),
        ),
        ("retry", machine("A", &json!({ "A": invoke("flaky", &json!({ "Retry": jittered_retry() })) }))),
        (
            "exhausted",
            machine(
                "A",
                &json!({ "A": invoke("broken", &json!({ "Retry": [{ "ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 2 }] })) }),
            ),
        ),
        (
            "caught",
            machine(
                "A",
                &json!({ "A": invoke("broken", &json!({ "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.why", "Next": "B" }] })), "B": pass }),
            ),
        ),
        ("large", machine("A", &json!({ "A": invoke("large", &json!({})) }))),
        (
            "timeout",
            machine(
                "A",
                &json!({ "A": invoke("never", &json!({ "TimeoutSeconds": 9, "Retry": [{ "ErrorEquals": ["States.Timeout"], "MaxAttempts": 1 }] })) }),
            ),
        ),
        (
            "heartbeat",
            machine("A", &json!({ "A": invoke("never", &json!({ "TimeoutSeconds": 9, "HeartbeatSeconds": 4 })) })),
        ),
        (
            "map",
            machine(
                "A",
                &json!({ "A": {
            "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "End": true,
            "ItemSelector": { "item.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index", "wait.$": "$.wait" },
            "ItemProcessor": poll
        } }),
            ),
        ),
        (
            "empty map",
            machine(
                "A",
                &json!({ "A": { "Type": "Map", "ItemsPath": "$.none", "End": true, "ItemProcessor": machine("B", &json!({ "B": pass })) } }),
            ),
        ),
        (
            "map of nothing",
            machine(
                "A",
                &json!({ "A": { "Type": "Map", "ItemsPath": "$.a", "End": true, "ItemProcessor": machine("B", &json!({ "B": pass })) } }),
            ),
        ),
        (
            "failing map",
            machine(
                "A",
                &json!({
                    "A": {
                        "Type": "Map", "ItemsPath": "$.items", "Next": "C",
                        "Retry": [{ "ErrorEquals": ["Odd"], "MaxAttempts": 1 }],
                        "Catch": [{ "ErrorEquals": ["Odd"], "Next": "C" }],
                        "ItemProcessor": machine("Is2", &json!({
                            "Is2": { "Type": "Choice", "Choices": [{ "Variable": "$", "NumericEquals": 2, "Next": "Slow" }], "Default": "Wait" },
                            "Slow": { "Type": "Wait", "Seconds": 5, "Next": "Fail" },
                            "Fail": { "Type": "Fail", "Error": "Odd", "Cause": "two" },
                            "Wait": wait
                        }))
                    },
                    "C": pass
                }),
            ),
        ),
        (
            "parallel",
            machine(
                "A",
                &json!({ "A": { "Type": "Parallel", "End": true, "ResultPath": "$.both", "Branches": [
            machine("X", &json!({ "X": invoke("echo", &json!({})) })),
            machine("Y", &json!({ "Y": { "Type": "Parallel", "End": true, "Branches": [machine("Z", &json!({ "Z": wait })), machine("W", &json!({ "W": pass }))] } }))
        ] } }),
            ),
        ),
        (
            "failing parallel",
            machine(
                "A",
                &json!({ "A": { "Type": "Parallel", "End": true, "Branches": [
            machine("X", &json!({ "X": invoke("broken", &json!({})) })),
            machine("Y", &json!({ "Y": invoke("never", &json!({})) })),
            machine("Z", &json!({ "Z": { "Type": "Map", "ItemsPath": "$.items", "End": true, "ItemProcessor": machine("W", &json!({ "W": wait })) } }))
        ] } }),
            ),
        ),
        ("distributed map", map_run::machine_over("$.items", &json!({ "Next": "B" }))),
        (
            "failing distributed map",
            map_run::machine_over(
                "$.items",
                &json!({
                    "Label": "broken", "Next": "B",
                    "Retry": [{ "ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "MaxAttempts": 1 }],
                    "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "B" }]
                }),
            ),
        ),
        (
            "distributed map beside a failure",
            machine(
                "P",
                &json!({ "P": { "Type": "Parallel", "End": true, "Branches": [
            map_run::machine_over("$.items", &json!({ "Label": "never", "End": true })),
            machine("X", &json!({ "X": invoke("broken", &json!({})) }))
        ] } }),
            ),
        ),
        ("timed out", json!({ "TimeoutSeconds": 20, "StartAt": "A", "States": { "A": wait } })),
        (
            "bad result path",
            machine(
                "A",
                &json!({ "A": { "Type": "Pass", "InputPath": "$.items", "ResultPath": "$.items.x", "End": true } }),
            ),
        ),
    ]
}

/// All machines, in both query languages.
fn all_machines() -> impl Iterator<Item = (&'static str, Value)> {
    machines().into_iter().chain(jsonata::cases().into_iter().map(|(name, definition, _)| (name, definition)))
}

fn without_null_ends(mut machine: Value) -> Value {
    for state in machine["States"].as_object_mut().unwrap().values_mut() {
        state.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    machine
}

fn input() -> Value {
    json!({ "a": 1, "cause": "because", "items": [1, 2, 3], "none": [], "wait": 7 })
}

#[test]
fn a_crash_after_any_entry_changes_nothing() {
    for (name, definition) in all_machines() {
        let (live, log) = run(&definition, &input());
        assert_ne!(live.status(), Status::Running, "{name}");
        for length in 1..=log.len() {
            let text = serde_json::to_string(&log[..length]).unwrap();
            let read: Vec<LogEntry> = serde_json::from_str(&text).unwrap();
            let mut again = Execution::replay(define(&definition), start_context(&input()), read.clone()).unwrap();
            let mut new_log = read;
            let now = new_log.last().unwrap().at;
            new_log.extend(again.resume(now, &mut random).events);
            run_on(&mut again, &mut new_log, now);
            assert_eq!(new_log, log, "{name} after {length}");
            assert_eq!(again.finish(), live.finish(), "{name} after {length}");
        }
    }
}

#[test]
fn effects_and_open_work_agree_at_every_step() {
    for (name, definition) in all_machines() {
        let (mut execution, step) =
            Execution::start(define(&definition), start_context(&input()), epoch(), &mut random);
        let mut now = epoch();
        let mut open = Vec::new();
        apply_effects(&mut open, step);
        while let Some(stimulus) = next_stimulus(&execution, &mut now) {
            match &stimulus {
                Stimulus::TaskSucceeded { task_id: done, .. } | Stimulus::TaskFailed { task_id: done, .. } => {
                    open.retain(|effect| !matches!(effect, Effect::InvokeTask { task_id, .. } if task_id == done));
                }
                Stimulus::MapRunSucceeded { task_id: done, .. } | Stimulus::MapRunFailed { task_id: done, .. } => {
                    open.retain(|effect| !matches!(effect, Effect::RunMap { task_id, .. } if task_id == done));
                }
                Stimulus::TimerFired { timer_id: fired } => {
                    open.retain(|effect| !matches!(effect, Effect::SetTimer { timer_id, .. } if timer_id == fired));
                }
                _ => {}
            }
            let step = execution.advance(stimulus, now, &mut random);
            apply_effects(&mut open, step);
            let mut work = execution.open_work();
            for effects in [&mut open, &mut work] {
                effects.sort_by_key(|effect| format!("{effect:?}"));
            }
            assert_eq!(open, work, "{name}");
        }
        assert!(open.is_empty(), "{name}");
    }
}

fn apply_effects(open: &mut Vec<Effect>, step: Step) {
    for effect in step.effects {
        match effect {
            Effect::CancelTask { task_id: gone } => {
                open.retain(|effect| !matches!(effect, Effect::InvokeTask { task_id, .. } if *task_id == gone));
                open.retain(|effect| !matches!(effect, Effect::RunMap { task_id, .. } if *task_id == gone));
            }
            Effect::CancelTimer { timer_id: gone } => {
                open.retain(|effect| !matches!(effect, Effect::SetTimer { timer_id, .. } if *timer_id == gone));
            }
            Effect::Finished(_) => {}
            other => open.push(other),
        }
    }
}

#[test]
fn machines_end_as_the_language_says() {
    let ends: Vec<(&str, Status, String)> = machines()
        .into_iter()
        .map(|(name, definition)| {
            let (execution, _) = run(&definition, &input());
            (name, execution.status(), error(&execution))
        })
        .collect();
    let expected = [
        ("pass", Status::Succeeded, ""),
        ("succeed", Status::Succeeded, ""),
        ("fail", Status::Failed, "E"),
        ("no choice", Status::Failed, "States.NoChoiceMatched"),
        ("wait", Status::Succeeded, ""),
        ("task", Status::Succeeded, ""),
        ("function", Status::Succeeded, ""),
        ("retry", Status::Succeeded, ""),
        ("exhausted", Status::Failed, "Broken"),
        ("caught", Status::Succeeded, ""),
        ("large", Status::Failed, "States.DataLimitExceeded"),
        ("timeout", Status::Failed, "States.Timeout"),
        ("heartbeat", Status::Failed, "States.Timeout"),
        ("map", Status::Succeeded, ""),
        ("empty map", Status::Succeeded, ""),
        ("map of nothing", Status::Failed, "States.Runtime"),
        ("failing map", Status::Succeeded, ""),
        ("parallel", Status::Succeeded, ""),
        ("failing parallel", Status::Failed, "Broken"),
        ("distributed map", Status::Succeeded, ""),
        ("failing distributed map", Status::Succeeded, ""),
        ("distributed map beside a failure", Status::Failed, "Broken"),
        ("timed out", Status::TimedOut, "States.Timeout"),
        ("bad result path", Status::Failed, "States.ResultPathMatchFailure"),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(name, status, error)| (name, status, error.to_owned())).collect();
    assert_eq!(ends, expected);
}

#[test]
fn every_event_follows_one_that_came_before() {
    for (name, definition) in machines() {
        let (_, log) = run(&definition, &input());
        let ids: Vec<u64> = log.iter().filter_map(|entry| entry.event_id).collect();
        assert!(ids.iter().copied().eq(1..=ids.len() as u64), "{name}: ids have a gap");
        assert!(log.iter().all(|entry| entry.previous_event_id < entry.event_id.unwrap_or(u64::MAX)), "{name}");
    }
}

#[test]
fn retries_wait_longer_and_longer_up_to_the_bound() {
    let definition = machine("A", &json!({ "A": invoke("flaky", &json!({ "Retry": jittered_retry() })) }));
    let (execution, log) = run(&definition, &input());
    let mut delays = Vec::new();
    for entry in &log {
        if let Event::RetryScheduled { due, .. } = entry.event {
            delays.push(due.duration_since(entry.at));
        }
    }
    // Half of 4 seconds, then half of the bound of 6 where the backoff says 12.
    assert_eq!(delays, [SignedDuration::from_secs(2), SignedDuration::from_secs(3)]);
    assert_eq!(output(&execution)["count"], 2);
}

#[test]
fn a_failing_map_aborts_its_neighbours_before_it_fails() {
    let (_, definition) = machines().into_iter().find(|(name, _)| *name == "failing map").unwrap();
    let (_, log) = run(&definition, &input());
    let types = types(&log);
    let failed = types.iter().position(|name| name == "FailStateEntered").unwrap();
    let after = [
        "MapIterationAborted",
        "WaitStateAborted",
        "MapIterationAborted",
        "WaitStateAborted",
        "MapIterationFailed",
        "MapStateStarted",
    ];
    assert_eq!(types[failed + 1..=failed + 6], after);
    assert_eq!(
        types[types.len() - 5..],
        ["MapStateFailed", "MapStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    );
}

#[test]
fn a_failing_parallel_cancels_what_runs_beside_it() {
    let (_, definition) = machines().into_iter().find(|(name, _)| *name == "failing parallel").unwrap();
    let (mut execution, step) = Execution::start(define(&definition), start_context(&input()), epoch(), &mut random);
    assert_eq!(step.effects.len(), 5, "two tasks and three waits");
    let stimulus = next_stimulus(&execution, &mut epoch()).unwrap();
    let step = execution.advance(stimulus, epoch(), &mut random);
    let cancelled =
        step.effects.iter().filter(|effect| matches!(effect, Effect::CancelTask { .. } | Effect::CancelTimer { .. }));
    assert_eq!(cancelled.count(), 4);
    assert!(matches!(step.effects.last(), Some(Effect::Finished(finish)) if finish.status == Status::Failed));
    let types = types(&step.events);
    assert_eq!(types.iter().filter(|name| *name == "MapIterationAborted").count(), 3);
    for expected in ["TaskFailed", "TaskStateAborted", "WaitStateAborted", "MapStateAborted", "ParallelStateFailed"] {
        assert!(types.iter().any(|name| name == expected), "{expected} is not in {types:?}");
    }
}

#[test]
fn a_redrive_repeats_only_what_was_unsuccessful() {
    // Item 2 takes the time-out path; the others are answered.
    let task = |function: &str| {
        invoke(
            function,
            &json!({ "TimeoutSeconds": 60, "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 1 }] }),
        )
    };
    let definition = machine(
        "Map",
        &json!({ "Map": {
        "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "End": true,
        "ItemProcessor": machine("Which", &json!({
            "Which": { "Type": "Choice", "Choices": [{ "Variable": "$", "NumericEquals": 2, "Next": "Hard" }], "Default": "Easy" },
            "Easy": task("echo"), "Hard": task("never")
        }))
    } }),
    );
    let (mut execution, mut log) = run(&definition, &input());
    assert_eq!((execution.status(), error(&execution)), (Status::Failed, "States.Timeout".to_owned()));
    let scheduled = |log: &[LogEntry]| types(log).iter().filter(|name| *name == "TaskScheduled").count();
    assert_eq!(scheduled(&log), 3, "item 1 once, item 2 twice, item 3 never");
    let before = log.len();
    let step = execution.advance(Stimulus::Redrive, epoch(), &mut random);
    log.extend(step.events);
    assert_eq!(execution.redrive_count(), 1);
    let Some(Effect::InvokeTask { task_id, .. }) = execution.open_work().into_iter().next() else {
        panic!("the hard task is in flight again");
    };
    let answer = Stimulus::TaskSucceeded { task_id, output: json!("done").into() };
    log.extend(execution.advance(answer, epoch(), &mut random).events);
    run_on(&mut execution, &mut log, epoch());
    assert_eq!(execution.status(), Status::Succeeded);
    assert_eq!(output(&execution), json!([{ "in": 1, "count": 0 }, "done", { "in": 3, "count": 0 }]));
    assert_eq!(types(&log[before..])[..2], ["ExecutionRedriven", "TaskScheduled"]);
    let again = Execution::replay(define(&definition), start_context(&input()), log).unwrap();
    assert_eq!(again.finish(), execution.finish());
}

#[test]
fn stopped_and_timed_out_executions_can_be_redriven() {
    let definition = json!({ "TimeoutSeconds": 20, "StartAt": "A", "States": { "A": { "Type": "Wait", "Seconds": 15, "End": true } } });
    let (mut execution, _) = Execution::start(define(&definition), start_context(&input()), epoch(), &mut random);
    let abort = Stimulus::Stop { failure: Failure::new("User", "enough") };
    let step = execution.advance(abort.clone(), epoch(), &mut random);
    assert_eq!(types(&step.events), ["ExecutionAborted"]);
    assert!(step.effects.iter().filter(|effect| matches!(effect, Effect::CancelTimer { .. })).count() == 2);
    assert!(execution.advance(abort, epoch(), &mut random).events.is_empty());
    let step = execution.advance(Stimulus::Redrive, epoch(), &mut random);
    assert_eq!(step.effects.iter().filter(|effect| matches!(effect, Effect::SetTimer { .. })).count(), 2);
    let mut log = Vec::new();
    run_on(&mut execution, &mut log, epoch());
    assert_eq!(execution.status(), Status::Succeeded);
    assert!(execution.advance(Stimulus::Redrive, epoch(), &mut random).events.is_empty(), "a success stays one");
}

#[test]
fn a_heartbeat_puts_the_timeout_off() {
    let definition = machine("A", &json!({ "A": invoke("never", &json!({ "HeartbeatSeconds": 4 })) }));
    let (mut execution, _) = Execution::start(define(&definition), start_context(&input()), epoch(), &mut random);
    let task_id = match &execution.open_work()[0] {
        Effect::InvokeTask { task_id, .. } => *task_id,
        other => panic!("{other:?}"),
    };
    let later = epoch() + SignedDuration::from_secs(3);
    let step = execution.advance(Stimulus::TaskHeartbeat { task_id }, later, &mut random);
    assert!(step.events[0].to_history_event().is_none());
    let [Effect::CancelTimer { .. }, Effect::SetTimer { timer_id, due }] = step.effects[..] else {
        panic!("{:?}", step.effects);
    };
    assert_eq!((timer_id.purpose, due), (TimerPurpose::Heartbeat, later + SignedDuration::from_secs(4)));
}

#[test]
fn an_endless_loop_ends_at_the_history_limit() {
    let definition = machine(
        "A",
        &json!({
            "A": { "Type": "Choice", "Choices": [{ "Variable": "$.a", "NumericEquals": 2, "Next": "B" }], "Default": "A" },
            "B": { "Type": "Succeed" }
        }),
    );
    let (execution, log) = run(&definition, &input());
    assert_eq!(log.last().unwrap().event_id, Some(MAX_HISTORY_EVENTS));
    assert_eq!((execution.status(), error(&execution)), (Status::Failed, "States.Runtime".to_owned()));
    assert!(!execution.is_redrivable());
}

#[test]
fn events_look_as_the_service_shows_them() {
    let definition = machine(
        "A",
        &json!({ "A": { "Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:1:function:f", "TimeoutSeconds": 5, "End": true } }),
    );
    let (_, log) = run(&definition, &json!({ "Payload": [1] }));
    let shown: Vec<Value> = log.iter().filter_map(LogEntry::to_history_event).collect();
    let at = 1_767_323_045.678;
    let whole = json!({ "truncated": false });
    assert_eq!(
        json!(shown),
        json!([
            { "timestamp": at, "type": "ExecutionStarted", "id": 1, "previousEventId": 0, "executionStartedEventDetails": { "input": "{\"Payload\":[1]}", "inputDetails": whole, "roleArn": "arn:aws:iam::1:role/r" } },
            { "timestamp": at, "type": "TaskStateEntered", "id": 2, "previousEventId": 0, "stateEnteredEventDetails": { "name": "A", "input": "{\"Payload\":[1]}", "inputDetails": whole } },
            { "timestamp": at, "type": "LambdaFunctionScheduled", "id": 3, "previousEventId": 2, "lambdaFunctionScheduledEventDetails": { "resource": "arn:aws:lambda:eu-west-1:1:function:f", "input": "{\"Payload\":[1]}", "inputDetails": whole, "timeoutInSeconds": 5 } },
            { "timestamp": at, "type": "LambdaFunctionStarted", "id": 4, "previousEventId": 3 },
            { "timestamp": at, "type": "LambdaFunctionSucceeded", "id": 5, "previousEventId": 4, "lambdaFunctionSucceededEventDetails": { "output": "[1]", "outputDetails": whole } },
            { "timestamp": at, "type": "TaskStateExited", "id": 6, "previousEventId": 5, "stateExitedEventDetails": { "name": "A", "output": "[1]", "outputDetails": whole } },
            { "timestamp": at, "type": "ExecutionSucceeded", "id": 7, "previousEventId": 6, "executionSucceededEventDetails": { "output": "[1]", "outputDetails": whole } }
        ])
    );
}

#[test]
fn a_log_with_a_gap_or_of_another_machine_is_refused() {
    let (_, definition) = machines().swap_remove(13);
    let (_, log) = run(&definition, &input());
    let replay = |definition: &Value, log: Vec<LogEntry>| {
        Execution::replay(define(definition), start_context(&input()), log).map(|_| ())
    };
    assert_eq!(replay(&definition, Vec::new()), Err(ReplayError::Empty));
    let mut gapped = log.clone();
    gapped.remove(3);
    assert_eq!(replay(&definition, gapped), Err(ReplayError::OutOfOrder { expected: 3, found: 4 }));
    let other = machine("Z", &json!({ "Z": { "Type": "Succeed" } }));
    assert_eq!(replay(&other, log), Err(ReplayError::DoesNotFit { sequence: 1 }));
}
