"""boto3 against the local cloud: definitions that are checked, and states that are tested alone."""

import json
import unittest

import botocore.exceptions
from harness import ROLE, CloudTestCase

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:machine"


class Definitions(CloudTestCase):
    def setUp(self):
        # The SDK would call `sync-127.0.0.1` for `TestState`.
        self.states = self.client("stepfunctions", inject_host_prefix=False)

    def test_validation_tells_codes_and_places(self):
        broken = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B", "Result": "$.x"}}}
        found = self.states.validate_state_machine_definition(definition=json.dumps(broken), severity="WARNING")
        self.assertEqual(found["result"], "FAIL")
        said = [(one["severity"], one["code"], one.get("location")) for one in found["diagnostics"]]
        expected = [
            ("WARNING", "PASS_RESULT_IS_STATIC", "/States/A/Result"),
            ("ERROR", "MISSING_TRANSITION_TARGET", "/States/A/Next"),
            ("ERROR", "MISSING_END_STATE", None),
        ]
        self.assertEqual(said, expected)
        one = self.states.validate_state_machine_definition(definition=json.dumps(broken), maxResults=1)
        self.assertEqual((len(one["diagnostics"]), one["truncated"]), (1, True))

    def test_creation_refuses_with_the_same_words(self):
        broken = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}
        with self.assertRaises(self.states.exceptions.InvalidDefinition) as refused:
            self.states.create_state_machine(name="broken", definition=json.dumps(broken), roleArn=ROLE)
        words = (
            "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next, "
            "MISSING_END_STATE: Workflow has no terminal state at null'"
        )
        self.assertEqual(refused.exception.response["Error"]["Message"], words)

    def run_alone(self, definition, **request):
        answer = self.states.test_state(definition=json.dumps(definition), roleArn=ROLE, **request)
        answer.pop("ResponseMetadata")
        return answer

    def test_a_state_is_tested_alone(self):
        state = {"Type": "Pass", "InputPath": "$.a", "Parameters": {"b.$": "$.b"}, "ResultPath": "$.c", "Next": "Other"}
        answer = self.run_alone(state, input='{"a":{"b":1}}', inspectionLevel="DEBUG")
        seen = {name: json.loads(text) for name, text in answer.pop("inspectionData").items()}
        self.assertEqual(answer, {"status": "SUCCEEDED", "nextState": "Other", "output": '{"a":{"b":1},"c":{"b":1}}'})
        expected = {
            "input": {"a": {"b": 1}},
            "afterInputPath": {"b": 1},
            "afterParameters": {"b": 1},
            "afterResultSelector": {"b": 1},
            "afterResultPath": {"a": {"b": 1}, "c": {"b": 1}},
        }
        self.assertEqual(seen, expected)

    def test_a_mocked_error_is_retried_then_caught(self):
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
            "Parameters": {"Bucket": "b", "Key": "k"},
            "Retry": [{"ErrorEquals": ["S3.NoSuchKeyException"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["Other"], "Next": "Never"}, {"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Handle"}],
            "End": True,
        }
        mock = {"errorOutput": {"error": "S3.NoSuchKeyException", "cause": "gone"}}

        def after(count):
            return self.run_alone(state, mock=mock, inspectionLevel="TRACE", stateConfiguration={"retrierRetryCount": count})

        again = after(1)
        self.assertEqual((again["status"], again["error"], again["cause"]), ("RETRIABLE", "S3.NoSuchKeyException", "gone"))
        self.assertEqual(again["inspectionData"]["errorDetails"], {"retryIndex": 0, "retryBackoffIntervalSeconds": 6})
        caught = after(2)
        self.assertEqual((caught["status"], caught["nextState"]), ("CAUGHT_ERROR", "Handle"))
        self.assertEqual(json.loads(caught["output"]), {"e": {"Error": "S3.NoSuchKeyException", "Cause": "gone"}})
        self.assertEqual(caught["inspectionData"]["errorDetails"], {"catchIndex": 1})

    def test_a_mock_is_held_to_the_response(self):
        state = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "Parameters": {"StateMachineArn": MACHINE}, "End": True}

        def said(result, mode=None):
            mock = {"result": json.dumps(result)} | ({"fieldValidationMode": mode} if mode else {})
            try:
                return self.run_alone(state, mock=mock)["status"]
            except botocore.exceptions.ClientError as refused:
                return refused.response["Error"]["Message"]

        error = "Mock result schema validation error: "
        self.assertEqual(said({"StartDate": "x"}), error + "Required field 'ExecutionArn' is missing")
        self.assertEqual(said({"StartDate": "x"}, "PRESENT"), "SUCCEEDED")
        self.assertEqual(said({"StartDate": True}, "PRESENT"), error + "Field 'StartDate' must be a string")
        self.assertEqual(said({"StartDate": True}, "NONE"), "SUCCEEDED")
        self.assertEqual(said({"ExecutionArn": "a", "StartDate": "x", "New": 1}), "SUCCEEDED")

    def test_requests_that_make_no_sense_are_refused(self):
        passing = {"Type": "Pass", "End": True}
        flows = {"Type": "Parallel", "Branches": [{"StartAt": "A", "States": {"A": passing}}], "End": True}
        machine = {"StartAt": "A", "States": {"A": passing}}
        task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "End": True}
        result = {"result": "[1]"}
        both = result | {"errorOutput": {"error": "E"}}
        cases = [
            (passing, {"mock": result}, "ValidationException", "State type 'Pass' is not supported when a mock is specified"),
            (flows, {}, "InvalidDefinition", "TestState API does not support Map or Parallel states."),
            (flows, {"mock": {"result": "{}"}}, "ValidationException", "Mocked result must be an array."),
            (task, {"mock": both}, "ValidationException", "A test mock should have only one of the following fields"),
            (task, {"mock": {"result": "{"}}, "ValidationException", "Mocked result must be valid JSON"),
            (task, {"mock": result, "revealSecrets": True}, "ValidationException", "TestState does not support RevealSecrets"),
            (machine, {"stateName": "B"}, "ValidationException", "State not found in definition"),
            ({"Type": "Nap"}, {}, "InvalidDefinition", "SCHEMA_VALIDATION_FAILED"),
            (passing, {"input": "{"}, "InvalidExecutionInput", "Invalid State Machine Execution Input"),
        ]
        for definition, request, code, words in cases:
            with self.assertRaises(botocore.exceptions.ClientError) as refused:
                self.run_alone(definition, **request)
            error = refused.exception.response["Error"]
            self.assertEqual(error["Code"], code, request)
            self.assertIn(words, error["Message"])


if __name__ == "__main__":
    unittest.main()
