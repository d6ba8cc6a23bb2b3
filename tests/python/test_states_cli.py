"""The AWS CLI against the Step Functions API: what a person types."""

import json
import pathlib
import tempfile
import unittest

from harness import ROLE, CloudTestCase, until

STEPS = {"StartAt": "One", "States": {"One": {"Type": "Pass", "Next": "Two"}, "Two": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Broken"}}}
WAIT = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}


class CommandLine(CloudTestCase):
    def states(self, operation, *arguments, **how):
        return self.aws("stepfunctions", operation, *arguments, **how)

    def machine(self, name, definition, *more):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "definition.json")
            file.write_text(json.dumps(definition))
            made = self.states("create-state-machine", "--name", name, "--definition", f"file://{file}",
                               "--role-arn", ROLE, *more)
        return made["stateMachineArn"]

    def start(self, machine, *more):
        return self.states("start-execution", "--state-machine-arn", machine, *more)["executionArn"]

    def ended(self, execution):
        def look():
            described = self.states("describe-execution", "--execution-arn", execution)
            return described if described["status"] != "RUNNING" else None

        return until(f"{execution} has ended", look)

    def test_an_execution_from_start_to_history(self):
        machine = self.machine("steps", STEPS, "--tags", "key=team,value=books")
        execution = self.start(machine, "--name", "one", "--input", '{"a": 1}')
        self.assertEqual((self.ended(execution)["status"], self.ended(execution)["output"]), ("SUCCEEDED", '{"a":1}'))
        types = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "PassStateEntered", "PassStateExited",
                 "ExecutionSucceeded"]
        for order, expected in (("--no-reverse-order", types), ("--reverse-order", types[::-1])):
            history = self.states("get-execution-history", "--execution-arn", execution, order, "--page-size", "2")
            self.assertEqual([event["type"] for event in history["events"]], expected)
        first = self.states("get-execution-history", "--execution-arn", execution, "--max-items", "4")
        rest = self.states("get-execution-history", "--execution-arn", execution, "--starting-token", first["NextToken"])
        self.assertEqual([event["id"] for event in first["events"] + rest["events"]], [1, 2, 3, 4, 5, 6])
        listed = self.states("list-executions", "--state-machine-arn", machine, "--status-filter", "SUCCEEDED")
        self.assertEqual([one["name"] for one in listed["executions"]], ["one"])
        tags = self.states("list-tags-for-resource", "--resource-arn", machine)["tags"]
        self.assertEqual(tags, [{"key": "team", "value": "books"}])
        machines = self.states("list-state-machines")["stateMachines"]
        self.assertIn(machine, [one["stateMachineArn"] for one in machines])
        self.assertEqual(self.states("describe-state-machine", "--state-machine-arn", machine)["status"], "ACTIVE")
        self.states("delete-state-machine", "--state-machine-arn", machine)
        code, complaint = self.states("describe-state-machine", "--state-machine-arn", machine, check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("(StateMachineDoesNotExist)", complaint)

    def test_stop_and_redrive(self):
        execution = self.start(self.machine("waits", WAIT))
        self.states("stop-execution", "--execution-arn", execution, "--error", "Enough", "--cause", "of it")
        self.assertEqual((self.ended(execution)["status"], self.ended(execution)["error"]), ("ABORTED", "Enough"))
        self.states("redrive-execution", "--execution-arn", execution)
        self.assertEqual(self.states("describe-execution", "--execution-arn", execution)["status"], "RUNNING")
        code, complaint = self.states("redrive-execution", "--execution-arn", execution, check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("(ExecutionNotRedrivable)", complaint)
        self.states("stop-execution", "--execution-arn", execution)
        failed = self.start(self.machine("fails", FAIL))
        self.assertEqual(self.ended(failed)["redriveStatus"], "REDRIVABLE")

    def test_a_synchronous_execution(self):
        machine = self.machine("express", STEPS, "--type", "EXPRESS")
        answer = self.states("start-sync-execution", "--state-machine-arn", machine, "--input", "[1]")
        self.assertEqual((answer["status"], answer["output"]), ("SUCCEEDED", "[1]"))

    def test_versions_and_aliases(self):
        machine = self.machine("released", STEPS, "--publish", "--version-description", "first")
        self.states("update-state-machine", "--state-machine-arn", machine, "--definition", json.dumps(FAIL))
        second = self.states("publish-state-machine-version", "--state-machine-arn", machine)["stateMachineVersionArn"]
        versions = self.states("list-state-machine-versions", "--state-machine-arn", machine)["stateMachineVersions"]
        self.assertEqual([one["stateMachineVersionArn"] for one in versions], [second, machine + ":1"])
        alias = self.states("create-state-machine-alias", "--name", "PROD", "--routing-configuration",
                            f"stateMachineVersionArn={machine}:1,weight=100")["stateMachineAliasArn"]
        self.assertEqual(self.ended(self.start(alias))["status"], "SUCCEEDED")
        self.states("update-state-machine-alias", "--state-machine-alias-arn", alias, "--routing-configuration",
                    f"stateMachineVersionArn={second},weight=100")
        self.assertEqual(self.ended(self.start(alias))["status"], "FAILED")
        self.states("delete-state-machine-alias", "--state-machine-alias-arn", alias)
        self.states("delete-state-machine-version", "--state-machine-version-arn", second)

    def test_a_definition_is_checked_without_a_machine(self):
        good = self.states("validate-state-machine-definition", "--definition", json.dumps(STEPS))
        self.assertEqual(good["result"], "OK")
        nowhere = {"StartAt": "Nowhere", "States": STEPS["States"]}
        bad = self.states("validate-state-machine-definition", "--definition", json.dumps(nowhere))
        self.assertEqual(bad["result"], "FAIL")
        self.assertTrue(bad["diagnostics"])


if __name__ == "__main__":
    unittest.main()
