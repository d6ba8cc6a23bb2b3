"""The template's wiring at work: its functions as they are packaged, their environment, its machines, rules and queue.

The local cloud runs the packages under the names, sizes and variables of the template, and `deployment` takes events to
them by its patterns, inputs and settings. So what is tested is what is deployed, as far as that goes without an account.
The packages must be of this machine's architecture.
"""

import json
import pathlib
import re
import tempfile
import tomllib

import expand
import faults
from deployment import BUCKETS, DATABASE, Deployment, bus
from subject import Subject

# By this name `infra/faults.yaml` has the faults that only show at work.
NAME = "drive"

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
# A planted fault shows on one file as on all.
FEW = dict(list(FILES.items())[:1])


def check(programs):
    found = drive(Subject(expand.Source.read()), programs, FILES)
    uncaught, planted = faults.check({NAME: lambda subject: drive(subject, programs, FEW)})
    return [*found, *uncaught], f"{len(FILES)} files through the template's wiring, {planted}"


def drive(subject, programs, files):
    """What goes wrong with these files."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(subject.expanded, programs, pathlib.Path(folder))
        try:
            return list(run(deployment, files))
        except AssertionError as failed:
            return [str(failed)]
        finally:
            deployment.end()


def run(deployment, files):
    yield from tables(deployment)
    put = [deployment.put(key, sample) for key, (sample, _) in files.items()]
    gone = deployment.put("in/gone.txt", "text/welcome.txt")
    events = [*put, gone, deployment.remove("in/gone.txt"), deployment.folder("in/folder/")]
    # Whatever S3 says, it may say twice.
    dead = deployment.deliver([*events, *events, deployment.elsewhere()], poison="{not json")
    if dead != ["{not json"]:
        yield f"the dead-letter queue holds {dead}, not the one bad message"
    records = deployment.records(len(put) + 2)
    for key, (_, wanted) in files.items():
        found = [record for record in records if record["key"] == key]
        if [record["status"] for record in found] != [wanted]:
            yield f"`{key}` has the records {[(one['status'], one.get('reason')) for one in found]}, not one {wanted}"
    if not any(record["key"] == "in/gone.txt" and record["status"] == "REMOVED" for record in records):
        yield "the removal has no record"
    yield from documents(deployment, records)
    yield from merged(deployment, files, records)
    yield from stopped(deployment)


def documents(deployment, records):
    """Each document lies where its record says, and the picture was read."""
    for record in records:
        if record["status"] == "SUCCEEDED":
            bucket, key = record["extraction_uri"].removeprefix("s3://").split("/", 1)
            document = json.loads(deployment.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            if bucket != BUCKETS["Extracted"] or document["source"]["object"]["key"] != record["key"]:
                yield f"the document of `{record['key']}` is about something else"


def tables(deployment):
    """What the end of `make deploy` puts and makes."""
    deployment.put_tables()
    settings = tomllib.loads((expand.ROOT / "statemachine/catalog.toml").read_text())
    made = [re.match(r"CREATE .*?[`\"]sluice[`\"]\.[`\"](\w+)", view)[1] for view in settings["views"]]
    wanted = {settings["target"].removeprefix("sluice."), *made}
    there = deployment.glue.get_paginator("get_tables").paginate(DatabaseName=DATABASE)
    if missing := wanted - {table["Name"] for page in there for table in page["TableList"]}:
        yield f"the database {DATABASE} lacks {sorted(missing)} after scripts/put-tables"


def merged(deployment, files, records):
    """The schedule takes up what a failed merge has left; then every file is a row that Athena finds."""
    machine = deployment.machine("UpsertStateMachine")
    begun = deployment.sfn.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    if not begun:
        yield "`catalog` has started no merge"
    for execution in begun:
        deployment.sfn.stop_execution(executionArn=execution["executionArn"])
    target = deployment.resources["MergeSchedule"]["Properties"]["Target"]
    started = deployment.sfn.start_execution(stateMachineArn=target["Arn"], input=target["Input"])
    deployment.succeeded(started["executionArn"])
    if waiting := deployment.lake("waiting/"):
        yield f"{len(waiting)} records still wait after the merge"
    group = deployment.resolve.ref("MergeWorkgroup")
    if not deployment.athena.list_query_executions(WorkGroup=group)["QueryExecutionIds"]:
        yield f"the merge asks Athena elsewhere than in the workgroup {group}"
    if not deployment.lake("results/"):
        yield "the merge leaves its results elsewhere than in the lake's bucket"
    found = deployment.query("SELECT key, version_id, status FROM catalog_merged")
    wanted = [[one["key"], one["version_id"], one["status"]] for one in records]
    if sorted(found) != sorted(wanted):
        yield f"the merged table has the rows {found}, not those of the records"
    found = deployment.query("SELECT key, status FROM files")
    if sorted(found) != sorted([key, status] for key, (_, status) in files.items()):
        yield f"Athena finds {found}, not one row for each file"


def stopped(deployment):
    """An execution that is stopped by hand: the rule's pattern must fit, and its function must record the end."""
    # A recording is under way for seconds, so that it is stopped before it ends.
    name, arn = "stopped-by-hand", deployment.machine("ExtractStateMachine")
    event = {"kind": "created", "object": {"bucket": BUCKETS["Raw"], "key": "in/announcement.wav"}, "time": "2026-05-01T12:00:00Z"}
    started = deployment.sfn.start_execution(stateMachineArn=arn, name=name, input=json.dumps(event))
    deployment.sfn.stop_execution(executionArn=started["executionArn"], error="ByHand", cause="the wrong file")
    told = deployment.tell("EndedRule", ended_event(deployment.sfn.describe_execution(executionArn=started["executionArn"])))
    if told != 1:
        yield "the rule for ended executions does not fit the event of a stopped one"
    found = [one for one in deployment.written() if one["run"] == name]
    reasons = [(one["status"], one["reason"]) for one in found]
    if reasons != [("FAILED", "the execution was stopped: ByHand: the wrong file")]:
        yield f"the stopped execution has the records {reasons}"


def ended_event(execution):
    """https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html"""
    milliseconds = {name: int(execution[name].timestamp() * 1000) for name in ("startDate", "stopDate")}
    return bus("aws.states", "Step Functions Execution Status Change", execution["executionArn"], {
        **{name: execution[name] for name in ("executionArn", "stateMachineArn", "name", "status", "input", "error", "cause")},
        **milliseconds, "inputDetails": {"included": True}, "output": None, "redriveCount": 0, "redriveDate": None,
    })
