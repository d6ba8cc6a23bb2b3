"""The template's wiring at work: its functions as they are packaged, their environment, its machines, rules and queue.

The local cloud runs the packages under the names, sizes and variables of the template; this module is EventBridge and
the poller of the queue, by the template's patterns and settings. So what is tested is what is deployed, as far as that
goes without an account. The packages must be of this machine's architecture.
"""

import datetime
import json
import pathlib
import subprocess
import tempfile
import time
import uuid

import boto3
import expand
from botocore.config import Config
from pattern import matches
from resolve import ACCOUNT, REGION, Resolver

BUCKETS = {name: f"sluice-{name.lower()}" for name in ("Raw", "Extracted", "Partitioned", "Catalog", "Lake")}

# What is put, under a key that S3 may hold, and what must come of it.
FILES = {
    "in/text/support ticket + 50% (1).txt": ("text/support-ticket.txt", "SUCCEEDED"),
    "in/お知らせ.txt": ("text/お知らせ-utf16.txt", "SUCCEEDED"),
    "in/scan.pdf": ("pdf/fire-drill-scan.pdf", "SUCCEEDED"),
    "in/picture.png": ("image/qr-code.png", "SUCCEEDED"),
    "in/announcement.wav": ("audio/announcement.wav", "SUCCEEDED"),
    "in/empty.txt": ("odd/empty.txt", "EMPTY"),
    "in/firmware.bin": ("odd/firmware.bin", "UNSUPPORTED"),
}
SECONDS = 180


def check(programs):
    template = json.loads(expand.EXPANDED.read_text())
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(template, programs, pathlib.Path(folder))
        try:
            problems = list(run(deployment))
        except AssertionError as failed:
            problems = [str(failed)]
        finally:
            deployment.end()
    return problems, f"{len(FILES)} files, {deployment.delivered} deliveries through the template's wiring"


def run(deployment):
    put = [deployment.put(key, sample) for key, (sample, _) in FILES.items()]
    gone = deployment.put("in/gone.txt", "text/welcome.txt")
    events = [*put, gone, deployment.remove("in/gone.txt"), deployment.folder("in/folder/")]
    # Whatever S3 says, it may say twice.
    dead = deployment.deliver([*events, *events, deployment.elsewhere()], poison="{not json")
    if dead != ["{not json"]:
        yield f"the dead-letter queue holds {dead}, not the one bad message"
    records = deployment.records(len(put) + 2)
    for key, (_, wanted) in FILES.items():
        found = [record for record in records if record["key"] == key]
        if [record["status"] for record in found] != [wanted]:
            yield f"`{key}` has the records {[(one['status'], one.get('reason')) for one in found]}, not one {wanted}"
    if not any(record["key"] == "in/gone.txt" and record["status"] == "REMOVED" for record in records):
        yield "the removal has no record"
    yield from documents(deployment, records)
    yield from stopped(deployment)


