"""What AWS answered for tasks that others do, where that is recorded: SLUICE_RECORDINGS names the folder.

The world around each recorded execution is made from the recording: its activity and worker, its bucket, the machine
that it starts. Recordings of services that the local cloud does not have are left out.
"""

import importlib.util
import json
import os
import pathlib
import re
import threading
import unittest

from test_tasks import ROLE, Cloud

RECORDINGS = os.environ.get("SLUICE_RECORDINGS")
LOCAL = {"activity", "states", "aws-sdk:s3", "aws-sdk:sfn", "lambda"}
ACCOUNTS = ("111111111111", "000000000000")


def resources(value):
    """The services that a definition calls."""
    if isinstance(value, dict):
        own = value.get("Resource") if value.get("Type") == "Task" else None
        if own and ":activity:" in own:
            yield "activity"
        elif own and ":lambda:" in own:
            yield "lambda"
        elif own:
            yield own.split(":::")[1].rsplit(":", 1)[0] if ".sync:2" not in own else "states"
        for member in value.values():
            yield from resources(member)
    elif isinstance(value, list):
        for item in value:
            yield from resources(item)


def details(case, event_type, name):
    events = case["expected"]["events"] or []
    return next((event.get(name, {}) for event in events if event["type"] == event_type), None)


class World:
    """What a recorded execution met."""

    def __init__(self, cloud, case):
        self.cloud, self.states = cloud, cloud.states
        self.case = json.loads(json.dumps(case).replace(*ACCOUNTS))
        text = json.dumps([self.case["definition"], self.case["input"]])
        self.activities = set(re.findall(r"arn:aws:states:[^\"]*:activity:[^\"]+", text))
        self.machines = set(re.findall(r"arn:aws:states:[^\"]*:stateMachine:[^\"]+", text))

    def prepare(self):
        for arn in self.activities:
            self.states.create_activity(name=arn.rsplit(":", 1)[1])
        failure = json.dumps(self.case["expected"]["cause"] or "")
        if "Does Not Exist" not in failure:
            for arn in self.machines:
                name = arn.rsplit(":", 1)[1]
                self.states.create_state_machine(name=name, definition=json.dumps(self.child()), roleArn=ROLE)
        bucket = self.case["input"].get("Bucket") if isinstance(self.case["input"], dict) else None
        if bucket and "NoSuchBucket" not in json.dumps(self.case["expected"]):
            self.cloud.client("s3").create_bucket(Bucket=bucket)

    def child(self):
        """A machine that ends as the recording says that the child ended."""
        done = (details(self.case, "TaskSucceeded", "taskSucceededEventDetails") or {}).get("output") or {}
        failed = (details(self.case, "TaskFailed", "taskFailedEventDetails") or {}).get("cause") or {}
        if failed.get("Error") == "States.Timeout":
            # A task that nobody answers.
            call = "arn:aws:states:::aws-sdk:s3:listBuckets.waitForTaskToken"
            states = {"A": {"Type": "Task", "Resource": call, "Parameters": {}, "TimeoutSeconds": 1, "End": True}}
            return {"StartAt": "A", "States": states}
        if "Error" in failed:
            return {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": failed["Error"], "Cause": failed["Cause"]}}}
        output = done.get("Output", {})
        output = json.loads(output) if isinstance(output, str) else output
        return {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": output, "End": True}}}

    def work(self):
        started = details(self.case, "ActivityStarted", "activityStartedEventDetails")
        if started is None:
            return
        succeeded = details(self.case, "ActivitySucceeded", "activitySucceededEventDetails")
        for arn in self.activities:
            task = self.states.get_activity_task(activityArn=arn, **started)
            if succeeded:
                self.states.send_task_success(taskToken=task["taskToken"], output=json.dumps(succeeded["output"]))

    def run(self):
        self.prepare()
        machine = self.cloud.create(json.dumps(self.case["definition"]))
        if "stepfunctions.delete_activity" in self.case["other_calls"]:
            for arn in self.activities:
                self.states.delete_activity(activityArn=arn)
        worker = threading.Thread(target=self.work)
        worker.start()
        execution = self.cloud.begin(machine, self.case["input"])
        ended = self.cloud.end(execution)
        worker.join(90)
        output = json.loads(ended["output"]) if "output" in ended else None
        answer = {key: ended.get(key) for key in ("status", "error", "cause")}
        return answer | {"output": output, "events": self.cloud.events(execution)}


@unittest.skipUnless(RECORDINGS, "SLUICE_RECORDINGS names no recordings")
class RecordedTasks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(RECORDINGS)
        spec = importlib.util.spec_from_file_location("run_cases", folder / "run_cases.py")
        cls.judge = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.judge)
        cases = json.loads((folder / "cases.json").read_text())["cases"]
        cls.cases = [case for case in cases if case["runnable"] == "other" and set(resources(case["definition"])) <= LOCAL]
        cls.cloud = Cloud()

    @classmethod
    def tearDownClass(cls):
        cls.cloud.stop()
        cls.cloud.data.cleanup()

    def test_every_recording_that_can_be_run_agrees(self):
        self.assertGreater(len(self.cases), 10)
        for case in self.cases:
            with self.subTest(case["name"]):
                answer = World(self.cloud, case).run()
                answer = json.loads(json.dumps(answer, default=str).replace(*reversed(ACCOUNTS)))
                one, two, three, why = self.judge.compare(case, answer)
                self.assertTrue(one and two and three is not False, f"{one} {two} {three} {why} {answer}")
                self.compare_details(case, answer["events"])

    def compare_details(self, case, events):
        """Every member of a recorded event is there, and no other, but for what a recording cannot hold."""
        for recorded, found in zip(case["expected"]["events"] or [], events):
            for name, expected in recorded.items():
                if name.endswith("EventDetails"):
                    self.assertTrue(self.judge.glob_match(expected, plain(found[name])), f"{expected} {found[name]}")


def plain(value):
    """Details without what recordings leave out, and with the JSON in their texts."""
    left_out = ("inputDetails", "outputDetails", "roleArn")
    parsed = {key: member for key, member in value.items() if key not in left_out}
    for key in ("input", "output", "parameters", "cause"):
        if isinstance(parsed.get(key), str) and (key != "cause" or parsed[key].startswith("{")):
            parsed[key] = json.loads(parsed[key])
    return parsed


if __name__ == "__main__":
    unittest.main()
