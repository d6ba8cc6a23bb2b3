//! `Retry` and `Catch`: which errors a state handles, and how.
//!
//! Spec: <https://states-language.net/#errors>.

use super::json::Node;
use super::state::{ASSIGN, NEXT, OUTPUT, RESULT_PATH};
use super::walk::{Check, Field, Place, Shape, Walk};

/// The bound of the guide on attempts and intervals, and a year in seconds on delays.
const MOST: i64 = 99_999_999;
const MOST_DELAY_SECONDS: i64 = 31_622_400;

const COMMENT: Field = Field::new("Comment", Check::Text);
const ERROR_EQUALS: Field = Field::new("ErrorEquals", Check::With(error_equals)).required();

static RETRIER: Shape = Shape {
    fields: &[
        COMMENT,
        ERROR_EQUALS,
        Field::new("IntervalSeconds", Check::Integer { least: 0, most: MOST }),
        Field::new("MaxAttempts", Check::Integer { least: 0, most: MOST }),
        Field::new("BackoffRate", Check::Decimal { least: 1.0, most: f64::MAX }),
        Field::new("MaxDelaySeconds", Check::Integer { least: 1, most: MOST_DELAY_SECONDS }),
        Field::new("JitterStrategy", Check::OneOf(&["NONE", "FULL"])),
    ],
    groups: &[],
};

static CATCHER: Shape =
    Shape { fields: &[COMMENT, ERROR_EQUALS, NEXT.required(), RESULT_PATH, OUTPUT, ASSIGN], groups: &[] };

pub(super) fn retriers(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    rules(walk, node, place, &RETRIER);
}

pub(super) fn catchers(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    rules(walk, node, &Place { sees_error: true, ..place.clone() }, &CATCHER);
}

fn rules(walk: &mut Walk, node: &Node, place: &Place<'_>, shape: &Shape) {
    let rules = walk.array(node, place);
    for (index, rule) in rules.iter().enumerate() {
        let place = place.item(index);
        walk.object(rule, &place, shape);
        if let Some(names) = rule.get("ErrorEquals") {
            wildcard(walk, names, &place.field("ErrorEquals"), index + 1 == rules.len());
        }
    }
}

fn wildcard(walk: &mut Walk, names: &Node, place: &Place<'_>, is_last: bool) {
    let has_all = names.items().iter().any(|name| name.text() == Some(crate::failure::ALL));
    if has_all && (names.items().len() > 1 || !is_last) {
        walk.schema("States.ALL must appear alone and at end of list", names, place);
    }
}

fn error_equals(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    for (index, name) in walk.non_empty_array(node, place).iter().enumerate() {
        walk.check(Check::Text, name, &place.item(index));
    }
}