def documents(deployment, records):
    """Each document lies where its record says, and the picture was read."""
    for record in records:
        if record["status"] == "SUCCEEDED":
            bucket, key = record["extraction_uri"].removeprefix("s3://").split("/", 1)
            document = json.loads(deployment.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            if bucket != BUCKETS["Extracted"] or document["source"]["object"]["key"] != record["key"]:
                yield f"the document of `{record['key']}` is about something else"


def stopped(deployment):
    """An execution that is stopped by hand: the rule's pattern must fit, and its function must record the end."""
    # A recording is under way for seconds, so that it is stopped before it ends.
    name, arn = "stopped-by-hand", deployment.machine("ExtractStateMachine")
    event = {"kind": "created", "object": {"bucket": BUCKETS["Raw"], "key": "in/announcement.wav"}, "time": "2026-05-01T12:00:00Z"}
    started = deployment.sfn.start_execution(stateMachineArn=arn, name=name, input=json.dumps(event))
    deployment.sfn.stop_execution(executionArn=started["executionArn"], error="ByHand", cause="the wrong file")
    told = deployment.tell("EndedRule", ended(deployment.sfn.describe_execution(executionArn=started["executionArn"])))
    if told != 1:
        yield "the rule for ended executions does not fit the event of a stopped one"
    found = [one for one in deployment.written() if one["run"] == name]
    reasons = [(one["status"], one["reason"]) for one in found]
    if reasons != [("FAILED", "the execution was stopped: ByHand: the wrong file")]:
        yield f"the stopped execution has the records {reasons}"


def ended(execution):
    """https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html"""
    milliseconds = {name: int(execution[name].timestamp() * 1000) for name in ("startDate", "stopDate")}
    return bus("aws.states", "Step Functions Execution Status Change", execution["executionArn"], {
        **{name: execution[name] for name in ("executionArn", "stateMachineArn", "name", "status", "input", "error", "cause")},
        **milliseconds, "inputDetails": {"included": True}, "output": None, "redriveCount": 0, "redriveDate": None,
    })


def bus(source, kind, resource, detail):
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "version": "0", "id": str(uuid.uuid4()), "detail-type": kind, "source": source, "account": ACCOUNT, "time": now,
        "region": REGION, "resources": [resource], "detail": detail,
    }


def object_event(kind, key, reason, **object):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    bucket = object.pop("bucket", BUCKETS["Raw"])
    detail = {
        "version": "0", "bucket": {"name": bucket}, "object": {"key": key, "sequencer": f"{time.time_ns():018X}", **object},
        "request-id": "C3D4E5F6A7B8C9D0", "requester": ACCOUNT, "source-ip-address": "127.0.0.1", "reason": reason,
    }
    return bus("aws.s3", kind, f"arn:aws:s3:::{bucket}", detail)


