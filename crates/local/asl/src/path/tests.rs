//! Paths over one document: what they find, and what is refused.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Found, Path, ReferencePath};
use crate::StartContext;
use crate::context::{ContextObject, StateFacts};
use crate::scope::Scope;

/// A scope over one input.
pub(crate) fn in_scope<T>(input: &Value, test: impl FnOnce(&Scope<'_>) -> T) -> T {
    let start = StartContext {
        execution_arn: "arn:e".to_owned(),
        name: "run".to_owned(),
        state_machine_arn: "arn:aws:states:us-east-1:1:stateMachine:m".to_owned(),
        state_machine_name: "m".to_owned(),
        role_arn: "role".to_owned(),
        input: json!({ "first": 1 }).into(),
        start_time: Timestamp::UNIX_EPOCH,
        token_key: crate::TokenKey::default(),
    };
    let state = StateFacts { name: "S", entered_at: Timestamp::UNIX_EPOCH, retry_count: Some(2) };
    let item = json!("item");
    let context = ContextObject {
        start: &start,
        redrive: None,
        state,
        item: Some((3, &item)),
        item_source: None,
        now: Timestamp::UNIX_EPOCH,
        task_token: None,
        made: OnceCell::new(),
        taken: Cell::new(0),
    };
    let variables = Arc::new([("v".to_owned(), json!({ "deep": [7] }).into())].into());
    test(&Scope { input, context: &context, variables: &variables, result: None, error_output: None })
}

fn document() -> Value {
    json!({
        "name": "n", "hyphen-ated": 1, "with space": 2, "list": [10, 20, 30, 40],
        "books": [
            { "title": "a", "price": 5, "tags": ["x"] },
            { "title": "b", "price": 15 },
            { "title": "c", "price": 25, "sold": true }
        ]
    })
}

#[test]
fn paths_find_what_they_name() {
    let cases = [
        ("$.name", json!("n")),
        ("$.hyphen-ated", json!(1)),
        ("$['with space']", json!(2)),
        ("$[\"with space\"]", json!(2)),
        ("$.list[0]", json!(10)),
        ("$.list[-1]", json!(40)),
        ("$.list[1:3]", json!([20, 30])),
        ("$.list[:2]", json!([10, 20])),
        ("$.list[-2:]", json!([30, 40])),
        ("$.list[0:4:2]", json!([10, 30])),
        ("$.list[0,2]", json!([10, 30])),
        ("$.list[9:]", json!([])),
        ("$.list.length()", json!(4)),
        ("$.list.size()", json!(4)),
        ("$.books[*].price", json!([5, 15, 25])),
        ("$..price", json!([5, 15, 25])),
        ("$.books[?(@.price > 10)].title", json!(["b", "c"])),
        ("$.books[?(@.price > 10 && !@.sold)].title", json!(["b"])),
        ("$.books[?(@.title == 'a' || @.sold == true)].title", json!(["a", "c"])),
        ("$.books[?(@.title in ['a', 'b'])].price", json!([5, 15])),
        ("$.books[?(@.tags)].title", json!(["a"])),
        ("$.books[0]['title','price']", json!({ "title": "a", "price": 5 })),
        ("$.none[*]", json!([])),
        ("$$.Execution.Input.first", json!(1)),
        ("$$.Execution.Name", json!("run")),
        ("$$.State.RetryCount", json!(2)),
        ("$$.Map.Item.Index", json!(3)),
        ("$$.Map.Item.Value", json!("item")),
        ("$v.deep[0]", json!(7)),
    ];
    in_scope(&document(), |scope| {
        for (text, expected) in cases {
            let path = Path::parse(text).unwrap();
            let found = match path.find(scope) {
                Found::One(value) => value.clone(),
                Found::Made(value) => value,
                Found::Missing => panic!("`{text}` found nothing"),
            };
            assert_eq!(found, expected, "{text}");
        }
    });
}

#[test]
fn a_path_that_finds_too_much_finds_nothing() {
    let deep = (0..90).fold(json!(1), |inner, _| json!([inner, "x"]));
    in_scope(&deep, |scope| {
        for text in ["$..*..*..*..*..*..*", "$..[?(@..*..*..*..*)]"] {
            assert!(matches!(Path::parse(text).unwrap().find(scope), Found::Missing), "{text}");
        }
    });
}

#[test]
fn a_definite_path_says_where_it_ends() {
    let cases = [
        ("$.none", "No results for path: $['none']"),
        ("$.list[9]", "No results for path: $['list'][9]"),
        ("$.none.deeper", "Missing property in path $['none']"),
        ("$unknown", "No results for path: $"),
    ];
    in_scope(&document(), |scope| {
        for (text, expected) in cases {
            let path = Path::parse(text).unwrap();
            assert!(matches!(path.find(scope), Found::Missing), "{text}");
            assert_eq!(path.why_missing(scope), expected, "{text}");
        }
    });
}

#[test]
fn text_that_is_no_path_is_refused() {
    let nested = format!("$[?({}@.a{})]", "(".repeat(100), ")".repeat(100));
    let negated = format!("$[?({}@.a)]", "!".repeat(100));
    let cases = [
        "",
        "name",
        "$.",
        "$[",
        "$['a",
        "$[]",
        "$.a b",
        "$[?(@.a =~ /x/)]",
        "$.a.concat(1)",
        "$[1:2:0]",
        &nested,
        &negated,
    ];
    for text in cases {
        assert!(Path::parse(text).is_err(), "{text}");
    }
}

#[test]
fn results_are_put_where_reference_paths_point() {
    let cases = [
        (json!({ "a": 1 }), "$.b", Some(json!({ "a": 1, "b": "R" }))),
        (json!({ "a": 1 }), "$.b.c", Some(json!({ "a": 1, "b": { "c": "R" } }))),
        (json!({ "a": [1, 2] }), "$.a[1]", Some(json!({ "a": [1, "R"] }))),
        (json!({ "a": 1 }), "$.a.b", None),
        (json!("text"), "$.a", None),
        (json!({ "a": [1] }), "$.a[5]", None),
    ];
    for (mut document, text, expected) in cases {
        let put = ReferencePath::parse(text).unwrap().put(&mut document, json!("R"));
        assert_eq!(put.then_some(document), expected, "{text}");
    }
    for text in ["$.a[*]", "$..a", "$$.a", "$.a[?(@.b)]", "$.a[0:1]"] {
        assert!(ReferencePath::parse(text).is_err(), "{text}");
    }
}
