"""Tasks that others do, through boto3: activities, task tokens, executions started by executions, SDK integrations.

SLUICE names the program. The worker, the callback and the nested machine are real: what a task gives is what they said.
"""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

import boto3
import botocore.config
import botocore.exceptions

ROLE = "arn:aws:iam::000000000000:role/any"
# The longest that anything here may take on a slow, busy machine.
MOST_SECONDS = 120


def machine(states, start="A"):
    return json.dumps({"StartAt": start, "States": states})


class Cloud:
    """One data directory, with a program over it that may be killed and started again."""

    def __init__(self):
        self.data = tempfile.TemporaryDirectory()
        self.process = None
        self.start()

    def start(self):
        command = [os.environ["SLUICE"], "up", "--json", "--port", "0", "--data", self.data.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.deployment = json.loads(self.process.stdout.readline())

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code

    def restart(self):
        self.stop(signal.SIGKILL)
        self.start()

    def client(self, service):
        config = botocore.config.Config(retries={"max_attempts": 0}, read_timeout=90, max_pool_connections=20)
        return boto3.client(
            service,
            endpoint_url=self.deployment["endpoint_url"],
            region_name=self.deployment["region"],
            aws_access_key_id="sluice",
            aws_secret_access_key="sluice",
            config=config,
        )

    @property
    def states(self):
        return self.client("stepfunctions")

    def create(self, definition):
        name = f"m{uuid.uuid4().hex[:12]}"
        return self.states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]

    def begin(self, definition, given=None, **more):
        arn = definition if definition.startswith("arn:") else self.create(definition)
        started = self.states.start_execution(stateMachineArn=arn, input=json.dumps(given or {}), **more)
        return started["executionArn"]

    def describe(self, execution):
        return self.states.describe_execution(executionArn=execution)

    def end(self, execution):
        return self.until(lambda: (d := self.describe(execution))["status"] != "RUNNING" and d)

    def until(self, condition):
        deadline = time.monotonic() + MOST_SECONDS
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"waited {MOST_SECONDS} s in vain")

    def events(self, execution):
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def types(self, execution):
        return [event["type"] for event in self.events(execution) if "State" not in event["type"]]


class Tasks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud()

    @classmethod
    def tearDownClass(cls):
        assert cls.cloud.stop() == 0
        cls.cloud.data.cleanup()

    def refused(self, code, call, **parameters):
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            call(**parameters)
        self.assertEqual(refused.exception.response["Error"]["Code"], code)
        return refused.exception.response["Error"]["Message"]

    def activity(self):
        return self.cloud.states.create_activity(name=f"a{uuid.uuid4().hex[:12]}")["activityArn"]


