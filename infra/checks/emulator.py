"""Deploys with the real `sam deploy` and `scripts/put-tables` into moto, and looks at what came of it.

moto is an emulator of AWS's APIs. It does not apply SAM's transform (and reports success over what it then passes by),
so the transform is applied here, as CloudFormation would do it. Types that moto passes by are listed in
`infra/emulator.yaml` with what else proves them; a type that is passed by and not listed is an error, and so is one
that is listed and made.
"""

import ast
import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import warnings

import boto3
import expand
import moto.cloudformation.models as cloudformation
import moto.cloudformation.responses as responses
import moto_gaps
import yaml
from botocore.config import Config
from moto.server import ThreadedMotoServer
from resolve import Resolver
from samcli.yamlhelper import yaml_parse
from subject import SOURCE

GAPS = expand.INFRA / "emulator.yaml"
STACK, REGION, BUCKET, ACCOUNT = "sluice", "us-east-1", "packages", "123456789012"
# Where there are two, it shows whether a list is put in as a list.
PARAMETERS = {"SourceBucketArns": f"{SOURCE},arn:aws:s3:::another"}


def check(packages):
    # moto tells of each request, and of each type that it passes by: the latter is checked here.
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    serve_the_transform()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        clients = Clients(f"http://{host}:{port}")
        with tempfile.TemporaryDirectory() as home:
            answers = pathlib.Path(home, "samconfig.toml")
            answers.write_text("version = 0.1\n")
            for command in (deploy, put_tables):
                done = run(command(answers), clients.endpoint, home)
                if done.returncode != 0:
                    return [f"{command.__name__}: {(done.stdout + done.stderr)[-3000:]}"], "sam deploy"
        stack = Stack(clients, expand.expand(expand.Source.read()))
        # Before the policies are added, by which buckets speak TLS only.
        problems = [*tables(stack), *skipped(stack), *added(stack), *looks(stack), *delivery(stack)]
        return problems, f"sam deploy made {len(stack.made)} of {len(stack.wanted)} resources, the rest by their own APIs"
    finally:
        server.stop()


def serve_the_transform():
    """CloudFormation applies it when a change set is made; moto does not."""
    plain = cloudformation.CloudFormationBackend.create_change_set

    def create_change_set(self, *arguments, **named):
        named["template"] = transformed(named["template"])
        return plain(self, *arguments, **named)

    cloudformation.CloudFormationBackend.create_change_set = create_change_set
    cloudformation.ChangeSet.apply = apply
    # moto finds the bucket in the host name only, and a server on this machine has none.
    responses.get_stack_from_s3_url = lambda url, **_: read(urllib.parse.urlsplit(url).path.lstrip("/")).decode()


def apply(self):
    """moto makes the resources of a change set, and forgets its outputs."""
    self.stack.resource_map.update(self.template_dict, self.parameters)
    self.stack.template_dict = self.template_dict
    self.stack.output_map = self.stack._create_output_map()


def transformed(text):
    template = yaml_parse(text)
    if "Transform" not in template:
        return text
    for resource in template["Resources"].values():
        uri = resource.get("Properties", {}).get("DefinitionUri")
        if resource["Type"] == expand.MACHINE:
            # CloudFormation reads the definition from the bucket; moto knows none but that in the template.
            resource["Properties"]["Definition"] = json.loads(read(uri))
            del resource["Properties"]["DefinitionUri"]
    return json.dumps(expand.translate(template, REGION))


def read(uri):
    from moto.s3.models import s3_backends

    bucket, key = (uri["Bucket"], uri["Key"]) if isinstance(uri, dict) else uri.removeprefix("s3://").split("/", 1)
    return s3_backends[ACCOUNT]["aws"].get_object(bucket, key).value


class Clients:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION)
        once = Config(retries={"max_attempts": 1})
        self.of = lambda service: session.client(service, endpoint_url=endpoint, config=once)
        self.of("s3").create_bucket(Bucket=BUCKET)


