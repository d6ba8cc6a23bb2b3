"""The template's functions in the local cloud, with what the template gives it: buckets, machines, workgroups, database.

This module is EventBridge and the poller of the queue. Whether what comes of it is right is asked in `drive`.
"""

import datetime
import json
import os
import subprocess
import sys
import time
import uuid

import boto3
import expand
from botocore.config import Config
from pattern import matches
from resolve import ACCOUNT, REGION, Resolver

# Another one than the settings of the catalog name, as a second stack of an account has it.
DATABASE = "sluice_of_ours"
BUCKETS = {name: f"sluice-{name.lower()}" for name in ("Raw", "Extracted", "Partitioned", "Catalog", "Lake")}
SECONDS = 180


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
        buckets = {f"{name}BucketName": bucket for name, bucket in BUCKETS.items()}
        self.resolve = Resolver(template, DatabaseName=DATABASE, **buckets)
        self.resources = {
            name: {**one, "Properties": self.resolve(one.get("Properties", {}))} for name, one in template["Resources"].items()
            if self.resolve.is_there(one)
        }
        functions = folder / "functions.json"
        functions.write_text(json.dumps([self.function(one) for one in self.of_type("AWS::Lambda::Function")]))
        command = [programs / "examples" / "deployed", folder / "data", functions, programs / "sluice-speech"]
        self.cloud = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.endpoint = self.cloud.stdout.readline().strip()
        self.connect()
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

    def connect(self):
        session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="local", region_name=REGION)
        config = Config(read_timeout=120, s3={"addressing_style": "path"})
        self.s3, self.sfn, self.functions, self.athena, self.glue = (
            session.client(name, endpoint_url=self.endpoint, config=config)
            for name in ("s3", "stepfunctions", "lambda", "athena", "glue")
        )

    def make(self):
        for name, bucket in BUCKETS.items():
            self.s3.create_bucket(Bucket=bucket)
            if name in ("Raw", "Catalog"):
                self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for database in self.of_type("AWS::Glue::Database"):
            self.glue.create_database(DatabaseInput=database["DatabaseInput"])
        for group in self.of_type("AWS::Athena::WorkGroup"):
            self.athena.create_work_group(Name=group["Name"], Configuration=group["WorkGroupConfiguration"])
        for machine in self.of_type("AWS::StepFunctions::StateMachine"):
            definition = machine["DefinitionString"]
            for placeholder, value in machine["DefinitionSubstitutions"].items():
                definition = definition.replace(f"${{{placeholder}}}", value)
            self.sfn.create_state_machine(
                name=machine["StateMachineName"], definition=definition, roleArn=machine["RoleArn"], type=machine["StateMachineType"]
            )

    def machine(self, name):
        return self.resolve.ref(name)

    def lake(self, prefix):
        return self.s3.list_objects_v2(Bucket=BUCKETS["Lake"], Prefix=prefix).get("Contents", [])

    def put_tables(self):
        """As `make deploy` does it, with names from the environment: the local cloud has no stacks."""
        command = [sys.executable, expand.ROOT / "scripts/put-tables", "--database", self.resolve.ref("Database")]
        environment = {
            **os.environ, "AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local", "SLUICE_LAKE_BUCKET": BUCKETS["Lake"],
            "SLUICE_UPSERT_STATE_MACHINE_ARN": self.machine("UpsertStateMachine"),
        }
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=SECONDS)
        if done.returncode != 0:
            raise AssertionError(f"scripts/put-tables: {done.stderr.strip()[-1000:]}")

    def succeeded(self, execution):
        """Waits for an execution; where nothing is amiss, not even a retry is needed."""
        deadline = time.monotonic() + SECONDS
        while (asked := self.sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
            failed = [one for one in self.history(execution) if one["type"].endswith("Failed")]
            if failed or time.monotonic() > deadline:
                raise AssertionError(f"the merge of the schedule comes to no end: {failed}")
            time.sleep(0.1)
        if asked["status"] != "SUCCEEDED":
            raise AssertionError(f"the merge of the schedule failed: {asked.get('error')}: {asked.get('cause')}")

    def history(self, execution):
        pages = self.sfn.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def query(self, statement):
        """The rows that a person finds who asks in the template's workgroup and database."""
        started = self.athena.start_query_execution(
            QueryString=statement, WorkGroup=self.resolve.ref("Workgroup"),
            QueryExecutionContext={"Database": self.resolve.ref("Database")},
        )["QueryExecutionId"]
        while (state := self.state(started))["State"] in ("QUEUED", "RUNNING"):
            time.sleep(0.1)
        if state["State"] != "SUCCEEDED":
            raise AssertionError(f"`{statement}` failed: {state.get('StateChangeReason')}")
        rows = self.athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]

    def state(self, query):
        return self.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]

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