class Activities(Tasks):
    def test_an_activity_is_described_listed_and_deleted(self):
        states = self.cloud.states
        name = f"a{uuid.uuid4().hex[:12]}"
        created = states.create_activity(name=name)
        again = states.create_activity(name=name)
        self.assertEqual((again["activityArn"], again["creationDate"]), (created["activityArn"], created["creationDate"]))
        described = states.describe_activity(activityArn=created["activityArn"])
        self.assertEqual((described["name"], described["creationDate"]), (name, created["creationDate"]))
        pages = states.get_paginator("list_activities").paginate(PaginationConfig={"PageSize": 1})
        arns = [activity["activityArn"] for page in pages for activity in page["activities"]]
        self.assertIn(created["activityArn"], arns)
        states.delete_activity(activityArn=created["activityArn"])
        gone = created["activityArn"]
        self.refused("ActivityDoesNotExist", states.describe_activity, activityArn=gone)
        self.refused("ActivityDoesNotExist", states.get_activity_task, activityArn=gone)
        states.delete_activity(activityArn=gone)
        self.refused("InvalidName", states.create_activity, name="a b")
        self.refused("InvalidArn", states.describe_activity, activityArn="a")

    def test_a_worker_does_the_task(self):
        arn = self.activity()
        execution = self.cloud.begin(machine({"A": {"Type": "Task", "Resource": arn, "End": True}}), {"n": 1})
        states = self.cloud.states
        task = states.get_activity_task(activityArn=arn, workerName="worker-1")
        self.assertEqual(json.loads(task["input"]), {"n": 1})
        states.send_task_heartbeat(taskToken=task["taskToken"])
        states.send_task_success(taskToken=task["taskToken"], output='{"n": 2}')
        ended = self.cloud.end(execution)
        self.assertEqual((ended["status"], json.loads(ended["output"])), ("SUCCEEDED", {"n": 2}))
        expected = ["ExecutionStarted", "ActivityScheduled", "ActivityStarted", "ActivitySucceeded", "ExecutionSucceeded"]
        self.assertEqual(self.cloud.types(execution), expected)
        started = next(event for event in self.cloud.events(execution) if event["type"] == "ActivityStarted")
        self.assertEqual(started["activityStartedEventDetails"], {"workerName": "worker-1"})
        self.refused("TaskTimedOut", states.send_task_success, taskToken=task["taskToken"], output="{}")
        self.refused("TaskTimedOut", states.send_task_heartbeat, taskToken=task["taskToken"])

    def test_each_task_goes_to_one_worker(self):
        arn, count = self.activity(), 12
        arns = [self.cloud.begin(machine({"A": {"Type": "Task", "Resource": arn, "End": True}}), {"n": n})
                for n in range(count)]
        seen, lock = [], threading.Lock()

        def work():
            states = self.cloud.states
            for _ in range(count // 4):
                task = states.get_activity_task(activityArn=arn)
                with lock:
                    seen.append(json.loads(task["input"])["n"])
                states.send_task_success(taskToken=task["taskToken"], output=task["input"])

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(MOST_SECONDS)
        self.assertEqual(sorted(seen), list(range(count)))
        self.assertEqual({self.cloud.end(execution)["status"] for execution in arns}, {"SUCCEEDED"})

    def test_failures_are_caught_by_name(self):
        arn = self.activity()
        catch = [{"ErrorEquals": ["Known"], "ResultPath": "$.error", "Next": "Caught"}]
        states = {
            "A": {"Type": "Task", "Resource": arn, "Catch": catch, "End": True},
            "Caught": {"Type": "Pass", "End": True},
        }
        execution = self.cloud.begin(machine(states))
        task = self.cloud.states.get_activity_task(activityArn=arn)
        self.cloud.states.send_task_failure(taskToken=task["taskToken"], error="Known", cause="because")
        output = json.loads(self.cloud.end(execution)["output"])
        self.assertEqual(output["error"], {"Error": "Known", "Cause": "because"})

    def test_a_task_that_is_taken_and_forgotten_times_out(self):
        arn = self.activity()
        state = {"Type": "Task", "Resource": arn, "TimeoutSeconds": 1, "End": True}
        execution = self.cloud.begin(machine({"A": state}))
        self.cloud.states.get_activity_task(activityArn=arn)
        ended = self.cloud.end(execution)
        self.assertEqual((ended["status"], ended["error"], ended.get("cause")), ("FAILED", "States.Timeout", None))
        self.assertEqual(self.cloud.types(execution)[-2:], ["ActivityTimedOut", "ExecutionFailed"])

    def test_an_activity_that_is_gone_fails_the_execution(self):
        arn = self.activity()
        definition = self.cloud.create(machine({"A": {"Type": "Task", "Resource": arn, "End": True}}))
        self.cloud.states.delete_activity(activityArn=arn)
        ended = self.cloud.end(self.cloud.begin(definition))
        self.assertEqual(ended["error"], "States.Runtime")
        cause = "An error occurred while executing the state 'A' (entered at the event id #2). "
        self.assertEqual(ended["cause"], f"{cause}The activity {arn} does not exist.")

    def test_the_queue_and_what_was_handed_out_survive_a_kill(self):
        cloud = Cloud()
        try:
            arn = cloud.states.create_activity(name="worked")["activityArn"]
            definition = cloud.create(machine({"A": {"Type": "Task", "Resource": arn, "End": True}}))
            executions = {n: cloud.begin(definition, {"n": n}) for n in range(3)}
            taken = cloud.states.get_activity_task(activityArn=arn, workerName="w")
            cloud.restart()
            rest = [cloud.states.get_activity_task(activityArn=arn) for _ in range(2)]
            numbers = [json.loads(task["input"])["n"] for task in [taken, *rest]]
            self.assertEqual(sorted(numbers), [0, 1, 2], "none is handed out twice")
            cloud.states.send_task_success(taskToken=taken["taskToken"], output='"first"')
            cloud.restart()
            for task in rest:
                cloud.states.send_task_success(taskToken=task["taskToken"], output='"rest"')
            outputs = {n: json.loads(cloud.end(execution)["output"]) for n, execution in executions.items()}
            self.assertEqual(outputs, {n: "first" if n == numbers[0] else "rest" for n in range(3)})
            self.assertEqual(cloud.stop(), 0)
        finally:
            cloud.process.kill()
            cloud.data.cleanup()


class Tokens(Tasks):
    """The token goes into an object, where the holder finds it."""

    def callback(self, **fields):
        bucket = self.cloud.deployment["extracted_bucket"]
        key = f"tokens/{uuid.uuid4()}"
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:putObject.waitForTaskToken",
            "Parameters": {"Bucket": bucket, "Key": key, "Body": {"token.$": "$$.Task.Token"}},
            "End": True,
        } | fields
        return key, state

    def token(self, cloud, key):
        bucket = cloud.deployment["extracted_bucket"]

        def found():
            try:
                return json.load(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"])["token"]
            except botocore.exceptions.ClientError:
                return None

        return cloud.until(found)

    def test_a_token_is_answered(self):
        key, state = self.callback()
        execution = self.cloud.begin(machine({"A": state}))
        token = self.token(self.cloud, key)
        self.assertEqual(self.cloud.describe(execution)["status"], "RUNNING")
        self.cloud.states.send_task_success(taskToken=token, output='{"answer": 42}')
        self.assertEqual(json.loads(self.cloud.end(execution)["output"]), {"answer": 42})
        expected = [
            "ExecutionStarted", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "ExecutionSucceeded",
        ]
        self.assertEqual(self.cloud.types(execution), expected)
        submitted = next(event for event in self.cloud.events(execution) if event["type"] == "TaskSubmitted")
        details = submitted["taskSubmittedEventDetails"]
        self.assertEqual((details["resourceType"], details["resource"]), ("aws-sdk:s3", "putObject.waitForTaskToken"))
        self.assertIn("ETag", json.loads(details["output"]))

    def test_a_token_in_jsonata(self):
        key, state = self.callback()
        arguments = state.pop("Parameters") | {"Body": {"token": "{% $states.context.Task.Token %}"}}
        state |= {"QueryLanguage": "JSONata", "Arguments": arguments, "Output": "{% $states.result.n + 1 %}"}
        execution = self.cloud.begin(machine({"A": state}))
        self.cloud.states.send_task_success(taskToken=self.token(self.cloud, key), output='{"n": 1}')
        self.assertEqual(json.loads(self.cloud.end(execution)["output"]), 2)

    def test_a_failure_without_a_name(self):
        catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
        key, state = self.callback(Catch=catch)
        execution = self.cloud.begin(machine({"A": state, "Caught": {"Type": "Pass", "End": True}}))
        self.cloud.states.send_task_failure(taskToken=self.token(self.cloud, key))
        self.assertEqual(json.loads(self.cloud.end(execution)["output"]), {"Error": None, "Cause": None})

    def test_heartbeats_keep_a_task_alive_until_they_cease(self):
        key, state = self.callback(HeartbeatSeconds=2, TimeoutSeconds=600)
        execution = self.cloud.begin(machine({"A": state}))
        token = self.token(self.cloud, key)
        for _ in range(4):
            time.sleep(0.8)
            self.cloud.states.send_task_heartbeat(taskToken=token)
        self.assertEqual(self.cloud.describe(execution)["status"], "RUNNING")
        ended = self.cloud.end(execution)
        self.assertEqual((ended["status"], ended["error"]), ("FAILED", "States.Timeout"))
        self.assertEqual(self.cloud.types(execution)[-2:], ["TaskTimedOut", "ExecutionFailed"])
        self.refused("TaskTimedOut", self.cloud.states.send_task_heartbeat, taskToken=token)

    def test_a_missed_heartbeat_can_be_told_from_a_timeout(self):
        catch = [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught"}]
        _, state = self.callback(HeartbeatSeconds=1, Catch=catch)
        execution = self.cloud.begin(machine({"A": state, "Caught": {"Type": "Pass", "End": True}}))
        ended = self.cloud.end(execution)
        self.assertEqual((ended["status"], json.loads(ended["output"])["Error"]), ("SUCCEEDED", "States.Timeout"))

    def test_what_is_no_token_or_no_output_is_refused(self):
        key, state = self.callback()
        execution = self.cloud.begin(machine({"A": state}))
        token = self.token(self.cloud, key)
        states = self.cloud.states
        altered = ("B" if token[0] == "A" else "A") + token[1:]
        for forged in ["NoSuchTaskToken", token[:-8], altered, token + "AAAA"]:
            message = self.refused("InvalidToken", states.send_task_success, taskToken=forged, output="{}")
            self.assertEqual(message, "Invalid Token: 'Invalid token'")
        self.refused("InvalidOutput", states.send_task_success, taskToken=token, output="{")
        self.refused("ValidationException", states.send_task_success, taskToken=token, output="1" * 262_145)
        self.refused("ValidationException", states.send_task_failure, taskToken=token, error="e" * 257)
        states.stop_execution(executionArn=execution, error="E", cause="C")
        self.refused("TaskTimedOut", states.send_task_success, taskToken=token, output="{}")

    def test_a_call_that_is_refused_does_not_wait(self):
        _, state = self.callback()
        state["Parameters"]["Bucket"] = "no-such-bucket-here"
        execution = self.cloud.begin(machine({"A": state}))
        ended = self.cloud.end(execution)
        self.assertEqual((ended["status"], ended["error"]), ("FAILED", "S3.NoSuchBucketException"))
        self.assertEqual(self.cloud.types(execution)[-2:], ["TaskSubmitFailed", "ExecutionFailed"])

    def test_a_token_stays_good_over_kills(self):
        cloud = Cloud()
        try:
            key, state = self.callback()
            state["Parameters"]["Bucket"] = cloud.deployment["extracted_bucket"]
            after = {"Type": "Wait", "Seconds": 3600, "End": True}
            del state["End"]
            execution = cloud.begin(machine({"A": state | {"Next": "B"}, "B": after}))
            token = self.token(cloud, key)
            cloud.until(lambda: "TaskSubmitted" in cloud.types(execution))
            cloud.restart()
            cloud.states.send_task_success(taskToken=token, output='"kept"')
            # The answer was acknowledged, so a kill at once cannot take it back.
            cloud.restart()
            types = cloud.types(execution)
            self.assertEqual(types.count("TaskSucceeded"), 1)
            self.assertEqual(types.count("TaskScheduled"), 1)
            self.refused("TaskTimedOut", cloud.states.send_task_success, taskToken=token, output="{}")
            self.assertEqual(cloud.stop(), 0)
        finally:
            cloud.process.kill()
            cloud.data.cleanup()


class Executions(Tasks):
    def child(self):
        states = {
            "A": {"Type": "Choice", "Default": "Good", "Choices": [
                {"Variable": "$.fail", "IsPresent": True, "Next": "Bad"},
                {"Variable": "$.wait", "IsPresent": True, "Next": "Long"},
            ]},
            "Good": {"Type": "Pass", "Result": {"done": True}, "End": True},
            "Bad": {"Type": "Fail", "Error": "Own", "Cause": "because"},
            "Long": {"Type": "Wait", "Seconds": 3600, "End": True},
        }
        return self.cloud.create(machine(states))

    def parent(self, action, **parameters):
        state = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::states:startExecution{action}",
            "Parameters": parameters,
            "End": True,
        }
        return machine({"A": state})

    def test_starting_is_enough(self):
        child = self.child()
        execution = self.cloud.begin(self.parent("", StateMachineArn=child, Input={"a": 1}))
        output = json.loads(self.cloud.end(execution)["output"])
        self.assertEqual(output["SdkHttpMetadata"]["HttpStatusCode"], 200)
        started = self.cloud.end(output["ExecutionArn"])
        self.assertEqual(json.loads(started["input"]), {"a": 1})

    def test_the_end_of_a_job_is_the_end_of_its_task(self):
        child = self.child()
        for action, done, given in [(".sync", '{"done":true}', '{"a":1}'), (".sync:2", {"done": True}, {"a": 1})]:
            execution = self.cloud.begin(self.parent(action, StateMachineArn=child, Input={"a": 1}))
            output = json.loads(self.cloud.end(execution)["output"])
            self.assertEqual((output["Status"], output["Output"], output["Input"]), ("SUCCEEDED", done, given))
            self.assertEqual(output["OutputDetails"], {"Included": True})
            self.assertNotIn("SdkHttpMetadata", output)
            expected = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "ExecutionSucceeded"]
            self.assertEqual(self.cloud.types(execution)[1:], expected)

    def test_a_job_that_fails_fails_its_task(self):
        child = self.child()
        execution = self.cloud.begin(self.parent(".sync:2", StateMachineArn=child, Input={"fail": 1}))
        ended = self.cloud.end(execution)
        self.assertEqual((ended["status"], ended["error"]), ("FAILED", "States.TaskFailed"))
        cause = json.loads(ended["cause"])
        self.assertEqual((cause["Status"], cause["Error"], cause["Cause"]), ("FAILED", "Own", "because"))

    def test_a_machine_that_is_not_there(self):
        missing = "arn:aws:states:us-east-1:000000000000:stateMachine:none"
        ended = self.cloud.end(self.cloud.begin(self.parent("", StateMachineArn=missing)))
        self.assertEqual(ended["error"], "StepFunctions.StateMachineDoesNotExistException")
        self.assertTrue(ended["cause"].startswith(f"State Machine Does Not Exist: '{missing}' (Service: AWSStepFunctions; "))

    def test_stopping_the_parent_stops_the_job(self):
        child = self.child()
        execution = self.cloud.begin(self.parent(".sync", StateMachineArn=child, Input={"wait": 1}))
        self.cloud.until(lambda: "TaskSubmitted" in self.cloud.types(execution))
        submitted = next(event for event in self.cloud.events(execution) if event["type"] == "TaskSubmitted")
        job = json.loads(submitted["taskSubmittedEventDetails"]["output"])["ExecutionArn"]
        self.assertEqual(self.cloud.describe(job)["status"], "RUNNING")
        self.cloud.states.stop_execution(executionArn=execution)
        self.assertEqual(self.cloud.end(job)["status"], "ABORTED")

    def test_a_task_that_times_out_stops_its_job(self):
        child, name = self.child(), f"job-{uuid.uuid4()}"
        definition = json.loads(self.parent(".sync", StateMachineArn=child, Input={"wait": 1}, Name=name))
        definition["States"]["A"]["TimeoutSeconds"] = 1
        ended = self.cloud.end(self.cloud.begin(json.dumps(definition)))
        self.assertEqual(ended["error"], "States.Timeout")
        job = child.replace(":stateMachine:", ":execution:") + ":" + name
        self.assertEqual(self.cloud.end(job)["status"], "ABORTED")

    def test_more_parents_may_wait_than_are_in_memory(self):
        child = self.child()
        parent = self.cloud.create(self.parent(".sync", StateMachineArn=child, Input={}))
        # More than are ever in memory at once, each waiting for another one.
        executions = [self.cloud.begin(parent) for _ in range(300)]
        self.assertEqual({self.cloud.end(execution)["status"] for execution in executions}, {"SUCCEEDED"})

    def test_a_job_is_found_again_after_a_kill_and_is_started_once(self):
        cloud = Cloud()
        try:
            wait = cloud.create(machine({"A": {"Type": "Wait", "Seconds": 3, "Next": "B"},
                                         "B": {"Type": "Pass", "Result": 7, "End": True}}))
            execution = cloud.begin(self.parent(".sync:2", StateMachineArn=wait))
            cloud.until(lambda: cloud.states.list_executions(stateMachineArn=wait)["executions"])
            cloud.restart()
            ended = cloud.end(execution)
            self.assertEqual(json.loads(ended["output"])["Output"], 7)
            self.assertEqual(len(cloud.states.list_executions(stateMachineArn=wait)["executions"]), 1)
            self.assertEqual(cloud.stop(), 0)
        finally:
            cloud.process.kill()
            cloud.data.cleanup()


