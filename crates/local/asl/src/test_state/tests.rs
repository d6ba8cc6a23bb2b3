//! States tested alone: what they give and what is seen on the way.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Mock, Subject, SubjectError, TestReport, TestSetting, TestStep};
use crate::{Failure, Payload, StartContext};

fn setting(input: &Value) -> TestSetting {
    let start = StartContext {
        execution_arn: "arn:aws:states:us-east-1:1:express:m:e:r".to_owned(),
        name: "e".to_owned(),
        state_machine_arn: "arn:aws:states:us-east-1:1:stateMachine:m".to_owned(),
        state_machine_name: "m".to_owned(),
        role_arn: "arn:aws:iam::1:role/r".to_owned(),
        input: input.clone().into(),
        start_time: Timestamp::UNIX_EPOCH,
        token_key: crate::TokenKey::default(),
    };
    TestSetting {
        input: input.clone().into(),
        start,
        context: None,
        variables: BTreeMap::new(),
        retrier_retry_count: 0,
        map_iteration_failure_count: None,
        map_item_reader_data: None,
    }
}

fn run(definition: &Value, setting: TestSetting, mock: Option<Mock>) -> TestStep {
    let subject = Subject::find(&definition.to_string(), None).unwrap();
    let mut next = 0.0;
    subject.test(setting, mock, Timestamp::UNIX_EPOCH, &mut || {
        next += 0.001;
        next
    })
}

fn report(definition: &Value, setting: TestSetting, mock: Option<Mock>) -> TestReport {
    match run(definition, setting, mock) {
        TestStep::Finished(report) => report,
        TestStep::Task(pending) => panic!("{pending:?} is open"),
    }
}

/// What a report says, without what was seen: status, output, error, next state.
fn told(report: &TestReport) -> (&'static str, Value, Option<&str>, Option<&str>) {
    let output = report.output.as_ref().map_or(Value::Null, |output| output.value().clone());
    (report.status.name(), output, report.failure.error.as_deref(), report.next_state.as_deref())
}

/// What was seen, with documents read again.
fn seen(report: &TestReport) -> Value {
    let members = report.inspection.as_object().unwrap().iter();
    let read = members.map(|(name, value)| {
        let document = value.as_str().map(|text| serde_json::from_str(text).unwrap());
        (name.clone(), document.unwrap_or_else(|| value.clone()))
    });
    Value::Object(read.collect())
}

fn result(value: Value) -> Mock {
    Mock::Result(value.into())
}

#[test]
fn what_is_shown_is_what_counts() {
    let state = json!({ "Type": "Pass", "Parameters": { "id.$": "States.UUID()" }, "End": true });
    let report = report(&state, setting(&json!({})), None);
    assert_eq!(seen(&report)["afterParameters"], told(&report).1);
    assert_eq!(seen(&report)["afterResultPath"], told(&report).1);
}

#[test]
fn a_choice_tells_where_it_leads() {
    let rule = json!({ "Variable": "$.n", "NumericGreaterThan": 1, "Next": "Many" });
    let state = json!({ "Type": "Choice", "Choices": [rule], "Default": "Few" });
    let report_of = |n: u32| report(&state, setting(&json!({ "n": n })), None);
    assert_eq!(told(&report_of(2)), ("SUCCEEDED", json!({ "n": 2 }), None, Some("Many")));
    assert_eq!(told(&report_of(1)), ("SUCCEEDED", json!({ "n": 1 }), None, Some("Few")));
    assert_eq!(seen(&report_of(1)), json!({ "input": { "n": 1 }, "afterInputPath": { "n": 1 } }));
}

#[test]
fn a_wait_does_not_wait_but_knows_how_long_a_test_may_take() {
    let wait = |seconds: u32| json!({ "Type": "Wait", "Seconds": seconds, "Next": "B" });
    assert_eq!(told(&report(&wait(300), setting(&json!(1)), None)), ("SUCCEEDED", json!(1), None, Some("B")));
    assert_eq!(
        told(&report(&wait(301), setting(&json!(1)), None)),
        ("FAILED", Value::Null, Some("States.Timeout"), None)
    );
}

#[test]
fn a_task_without_a_mock_waits_for_its_outcome() {
    let state = json!({
        "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:f", "TimeoutSeconds": 7,
        "Parameters": { "x.$": "$.a" }, "ResultSelector": { "y.$": "$.z" }, "ResultPath": "$.r", "End": true
    });
    let pending = || match run(&state, setting(&json!({ "a": 1 })), None) {
        TestStep::Task(pending) => *pending,
        TestStep::Finished(report) => panic!("{report:?} is no task"),
    };
    assert_eq!((pending().input.value(), pending().timeout_seconds), (&json!({ "x": 1 }), Some(7)));
    let report = pending().finish(Ok(json!({ "z": 2 }).into()), &mut || 0.5);
    assert_eq!(told(&report), ("SUCCEEDED", json!({ "a": 1, "r": { "y": 2 } }), None, None));
    let expected = json!({
        "input": { "a": 1 }, "afterInputPath": { "a": 1 }, "afterParameters": { "x": 1 }, "result": { "z": 2 },
        "afterResultSelector": { "y": 2 }, "afterResultPath": { "a": 1, "r": { "y": 2 } }
    });
    assert_eq!(seen(&report), expected);
    let huge = Payload::from(json!("x".repeat(262_144)));
    assert_eq!(told(&pending().finish(Ok(huge), &mut || 0.5)).2, Some("States.DataLimitExceeded"));
    let failed = pending().finish(Err(Failure::new("E", "why")), &mut || 0.5);
    assert_eq!((told(&failed).0, failed.failure.cause.as_deref()), ("FAILED", Some("why")));
}

