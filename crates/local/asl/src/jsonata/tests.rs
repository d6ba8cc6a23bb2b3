//! Expressions: values, what is refused, what fails and with which words, and what stays bounded.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Facts, Outcome, Query, expression_in};

fn evaluate(text: &str) -> Outcome {
    let input = json!({ "a": 1, "list": [1, 2, 3], "text": "x", "nested": { "b": [{ "c": 1 }, { "c": 2 }] } });
    let context = json!({ "State": { "Name": "S" } });
    let (variable, list) = (json!(41), json!([3, 4]));
    let facts = Facts {
        variables: vec![("answer", &variable), ("items", &list)],
        states: vec![("input", &input), ("context", &context)],
        now: "2025-01-02T03:04:05.678Z".parse::<Timestamp>().unwrap(),
    };
    Query::parse(text).unwrap().evaluate(&facts, &mut || 0.5)
}

fn value(text: &str) -> Value {
    match evaluate(text) {
        Outcome::Value(value) => value,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn expressions_give_what_jsonata_gives() {
    let cases = [
        ("$states.input.a", json!(1)),
        ("$states.input.nested.b.c", json!([1, 2])),
        ("$answer + 1", json!(42)),
        ("$sum($states.input.list) / 4", json!(1.5)),
        ("$states.context.State.Name & '!'", json!("S!")),
        ("$lookup($states, 'in' & 'put').a", json!(1)),
        ("$states.input.list[$ > 1]", json!([2, 3])),
        ("{ 'k': $states.input.none, 'v': null }", json!({ "v": null })),
        ("$map($items, function($i) { $i * 2 })", json!([6, 8])),
        ("[1..3]", json!([1, 2, 3])),
        ("1e21", json!(1e21)),
        ("$string(0.1 + 0.2)", json!("0.3")),
        ("$match('ab12', /[0-9]+/).match", json!("12")),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn functions_of_the_service() {
    let cases = [
        ("$partition([1,2,3,4], 2)", json!([[1, 2], [3, 4]])),
        ("$partition([1,2,3], 2.9)", json!([[1, 2], [3]])),
        ("$range(0, 6, 2)", json!([0, 2, 4, 6])),
        ("$range(-1.7, 2, 1)", json!([-1, 0, 1, 2])),
        ("$range(3, 1, -1)", json!([3, 2, 1])),
        ("$hash('input', 'SHA-1')", json!("140f86aae51ab9e1cda9b4254fe98a74eb54c1a1")),
        ("$parse('{\"a\": [1, true]}').a", json!([1, true])),
        ("$random(42)", json!(0.727_563_680_032_868_1)),
        ("$random() < 1", json!(true)),
        ("$length($uuid())", json!(36)),
        ("$count($shuffle([1..9]))", json!(9)),
        ("$now()", json!("2025-01-02T03:04:05.678Z")),
        ("$now('[Y]-[M01]')", json!("2025-01")),
        ("$millis()", json!(1_735_787_045_678_i64)),
        ("$map(['1', '2'], $parse)", json!([1, 2])),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn nothing_and_functions_are_no_values() {
    for text in ["$none", "$states.input.none", "$states.result", "$parse($none)", "$range(2, 1, 1)"] {
        assert!(matches!(evaluate(text), Outcome::Nothing), "{text}");
    }
    for text in ["$f := function($x){$x}", "$sum", "/a/", "[function(){1}]"] {
        assert!(matches!(evaluate(text), Outcome::Unsupported), "{text}");
    }
}

#[test]
fn errors_have_the_words_of_the_service() {
    let depth =
        ": Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive";
    let memory = ": Expression evaluation memory limit exceeded: Check for excessive memory usage";
    let deep = vec!["1"; 200].join(" + ");
    let time = ": Expression evaluation timeout: Check for infinite loop";
    let key = ". T1003: Key in object structure must evaluate to a string; got: a function";
    let cases = [
        ("$eval('1+1')", ". T1006: Attempted to invoke a non-function"),
        ("$none()", ". T1006: Attempted to invoke a non-function"),
        ("$f := function($n) { 1 + $f($n) }; $f(1)", depth),
        ("($f := function($n) { $f($n) }; $f(1))", time),
        ("1 + 'a'", ". T2002: The right side of the \"+\" operator must evaluate to a number"),
        ("$number('x')", ". D3030: Unable to cast value to a number: \"x\""),
        ("$error('oh')", ". D3137: oh"),
        ("{function($v){$v}: 1}", key),
        ("{$sum: 1}", key),
        ("[1..900000]", memory),
        (deep.as_str(), depth),
        ("$range(1, 900000, 1)", memory),
    ];
    for (text, expected) in cases {
        let text = if text.contains(';') && !text.starts_with('(') { format!("({text})") } else { text.to_owned() };
        match evaluate(&text) {
            Outcome::Error(why) => assert_eq!(why, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn later_operators_and_broken_expressions_are_refused() {
    for text in ["a ?? b", "(x; [1, {'k': a ?: b}])", "a.(b ?? c)[d ?: e]", "1 +", "'open", "", "a[", "$f("] {
        assert!(Query::parse(text).is_err(), "{text}");
    }
    for text in ["'a ?? b'", "`a ?: b`", "/* ?? */ 1", "/[?][?]/", "a ? b : c"] {
        assert!(Query::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn the_signs_enclose_the_whole_string() {
    assert_eq!(expression_in("{% $a %}"), Some(Ok("$a")));
    assert_eq!(expression_in("{%%}"), Some(Ok("")));
    assert_eq!(expression_in(" {% $a %}"), None);
    assert!(matches!(expression_in("{% $a"), Some(Err(_))));
    assert!(matches!(expression_in("{%}"), Some(Err(_))));
}

#[test]
fn hostile_expressions_end_soon_and_small() {
    let memory = ": Expression evaluation memory limit exceeded: Check for excessive memory usage";
    let time = ": Expression evaluation timeout: Check for infinite loop";
    let doubling = |body: &str| {
        format!("($f := function($x, $n) {{ $n = 0 ? $x : $f({body}, $n - 1) }}; $length($string($f('ab', 60))))")
    };
    let big = "$big := $pad('x', 4000000, 'y')";
    let cases = [
        doubling("$x & $x"),
        doubling("[$x, $x]"),
        doubling("$append($x, $x)"),
        doubling("{ 'a': $x, 'b': $x }"),
        doubling("[1, 2].[$x]"),
        "$reduce([1..60], function($x, $i) { [[$x], [$x]] }, [])".to_owned(),
        "$string($reduce([1..60], function($x, $i) { [[$x], [$x]] }))".to_owned(),
        "$string($reduce([1..60], function($x, $i) { $map([1, 2], function() { $x }) }))".to_owned(),
        "$pad('x', 1000000000000)".to_owned(),
        "('x').$pad(-1000000000000)".to_owned(),
        format!("({big}; $join($map([1..1000], function() {{ $big }})))"),
        format!("({big}; $join($map([1..100000], function($i) {{ 'a' }}), $big))"),
        format!("({big}; $replace($pad('', 100000, 'a'), 'a', $big))"),
        format!("({big}; $replace($pad('', 100000, 'a'), /a/, $big))"),
        format!("({big}; $pad('', 100000, 'a') ~> $replace('a', $big))"),
        format!("({big}; $match($big, /./))"),
        format!("({big}; $big.$match(/./))"),
        format!("({big}; $count($split($big, '')))"),
        format!("({big}; [1..100000].($big & 'z'))"),
        "$map([1..873782], function($i) { [1..873782] })".to_owned(),
    ];
    for text in cases {
        match evaluate(&text) {
            // A build without optimisation may be out of time first.
            Outcome::Error(why) => assert!(why == memory || why == time, "{text}: {why}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn an_expression_within_its_bounds_is_not_changed() {
    let sum = vec!["1"; 90].join(" + ");
    let cases = [
        ("$length($pad('', 4000000, 'x'))", json!(4_000_000)),
        ("$count([1..873782])", json!(873_782)),
        ("($f := function($n) { $n = 0 ? 'end' : $f($n - 1) }; $f(5000))", json!("end")),
        ("($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(20))", json!(2_432_902_008_176_640_000_i64)),
        ("[[1, 2], [3], [$states.input.a]]", json!([[1, 2], [3], [1]])),
        ("$states.input.nested.b.[c]", json!([[1], [2]])),
        ("$states.input.nested.b.{ 'k': c }", json!([{ "k": 1 }, { "k": 2 }])),
        ("$states.input.nested.b{ $string(c): c }", json!({ "1": 1, "2": 2 })),
        ("$states.input.nested.b^(>c).c", json!([2, 1])),
        ("$states.input ~> |nested|{ 'z': 1 }, ['b']| ~> $lookup('nested')", json!({ "z": 1 })),
        ("('abc').$replace('b', 'x')", json!("axc")),
        ("$replace('abc', /b(c)/, '$1$1')", json!("acc")),
        ("$replace('aaa', 'a', 'b', 2)", json!("bba")),
        ("$replace('ab', /[ab]/, function($m) { $uppercase($m.match) })", json!("AB")),
        ("'a,b' ~> $split(',') ~> $join('-')", json!("a-b")),
        ("('a,b').$split(',')", json!(["a", "b"])),
        ("('a1b2').$match(/[0-9]/).match", json!(["1", "2"])),
        ("$join(['a', 'b'])", json!("ab")),
        ("$join('a')", json!("a")),
        (
            "$distinct([1, 1.0, '1', [1], [1], {'a': 1, 'b': 2}, {'b': 2, 'a': 1}])",
            json!([1, "1", [1], { "a": 1, "b": 2 }]),
        ),
        ("($join := function($a) { 'mine' }; $join([]))", json!("mine")),
        ("($add := $replace(?, 'a', ?); $add('banana', 'o'))", json!("bonono")),
        ("$map(['a', 'b'], $uppercase)", json!(["A", "B"])),
        ("[3, 1, 2] ~> $sort ~> $reverse", json!([3, 2, 1])),
        (sum.as_str(), json!(90)),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), expected, "{text}");
    }
}
