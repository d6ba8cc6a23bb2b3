//! Whatever a stranger writes: texts of each grammar, definitions and inputs. Nothing may panic or
//! hang, and a log must replay to the state that wrote it.
//!
//! `make fuzz` tries more than the usual few, for minutes and with bounded memory.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::Definition;
use crate::definition::Language;
use crate::execution::tests::survives_replay;
use crate::intrinsic::Call;
use crate::jsonata::{Facts, Outcome, Query};
use crate::path::tests::in_scope;
use crate::path::{Path, ReferencePath};
use crate::template::{Place, Template};

/// Texts made of the pieces that a grammar knows, in any order.
fn soup(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    vec(select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

const PATH_PIECES: &[&str] = &[
    "$",
    "$",
    "$$",
    "$x",
    ".",
    "..",
    ".a",
    ".b",
    "['a']",
    "['a','b']",
    "[0]",
    "[-1]",
    "[0,2]",
    "[1:]",
    "[:2]",
    "[::2]",
    "[*]",
    "[",
    "]",
    "*",
    "[?(",
    ")]",
    "(",
    ")",
    "@",
    "@.a",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    ">=",
    "in ",
    "nin ",
    "=~",
    "1",
    "-1",
    "1e999",
    "'a'",
    "\"",
    "'",
    "\\",
    "true",
    "null",
    "[1,2]",
    ".length()",
    ".max()",
    " ",
    ",",
    "é",
    "𝒳",
    "?",
    ":",
];

const CALL_PIECES: &[&str] = &[
    "States.",
    "Format",
    "Array",
    "ArrayRange",
    "ArrayPartition",
    "ArrayGetItem",
    "MathAdd",
    "MathRandom",
    "JsonMerge",
    "StringToJson",
    "JsonToString",
    "Base64Decode",
    "Hash",
    "StringSplit",
    "UUID",
    "ArrayUnique",
    "(",
    "(",
    ")",
    ")",
    ",",
    "'{}'",
    "'\\{'",
    "'",
    "$.a",
    "$",
    "$$.State",
    "$x",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "1.5",
    "1e300",
    "true",
    "null",
    " ",
    "'SHA-1'",
    "é",
];

const JSONATA_PIECES: &[&str] = &[
    "$states",
    ".input",
    ".context",
    "$x",
    "$",
    "$$",
    ".",
    "a",
    "b",
    "*",
    "**",
    "%",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ":",
    ",",
    ";",
    "+",
    "-",
    "/",
    "&",
    "=",
    "!=",
    "<",
    ">",
    " and ",
    " or ",
    " in ",
    "?",
    ":=",
    "~>",
    "|",
    "^",
    "@$v",
    "#$i",
    "..",
    "'a'",
    "\"b\"",
    "`c`",
    "0",
    "1",
    "1e308",
    "2.5",
    "true",
    "null",
    "/a+/",
    "/(a*)*b/i",
    "function($f){",
    "λ($n){",
    "$f(",
    "$map(",
    "$filter(",
    "$reduce(",
    "$sort(",
    "$string(",
    "$join(",
    "$pad(",
    "$replace(",
    "$match(",
    "$split(",
    "$number(",
    "$sum(",
    "$merge(",
    "$each(",
    "$sift(",
    "$zip(",
    "$append(",
    "$lookup(",
    "$fromMillis(",
    "$toMillis(",
    "$formatNumber(",
    "$formatBase(",
    "$parseInteger(",
    "$formatInteger(",
    "$power(",
    "$eval(",
    "$partition(",
    "$range(",
    "$hash(",
    "$parse(",
    "$random(",
    "$now(",
    "$distinct(",
    "$decodeUrl(",
    "$base64decode(",
    "$single(",
    "$spread(",
    "$assert(",
    "$error(",
    " ",
    "/* */",
    "é",
    "𝒳",
    "\\u0000",
];

/// Every function of JSONata and of Step Functions, and one that there is not.
const JSONATA_FUNCTIONS: &[&str] = &[
    "string",
    "length",
    "substring",
    "substringBefore",
    "substringAfter",
    "uppercase",
    "lowercase",
    "trim",
    "pad",
    "contains",
    "split",
    "join",
    "match",
    "replace",
    "eval",
    "base64encode",
    "base64decode",
    "encodeUrlComponent",
    "encodeUrl",
    "decodeUrlComponent",
    "decodeUrl",
    "number",
    "abs",
    "floor",
    "ceil",
    "round",
    "power",
    "sqrt",
    "random",
    "formatNumber",
    "formatBase",
    "formatInteger",
    "parseInteger",
    "sum",
    "max",
    "min",
    "average",
    "boolean",
    "not",
    "exists",
    "count",
    "append",
    "sort",
    "reverse",
    "shuffle",
    "distinct",
    "zip",
    "keys",
    "lookup",
    "spread",
    "merge",
    "sift",
    "each",
    "error",
    "assert",
    "type",
    "now",
    "millis",
    "fromMillis",
    "toMillis",
    "map",
    "filter",
    "single",
    "reduce",
    "partition",
    "range",
    "hash",
    "uuid",
    "parse",
    "nothing",
];

const JSONATA_LEAVES: &[&str] = &[
    "$states.input",
    "$states.input.a",
    "$states.nothing",
    "$x",
    "$",
    "$$",
    "a",
    "`b`",
    "*",
    "**",
    "%",
    "0",
    "1",
    "-2.5",
    "1e308",
    "9007199254740993",
    "'a'",
    "\"é𝒳\"",
    "''",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "[1..9]",
    "$now()",
    "$random()",
    "/a+/",
    "/(a|b)*c/i",
    "$sum",
    "$uppercase",
    "'[Y0001]-[M01]-[D01]'",
    "'#,##0.00'",
    "function($v){$v}",
];

const JSONATA_OPERATORS: &[&str] =
    &["+", "-", "*", "/", "%", "&", "=", "!=", "<", "<=", ">", ">=", " and ", " or ", " in ", ".", "~>", ".."];

/// An expression that the grammar of JSONata takes, but for what a piece may not stand beside.
fn any_query() -> impl Strategy<Value = String> {
    select(JSONATA_LEAVES).prop_map(str::to_owned).prop_recursive(5, 48, 4, |inner| {
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        let called = (select(JSONATA_FUNCTIONS), vec(inner.clone(), 0..4));
        prop_oneof![
            4 => (inner.clone(), select(JSONATA_OPERATORS), inner.clone()).prop_map(|(l, op, r)| format!("({l}{op}{r})")),
            4 => called.prop_map(|(name, arguments)| format!("${name}({})", arguments.join(","))),
            1 => two.clone().prop_map(|(l, r)| format!("{l}[{r}]")),
            1 => two.clone().prop_map(|(l, r)| format!("{l}^(<{r},>a)")),
            1 => two.clone().prop_map(|(l, r)| format!("{l}{{{r}:$count($)}}")),
            1 => two.clone().prop_map(|(l, r)| format!("{l}@$v#$i.{r}")),
            1 => two.clone().prop_map(|(l, r)| format!("($x:={l};$f:=function($v){{$f($v-1)+{r}}};$f(3))")),
            1 => two.clone().prop_map(|(l, r)| format!("$map({l},function($v,$i,$all){{{r}}})")),
            1 => two.clone().prop_map(|(l, r)| format!("$reduce({l},function($s,$v){{$s&{r}}},'')")),
            1 => two.clone().prop_map(|(l, r)| format!("({l}~>|{r}|{{'a':1}},['b']|)")),
            1 => two.prop_map(|(l, r)| format!("[{l},{{'a':{r}}}]")),
            1 => three.prop_map(|(c, l, r)| format!("({c}?{l}:{r})")),
        ]
    })
}

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c$.{}%\\[\\]é]{0,6}".prop_map(Value::from),
        Just(json!("2020-01-01T00:00:00Z")),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-c]", inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// A text that a field may hold: an expression of either language, or near to one.
