//! Intrinsic functions: results, failures, and calls that are refused.

use std::cell::{Cell, OnceCell};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Call;
use crate::context::{ContextObject, StateFacts};
use crate::scope::{Scope, Variables};
use crate::{Failure, StartContext};

fn evaluate(text: &str) -> Result<Value, Failure> {
    let start = StartContext {
        execution_arn: String::new(),
        name: String::new(),
        state_machine_arn: String::new(),
        state_machine_name: String::new(),
        role_arn: String::new(),
        input: Value::Null.into(),
        start_time: Timestamp::UNIX_EPOCH,
        token_key: crate::TokenKey::default(),
    };
    let state = StateFacts { name: "S", entered_at: Timestamp::UNIX_EPOCH, retry_count: None };
    let context = ContextObject {
        start: &start,
        redrive: None,
        state,
        item: None,
        item_source: None,
        now: Timestamp::UNIX_EPOCH,
        task_token: None,
        made: OnceCell::new(),
        taken: Cell::new(0),
    };
    let input = json!({ "text": "a,b;c", "list": [1, 2, 2, 3], "object": { "k": [true] }, "half": 1.5 });
    let variables = Variables::default();
    let scope = Scope { input: &input, context: &context, variables: &variables, result: None, error_output: None };
    Call::parse(text).unwrap().evaluate(&scope, &mut || 0.5)
}

#[test]
fn calls_give_what_the_guide_says() {
    let cases = [
        ("States.Format('{} and {}', $.text, 7)", json!("a,b;c and 7")),
        (r"States.Format('\{{}\} it\'s', $.object)", json!("{{k=[true]}} it's")),
        ("States.StringToJson('{\"a\": 1}')", json!({ "a": 1 })),
        ("States.JsonToString($.object)", json!("{\"k\":[true]}")),
        ("States.JsonMerge($.object, States.StringToJson('{\"k\":0}'), false)", json!({ "k": 0 })),
        ("States.Array(1, 'b', true, null)", json!([1, "b", true, null])),
        ("States.Array()", json!([])),
        ("States.ArrayPartition($.list, 3)", json!([[1, 2, 2], [3]])),
        ("States.ArrayContains($.list, 3)", json!(true)),
        ("States.ArrayRange(1, 9, 4)", json!([1, 5, 9])),
        ("States.ArrayRange(3, 1, -1)", json!([3, 2, 1])),
        ("States.ArrayGetItem($.list, 3)", json!(3)),
        ("States.ArrayLength($.list)", json!(4)),
        ("States.ArrayUnique($.list)", json!([1, 2, 3])),
        ("States.Base64Encode('hi')", json!("aGk=")),
        ("States.Base64Decode('aGk=')", json!("hi")),
        ("States.Hash('input data', 'SHA-1')", json!("aaff4a450a104cd177d28d18d74485e8cae074b7")),
        ("States.Hash('input data', 'MD5')", json!("812f45842bc6d66ee14572ce20db8e86")),
        ("States.MathAdd($.half, -1.5)", json!(1)),
        ("States.MathRandom(0, 10)", json!(5)),
        ("States.StringSplit($.text, ',;')", json!(["a", "b", "c"])),
        ("States.ArrayGetItem(States.StringSplit($.text, ','), States.MathAdd(0, 1))", json!("b;c")),
        ("States.UUID()", json!("80008000-8000-4000-8000-800080008000")),
    ];
    for (text, expected) in cases {
        assert_eq!(evaluate(text), Ok(expected), "{text}");
    }
}

#[test]
fn a_seed_always_gives_the_same_number() {
    let first = evaluate("States.MathRandom(0, 1000000, 42)").unwrap();
    assert_eq!(evaluate("States.MathRandom(0, 1000000, 42)"), Ok(first.clone()));
    assert_ne!(evaluate("States.MathRandom(0, 1000000, 43)"), Ok(first));
}

#[test]
fn failures_name_the_call() {
    let cases = [
        ("States.ArrayGetItem($.list, 4)", "States.IntrinsicFailure"),
        ("States.ArrayPartition($.list, 0)", "States.IntrinsicFailure"),
        ("States.ArrayRange(0, 5000, 1)", "States.IntrinsicFailure"),
        ("States.ArrayRange(0, 1, 0)", "States.IntrinsicFailure"),
        ("States.StringToJson($.text)", "States.IntrinsicFailure"),
        ("States.JsonMerge($.object, $.object, true)", "States.IntrinsicFailure"),
        ("States.Base64Decode('*')", "States.IntrinsicFailure"),
        ("States.Hash('a', 'CRC')", "States.IntrinsicFailure"),
        ("States.Format('{}')", "States.IntrinsicFailure"),
        ("States.Format('{', 1)", "States.IntrinsicFailure"),
        ("States.MathAdd(9223372036854775807, 1)", "States.IntrinsicFailure"),
        ("States.MathRandom(5, 5)", "States.IntrinsicFailure"),
        ("States.ArrayLength($.none)", "States.Runtime"),
    ];
    for (text, error) in cases {
        let failure = evaluate(text).unwrap_err();
        assert_eq!(failure.error.as_deref(), Some(error), "{text}");
        let cause = failure.cause.unwrap();
        assert!(cause.starts_with(&format!("The function '{text}' had the following error: ")), "{cause}");
    }
}

#[test]
fn text_that_is_no_call_is_refused() {
    let deep = format!("{}1{}", "States.Array(".repeat(11), ")".repeat(11));
    let long = format!("States.Format('{}')", "a".repeat(10_001));
    let cases = [
        "States.Nothing()",
        "States.UUID",
        "States.UUID(1)",
        "States.Array(1",
        "States.Array(1,)",
        "States.Array(a)",
        "States.Format('a)",
        "States.UUID() x",
        "States.JsonMerge(1, 2)",
        &deep,
        &long,
    ];
    for text in cases {
        assert!(Call::parse(text).is_err(), "{text}");
    }
}