#[test]
fn errors_are_tried_again_as_often_as_the_rule_says_and_then_caught() {
    let state = json!({
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "QueryLanguage": "JSONata",
        "Arguments": { "FunctionName": "f" },
        "Retry": [
            { "ErrorEquals": ["Other"] },
            { "ErrorEquals": ["E"], "IntervalSeconds": 2, "BackoffRate": 3.0, "MaxAttempts": 3, "MaxDelaySeconds": 10 },
        ],
        "Catch": [{ "ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Assign": { "e": "{% $n + 1 %}" }, "Next": "B" }],
        "End": true
    });
    let after = |count: u32| {
        let variables = BTreeMap::from([("n".to_owned(), json!(1).into())]);
        let setting = TestSetting { retrier_retry_count: count, variables, ..setting(&json!({})) };
        report(&state, setting, Some(Mock::Error(Failure::new("E", "why"))))
    };
    for (count, seconds) in [(0, 2), (1, 6), (2, 10)] {
        let again = after(count);
        assert_eq!(told(&again), ("RETRIABLE", Value::Null, Some("E"), None));
        assert_eq!(
            again.inspection["errorDetails"],
            json!({ "retryIndex": 1, "retryBackoffIntervalSeconds": seconds })
        );
    }
    let caught = after(3);
    assert_eq!(told(&caught), ("CAUGHT_ERROR", json!("E"), Some("E"), Some("B")));
    assert_eq!(seen(&caught)["variables"], json!({ "n": 1, "e": 2 }));
}

#[test]
fn a_map_shows_its_items_and_their_inputs() {
    let map = |extra: Value, config: Value| {
        let mut processor = json!({ "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } });
        processor.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        let mut state = json!({ "Type": "Map", "ItemProcessor": processor, "End": true });
        state.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        state
    };
    let selector = json!({ "ItemsPath": "$.v", "MaxConcurrency": 50, "ItemSelector": { "i.$": "$$.Map.Item.Index", "x.$": "$$.Map.Item.Value", "k.$": "$.k" } });
    let report_of = |state: &Value, setting| report(state, setting, Some(result(json!([]))));
    let inline = report_of(&map(selector, json!({})), setting(&json!({ "v": ["a", "b"], "k": 1 })));
    let made = json!([{ "i": 0, "x": "a", "k": 1 }, { "i": 1, "x": "b", "k": 1 }]);
    assert_eq!((&seen(&inline)["afterItemSelector"], &seen(&inline)["maxConcurrency"]), (&made, &json!(50)));
    let config = json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" } });
    let reader = json!({
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": { "InputType": "JSON", "ItemsPointer": "/a", "MaxItems": 3 }, "Parameters": { "Bucket": "b", "Key": "k" } },
        "ItemBatcher": { "MaxItemsPerBatch": 2, "BatchInput": { "all": true } }, "ToleratedFailurePercentage": 40
    });
    let data = Some(r#"{"a":[1,2,3,4]}"#.to_owned());
    let with_data = |failed| TestSetting {
        map_item_reader_data: data.clone(),
        map_iteration_failure_count: Some(failed),
        ..setting(&json!({}))
    };
    let distributed = map(reader, config);
    let good = report_of(&distributed, with_data(1));
    assert_eq!(told(&good).0, "SUCCEEDED");
    assert_eq!(seen(&good)["afterItemsPointer"], json!([1, 2, 3, 4]));
    let batches =
        json!([{ "BatchInput": { "all": true }, "Items": [1, 2] }, { "BatchInput": { "all": true }, "Items": [3] }]);
    assert_eq!(seen(&good)["afterItemBatcher"], batches);
    assert_eq!(told(&report_of(&distributed, with_data(2))).2, Some("States.ExceedToleratedFailureThreshold"));
}

#[test]
fn a_context_object_is_what_the_test_says_it_is() {
    let state = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": { "FunctionName.$": "$$.State.Name", "c.$": "$$.Execution.Input.x" }, "End": true });
    let context = json!({ "Execution": { "Input": { "x": 5 } }, "State": { "Name": "Mine" } });
    let given = TestSetting { context: Some(context), ..setting(&json!({})) };
    assert_eq!(
        seen(&report(&state, given, Some(result(json!(1)))))["afterParameters"],
        json!({ "c": 5, "FunctionName": "Mine" })
    );
    let own = json!({ "Type": "Pass", "Parameters": { "c.$": "$$" }, "End": true });
    let made = told(&report(&own, setting(&json!({ "y": 1 })), None)).1;
    assert_eq!(
        (&made["c"]["State"]["Name"], &made["c"]["Execution"]["Input"]),
        (&json!("StateName"), &json!({ "y": 1 }))
    );
}

#[test]
fn a_state_is_found_at_any_depth_or_said_to_be_missing() {
    let inner = json!({ "StartAt": "I", "States": { "I": { "Type": "Pass", "Result": 7, "End": true } } });
    let states = json!({ "P": { "Type": "Parallel", "Branches": [inner], "Next": "E" }, "E": { "Type": "Succeed" } });
    let machine = json!({ "StartAt": "P", "States": states }).to_string();
    let subject = Subject::find(&machine, Some("I")).unwrap();
    let TestStep::Finished(found) = subject.test(setting(&json!({})), None, Timestamp::UNIX_EPOCH, &mut || 0.5) else {
        panic!("a Pass state needs nobody");
    };
    assert_eq!(told(&found), ("SUCCEEDED", json!(7), None, None));
    assert_eq!(Subject::find(&machine, Some("X")).unwrap_err(), SubjectError::NotFound);
    let lone = Subject::find(&json!({ "Type": "Pass" }).to_string(), None).unwrap_err();
    assert!(lone.to_string().contains("[Next, End] at /"), "{lone}");
    assert!(Subject::find(&machine, Some("P")).unwrap().contains("I"));
}
