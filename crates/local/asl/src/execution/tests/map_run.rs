//! Distributed Maps: what is asked of a Map Run, what its children are given, and what the history
//! tells. A run's children are played here: each gives back what it is given.

use serde_json::{Value, json};

use super::super::{Effect, Execution, MapItem, Stimulus};
use super::{define, epoch, error, invoke, machine, output, random, run, run_on, start_context, types};
use crate::map_run::{InputType, MapRunOrder, OutputType, ReaderAction, WriterTransformation};
use crate::{Definition, Failure, LogEntry, Status};

/// A machine whose first state is a distributed Map.
pub(super) fn machine_over(items_path: &str, extra: &Value) -> Value {
    let mut map = json!({
        "Type": "Map",
        "ItemsPath": items_path,
        "ItemProcessor": {
            "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "Item",
            "States": { "Item": { "Type": "Pass", "End": true } }
        }
    });
    map.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let pass = json!({ "Type": "Pass", "End": true });
    let states = if map.get("Next").is_some() { json!({ "A": map, "B": pass }) } else { json!({ "A": map }) };
    machine("A", &states)
}

/// How a run ends, by its label.
pub(super) fn ended(execution: &Execution, effect: &Effect) -> Option<Stimulus> {
    let Effect::RunMap { task_id, order, items, .. } = effect else {
        return None;
    };
    let task_id = *task_id;
    Some(match order.label.as_str() {
        "never" => return None,
        "broken" => Stimulus::MapRunFailed { task_id, failure: exceeded(), redrivable: true },
        "unreadable" => {
            let failure = Failure::new("States.ItemReaderFailed", "gone");
            Stimulus::MapRunFailed { task_id, failure, redrivable: false }
        }
        _ => {
            let inputs = execution.map_inputs(task_id).unwrap();
            let items = items.as_ref().and_then(|items| items.value().as_array()).cloned().unwrap_or_default();
            let outputs = items.iter().enumerate().map(|(index, value)| {
                let item = MapItem { index, value, source: "STATE_DATA" };
                inputs.item(&item, epoch(), &mut random).unwrap().value().clone()
            });
            Stimulus::MapRunSucceeded { task_id, output: outputs.collect::<Value>().into() }
        }
    })
}

fn exceeded() -> Failure {
    Failure::new("States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded")
}

/// The order of a Map with some fields, over an input.
fn order(fields: &Value, input: &Value) -> Result<MapRunOrder, String> {
    let mut all = json!({ "End": true });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut definition = machine_over("$.items", &all);
    if fields.get("Items").is_some() || fields.to_string().contains("{%") {
        definition["QueryLanguage"] = "JSONata".into();
        definition["States"]["A"].as_object_mut().unwrap().remove("ItemsPath");
    }
    let (execution, step) = Execution::start(define(&definition), start_context(input), epoch(), &mut random);
    match step.effects.into_iter().next() {
        Some(Effect::RunMap { order, .. }) => Ok((*order).clone()),
        _ => Err(execution.finish().unwrap().failure.cause.clone().unwrap_or_default()),
    }
}

fn input() -> Value {
    json!({ "items": [1, 2, 3], "bucket": "b", "two": 2, "text": "2", "half": 0.5, "less": -1, "much": 101 })
}

#[test]
fn the_history_tells_of_the_run() {
    let (execution, log) = run(&machine_over("$.items", &json!({ "Next": "B" })), &input());
    assert_eq!(execution.status(), Status::Succeeded);
    let expected = [
        "ExecutionStarted",
        "MapStateEntered",
        "MapStateStarted",
        "MapRunStarted",
        "MapRunSucceeded",
        "MapStateSucceeded",
        "MapStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(types(&log), expected);
    let shown: Vec<Value> = log.iter().filter_map(LogEntry::to_history_event).collect();
    assert_eq!(shown[2]["mapStateStartedEventDetails"], json!({ "length": 3 }));
    let arn = shown[3]["mapRunStartedEventDetails"]["mapRunArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:states:eu-west-1:1:mapRun:m/"), "{arn}");
    let previous: Vec<&Value> = shown.iter().map(|event| &event["previousEventId"]).collect();
    assert_eq!(previous, [0, 0, 2, 3, 4, 5, 4, 7, 8, 9]);
}

