//! Definitions that are refused, and where the problem is said to be.

use serde_json::{Value, json};

use super::{Definition, ProblemCode};

const INVALID: ProblemCode = ProblemCode::SchemaValidationFailed;
const TARGET: ProblemCode = ProblemCode::MissingTransitionTarget;

/// A machine whose only state is this one.
fn single(state: &Value) -> Value {
    json!({ "StartAt": "A", "States": { "A": state } })
}

/// A machine in JSONata whose only state is a Pass.
fn jsonata(extra: &Value) -> Value {
    let mut state = json!({ "Type": "Pass", "End": true });
    state.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let mut machine = single(&state);
    machine["QueryLanguage"] = "JSONata".into();
    machine
}

fn task(extra: &Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true });
    state.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    single(&state)
}

fn map(extra: &Value, processor: &Value) -> Value {
    let mut state = json!({ "Type": "Map", "End": true, "ItemProcessor": processor });
    state.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    single(&state)
}

fn check(definition: &Value, code: ProblemCode, location: &str) {
    let error = Definition::parse(&definition.to_string()).expect_err(location);
    let found = error.problems.iter().any(|problem| problem.code == code && problem.location == location);
    assert!(found, "{location} is not in {error}");
}

#[test]
fn problems_have_their_place() {
    let inner = single(&json!({ "Type": "Pass", "End": true }));
    let mut distributed = inner.clone();
    distributed["ProcessorConfig"] = json!({ "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" });
    let cases = [
        (json!([]), INVALID, ""),
        (json!({ "States": {} }), INVALID, ""),
        (json!({ "StartAt": "B", "States": { "A": { "Type": "Pass", "End": true } } }), TARGET, "/StartAt"),
        (single(&json!({ "Type": "Pass", "Next": "B" })), TARGET, "/States/A"),
        (single(&json!({ "Type": "Nap", "End": true })), INVALID, "/States/A/Type"),
        (single(&json!({ "Type": "Pass" })), INVALID, "/States/A"),
        (single(&json!({ "Type": "Pass", "End": true, "Next": "A" })), INVALID, "/States/A/End"),
        (single(&json!({ "Type": "Pass", "End": true, "Cath": [] })), INVALID, "/States/A/Cath"),
        (single(&json!({ "Type": "Pass", "End": true, "InputPath": "a" })), INVALID, "/States/A/InputPath"),
        (
            single(&json!({ "Type": "Pass", "End": true, "Parameters": { "x": { "y.$": "z" } } })),
            INVALID,
            "/States/A/Parameters/x/y.$",
        ),
        (single(&json!({ "Type": "Pass", "End": true, "ResultPath": "$.a[*]" })), INVALID, "/States/A/ResultPath"),
        (single(&json!({ "Type": "Wait", "End": true })), INVALID, "/States/A"),
        (single(&json!({ "Type": "Wait", "End": true, "Timestamp": "tomorrow" })), INVALID, "/States/A/Timestamp"),
        (single(&json!({ "Type": "Choice", "Choices": [] })), INVALID, "/States/A/Choices"),
        (
            single(&json!({ "Type": "Choice", "Choices": [{ "Variable": "$", "Next": "A" }] })),
            INVALID,
            "/States/A/Choices/0",
        ),
        (
            single(&json!({ "Type": "Choice", "Choices": [{ "Variable": "$", "NumericEquals": "1", "Next": "A" }] })),
            INVALID,
            "/States/A/Choices/0/NumericEquals",
        ),
        (task(&json!({ "Resource": "function" })), INVALID, "/States/A/Resource"),
        (task(&json!({ "Retry": [{ "ErrorEquals": ["States.ALL", "X"] }] })), INVALID, "/States/A/Retry/0/ErrorEquals"),
        (
            task(&json!({ "Retry": [{ "ErrorEquals": ["X"], "BackoffRate": 0.5 }] })),
            INVALID,
            "/States/A/Retry/0/BackoffRate",
        ),
        (task(&json!({ "Catch": [{ "ErrorEquals": ["X"] }] })), INVALID, "/States/A/Catch/0"),
        (task(&json!({ "TimeoutSeconds": 5, "HeartbeatSeconds": 5 })), INVALID, "/States/A/HeartbeatSeconds"),
        (task(&json!({ "TimeoutSeconds": 0 })), INVALID, "/States/A/TimeoutSeconds"),
        (map(&json!({}), &json!({ "StartAt": "X", "States": {} })), TARGET, "/States/A/ItemProcessor/StartAt"),
        (single(&json!({ "Type": "Parallel", "End": true, "Branches": [] })), INVALID, "/States/A/Branches"),
        // What the language has and this engine has not.
        (json!({ "QueryLanguage": "SQL", "StartAt": "A", "States": {} }), INVALID, "/QueryLanguage"),
        (jsonata(&json!({ "QueryLanguage": "JSONPath" })), INVALID, "/States/A/QueryLanguage"),
        (jsonata(&json!({ "Output": { "x": ["{% 1 + %}"] } })), INVALID, "/States/A/Output/x/0"),
        (jsonata(&json!({ "Output": "{% a ?? b %}" })), INVALID, "/States/A/Output"),
        (jsonata(&json!({ "Output": "{% 1" })), INVALID, "/States/A/Output"),
        (jsonata(&json!({ "InputPath": "$" })), INVALID, "/States/A/InputPath"),
        (single(&json!({ "Type": "Pass", "End": true, "Output": 1 })), INVALID, "/States/A/Output"),
        (task(&json!({ "Resource": "arn:aws:states:::sqs:sendMessage.later" })), INVALID, "/States/A/Resource"),
        (task(&json!({ "Resource": "arn:aws:states:us-east-1:1:activity:" })), INVALID, "/States/A/Resource"),
        (map(&json!({ "ItemBatcher": { "MaxItemsPerBatch": 1 } }), &inner), INVALID, "/States/A/ItemBatcher"),
        (map(&json!({ "Label": "a b" }), &distributed), INVALID, "/States/A/Label"),
        (map(&json!({ "ItemBatcher": {} }), &distributed), INVALID, "/States/A/ItemBatcher"),
    ];
    for (definition, code, location) in cases {
        check(&definition, code, location);
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let states =
        json!({ "A": { "Type": "Nap" }, "B": { "Type": "Pass" }, "C": { "Type": "Wait", "Seconds": -1, "End": true } });
    let error = Definition::parse(&json!({ "StartAt": "A", "States": states }).to_string()).unwrap_err();
    assert!(error.problems.len() >= 3, "{error}");
}

#[test]
fn hostile_nesting_is_refused() {
    let mut flow = single(&json!({ "Type": "Pass", "End": true }));
    for _ in 0..40 {
        flow = map(&json!({}), &flow);
    }
    assert!(Definition::parse(&flow.to_string()).is_err());
    assert!(Definition::parse(&"[".repeat(100_000)).is_err());
}
