//! Definitions, and what the service says of each.

use serde_json::{Value, json};

use super::{MachineType, Severity, validate};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

/// A machine whose only state is this one.
fn single(state: &Value) -> Value {
    json!({ "StartAt": "A", "States": { "A": state } })
}

/// The same, in `JSONata`.
fn jsonata(state: &Value) -> Value {
    json!({ "QueryLanguage": "JSONata", "StartAt": "A", "States": { "A": state } })
}

fn with(mut base: Value, extra: &Value) -> Value {
    base.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    base
}

fn pass(extra: &Value) -> Value {
    single(&with(json!({ "Type": "Pass", "End": true }), extra))
}

fn task(extra: &Value) -> Value {
    single(&with(json!({ "Type": "Task", "Resource": FUNCTION, "End": true }), extra))
}

fn choice(rule: &Value) -> Value {
    let states = json!({ "A": { "Type": "Choice", "Choices": [rule], "Default": "B" }, "B": { "Type": "Succeed" } });
    json!({ "StartAt": "A", "States": states })
}

fn map(extra: &Value, config: &Value) -> Value {
    let processor = with(json!({ "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } }), config);
    single(&with(json!({ "Type": "Map", "ItemProcessor": processor, "End": true }), extra))
}

fn distributed(extra: &Value) -> Value {
    map(extra, &json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" } }))
}

fn said_of(text: &str, machine_type: MachineType) -> Vec<String> {
    validate(text, machine_type).iter().map(ToString::to_string).collect()
}

fn check(definition: &Value, expected: &[&str]) {
    assert_eq!(said_of(&definition.to_string(), MachineType::Standard), expected, "{definition}");
}

#[test]
fn what_is_no_definition_is_said_so() {
    let cases = [
        (" ", "SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object at null"),
        ("[]", "SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object at null"),
    ];
    for (text, expected) in cases {
        assert_eq!(said_of(text, MachineType::Standard), [expected]);
    }
    check(&json!({}), &["SCHEMA_VALIDATION_FAILED: These fields are required: [StartAt, States] at /"]);
    assert_eq!(validate(&" ".repeat(1_048_577), MachineType::Standard).len(), 1);
}

#[test]
fn text_that_is_no_json_is_refused_in_the_parsers_words() {
    let values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
    let cases = [
        ("not a definition", format!("Unrecognized token 'not': was expecting {values}"), 1, 4),
        ("{", "Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\"; line: 1, column: 1])".to_owned(), 1, 2),
        ("{a}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name".to_owned(), 1, 3),
        ("{\"a\" 1}", "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value".to_owned(), 1, 7),
        ("{\"a\":\n1 2}", "Unexpected character ('2' (code 50)): was expecting comma to separate Object entries".to_owned(), 2, 4),
        ("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries".to_owned(), 1, 5),
        ("{\"a\":,}", format!("Unexpected character (',' (code 44)): expected a valid value {values}"), 1, 7),
        ("{\"a\":\"b", "Unexpected end-of-input: was expecting closing quote for a string value".to_owned(), 1, 8),
        ("{\"a\":01}", "Invalid numeric value: Leading zeroes not allowed".to_owned(), 1, 8),
        ("{\"a\":\"\\q\"}", "Unrecognized character escape 'q' (code 113)".to_owned(), 1, 9),
    ];
    for (text, what, line, column) in cases {
        let found = validate(text, MachineType::Standard);
        let source = format!("[Source: (String)\"{text}\"; line: {line}, column: {column}]");
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!((found[0].code, &found[0].message), ("INVALID_JSON_DESCRIPTION", &format!("{what}\n at {source}")));
        assert_eq!(found[0].location.as_deref(), Some(source.as_str()));
    }
    let long = format!("{}x", " ".repeat(600));
    assert!(
        validate(&long, MachineType::Standard)[0].message.contains("\"[truncated 101 chars]; line: 1, column: 602]")
    );
    assert_eq!(validate(&"[".repeat(100_000), MachineType::Standard)[0].code, "TOO_DEEPLY_NESTED");
}

#[test]
fn transitions_lead_somewhere_and_end() {
    let looped = |extra: &Value| {
        let states = json!({ "A": { "Type": "Pass", "Next": "B" }, "B": { "Type": "Pass", "Next": "A" } });
        json!({ "StartAt": "A", "States": with(states, extra) })
    };
    check(&looped(&json!({})), &["MISSING_END_STATE: Workflow has no terminal state at null"]);
    check(
        &looped(&json!({ "C": { "Type": "Pass", "Next": "A" } })),
        &["MISSING_END_STATE: Workflow has no terminal state at null"],
    );
    check(
        &looped(&json!({ "C": { "Type": "Pass", "End": true } })),
        &["MISSING_TRANSITION_TARGET: State \"C\" is not reachable. at /States/C"],
    );
    check(
        &single(&json!({ "Type": "Pass", "Next": "NOPE" })),
        &[
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: NOPE at /States/A/Next",
            "MISSING_END_STATE: Workflow has no terminal state at null",
        ],
    );
    check(
        &json!({ "StartAt": "X", "States": { "A": { "Type": "Pass", "Next": "B" }, "B": { "Type": "Succeed" } } }),
        &[
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: X at /StartAt",
            "MISSING_TRANSITION_TARGET: State \"A\" is not reachable. at /States/A",
        ],
    );
    check(
        &json!({ "StartAt": "A", "States": {
            "A": { "Type": "Choice", "Choices": [{ "Variable": "$.x", "IsNull": true, "Next": "P" }], "Default": "Q" },
            "T": { "Type": "Task", "Resource": FUNCTION, "Next": "A", "Catch": [{ "ErrorEquals": ["E"], "Next": "R" }] },
            "S": { "Type": "Pass", "Next": "T", "End": true },
        } }),
        &[
            "SCHEMA_VALIDATION_FAILED: There should only be one of the following fields: [Next, End] at /States/S",
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Q at /States/A/Default",
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: P at /States/A/Choices[0]/Next",
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: R at /States/T/Catch[0]/Next",
            "MISSING_TRANSITION_TARGET: State \"S\" is not reachable. at /States/S",
        ],
    );
}

#[test]
fn a_field_belongs_to_a_type_of_state_and_to_a_language() {
    check(&pass(&json!({ "Catch": [] })), &["SCHEMA_VALIDATION_FAILED: Field 'Catch' is not supported at /States/A"]);
    check(&pass(&json!({ "Cath": [] })), &["SCHEMA_VALIDATION_FAILED: Field 'Cath' is not supported at /States/A"]);
    check(
        &pass(&json!({ "Output": 1 })),
        &[
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/A",
        ],
    );
    check(
        &jsonata(&json!({ "Type": "Pass", "End": true, "InputPath": "$" })),
        &[
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported for the 'JSONPath' QueryLanguage at /States/A",
        ],
    );
    check(
        &jsonata(&json!({ "Type": "Pass", "End": true, "QueryLanguage": "JSONPath", "InputPath": "$" })),
        &[
            "SCHEMA_VALIDATION_FAILED: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/A",
        ],
    );
    check(
        &pass(&json!({ "QueryLanguage": "jsonpath" })),
        &[
            "SCHEMA_VALIDATION_FAILED: Value should be one of the following: [JSONPath, JSONata] at /States/A/QueryLanguage",
        ],
    );
    check(
        &single(&json!({ "Type": "Nap" })),
        &[
            "SCHEMA_VALIDATION_FAILED: Value should be one of the following: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] at /States/A/Type",
            "MISSING_END_STATE: Workflow has no terminal state at null",
        ],
    );
    check(
        &single(&json!({ "End": true })),
        &["SCHEMA_VALIDATION_FAILED: These fields are required: [Type] at /States/A"],
    );
    check(
        &with(pass(&json!({})), &json!({ "Comment": 1, "Version": "2" })),
        &[
            "SCHEMA_VALIDATION_FAILED: Expected value of type [STRING] at /Comment",
            "SCHEMA_VALIDATION_FAILED: Value should be one of the following: [1.0] at /Version",
        ],
    );
    // States inside fall back to the machine's language, whatever the state around them speaks.
    let inner = json!({ "StartAt": "I", "States": { "I": { "Type": "Pass", "Output": 1, "End": true } } });
    check(
        &single(&json!({ "Type": "Map", "QueryLanguage": "JSONata", "ItemProcessor": inner, "End": true })),
        &[
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/A/ItemProcessor/States/I",
        ],
    );
}

#[test]
fn numbers_have_bounds() {
    let cases = [
        (json!({ "TimeoutSeconds": 0 }), "Minimum value is 1 at /States/A/TimeoutSeconds"),
        (json!({ "TimeoutSeconds": 100_000_000 }), "Maximum value is 99999999 at /States/A/TimeoutSeconds"),
        (json!({ "TimeoutSeconds": "5" }), "Expected value of type Integer at /States/A/TimeoutSeconds"),
        (
            json!({ "TimeoutSeconds": 5, "TimeoutSecondsPath": "$.t" }),
            "There should only be one of the following fields: [TimeoutSeconds, TimeoutSecondsPath] at /States/A",
        ),
        (
            json!({ "TimeoutSeconds": 5, "HeartbeatSeconds": 5 }),
            "The value of 'HeartbeatSeconds' must be smaller than that of 'TimeoutSeconds' at /States/A/HeartbeatSeconds",
        ),
        (
            json!({ "Retry": [{ "ErrorEquals": ["E"], "BackoffRate": 0.5 }] }),
            "Minimum value is 1.0 at /States/A/Retry[0]/BackoffRate",
        ),
        (
            json!({ "Retry": [{ "ErrorEquals": ["E"], "MaxDelaySeconds": 31_622_401 }] }),
            "Maximum value is 31622400 at /States/A/Retry[0]/MaxDelaySeconds",
        ),
        (
            json!({ "Retry": [{ "ErrorEquals": ["E"], "MaxAttempts": 100_000_000 }] }),
            "Maximum value is 99999999 at /States/A/Retry[0]/MaxAttempts",
        ),
        (
            json!({ "Retry": [{ "ErrorEquals": ["E"], "MaxAttempts": u64::MAX }] }),
            "Maximum value is 99999999 at /States/A/Retry[0]/MaxAttempts",
        ),
    ];
    for (extra, expected) in cases {
        check(&task(&extra), &[&format!("SCHEMA_VALIDATION_FAILED: {expected}")]);
    }
    let machine = with(pass(&json!({})), &json!({ "TimeoutSeconds": 0 }));
    check(&machine, &[]);
    check(
        &single(&json!({ "Type": "Wait", "Seconds": 1, "Timestamp": "soon", "End": true })),
        &[
            "SCHEMA_VALIDATION_FAILED: String does not match RFC3339 timestamp at /States/A/Timestamp",
            "SCHEMA_VALIDATION_FAILED: There should only be one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp] at /States/A",
        ],
    );
}

#[test]
fn handlers_name_errors_and_the_wildcard_comes_last() {
    let cases = [
        (json!({ "Retry": [{ "ErrorEquals": [] }] }), "Value cannot be empty at /States/A/Retry[0]/ErrorEquals"),
        (json!({ "Retry": [{}] }), "These fields are required: [ErrorEquals] at /States/A/Retry[0]"),
        (
            json!({ "Retry": [{ "ErrorEquals": ["States.ALL", "E"] }] }),
            "States.ALL must appear alone and at end of list at /States/A/Retry[0]/ErrorEquals",
        ),
        (
            json!({ "Retry": [{ "ErrorEquals": ["States.ALL"] }, { "ErrorEquals": ["E"] }] }),
            "States.ALL must appear alone and at end of list at /States/A/Retry[0]/ErrorEquals",
        ),
        (
            json!({ "Retry": [{ "ErrorEquals": ["E"], "JitterStrategy": "SOME" }] }),
            "Value should be one of the following: [NONE, FULL] at /States/A/Retry[0]/JitterStrategy",
        ),
        (json!({ "Catch": [{ "ErrorEquals": ["E"] }] }), "These fields are required: [Next] at /States/A/Catch[0]"),
    ];
    for (extra, expected) in cases {
        check(&task(&extra), &[&format!("SCHEMA_VALIDATION_FAILED: {expected}")]);
    }
}

#[test]
fn rules_of_choices_are_whole() {
    let cases = [
        (json!({ "Variable": "$.x", "IsNull": true }), "These fields are required: [Next] at /States/A/Choices[0]"),
        (
            json!({ "And": [{ "Variable": "$.x", "IsNull": true, "Next": "B" }], "Next": "B" }),
            "Field 'Next' is not supported at /States/A/Choices[0]/And[0]",
        ),
        (json!({ "And": [], "Next": "B" }), "Value cannot be empty at /States/A/Choices[0]/And"),
        (
            json!({ "Variable": "x", "IsNull": true, "Next": "B" }),
            "Value is not a Reference Path: Reference path didn't start with '$' at /States/A/Choices[0]/Variable",
        ),
        (
            json!({ "Variable": "$.x", "IsNull": true, "IsString": true, "Next": "B" }),
            "There should only be one of the following fields: [IsNull, IsString] at /States/A/Choices[0]",
        ),
        (
            json!({ "Variable": "$.x", "IsNull": true, "Not": { "Variable": "$.x", "IsNull": true }, "Next": "B" }),
            "The object must have only one of the following fields, [And, Or, Not, Variable, Condition] at /States/A/Choices[0]",
        ),
        (
            json!({ "Variable": "$.x", "NumericEquals": "1", "Next": "B" }),
            "Expected value of type Float at /States/A/Choices[0]/NumericEquals",
        ),
        (
            json!({ "Variable": "$.x", "StringFits": "1", "IsNull": true, "Next": "B" }),
            "Field 'StringFits' is not supported at /States/A/Choices[0]",
        ),
        (
            json!({ "Condition": "{% true %}", "Next": "B" }),
            "The QueryLanguage is set to 'JSONPath', but field 'Condition' is only supported for the 'JSONata' QueryLanguage at /States/A/Choices[0]",
        ),
    ];
    for (rule, expected) in cases {
        check(&choice(&rule), &[&format!("SCHEMA_VALIDATION_FAILED: {expected}")]);
    }
    check(
        &single(&json!({ "Type": "Choice", "Choices": [] })),
        &[
            "SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States/A/Choices",
            "MISSING_END_STATE: Workflow has no terminal state at null",
        ],
    );
}

#[test]
fn resources_are_functions_activities_and_integrations() {
    let unknown = |arn: &str| {
        format!(
            "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the resource is not available in this region."
        )
    };
    let cases = [
        ("function", "Value is not a valid resource ARN".to_owned()),
        ("arn:aws:states:::lambda:invoke.sync", unknown("arn:aws:states:::lambda:invoke.sync")),
        (
            "arn:aws:states:::glue:startJobRun.waitForTaskToken",
            unknown("arn:aws:states:::glue:startJobRun.waitForTaskToken"),
        ),
        ("arn:aws:states:::batch:submitJob.sync:2", unknown("arn:aws:states:::batch:submitJob.sync:2")),
        ("arn:aws:states:::nothing:atAll", unknown("arn:aws:states:::nothing:atAll")),
    ];
    for (resource, expected) in cases {
        let expected = format!("SCHEMA_VALIDATION_FAILED: {expected} at /States/A/Resource");
        check(&task(&json!({ "Resource": resource })), &[&expected]);
    }
    let good = [
        "arn:aws:states:us-east-1:123456789012:activity:a",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:::aws-sdk:s3:getObject",
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:f:alias",
    ];
    for resource in good {
        check(&task(&json!({ "Resource": resource })), &[]);
    }
    check(
        &task(&json!({ "Credentials": {} })),
        &["SCHEMA_VALIDATION_FAILED: The field 'RoleArn' is required but was missing at /States/A/Credentials"],
    );
}

#[test]
fn express_machines_do_less() {
    let said = |definition: &Value| said_of(&definition.to_string(), MachineType::Express);
    let resource = |resource: &str| task(&json!({ "Resource": resource }));
    assert_eq!(
        said(&resource("arn:aws:states:::sqs:sendMessage.waitForTaskToken")),
        [
            "SCHEMA_VALIDATION_FAILED: Express state machine does not support '.waitForTaskToken' service integration  at /States/A/Resource"
        ]
    );
    assert_eq!(said(&resource("arn:aws:states:::states:startExecution.sync:2")).len(), 1);
    assert_eq!(said(&resource("arn:aws:states:us-east-1:123456789012:activity:a")).len(), 1);
    assert_eq!(
        said(&distributed(&json!({}))),
        [
            "SCHEMA_VALIDATION_FAILED: The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines at /States/A/ItemProcessor/ProcessorConfig/Mode"
        ]
    );
    // The children of a distributed Map may be Express where the machine is not.
    let mut children = distributed(&json!({}));
    let processor = &mut children["States"]["A"]["ItemProcessor"];
    processor["ProcessorConfig"]["ExecutionType"] = "EXPRESS".into();
    processor["States"]["I"] =
        json!({ "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": true });
    check(
        &children,
        &[
            "SCHEMA_VALIDATION_FAILED: Express state machine does not support '.sync' service integration  at /States/A/ItemProcessor/States/I/Resource",
        ],
    );
}

#[test]
fn maps_say_how_they_run() {
    let reader = |config: &Value| json!({ "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config } });
    let cases = [
        (
            map(&json!({}), &json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED" } })),
            "These fields are required: [ExecutionType] at /States/A/ItemProcessor/ProcessorConfig",
        ),
        (
            map(&json!({}), &json!({ "ProcessorConfig": { "Mode": "INLINE", "ExecutionType": "EXPRESS" } })),
            "Field 'ExecutionType' is not supported at /States/A/ItemProcessor/ProcessorConfig",
        ),
        (
            map(&json!({}), &json!({ "QueryLanguage": "JSONata" })),
            "Field 'QueryLanguage' is not supported at /States/A/ItemProcessor",
        ),
        (
            map(&json!({ "ItemBatcher": { "MaxItemsPerBatch": 1 } }), &json!({})),
            "Field 'ItemBatcher' is not supported at /States/A",
        ),
        (map(&json!({ "MaxConcurrency": -1 }), &json!({})), "Minimum value is 0 at /States/A/MaxConcurrency"),
        (map(&json!({ "ItemsPath": "$.a[*]" }), &json!({})), "Value is not a Reference Path at /States/A/ItemsPath"),
        (
            single(&json!({ "Type": "Map", "End": true })),
            "This object should have only one of the following fields: [ItemProcessor, Iterator] at /States/A",
        ),
        (
            distributed(&json!({ "ToleratedFailurePercentage": 101 })),
            "Maximum value is 100.0 at /States/A/ToleratedFailurePercentage",
        ),
        (
            distributed(&json!({ "ItemReader": { "Resource": "arn:aws:states:::s3:copyObject" } })),
            "The field 'Resource' does not match any of the allowed values at /States/A/ItemReader/Resource",
        ),
        (
            distributed(&reader(&json!({ "InputType": "CSV" }))),
            "The field 'CSVHeaderLocation' is required at /States/A/ItemReader/ReaderConfig",
        ),
        (
            distributed(&reader(&json!({ "InputType": "JSON", "CSVHeaderLocation": "FIRST_ROW" }))),
            "Field 'CSVHeaderLocation' is not supported at /States/A/ItemReader/ReaderConfig",
        ),
        (
            distributed(&reader(&json!({ "InputType": "CSV", "CSVHeaderLocation": "GIVEN" }))),
            "These fields are required: [CSVHeaders] at /States/A/ItemReader/ReaderConfig",
        ),
        (
            distributed(&reader(&json!({ "InputType": "JSON", "MaxItems": 1, "MaxItemsPath": "$.n" }))),
            "There should only be one of the following fields: [MaxItems, MaxItemsPath] at /States/A/ItemReader/ReaderConfig",
        ),
    ];
    for (definition, expected) in cases {
        check(&definition, &[&format!("SCHEMA_VALIDATION_FAILED: {expected}")]);
    }
    check(
        &distributed(&json!({ "Label": "a b" })),
        &["INVALID_LABEL_NAME: Label contains invalid character: ' ' at /States/A/Label"],
    );
    check(
        &map(&json!({ "Label": "l", "ToleratedFailureCount": 1, "ItemsPath": "$$.Execution.Input.v" }), &json!({})),
        &[],
    );
}

#[test]
fn names_come_once_in_a_machine() {
    let branch = json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } });
    check(
        &single(&json!({ "Type": "Parallel", "Branches": [branch], "End": true })),
        &["DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A/Branches[0]/States/A"],
    );
    let twice = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true},"A":{"Type":"Pass","End":true}}}"#;
    assert_eq!(said_of(twice, MachineType::Standard), ["DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A"]);
    check(
        &single(&json!({ "Type": "Parallel", "Branches": [], "End": true })),
        &["SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States/A/Branches"],
    );
    let long = "x".repeat(81);
    let found = validate(
        &json!({ "StartAt": long, "States": { long.clone(): { "Type": "Succeed" } } }).to_string(),
        MachineType::Standard,
    );
    assert_eq!(found[0].code, "INVALID_STATE_NAME");
}

#[test]
fn variables_have_names_of_their_own() {
    let cases = [
        (
            json!({ "states": 1 }),
            "RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'. at /States/A/Assign/states",
        ),
        (
            json!({ "a-b": 1 }),
            "INVALID_VARIABLE_NAME: Invalid variable name 'a-b': the variable name contains invalid characters. at /States/A/Assign/a-b",
        ),
    ];
    for (assign, expected) in cases {
        check(&pass(&json!({ "Assign": assign })), &[expected]);
    }
    check(&pass(&json!({ "Assign": { "fine.$": "$.x", "also_fine1": 1 } })), &[]);
    let branch = json!({ "StartAt": "B", "States": { "B": { "Type": "Pass", "Assign": { "v": 1 }, "End": true } } });
    let parallel = json!({ "Type": "Parallel", "Branches": [branch], "Assign": { "v": 2 }, "End": true });
    check(&single(&parallel), &[]);
    let before = json!({ "Type": "Pass", "Assign": { "v": 0 }, "Next": "A" });
    check(
        &json!({ "StartAt": "0", "States": { "0": before, "A": parallel } }),
        &[
            "DUPLICATE_VARIABLE_NAME: The variable name 'v' was already defined in a parent scope. at /States/A/Branches[0]/States/B/Assign/v",
        ],
    );
}

#[test]
fn expressions_are_read_when_they_are_written() {
    let said = |expression: &str| {
        let definition =
            jsonata(&json!({ "Type": "Pass", "Output": { "v": format!("{{% {expression} %}}") }, "End": true }));
        said_of(&definition.to_string(), MachineType::Standard)
    };
    let cases = [
        ("1 +", "INVALID_JSONATA_EXPRESSION: Unexpected end of expression"),
        ("\"open", "INVALID_JSONATA_EXPRESSION: String literal must be terminated by a matching quote"),
        ("phone", "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported."),
        (
            "phone.number & phone.area",
            "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported.",
        ),
        (
            "$map($states.input.a, function($x) { b })",
            "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'b' at the top level is not supported.",
        ),
        ("$$", "UNSUPPORTED_JSONATA_EXPRESSION: Reference to '$$' is not supported."),
        ("$states.errorOutput", "UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.errorOutput' does not exist."),
    ];
    for (expression, expected) in cases {
        assert_eq!(said(expression), [format!("{expected} at /States/A/Output/v")], "{expression}");
    }
    let good = [
        "$states.input.items[value > 3]^(price).name",
        "$states.input.{ name: value }",
        "($x := $states.input.a; $x + $y)",
        "$states.context.Execution.Id",
        "$sum($states.input.order.(price * quantity))",
    ];
    for expression in good {
        assert_eq!(said(expression), Vec::<String>::new(), "{expression}");
    }
    check(
        &jsonata(&json!({ "Type": "Pass", "Output": "{% open", "End": true })),
        &["SCHEMA_VALIDATION_FAILED: JSONata string must start with {% and end with %} at /States/A/Output"],
    );
    let catch = json!([{ "ErrorEquals": ["E"], "Output": "{% $states.errorOutput %}", "Next": "A" }]);
    check(&jsonata(&json!({ "Type": "Task", "Resource": FUNCTION, "Catch": catch, "End": true })), &[]);
}

#[test]
fn paths_are_read_when_they_are_written() {
    let cases = [
        (json!({ "InputPath": "a" }), "Value must be a valid JSONPath. at /States/A/InputPath"),
        (json!({ "ResultPath": "$.a[*]" }), "Value is not a Reference Path at /States/A/ResultPath"),
        (
            json!({ "Parameters": { "x": { "y.$": "z" } } }),
            "The value for the field 'y.$' must be a valid JSONPath or a valid intrinsic function call at /States/A/Parameters/x",
        ),
        (
            json!({ "Parameters": { "y.$": "States.Nothing($)" } }),
            "The value for the field 'y.$' must be a valid JSONPath or a valid intrinsic function call at /States/A/Parameters",
        ),
    ];
    for (extra, expected) in cases {
        check(&pass(&extra), &[&format!("SCHEMA_VALIDATION_FAILED: {expected}")]);
    }
    check(&pass(&json!({ "InputPath": null, "ResultPath": null, "OutputPath": "$$.Execution" })), &[]);
}

#[test]
fn warnings_do_not_forbid() {
    let cases = [
        (pass(&json!({ "Parameters": { "x": "$.y" } })), "NO_DOLLAR", 1),
        (pass(&json!({ "Result": { "x": ["States.UUID()"] } })), "PASS_RESULT_IS_STATIC", 1),
        (single(&json!({ "Type": "Fail", "Error": "$.error" })), "NO_PATH", 1),
        (choice(&json!({ "Variable": "$.x", "StringEquals": "$.y", "Next": "B" })), "NO_PATH", 1),
        (pass(&json!({ "Parameters": { "x": "$5 a piece" }, "Result": "$" })), "PASS_RESULT_IS_STATIC", 1),
    ];
    for (definition, code, count) in cases {
        let found = validate(&definition.to_string(), MachineType::Standard);
        assert_eq!((found.len(), found[0].code, found[0].severity), (count, code, Severity::Warning), "{definition}");
    }
}

#[test]
fn a_problem_has_its_line_and_column() {
    let text = "{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"A\": { \"Type\": \"Pass\", \"Next\": \"Ü\" },\n    \"Z\": { \"Type\": \"Succeed\" }\n  }\n}";
    let places: Vec<_> = validate(text, MachineType::Standard).iter().map(|found| (found.line, found.column)).collect();
    assert_eq!(places, [(4, 36), (5, 10)]);
}

#[test]
fn hostile_nesting_is_refused() {
    let mut flow = single(&json!({ "Type": "Pass", "End": true }));
    for depth in 0..33 {
        let name = format!("N{depth}");
        let state = json!({ "Type": "Parallel", "Branches": [flow], "End": true });
        flow = json!({ "StartAt": name, "States": { name.clone(): state } });
    }
    assert!(said_of(&flow.to_string(), MachineType::Standard)[0].starts_with("TOO_DEEPLY_NESTED"));
}