def deploy(answers):
    """As `make deploy` does it, with a bucket for the packages that is there already; its answers are remembered."""
    sam = pathlib.Path(sys.executable).with_name("sam")
    overrides = [f"{name}={value}" for name, value in PARAMETERS.items()]
    return [
        sam, "deploy", "--template-file", expand.TEMPLATE, "--stack-name", STACK, "--s3-bucket", BUCKET, "--region", REGION,
        "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset", "--no-progressbar",
        "--parameter-overrides", *overrides, "--config-file", answers, "--save-params",
    ]


def put_tables(answers):
    """As `make deploy` does it; executions never end here."""
    return [sys.executable, expand.ROOT / "scripts/put-tables", "--config-file", answers, "--no-wait"]


def run(command, endpoint, home):
    environment = {
        "PATH": os.environ["PATH"], "HOME": home, "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b", "SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_VERSION": "0", "SAM_CLI_POLL_DELAY": "1",
    }
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, timeout=300)


class Stack:
    """What was deployed: the template, what moto made of it, and its values with the names that moto gave."""

    def __init__(self, clients, template):
        self.of = clients.of
        rows = self.of("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        self.made = {row["LogicalResourceId"]: row.get("PhysicalResourceId") for row in rows if "LogicalResourceId" in row}
        self.template = template
        self.resolve = Resolver(template, stack=STACK, region=REGION, account=ACCOUNT, **PARAMETERS)
        # moto's log groups have no `:*` at their end.
        self.resolve.arns["AWS::Logs::LogGroup"] = self.resolve.arns["AWS::Logs::LogGroup"].removesuffix(":*")
        named = ("AWS::S3::Bucket", "AWS::IAM::Role")
        self.resolve.physical = {
            name: physical for name, physical in self.made.items() if template["Resources"][name]["Type"] in named
        }
        self.wanted = {
            name: one for name, one in template["Resources"].items() if self.resolve.is_there(one)
        }

    def of_type(self, kind):
        return {name: self.resolve(one["Properties"]) for name, one in self.wanted.items() if one["Type"] == kind}


def gaps():
    return yaml.safe_load(GAPS.read_text())


def skipped(stack):
    """No type is passed by unless it is listed, and none is listed that was made."""
    listed = set(gaps()["types"])
    passed_by = {one["Type"] for name, one in stack.wanted.items() if name not in stack.made}
    yield from (f"{kind} was passed by without a word, and infra/emulator.yaml does not list it" for kind in passed_by - listed)
    yield from (f"{kind} is made by now: take it off infra/emulator.yaml" for kind in listed - passed_by)


def added(stack):
    """Gives what moto passes by to the services' own APIs."""
    for kind in gaps()["types"]:
        for name, properties in stack.of_type(kind).items():
            yield from tried(f"{name} ({kind})", moto_gaps.TYPES[kind], stack, properties)
    for kind, properties in gaps()["properties"].items():
        for name, given in stack.of_type(kind).items():
            for member in properties.keys() & given.keys() & moto_gaps.PROPERTIES.keys():
                yield from tried(f"{name}.{member}", moto_gaps.PROPERTIES[member], stack, stack.made[name], given[member])


def tried(what, apply, *arguments):
    try:
        if not apply(*arguments):
            yield f"{what} does not read back as it was put"
    except Exception as refused:
        yield f"{what}: {refused}"


def looks(stack):
    """What moto made, against what the template says."""
    for name, queue in stack.of_type("AWS::SQS::Queue").items():
        there = stack.of("sqs").get_queue_attributes(QueueUrl=stack.made[name], AttributeNames=["All"])["Attributes"]
        for member in ("VisibilityTimeout", "MessageRetentionPeriod"):
            if str(queue.get(member, there[member])) != there[member]:
                yield f"{name} has {there[member]} as {member}"
        if "RedrivePolicy" in queue and json.loads(there["RedrivePolicy"]) != queue["RedrivePolicy"]:
            yield f"{name} has another redrive policy: {there['RedrivePolicy']}"
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        there = stack.of("lambda").get_function_configuration(FunctionName=function["FunctionName"])
        for member in ("Timeout", "MemorySize", "Handler", "Runtime", "Role", "Environment"):
            if there[member] != function[member]:
                yield f"{name} has {there[member]} as {member}, not {function[member]}"
    yield from machines(stack)
    yield from roles(stack)
    mapping, = stack.of("lambda").list_event_source_mappings()["EventSourceMappings"]
    for member, wanted in next(iter(stack.of_type("AWS::Lambda::EventSourceMapping").values())).items():
        if member in mapping and mapping[member] != wanted:
            yield f"the event source mapping has {mapping[member]} as {member}, not {wanted}"


def machines(stack):
    for name, machine in stack.of_type("AWS::StepFunctions::StateMachine").items():
        there = stack.of("stepfunctions").describe_state_machine(stateMachineArn=stack.made[name])
        source = expand.Source.read()
        file = source.machine_of(source.template["Resources"][name])
        text = json.dumps(source.machines[file])
        for placeholder, value in machine["DefinitionSubstitutions"].items():
            text = text.replace(f"${{{placeholder}}}", value)
        if json.loads(there["definition"]) != json.loads(text) or "${" in there["definition"]:
            yield f"{name} has another definition than {file} with its substitutions"
        if there["roleArn"] != machine["RoleArn"]:
            yield f"{name} has the role {there['roleArn']}"


def roles(stack):
    iam = stack.of("iam")
    for name, role in stack.of_type("AWS::IAM::Role").items():
        there = iam.get_role(RoleName=stack.made[name])["Role"]
        if there["AssumeRolePolicyDocument"] != role["AssumeRolePolicyDocument"]:
            yield f"{name} has another trust"
        for policy in role["Policies"]:
            kept = iam.get_role_policy(RoleName=stack.made[name], PolicyName=policy["PolicyName"])["PolicyDocument"]
            # moto keeps a policy of CloudFormation's as Python writes it, and nothing as nothing.
            kept = ast.literal_eval(kept)
            kept["Statement"] = [statement for statement in kept["Statement"] if statement]
            if kept != policy["PolicyDocument"]:
                yield f"{name} has another policy {policy['PolicyName']}"


def tables(stack):
    """The settings lie where the schedule says, and the machine was started on them as the schedule starts it."""
    schedule, = stack.of_type("AWS::Scheduler::Schedule").values()
    wanted = json.loads(schedule["Target"]["Input"])
    bucket, key = wanted["settings_uri"].removeprefix("s3://").split("/", 1)
    put = stack.of("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    if bucket != stack.made["LakeBucket"] or put != (expand.ROOT / "statemachine/catalog.toml").read_bytes():
        yield f"{wanted['settings_uri']} does not hold the settings of the catalog"
    states = stack.of("stepfunctions")
    begun = states.list_executions(stateMachineArn=stack.made["UpsertStateMachine"])["executions"]
    inputs = [json.loads(states.describe_execution(executionArn=one["executionArn"])["input"]) for one in begun]
    if inputs != [wanted]:
        yield f"scripts/put-tables has started the merge with {inputs}, not {[wanted]}"


def delivery(stack):
    """An object that is put, and one that is deleted: each must wait in the queue, as EventBridge writes it."""
    s3, sqs = stack.of("s3"), stack.of("sqs")
    key = "in/na\u00efve name + 50% (1).txt"
    for bucket in ("RawBucket", "CatalogBucket"):
        if not refused(s3, stack.made[bucket]):
            yield f"{bucket} takes an object without TLS"
        # The emulator speaks no TLS.
        s3.delete_bucket_policy(Bucket=stack.made[bucket])
    s3.put_object(Bucket=stack.made["RawBucket"], Key=key, Body=b"hello")
    s3.put_object(Bucket=stack.made["CatalogBucket"], Key="changes/none.json", Body=b"{}")
    s3.delete_object(Bucket=stack.made["RawBucket"], Key=key)
    waiting = sqs.receive_message(QueueUrl=stack.made["Queue"], MaxNumberOfMessages=10).get("Messages", [])
    events = [json.loads(message["Body"]) for message in waiting]
    found = [(event["detail-type"], event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]) for event in events]
    wanted = [(kind, stack.made["RawBucket"], key) for kind in ("Object Created", "Object Deleted")]
    if sorted(found) != wanted:
        yield f"the queue holds {found}, not {wanted}"


def refused(s3, bucket):
    try:
        s3.put_object(Bucket=bucket, Key="plain", Body=b"")
        return False
    except s3.exceptions.ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