class Deployment:
    """The template's functions in the local cloud, with buckets and machines made by the APIs."""

    def __init__(self, template, programs, folder):
        self.resolve = Resolver(template, **{f"{name}BucketName": bucket for name, bucket in BUCKETS.items()})
        self.resources = {
            name: {**one, "Properties": self.resolve(one.get("Properties", {}))} for name, one in template["Resources"].items()
            if self.resolve.is_there(one)
        }
        self.delivered = 0
        functions = folder / "functions.json"
        functions.write_text(json.dumps([self.function(one) for one in self.of_type("AWS::Lambda::Function")]))
        command = [programs / "examples" / "deployed", folder / "data", functions, programs / "sluice-speech"]
        self.cloud = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.connect(self.cloud.stdout.readline().strip())
        self.make()

    def of_type(self, kind):
        return [one["Properties"] for one in self.resources.values() if one["Type"] == kind]

    def function(self, properties):
        """As it is packaged; what lies beside the program in Lambda lies beside it here."""
        package = expand.INFRA / "build" / properties["Code"]["S3Key"].removesuffix(".zip")
        variables = properties["Environment"]["Variables"].items()
        return {
            "name": properties["FunctionName"], "binary": str(package / "bootstrap"), "workers": 2,
            "environment": {name: value.replace("/var/task", str(package)) for name, value in variables},
            "timeout_seconds": properties["Timeout"], "memory_megabytes": properties["MemorySize"],
        }

    def connect(self, endpoint):
        session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="local", region_name=REGION)
        config = Config(read_timeout=120, s3={"addressing_style": "path"})
        self.s3, self.sfn, self.functions = (
            session.client(name, endpoint_url=endpoint, config=config) for name in ("s3", "stepfunctions", "lambda")
        )

    def make(self):
        for name, bucket in BUCKETS.items():
            self.s3.create_bucket(Bucket=bucket)
            if name in ("Raw", "Catalog"):
                self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for machine in self.of_type("AWS::StepFunctions::StateMachine"):
            definition = machine["DefinitionString"]
            for placeholder, value in machine["DefinitionSubstitutions"].items():
                definition = definition.replace(f"${{{placeholder}}}", value)
            self.sfn.create_state_machine(
                name=machine["StateMachineName"], definition=definition, roleArn=machine["RoleArn"], type=machine["StateMachineType"]
            )

    def machine(self, name):
        return self.resolve.ref(name)

    def put(self, key, sample):
        body = (expand.ROOT / "samples" / sample).read_bytes()
        there = self.s3.put_object(Bucket=BUCKETS["Raw"], Key=key, Body=body)
        version, etag = there["VersionId"], there["ETag"].strip('"')
        return object_event("Object Created", key, "PutObject", size=len(body), etag=etag, **{"version-id": version})

    def remove(self, key):
        marker = self.s3.delete_object(Bucket=BUCKETS["Raw"], Key=key)["VersionId"]
        event = object_event("Object Deleted", key, "DeleteObject", **{"version-id": marker})
        event["detail"]["deletion-type"] = "Delete Marker Created"
        return event

    def folder(self, key):
        return object_event("Object Created", key, "PutObject", size=0, etag="d41d8cd98f00b204e9800998ecf8427e")

    def elsewhere(self):
        return object_event("Object Created", "in/other.txt", "PutObject", size=1, etag="e", bucket="somebody-elses")

    def tell(self, rule, event):
        """Calls the functions of a rule that the event fits; says how many."""
        properties = self.resources[rule]["Properties"]
        if not matches(properties["EventPattern"], event):
            return 0
        for target in properties["Targets"]:
            answer = self.functions.invoke(FunctionName=target["Arn"], Payload=json.dumps(event))
            if "FunctionError" in answer:
                raise AssertionError(f"{target['Arn']} failed: {answer['Payload'].read()}")
        return len(properties["Targets"])

    def deliver(self, events, poison):
        """Takes events to the queue by the rule, and from it in batches to the function; gives the dead letters."""
        pattern = self.resources["ArrivalRule"]["Properties"]["EventPattern"]
        waiting = [(json.dumps(event), 0) for event in events if matches(pattern, event)] + [(poison, 0)]
        source, = self.of_type("AWS::Lambda::EventSourceMapping")
        most, dead = self.resources["Queue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"], []
        while waiting:
            batch, waiting = waiting[: source["BatchSize"]], waiting[source["BatchSize"] :]
            failed = self.batch(source, [body for body, _ in batch])
            again = [(body, receives + 1) for number, (body, receives) in enumerate(batch) if number in failed]
            dead += [body for body, receives in again if receives >= most]
            waiting += [(body, receives) for body, receives in again if receives < most]
        return dead

    def batch(self, source, bodies):
        """One call of the function; the places of the messages that it wants again."""
        self.delivered += len(bodies)
        records = [
            {
                "messageId": str(number), "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": source["EventSourceArn"], "awsRegion": REGION,
            }
            for number, body in enumerate(bodies)
        ]
        answer = self.functions.invoke(FunctionName=source["FunctionName"], Payload=json.dumps({"Records": records}))
        if "FunctionError" in answer or "ReportBatchItemFailures" not in source["FunctionResponseTypes"]:
            return range(len(bodies))
        return [int(one["itemIdentifier"]) for one in json.loads(answer["Payload"].read())["batchItemFailures"]]

    def records(self, count):
        """All records, once there are so many and no execution runs any more."""
        deadline = time.monotonic() + SECONDS
        arn = self.machine("ExtractStateMachine")
        while self.sfn.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]:
            if time.monotonic() > deadline:
                raise AssertionError(f"executions still run after {SECONDS} s")
            time.sleep(0.2)
        executions = self.sfn.list_executions(stateMachineArn=arn)["executions"]
        if len(executions) != count:
            raise AssertionError(f"{len(executions)} executions for {count} versions")
        return self.written()

    def written(self):
        listed = self.s3.list_objects_v2(Bucket=BUCKETS["Catalog"], Prefix="changes/").get("Contents", [])
        return [json.loads(self.s3.get_object(Bucket=BUCKETS["Catalog"], Key=one["Key"])["Body"].read()) for one in listed]

    def end(self):
        self.cloud.kill()
        self.cloud.wait()
