//! Machines in JSONata: every kind of state and field, and what fails where.

use serde_json::{Value, json};

use super::{error, input, output, run, types};
use crate::Status;

/// A machine in JSONata that begins with its state `A`.
fn jsonata(states: &Value) -> Value {
    json!({ "QueryLanguage": "JSONata", "StartAt": "A", "States": states })
}

fn invoke(function: &str, extra: &Value) -> Value {
    let payload = json!({ "in": "{% $states.input %}", "count": "{% $states.context.State.RetryCount %}" });
    let mut state = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": { "FunctionName": function, "Payload": payload }
    });
    state.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    state
}

fn states_in_order() -> Value {
    jsonata(&json!({
        "A": { "Type": "Pass", "Output": { "n": "{% $states.input.a + 1 %}" }, "Assign": { "all": "{% $states.input %}", "one": 1 }, "Next": "Choose" },
        "Choose": {
            "Type": "Choice",
            "Choices": [
                { "Condition": false, "Next": "A" },
                { "Condition": "{% $states.input.n = 2 and $one = 1 %}", "Output": "{% $all %}", "Assign": { "one": "{% $one + 1 %}" }, "Next": "Wait" }
            ],
            "Default": "A"
        },
        "Wait": { "Type": "Wait", "Seconds": "{% $states.input.wait %}", "Output": "{% $states.input.items %}", "Next": "Map" },
        "Map": {
            "Type": "Map",
            "Items": "{% $states.input %}",
            "MaxConcurrency": "{% $one %}",
            "ItemSelector": { "i": "{% $states.context.Map.Item.Index %}", "v": "{% $states.context.Map.Item.Value %}" },
            "ItemProcessor": {
                "StartAt": "I",
                "States": { "I": invoke("echo", &json!({ "Output": "{% $states.result.in.v * $one %}", "Assign": { "inner": 1 }, "End": true })) }
            },
            "Output": "{% $sum($states.result) %}",
            "Next": "Parallel"
        },
        "Parallel": {
            "Type": "Parallel",
            "Arguments": "{% { 'sum': $states.input } %}",
            "Branches": [{ "StartAt": "B", "States": { "B": { "Type": "Succeed", "Output": "{% $states.input.sum + 1 %}" } } }],
            "Assign": { "one": "{% $states.result[0] %}" },
            "Next": "Done"
        },
        "Done": { "Type": "Succeed", "Output": { "out": "{% $states.input %}", "one": "{% $one %}", "none": "{% $exists($inner) %}" } }
    }))
}

/// Each with what it ends in.
pub(super) fn cases() -> Vec<(&'static str, Value, Result<Value, &'static str>)> {
    const FAILED: Result<Value, &str> = Err("States.QueryEvaluationError");
    let pass = |output: &str| jsonata(&json!({ "A": { "Type": "Pass", "Output": output, "End": true } }));
    let caught = json!([{
        "ErrorEquals": ["States.ALL"],
        "Output": "{% $states.errorOutput.Error & $states.input.a %}",
        "Assign": { "e": "{% $states.errorOutput.Cause %}" },
        "Next": "B"
    }]);
    let end = json!({ "Type": "Pass", "Output": ["{% $e %}", "{% $states.input %}"], "End": true });
    let broken_catch = json!([{ "ErrorEquals": ["States.ALL"], "Output": "{% $none %}", "Next": "A" }]);
    let retry = json!([{ "ErrorEquals": ["Flaky"], "MaxAttempts": 5 }]);
    let items = |items: &str| {
        let flow = json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } });
        json!({ "A": { "Type": "Map", "Items": items, "ItemProcessor": flow, "End": true } })
    };
    vec![
        ("jsonata: all", states_in_order(), Ok(json!({ "out": [13], "one": 13, "none": false }))),
        ("jsonata: undefined", pass("{% $none %}"), FAILED),
        ("jsonata: a result too early", pass("{% $states.result %}"), FAILED),
        (
            "jsonata: caught",
            jsonata(&json!({ "A": invoke("broken", &json!({ "Catch": caught, "End": true })), "B": end })),
            Ok(json!(["always", "Broken1"])),
        ),
        (
            "jsonata: arguments caught",
            jsonata(&json!({
                "A": { "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": "{% $none %}", "Catch": caught, "End": true },
                "B": { "Type": "Succeed" }
            })),
            Ok(json!("States.QueryEvaluationError1")),
        ),
        (
            "jsonata: a catch that fails",
            jsonata(&json!({ "A": invoke("broken", &json!({ "Catch": broken_catch, "End": true })) })),
            FAILED,
        ),
        (
            "jsonata: retried",
            jsonata(
                &json!({ "A": invoke("flaky", &json!({ "Retry": retry, "Output": "{% $states.result.count %}", "End": true })) }),
            ),
            Ok(json!(2)),
        ),
        (
            "jsonata: an output that fails after the work",
            jsonata(&json!({ "A": invoke("echo", &json!({ "Output": "{% $none %}", "End": true })) })),
            FAILED,
        ),
        ("jsonata: no items", jsonata(&items("{% $states.input.none %}")), Ok(json!([]))),
        ("jsonata: items that are none", jsonata(&items("{% $states.input.a %}")), FAILED),
        (
            "jsonata: random",
            pass("{% $length($uuid()) + ($random() < 1 ? 1 : 0) + ($count($shuffle([1..4]))) %}"),
            Ok(json!(41)),
        ),
    ]
}

#[test]
fn machines_give_what_their_expressions_say() {
    for (name, definition, expected) in cases() {
        let (execution, _) = run(&definition, &input());
        match expected {
            Ok(value) => assert_eq!(output(&execution), value, "{name}: {:?}", execution.finish()),
            Err(failure) => {
                assert_eq!((execution.status(), error(&execution).as_str()), (Status::Failed, failure), "{name}");
            }
        }
    }
}

#[test]
fn the_history_says_where_an_expression_failed() {
    let cases = [
        (
            json!({ "A": { "Type": "Pass", "Output": { "x": ["{% $none %}"] }, "End": true } }),
            "Output/x[0]",
            vec!["PassStateEntered", "EvaluationFailed", "ExecutionFailed"],
        ),
        (
            json!({ "A": { "Type": "Choice", "Choices": [{ "Condition": "{% 1 %}", "Next": "B" }] }, "B": { "Type": "Succeed" } }),
            "Choices[0]/Condition",
            vec!["ChoiceStateEntered", "EvaluationFailed", "ExecutionFailed"],
        ),
        (
            json!({ "A": { "Type": "Parallel", "Arguments": "{% $none %}", "End": true, "Branches": [{ "StartAt": "B", "States": { "B": { "Type": "Succeed" } } }] } }),
            "Arguments",
            vec!["ParallelStateEntered", "EvaluationFailed", "ParallelStateFailed", "ExecutionFailed"],
        ),
        (
            json!({ "A": { "Type": "Fail", "Error": "{% $states.input.a %}" } }),
            "Error",
            vec!["FailStateEntered", "EvaluationFailed", "ExecutionFailed"],
        ),
    ];
    for (states, location, expected) in cases {
        let (_, log) = run(&jsonata(&states), &input());
        assert_eq!(types(&log)[1..], expected, "{location}");
        let failed = log.iter().filter_map(crate::LogEntry::to_history_event).find(|event| event["id"] == 3).unwrap();
        assert_eq!(failed["evaluationFailedEventDetails"]["location"], location);
        assert_eq!(
            (failed["evaluationFailedEventDetails"]["state"].as_str(), &failed["previousEventId"]),
            (Some("A"), &json!(0))
        );
    }
}
