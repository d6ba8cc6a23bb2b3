//! The fields of each type of state.
//!
//! Spec: <https://states-language.net/#state-type-table>; the fields of each query language:
//! <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.

use super::handlers::{catchers, retriers};
use super::json::{Node, Value};
use super::machine::{QUERY_LANGUAGES, branch, language};
use super::scope::assign;
use super::walk::Language::{JsonPath, Jsonata};
use super::walk::{Check, Field, Group, Place, Shape, Walk};
use super::{PASS_RESULT_IS_STATIC, choice, map, path, task};

const TYPES: [&str; 8] = ["Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"];

const COMMENT: Field = Field::new("Comment", Check::Text);
const TYPE: Field = Field::new("Type", Check::OneOf(&TYPES)).required();
const QUERY_LANGUAGE: Field = Field::new("QueryLanguage", Check::OneOf(&QUERY_LANGUAGES));
pub(super) const NEXT: Field = Field::new("Next", Check::Text);
const END: Field = Field::new("End", Check::Boolean);
const INPUT_PATH: Field = Field::new("InputPath", Check::PathOrNull).only(JsonPath);
const OUTPUT_PATH: Field = Field::new("OutputPath", Check::PathOrNull).only(JsonPath);
pub(super) const RESULT_PATH: Field = Field::new("ResultPath", Check::ReferencePathOrNull).only(JsonPath);
const PARAMETERS: Field = Field::new("Parameters", Check::Template).only(JsonPath);
const RESULT_SELECTOR: Field = Field::new("ResultSelector", Check::Template).only(JsonPath);
const ARGUMENTS: Field = Field::new("Arguments", Check::Template).only(Jsonata);
pub(super) const OUTPUT: Field = Field::new("Output", Check::With(output)).only(Jsonata);
pub(super) const ASSIGN: Field = Field::new("Assign", Check::With(assign_result));
const RETRY: Field = Field::new("Retry", Check::With(retriers));
const CATCH: Field = Field::new("Catch", Check::With(catchers));

const TRANSITION: Group = Group { names: &["Next", "End"], required: true };

static TASK: Shape = Shape {
    fields: &[
        COMMENT,
        TYPE,
        QUERY_LANGUAGE,
        NEXT,
        END,
        INPUT_PATH,
        OUTPUT_PATH,
        RESULT_PATH,
        PARAMETERS,
        RESULT_SELECTOR,
        ARGUMENTS,
        OUTPUT,
        ASSIGN,
        RETRY,
        CATCH,
        Field::new("Resource", Check::With(task::resource)).required(),
        Field::new("Credentials", Check::With(task::credentials)),
        Field::new("TimeoutSeconds", task::SECONDS),
        Field::new("TimeoutSecondsPath", Check::ReferencePath).only(JsonPath),
        Field::new("HeartbeatSeconds", task::SECONDS),
        Field::new("HeartbeatSecondsPath", Check::ReferencePath).only(JsonPath),
    ],
    groups: &[
        TRANSITION,
        Group { names: &["TimeoutSeconds", "TimeoutSecondsPath"], required: false },
        Group { names: &["HeartbeatSeconds", "HeartbeatSecondsPath"], required: false },
    ],
};

static PASS: Shape = Shape {
    fields: &[
        COMMENT,
        TYPE,
        QUERY_LANGUAGE,
        NEXT,
        END,
        INPUT_PATH,
        OUTPUT_PATH,
        RESULT_PATH,
        PARAMETERS,
        OUTPUT,
        ASSIGN,
        Field::new("Result", Check::With(fixed_result)).only(JsonPath),
    ],
    groups: &[TRANSITION],
};

static CHOICE: Shape = Shape {
    fields: &[
        COMMENT,
        TYPE,
        QUERY_LANGUAGE,
        INPUT_PATH,
        OUTPUT_PATH,
        OUTPUT,
        ASSIGN,
        Field::new("Choices", Check::With(choice::rules)).required(),
        Field::new("Default", Check::Text),
    ],
    groups: &[],
};

static WAIT: Shape = Shape {
    fields: &[
        COMMENT,
        TYPE,
        QUERY_LANGUAGE,
        NEXT,
        END,
        INPUT_PATH,
        OUTPUT_PATH,
        OUTPUT,
        ASSIGN,
        Field::new("Seconds", Check::DynamicInteger { least: 0, most: 99_999_999 }),
        Field::new("SecondsPath", Check::ReferencePath).only(JsonPath),
        Field::new("Timestamp", Check::With(timestamp)),
        Field::new("TimestampPath", Check::ReferencePath).only(JsonPath),
    ],
    groups: &[TRANSITION, Group { names: &["SecondsPath", "Seconds", "TimestampPath", "Timestamp"], required: true }],
};

static SUCCEED: Shape =
    Shape { fields: &[COMMENT, TYPE, QUERY_LANGUAGE, INPUT_PATH, OUTPUT_PATH, OUTPUT], groups: &[] };

static FAIL: Shape = Shape {
    fields: &[
        COMMENT,
        TYPE,
        QUERY_LANGUAGE,
        Field::new("Error", Check::With(words)),
        Field::new("ErrorPath", Check::PathOrCall).only(JsonPath),
        Field::new("Cause", Check::With(words)),
        Field::new("CausePath", Check::PathOrCall).only(JsonPath),
    ],
    groups: &[
        Group { names: &["Error", "ErrorPath"], required: false },
        Group { names: &["Cause", "CausePath"], required: false },
    ],
};

