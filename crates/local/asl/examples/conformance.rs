//! Answers state machine runs over JSON lines, for measuring the engine against recorded answers.
//!
//! Each line of standard input is `{"definition", "input", "lambdas": [{"name", "behaviour"}]}`;
//! each line of standard output is `{"status", "output", "error", "cause", "events"}`. Time is a
//! counter that jumps to the next timer, and functions are the few behaviours that the recordings
//! name. A definition that the engine refuses gives `CREATE_ERROR`.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::sync::Arc;

use asl::lambda::{self, Answer};
use asl::map_run::MapRunOrder;
use asl::{
    Definition, Effect, Execution, Failure, MapItem, Payload, Resource, StartContext, Step, Stimulus, TaskId, TimerId,
    TokenKey,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str::<Value>(&line?) {
            Ok(request) => run(&request),
            Err(why) => json!({ "status": "CREATE_ERROR", "cause": why.to_string() }),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn run(request: &Value) -> Value {
    match Definition::parse(&request["definition"].to_string()) {
        Ok(definition) => Run::new(request).finish(Arc::new(definition), request),
        Err(why) => json!({ "status": "CREATE_ERROR", "cause": why.to_string(), "events": [] }),
    }
}

/// One run under a manual clock.
struct Run {
    now: Timestamp,
    behaviours: BTreeMap<String, String>,
    tasks: Vec<(TaskId, Resource, Payload)>,
    map_runs: Vec<(TaskId, Arc<MapRunOrder>, Option<Payload>)>,
    timers: BTreeMap<TimerId, Timestamp>,
    events: Vec<Value>,
    seed: u64,
}

/// A function that takes so long, in seconds, that a timeout may come first.
const SLOW_SECONDS: i64 = 60;

impl Run {
    fn new(request: &Value) -> Self {
        let lambdas = request["lambdas"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            now: Timestamp::UNIX_EPOCH,
            behaviours: lambdas.iter().map(|lambda| (text(&lambda["name"]), text(&lambda["behaviour"]))).collect(),
            tasks: Vec::new(),
            map_runs: Vec::new(),
            timers: BTreeMap::new(),
            events: Vec::new(),
            seed: 1,
        }
    }

    fn finish(mut self, definition: Arc<Definition>, request: &Value) -> Value {
        let start = StartContext {
            execution_arn: "arn:aws:states:us-east-1:111111111111:execution:machine:run".to_owned(),
            name: "run".to_owned(),
            state_machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:machine".to_owned(),
            state_machine_name: "machine".to_owned(),
            role_arn: "arn:aws:iam::111111111111:role/role".to_owned(),
            input: request["input"].clone().into(),
            start_time: self.now,
            token_key: TokenKey::new([0; 32]),
        };
        let whole = definition.clone();
        let mut seed = self.seed;
        let mut random = move || next_random(&mut seed);
        let (mut execution, step) = Execution::start(definition, start, self.now, &mut random);
        self.take(step);
        while execution.finish().is_none() {
            let map_run = self.map_runs.pop();
            let ended = map_run.map(|(task_id, order, items)| {
                let ended = run_map(&execution, task_id, &whole, &order, items.as_ref(), request);
                ended.unwrap_or_else(|failure| Stimulus::MapRunFailed { task_id, failure, redrivable: true })
            });
            let Some(stimulus) = ended.or_else(|| self.next_stimulus(&mut execution, &mut random)) else {
                return json!({ "status": "STUCK", "events": self.events });
            };
            let step = execution.advance(stimulus, self.now, &mut random);
            self.take(step);
        }
        let finish = execution.finish().cloned();
        let status = serde_json::to_value(execution.status()).unwrap_or_default();
        let (output, failure) = finish.map(|finish| (finish.output, finish.failure)).unwrap_or_default();
        json!({
            "status": status,
            "output": output.map(|output| output.value().clone()),
            "error": failure.error,
            "cause": failure.cause,
            "events": self.events,
        })
    }

    fn take(&mut self, step: Step) {
        self.events.extend(step.events.iter().filter_map(asl::LogEntry::to_history_event));
        for effect in step.effects {
            match effect {
                Effect::InvokeTask { task_id, resource, input, .. } => self.tasks.push((task_id, resource, input)),
                Effect::RunMap { task_id, order, items, .. } => self.map_runs.push((task_id, order, items)),
                Effect::CancelTask { task_id } => self.tasks.retain(|(id, ..)| *id != task_id),
                Effect::SetTimer { timer_id, due } => {
                    self.timers.insert(timer_id, due);
                }
                Effect::CancelTimer { timer_id } => {
                    self.timers.remove(&timer_id);
                }
                // No case of the kind that this measures waits for somebody else.
                Effect::FindActivity { .. } | Effect::AwaitTask { .. } | Effect::Finished(_) => {}
            }
        }
    }

    fn next_stimulus(&mut self, execution: &mut Execution, random: &mut dyn FnMut() -> f64) -> Option<Stimulus> {
        if self.tasks.is_empty() {
            return self.next_timer();
        }
        let (task_id, resource, input) = self.tasks.remove(0);
        let started = execution.advance(Stimulus::TaskStarted { task_id, worker_name: None }, self.now, random);
        self.take(started);
        let done = self.now.saturating_add(SignedDuration::from_secs(SLOW_SECONDS)).unwrap_or(Timestamp::MAX);
        let is_slow = self.behaviour(&resource, &input).as_deref() == Some("wait_60_seconds");
        if is_slow && self.timers.values().any(|due| *due < done) {
            return self.next_timer();
        }
        Some(match self.invoke(&resource, &input) {
            Ok(output) => Stimulus::TaskSucceeded { task_id, output },
            Err(failure) => Stimulus::TaskFailed { task_id, failure },
        })
    }

    fn next_timer(&mut self) -> Option<Stimulus> {
        let (timer_id, due) = self.timers.iter().min_by_key(|(_, due)| **due).map(|(id, due)| (*id, *due))?;
        self.timers.remove(&timer_id);
        self.now = self.now.max(due);
        Some(Stimulus::TimerFired { timer_id })
    }

    fn behaviour(&self, resource: &Resource, input: &Payload) -> Option<String> {
        let invocation = lambda::invocation(resource, input)?.ok()?;
        self.behaviours.get(invocation.function.rsplit(':').next()?).cloned()
    }

    fn invoke(&self, resource: &Resource, input: &Payload) -> Result<Payload, Failure> {
        let invocation = lambda::invocation(resource, input).unwrap_or_else(|| Err(Failure::new("Unsupported", "")))?;
        let Some(behaviour) = self.behaviour(resource, input) else {
            let arn = format!("arn:aws:lambda:us-east-1:111111111111:function:{}", invocation.function);
            let message = format!("Function not found: {arn}:$LATEST");
            return Err(lambda::refused(
                "ResourceNotFoundException",
                &message,
                404,
                "00000000-0000-0000-0000-000000000000",
            ));
        };
        let mut answer = answer(&behaviour, invocation.payload);
        answer.log_result = invocation.wants_log.then(|| "UkVQT1JU".to_owned());
        lambda::outcome(resource, &answer)
    }
}

/// Runs the children of a distributed Map one after the other. What needs S3 is not played here.
fn run_map(
    execution: &Execution,
    task_id: TaskId,
    whole: &Definition,
    order: &MapRunOrder,
    items: Option<&Payload>,
    request: &Value,
) -> Result<Stimulus, Failure> {
    let played = order.reader.is_none() && order.batcher.is_none() && order.writer.is_none();
    let child = whole.child(&order.location, None).filter(|_| played);
    let (Some(child), Some(inputs)) = (child.map(Arc::new), execution.map_inputs(task_id)) else {
        return Err(Failure::new("Unsupported", "S3"));
    };
    let items = items.and_then(|items| items.value().as_array()).map_or(&[][..], Vec::as_slice);
    let mut outputs = Vec::with_capacity(items.len());
    for (index, value) in items.iter().enumerate() {
        let item = MapItem { index, value, source: "STATE_DATA" };
        let input = inputs.item(&item, Timestamp::UNIX_EPOCH, &mut || 0.5)?;
        let request = json!({ "input": input.value(), "lambdas": request["lambdas"] });
        let ended = Run::new(&request).finish(child.clone(), &request);
        if ended["status"] != "SUCCEEDED" {
            let cause = "The specified tolerated failure threshold was exceeded";
            return Err(Failure::new("States.ExceedToleratedFailureThreshold", cause));
        }
        outputs.push(ended["output"].clone());
    }
    Ok(Stimulus::MapRunSucceeded { task_id, output: Value::from(outputs).into() })
}

fn answer(behaviour: &str, event: String) -> Answer {
    let error = |kind: &str, message: &str, line: u32| {
        let trace = if message.is_empty() { String::new() } else { format!("\"{message}\"") };
        let text = format!("  File \"/var/task/handler.py\", line {line}, in handler\n    raise {kind}({trace})\n");
        json!({ "errorMessage": message, "errorType": kind, "requestId": "1", "stackTrace": [text] }).to_string()
    };
    let (payload, failed) = match behaviour {
        "hello_world" => (json!({ "Return": "HelloWorld" }).to_string(), false),
        "return_bytes_str" => ("\"HelloWorld!\"".to_owned(), false),
        "large_output" => (json!("a".repeat(257 * 1024)).to_string(), false),
        "raise_custom_exception" => (error("CustomException", "", 9), true),
        "raise_exception" => (error("Exception", "Some exception was raised.", 2), true),
        _ => (event, false),
    };
    Answer {
        status: 200,
        payload,
        function_error: failed.then(|| "Unhandled".to_owned()),
        executed_version: Some("$LATEST".to_owned()),
        request_id: "00000000-0000-0000-0000-000000000000".to_owned(),
        date: "Thu, 01 Jan 1970 00:00:00 GMT".to_owned(),
        trace_id: String::new(),
        log_result: None,
    }
}

fn next_random(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    f64::from(u32::try_from(*seed >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