class Sdk(Tasks):
    def run_task(self, resource, parameters, **fields):
        state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
        return self.cloud.end(self.cloud.begin(machine({"A": state | fields})))

    def test_objects(self):
        bucket = self.cloud.deployment["extracted_bucket"]
        put = self.run_task("aws-sdk:s3:putObject", {"Bucket": bucket, "Key": "sdk/a", "Body": {"a": 1}})
        self.assertEqual(put["status"], "SUCCEEDED", put)
        output = json.loads(put["output"])
        self.assertEqual((output["ChecksumType"], output["ServerSideEncryption"]), ("FULL_OBJECT", "AES256"))
        got = json.loads(self.run_task("aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "sdk/a"})["output"])
        self.assertEqual((got["Body"], got["ETag"]), ('{"a":1}', output["ETag"]))
        stored = self.cloud.client("s3").get_object(Bucket=bucket, Key="sdk/a")["Body"].read()
        self.assertEqual(stored, b'{"a":1}')
        failed = self.run_task("aws-sdk:s3:getObject", {"Bucket": bucket, "Key": "none"})
        self.assertEqual(failed["error"], "S3.NoSuchKeyException")
        self.assertIn("(Service: S3, Status Code: 404, Request ID: ", failed["cause"])

    def test_step_functions_itself(self):
        child = self.cloud.create(machine({"A": {"Type": "Pass", "End": True}}))
        started = self.run_task("aws-sdk:sfn:startExecution", {"StateMachineArn": child, "Input": {"a": 1}})
        output = json.loads(started["output"])
        self.assertEqual(set(output), {"ExecutionArn", "StartDate"})
        self.assertRegex(output["StartDate"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$")
        self.cloud.end(output["ExecutionArn"])
        described = self.run_task("aws-sdk:sfn:describeExecution", {"ExecutionArn": output["ExecutionArn"]})
        self.assertEqual(json.loads(described["output"])["Input"], '{"a":1}')
        unknown = self.run_task("aws-sdk:sfn:sendTaskSuccess", {"TaskToken": "none", "Output": {}})
        self.assertEqual(unknown["error"], "Sfn.InvalidTokenException")
        self.assertRegex(
            unknown["cause"],
            r"^Invalid Token: 'Invalid token' \(Service: Sfn, Status Code: 400, Request ID: .+\) \(SDK Attempt Count: 1\)$",
        )

    def test_language(self):
        text = "I love this wonderful, excellent day."
        found = self.run_task("aws-sdk:comprehend:detectSentiment", {"Text": text, "LanguageCode": "en"})
        self.assertEqual(json.loads(found["output"])["Sentiment"], "POSITIVE", found)
        refused = self.run_task("aws-sdk:comprehend:detectSentiment", {"Text": "", "LanguageCode": "en"})
        self.assertTrue(refused["error"].startswith("Comprehend."), refused)

    def test_what_is_not_here_is_said_so(self):
        missing = ["sqs:sendMessage", "sqs:sendMessage.waitForTaskToken", "aws-sdk:dynamodb:getItem", "glue:startJobRun.sync"]
        for resource in [*missing, "aws-sdk:s3:putBucketPolicy"]:
            given = {"QueueUrl": "q", "MessageBody": "m", "JobName": "j", "Bucket": "b"}
            catch = [{"ErrorEquals": ["States.ALL"], "Next": "A"}]
            failed = self.run_task(resource, given, Catch=catch)
            self.assertEqual(failed["error"], "States.Runtime")
            named = resource.removesuffix(".waitForTaskToken")
            self.assertEqual(failed["cause"], f"the integration `{named}` is not available locally")

    def test_functions(self):
        listed = json.loads(self.run_task("aws-sdk:lambda:listFunctions", {})["output"])
        self.assertIn("sluice-classify", [function["FunctionName"] for function in listed["Functions"]])
        missing = self.run_task("lambda:invoke", {"FunctionName": "none"})
        self.assertEqual(missing["error"], "Lambda.ResourceNotFoundException")
        self.assertIn("function:none:$LATEST (Service: AWSLambda; Status Code: 404; ", missing["cause"])
        missing = self.run_task("aws-sdk:lambda:invoke", {"FunctionName": "none"})
        self.assertIn("(Service: Lambda, Status Code: 404, Request ID: ", missing["cause"])
        nameless = self.run_task("lambda:invoke", {"Payload": 1})
        self.assertEqual(nameless["error"], "States.Runtime")
        self.assertIn("[The field 'FunctionName' is required but was missing]", nameless["cause"])


if __name__ == "__main__":
    unittest.main()