static PARALLEL: Shape = Shape {
    fields: &[
        COMMENT,
        TYPE,
        QUERY_LANGUAGE,
        NEXT,
        END,
        INPUT_PATH,
        OUTPUT_PATH,
        RESULT_PATH,
        PARAMETERS,
        RESULT_SELECTOR,
        ARGUMENTS,
        OUTPUT,
        ASSIGN,
        RETRY,
        CATCH,
        Field::new("Branches", Check::With(branches)).required(),
    ],
    groups: &[TRANSITION],
};

static MAP: Shape = Shape {
    fields: &[
        COMMENT,
        TYPE,
        QUERY_LANGUAGE,
        NEXT,
        END,
        INPUT_PATH,
        OUTPUT_PATH,
        RESULT_PATH,
        PARAMETERS,
        RESULT_SELECTOR,
        OUTPUT,
        ASSIGN,
        RETRY,
        CATCH,
        Field::new("ItemProcessor", Check::With(map::processor)),
        Field::new("Iterator", Check::With(map::processor)),
        Field::new("ItemsPath", Check::With(map::items_path)).only(JsonPath),
        Field::new("Items", Check::Template).only(Jsonata),
        Field::new("ItemSelector", Check::Template),
        Field::new("ItemReader", Check::With(map::reader)),
        Field::new("ItemBatcher", Check::With(map::batcher)),
        Field::new("ResultWriter", Check::With(map::writer)),
        Field::new("MaxConcurrency", map::COUNT),
        Field::new("MaxConcurrencyPath", Check::ReferencePath).only(JsonPath),
        Field::new("ToleratedFailureCount", map::COUNT),
        Field::new("ToleratedFailureCountPath", Check::ReferencePath).only(JsonPath),
        Field::new("ToleratedFailurePercentage", Check::DynamicDecimal { least: 0.0, most: 100.0 }),
        Field::new("ToleratedFailurePercentagePath", Check::ReferencePath).only(JsonPath),
        Field::new("Label", Check::With(map::label)),
    ],
    groups: &[
        TRANSITION,
        Group { names: &["ItemProcessor", "Iterator"], required: true },
        Group { names: &["ItemSelector", "Parameters"], required: false },
        Group { names: &["MaxConcurrency", "MaxConcurrencyPath"], required: false },
        Group { names: &["ToleratedFailureCount", "ToleratedFailureCountPath"], required: false },
        Group { names: &["ToleratedFailurePercentage", "ToleratedFailurePercentagePath"], required: false },
    ],
};

pub(super) fn check(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    let language = state_language(walk, node, place);
    let inside = Place { language, ..place.clone() };
    let Some(shape) = node.get("Type").and_then(Node::text).and_then(shape) else {
        return untyped(walk, node, &inside);
    };
    walk.object(node, &inside, shape);
    match node.get("Type").and_then(Node::text) {
        Some("Task") => task::check(walk, node, &inside),
        Some("Map") => map::check(walk, node, &inside),
        _ => {}
    }
}

/// What can be said of a state whose type is not known.
fn untyped(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    match (&node.value, node.get("Type")) {
        (Value::Object(_), None) => walk.missing(&["Type"], node, place),
        (Value::Object(_), Some(kind)) => walk.check(Check::OneOf(&TYPES), kind, &place.field("Type")),
        _ => walk.schema("Expected value of type [OBJECT]", node, place),
    }
}

fn shape(name: &str) -> Option<&'static Shape> {
    let shapes = [&TASK, &WAIT, &PASS, &SUCCEED, &FAIL, &CHOICE, &PARALLEL, &MAP];
    TYPES.iter().position(|known| *known == name).map(|at| shapes[at])
}

/// The state's own language, else the machine's; a state cannot go back to `JSONPath`.
fn state_language(walk: &mut Walk, node: &Node, place: &Place<'_>) -> super::walk::Language {
    match (language(node), place.machine) {
        (Some(JsonPath), Jsonata) => {
            let message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine";
            walk.schema(message, node, place);
            JsonPath
        }
        (own, machine) => own.unwrap_or(machine),
    }
}

fn branches(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    for (index, item) in walk.non_empty_array(node, place).iter().enumerate() {
        branch(walk, item, &place.item(index));
    }
}

/// A state's own output, where the result can be seen.
fn output(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.check(Check::Template, node, &with_result(place));
}

fn assign_result(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    assign(walk, node, &with_result(place));
}

fn with_result<'s>(place: &Place<'s>) -> Place<'s> {
    Place { sees_result: !place.sees_error, ..place.clone() }
}

fn fixed_result(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    if has_dynamic_text(node) {
        let message = "The result of a Pass state is static: paths and intrinsic functions in it are not evaluated.";
        walk.find(PASS_RESULT_IS_STATIC, message, node, place);
    }
}

fn has_dynamic_text(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => path::looks_dynamic(text),
        Value::Array(items) => items.iter().any(has_dynamic_text),
        Value::Object(members) => members.iter().any(|member| has_dynamic_text(&member.node)),
        _ => false,
    }
}

fn words(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.check(Check::DynamicText, node, place);
    path::warn_of_path(walk, node, place);
}

fn timestamp(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.check(Check::DynamicText, node, place);
    let is_expression = super::template::is_expression(node, place);
    if node.text().is_some_and(|text| !is_expression && crate::timestamp::parse(text).is_none()) {
        walk.schema("String does not match RFC3339 timestamp", node, place);
    }
}