fn any_expression() -> impl Strategy<Value = Value> {
    prop_oneof![
        soup(PATH_PIECES).prop_map(Value::from),
        soup(CALL_PIECES).prop_map(Value::from),
        soup(JSONATA_PIECES).prop_map(|text| format!("{{% {text} %}}").into()),
        select(&["$", "$.a", "$.a[0]", "$$.Execution.Input", "$x", "$.c[?(@.a)]", "States.UUID()", "null"][..])
            .prop_map(Value::from),
        select(
            &["{% $states.input %}", "{% $states.input.a %}", "{% $x %}", "{% [1..3] %}", "{% 1 %}", "{% 'a' %}"][..]
        )
        .prop_map(Value::from),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_expression(),
        any_json(),
        vec(("[a-c](\\.\\$)?", any_expression()), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
    ]
}

const STATE_FIELDS: &[&str] = &[
    "InputPath",
    "OutputPath",
    "ResultPath",
    "Parameters",
    "ResultSelector",
    "Arguments",
    "Output",
    "Assign",
    "Result",
    "Seconds",
    "SecondsPath",
    "Timestamp",
    "TimestampPath",
    "Error",
    "ErrorPath",
    "Cause",
    "CausePath",
    "ItemsPath",
    "Items",
    "ItemSelector",
    "MaxConcurrency",
    "MaxConcurrencyPath",
    "TimeoutSeconds",
    "TimeoutSecondsPath",
    "HeartbeatSeconds",
    "Retry",
    "Catch",
    "Choices",
    "Default",
    "Branches",
    "ItemProcessor",
    "Iterator",
    "Credentials",
    "QueryLanguage",
    "Comment",
    "Label",
    "ItemReader",
];

const KINDS: &[&str] = &["Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"];

/// A state that has what its kind needs and some fields more, which may be wrong.
fn any_state(depth: u32) -> BoxedStrategy<Value> {
    let extra = vec((select(STATE_FIELDS), any_value()), 0..3);
    let inner = if depth == 0 {
        Just(json!({ "StartAt": "A", "States": { "A": { "Type": "Succeed" } } })).boxed()
    } else {
        any_flow(depth - 1)
    };
    let language = select(&[None, None, Some("JSONPath"), Some("JSONata")][..]);
    (select(KINDS), extra, inner, language, any_expression())
        .prop_map(|(kind, extra, inner, language, expression)| {
            let mut state = needed(kind, &inner, &expression);
            state.insert("Type".to_owned(), kind.into());
            state.extend(language.map(|language| ("QueryLanguage".to_owned(), language.into())));
            state.extend(extra.into_iter().map(|(name, value)| (name.to_owned(), value)));
            Value::Object(state)
        })
        .boxed()
}

fn needed(kind: &str, inner: &Value, expression: &Value) -> Map<String, Value> {
    let catch = json!([{ "ErrorEquals": ["States.ALL"], "Next": "B" }]);
    let state = match kind {
        "Task" => json!({ "Resource": "arn:aws:states:::lambda:invoke", "Catch": catch, "Next": "B" }),
        "Choice" => {
            json!({ "Choices": [{ "Variable": "$.a", "IsPresent": true, "Next": "B" }, { "Condition": expression, "Next": "A" }], "Default": "B" })
        }
        "Wait" => json!({ "Seconds": 1, "Next": "B" }),
        "Parallel" => json!({ "Branches": [inner, inner], "Catch": catch, "Next": "B" }),
        "Map" => json!({ "ItemProcessor": inner, "Catch": catch, "Next": "B" }),
        "Pass" => json!({ "Next": "B" }),
        _ => json!({}),
    };
    state.as_object().cloned().unwrap_or_default()
}

fn any_flow(depth: u32) -> BoxedStrategy<Value> {
    (any_state(depth), any_state(0))
        .prop_map(|(first, mut second)| {
            if let Some(state) = second.as_object_mut() {
                state.remove("Next");
                state.insert("End".to_owned(), true.into());
            }
            json!({ "StartAt": "A", "States": { "A": first, "B": second } })
        })
        .boxed()
}

fn any_machine() -> impl Strategy<Value = Value> {
    let language = select(&[None, Some("JSONPath"), Some("JSONata")][..]);
    (any_flow(2), language).prop_map(|(mut machine, language)| {
        if let Some(language) = language {
            machine["QueryLanguage"] = language.into();
        }
        machine
    })
}

/// What an evaluation gave, unless the time that it takes decides that.
fn written(outcome: &Outcome) -> Option<String> {
    let text = format!("{outcome:?}");
    (!text.contains("evaluation timeout")).then_some(text)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn paths(text in soup(PATH_PIECES), input in any_json()) {
        let _ = ReferencePath::parse(&text).map(|path| path.put(&mut input.clone(), Value::Null));
        if let Ok(path) = Path::parse(&text) {
            in_scope(&input, |scope| { let _ = path.find(scope); let _ = path.why_missing(scope); });
        }
    }

    #[test]
    fn intrinsic_calls(text in soup(CALL_PIECES), input in any_json()) {
        if let Ok(call) = Call::parse(&text) {
            in_scope(&input, |scope| { let _ = call.evaluate(scope, &mut || 0.5); });
        }
    }

    #[test]
    fn jsonata(text in soup(JSONATA_PIECES), input in any_json()) {
        if let Ok(query) = Query::parse(&text) {
            let facts = Facts { variables: vec![("x", &input)], states: vec![("input", &input)], now: jiff::Timestamp::UNIX_EPOCH };
            let _ = query.evaluate(&facts, &mut || 0.5);
        }
    }

    #[test]
    fn queries(text in any_query(), input in any_json()) {
        if let Ok(query) = Query::parse(&text) {
            let facts = Facts { variables: vec![("x", &input)], states: vec![("input", &input)], now: jiff::Timestamp::UNIX_EPOCH };
            let first = written(&query.evaluate(&facts, &mut || 0.5));
            prop_assert_eq!(first, written(&query.evaluate(&facts, &mut || 0.5)));
        }
    }

    #[test]
    fn templates(value in any_value(), input in any_json(), is_jsonata in any::<bool>()) {
        let language = if is_jsonata { Language::Jsonata } else { Language::JsonPath };
        let at = Place { pointer: String::new(), location: String::new() };
        let template = Template::parse(&value, &at, language, &mut |_, _| {});
        in_scope(&input, |scope| { let _ = template.evaluate(scope, &mut || 0.5); });
    }

    #[test]
    fn definitions(machine in any_machine(), input in any_json()) {
        if Definition::parse(&machine.to_string()).is_ok() {
            survives_replay(&machine, &input);
        }
    }

    #[test]
    fn broken_definitions(text in "\\PC{0,40}", machine in any_machine(), at in any::<proptest::sample::Index>()) {
        let _ = Definition::parse(&text);
        let mut whole = machine.to_string();
        whole.truncate(whole.floor_char_boundary(at.index(whole.len())));
        let _ = Definition::parse(&whole);
    }
}