#[test]
fn a_failed_run_fails_its_state_once_nothing_is_tried_again() {
    let fields = json!({
        "Label": "broken", "Next": "B",
        "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 1 }],
        "Catch": [{ "ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "B" }]
    });
    let (_, log) = run(&machine_over("$.items", &fields), &input());
    let expected = [
        "MapStateStarted",
        "MapRunStarted",
        "MapRunFailed",
        "MapStateStarted",
        "MapRunStarted",
        "MapRunFailed",
        "MapStateFailed",
        "MapStateExited",
    ];
    assert_eq!(types(&log)[2..10], expected);
    let failed = log.iter().find(|entry| entry.event.type_name() == "MapRunFailed").unwrap();
    let details = failed.to_history_event().unwrap()["mapRunFailedEventDetails"].clone();
    assert_eq!(details, serde_json::to_value(exceeded()).unwrap());
}

#[test]
fn a_run_beside_a_failure_is_aborted() {
    let branches = json!({ "P": { "Type": "Parallel", "End": true, "Branches": [
        machine_over("$.items", &json!({ "Label": "never", "End": true })),
        machine("X", &json!({ "X": invoke("broken", &json!({})) }))
    ] } });
    let (mut execution, step) =
        Execution::start(define(&machine("P", &branches)), start_context(&input()), epoch(), &mut random);
    let task_id = step.effects.iter().find_map(|effect| match effect {
        Effect::InvokeTask { task_id, .. } => Some(*task_id),
        _ => None,
    });
    let failure = Failure::new("E", "at once");
    let failed = Stimulus::TaskFailed { task_id: task_id.unwrap(), failure };
    let step = execution.advance(failed, epoch(), &mut random);
    assert_eq!((execution.status(), error(&execution)), (Status::Failed, "E".to_owned()));
    let types = types(&step.events);
    let aborted = types.iter().position(|name| name == "MapRunAborted").unwrap();
    let expected = ["MapRunAborted", "MapStateAborted", "TaskStateAborted", "ParallelStateFailed", "ExecutionFailed"];
    assert_eq!(types[aborted..], expected);
    assert!(step.effects.iter().any(|effect| matches!(effect, Effect::CancelTask { .. })));
    let step = execution.advance(Stimulus::Redrive, epoch(), &mut random);
    assert!(step.effects.iter().any(|effect| matches!(effect, Effect::RunMap { redrive_count: 1, .. })));
}

#[test]
fn a_stop_aborts_the_run_and_a_redrive_goes_on_with_it() {
    let definition = machine_over("$.items", &json!({ "Label": "never", "Next": "B" }));
    let (mut execution, step) = Execution::start(define(&definition), start_context(&input()), epoch(), &mut random);
    let mut log = step.events;
    let Some(Effect::RunMap { map_run_arn: first, .. }) = step.effects.into_iter().next() else {
        panic!("a run begins");
    };
    let step = execution.advance(Stimulus::Stop { failure: Failure::default() }, epoch(), &mut random);
    assert_eq!(types(&step.events), ["MapRunAborted", "ExecutionAborted"]);
    assert!(matches!(step.effects[0], Effect::CancelTask { .. }));
    log.extend(step.events);
    let step = execution.advance(Stimulus::Redrive, epoch(), &mut random);
    assert_eq!(types(&step.events), ["ExecutionRedriven", "MapRunRedriven"]);
    let Some(Effect::RunMap { task_id, map_run_arn, redrive_count: 1, .. }) = step.effects.into_iter().next() else {
        panic!("the run is redriven");
    };
    assert_eq!(map_run_arn, first);
    log.extend(step.events);
    let done = Stimulus::MapRunSucceeded { task_id, output: json!("done").into() };
    log.extend(execution.advance(done, epoch(), &mut random).events);
    run_on(&mut execution, &mut log, epoch());
    assert_eq!(output(&execution), "done");
    let again = Execution::replay(define(&definition), start_context(&input()), log).unwrap();
    assert_eq!(again.finish(), execution.finish());
}

#[test]
fn a_run_without_children_is_begun_anew_by_a_redrive() {
    let definition = machine_over("$.items", &json!({ "Label": "unreadable", "Next": "B" }));
    let (mut execution, _) = run(&definition, &input());
    assert_eq!(error(&execution), "States.ItemReaderFailed");
    let step = execution.advance(Stimulus::Redrive, epoch(), &mut random);
    assert_eq!(types(&step.events), ["ExecutionRedriven", "MapStateStarted", "MapRunStarted"]);
}

#[test]
fn the_selector_sees_the_item_its_place_and_its_source() {
    let selector = json!({
        "index.$": "$$.Map.Item.Index", "value.$": "$$.Map.Item.Value", "from.$": "$$.Map.Item.Source", "all.$": "$.two"
    });
    let (execution, _) = run(&machine_over("$.items", &json!({ "ItemSelector": selector, "End": true })), &input());
    let expected = json!({ "index": 1, "value": 2, "from": "STATE_DATA", "all": 2 });
    assert_eq!(output(&execution)[1], expected);
}

#[test]
fn numbers_are_written_at_a_path_or_from_an_expression() {
    let tolerance = |fields: Value| {
        order(&fields, &input()).map(|order| (order.tolerated_failure_count, order.tolerated_failure_percentage))
    };
    let placed = |cause: &str| {
        Err(format!("An error occurred while executing the state 'A' (entered at the event id #2). {cause}"))
    };
    let cases = [
        (json!({}), Ok((None, None))),
        (json!({ "ToleratedFailureCount": 3, "ToleratedFailurePercentage": 0.5 }), Ok((Some(3), Some(0.5)))),
        (
            json!({ "ToleratedFailureCountPath": "$.text", "ToleratedFailurePercentagePath": "$.half" }),
            Ok((Some(2), Some(0.5))),
        ),
        (json!({ "ToleratedFailureCount": "{% $states.input.two %}", "Items": [1] }), Ok((Some(2), None))),
        (json!({ "ToleratedFailureCountPath": "$.less" }), placed("ToleratedFailureCount cannot be negative.")),
        (
            json!({ "ToleratedFailureCountPath": "$.half" }),
            placed("The ToleratedFailureCountPath field refers to value \"0.5\" which is not a valid integer: $.half"),
        ),
        (
            json!({ "ToleratedFailurePercentagePath": "$.much" }),
            placed("ToleratedFailurePercentage must be between 0 and 100."),
        ),
        (
            json!({ "ToleratedFailurePercentagePath": "$.bucket" }),
            placed(
                "The ToleratedFailurePercentagePath field refers to value \"b\" which is not a valid float: $.bucket",
            ),
        ),
    ];
    for (fields, expected) in cases {
        assert_eq!(tolerance(fields.clone()), expected, "{fields}");
    }
}

#[test]
fn what_fails_before_the_run_leaves_the_states_start_in_the_history() {
    let definition = machine_over("$.items", &json!({ "ToleratedFailureCountPath": "$.less", "End": true }));
    let (_, log) = run(&definition, &input());
    assert_eq!(types(&log), ["ExecutionStarted", "MapStateEntered", "MapStateStarted", "ExecutionFailed"]);
}

#[test]
fn a_reader_is_worked_out_and_leaves_the_items_path_alone() {
    let reader = |config: Value, parameters: &str| {
        let mut reader = json!({ "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config });
        reader[parameters] = if parameters == "Arguments" {
            json!({ "Bucket": "{% $states.input.bucket %}", "Key": "k" })
        } else {
            json!({ "Bucket.$": "$.bucket", "Key": "k" })
        };
        json!({ "ItemReader": reader, "MaxConcurrency": 7 })
    };
    let order_of = |fields: &Value| order(fields, &input()).unwrap();
    let first = order_of(&reader(
        json!({ "InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "b"], "CSVDelimiter": "TAB", "MaxItemsPath": "$.text" }),
        "Parameters",
    ));
    assert_eq!(first.max_concurrency, 7);
    let first = first.reader.unwrap();
    assert_eq!((first.action, first.input_type), (ReaderAction::GetObject, Some(InputType::Csv)));
    assert_eq!(first.parameters.value(), &json!({ "Bucket": "b", "Key": "k" }));
    assert_eq!(first.csv_headers, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!((first.csv_delimiter.byte(), first.max_items), (b'\t', Some(2)));
    let second = order_of(&reader(
        json!({ "InputType": "JSON", "ItemsPointer": "/a/b", "MaxItems": "{% $two := 2 %}" }),
        "Arguments",
    ));
    let second = second.reader.unwrap();
    assert_eq!((second.max_items, second.items_pointer.as_deref()), (Some(2), Some("/a/b")));
    assert_eq!(second.parameters.value(), &json!({ "Bucket": "b", "Key": "k" }));
    let definition = machine_over(
        "$.nothing",
        &json!({
            "End": true,
            "ItemReader": { "Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": { "Bucket": "b" } }
        }),
    );
    let (_, step) = Execution::start(define(&definition), start_context(&input()), epoch(), &mut random);
    assert!(matches!(step.effects[..], [Effect::RunMap { items: None, .. }]));
    let started = step.events[2].to_history_event().unwrap();
    assert_eq!(started["mapStateStartedEventDetails"], json!({ "length": 0 }));
}

#[test]
fn batches_and_results_are_worked_out() {
    let fields = json!({
        "ItemBatcher": { "MaxItemsPerBatchPath": "$.two", "MaxInputBytesPerBatch": 100, "BatchInput": { "b.$": "$.bucket" } },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket.$": "$.bucket", "Prefix": "p" },
            "WriterConfig": { "OutputType": "JSONL", "Transformation": "FLATTEN" }
        }
    });
    let order_of = order(&fields, &input()).unwrap();
    let batcher = order_of.batcher.unwrap();
    assert_eq!((batcher.max_items, batcher.max_input_bytes), (Some(2), Some(100)));
    assert_eq!(batcher.batch_input.unwrap().value(), &json!({ "b": "b" }));
    let writer = order_of.writer.unwrap();
    assert_eq!(writer.parameters.unwrap().value(), &json!({ "Bucket": "b", "Prefix": "p" }));
    assert_eq!((writer.output_type, writer.transformation), (OutputType::Jsonl, WriterTransformation::Flatten));
    let inner = json!({ "ResultWriter": { "WriterConfig": { "Transformation": "COMPACT", "OutputType": "JSON" } } });
    let writer = order(&inner, &input()).unwrap().writer.unwrap();
    assert!(writer.parameters.is_none());
    let negative = json!({ "ItemBatcher": { "MaxItemsPerBatchPath": "$.less" } });
    assert!(order(&negative, &input()).unwrap_err().ends_with("field MaxItemsPerBatch must be positive"));
}

#[test]
fn children_run_the_states_within() {
    let outer = machine_over("$.items", &json!({ "Label": "outer", "End": true }));
    let definition = Definition::parse(&outer.to_string()).unwrap();
    let child = definition.child("/States/A", Some(300)).unwrap();
    assert!(definition.child("/States/B", None).is_none());
    let (execution, _) = Execution::start(child.into(), start_context(&json!(5)), epoch(), &mut random);
    assert_eq!(output(&execution), 5);
}

#[test]
fn wrong_fields_are_told_of() {
    let cases = [
        (json!({ "Label": "a b" }), "Label contains invalid character: ' '"),
        (json!({ "Label": "" }), "Label cannot be empty"),
        (json!({ "Label": "x".repeat(41) }), "Label cannot exceed 40 characters"),
        (json!({ "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "Parameters": {} } }), "`InputType`"),
        (json!({ "ItemReader": { "Resource": "arn:aws:states:::s3:copyObject" } }), "can be read with"),
        (json!({ "ItemBatcher": { "BatchInput": {} } }), "`MaxItemsPerBatch`"),
        (json!({ "ResultWriter": {} }), "`WriterConfig`"),
        (json!({ "ToleratedFailureCount": 1, "ToleratedFailureCountPath": "$.a" }), "either"),
    ];
    for (fields, expected) in cases {
        let mut all = json!({ "End": true });
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let error = Definition::parse(&machine_over("$", &all).to_string()).unwrap_err();
        let told = error.problems.iter().any(|problem| problem.message.contains(expected));
        assert!(told, "{fields}: {:?}", error.problems);
    }
}
