"""Names that must agree: state machines, programs, template, environment, events, columns."""

import json
import re

import expand
from subject import arn_of, camel, crates, failures, local_functions, variables

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html and
# https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
EVENTS = {
    "aws.s3": {
        "Object Created", "Object Deleted", "Object Restore Initiated", "Object Restore Completed",
        "Object Restore Expired", "Object Tags Added", "Object Tags Deleted", "Object ACL Updated",
        "Object Storage Class Changed", "Object Access Tier Changed",
    },
    "aws.states": {"Step Functions Execution Status Change"},
}
STATUSES = {"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"}

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
RESERVED = {
    "States.ALL", "States.DataLimitExceeded", "States.ExceedToleratedFailureThreshold", "States.HeartbeatTimeout",
    "States.Http.Socket", "States.ItemReaderFailed", "States.Permissions", "States.QueryEvaluationError",
    "States.ResultWriterFailed", "States.TaskFailed", "States.Timeout",
}
# What the integrations of the machines call their errors: the service, a dot, the name of the API's error.
INTEGRATION = re.compile(r"(Athena|S3|Glue)\.[A-Z]\w+")

SETTINGS = "/var/task/settings.toml"


def check(subject):
    yield from programs(subject)
    yield from machines(subject)
    yield from environment(subject)
    yield from events(subject)
    yield from columns(subject)


def programs(subject):
    functions = subject.source.of_type(expand.FUNCTION)
    packages = {name: one["Properties"]["CodeUri"].rstrip("/").rsplit("/", 1)[-1] for name, one in functions.items()}
    for missing in sorted(crates() - set(packages.values())):
        yield f"the program `{missing}` is not deployed"
    for name, package in packages.items():
        if package not in crates():
            yield f"{name} is made of `{package}`, which is no program"
        if name != camel(package) + "Function":
            yield f"{name} is made of `{package}`, and would be called {camel(package)}Function"
        properties = subject.resources[name]["Properties"]
        called = subject.resolve(properties["FunctionName"])
        if called != f"{subject.resolve.stack}-{package}":
            yield f"{name} is deployed as `{called}`"
        size = (properties["Timeout"], properties["MemorySize"])
        if package in crates() and size != local_functions().get(package):
            yield f"{name} has {size} as timeout and memory, and {local_functions().get(package)} in the local cloud"


def machines(subject):
    used = {}
    for name, resource in subject.source.of_type(expand.MACHINE).items():
        file = subject.source.machine_of(resource)
        used[file] = name
        definition = subject.source.machines.get(file)
        if definition is None:
            yield f"{name} is made of `{file}`, which is not there"
            continue
        yield from substitutions(subject, name, resource["Properties"], json.dumps(definition))
        yield from errors(file, definition)
    for file in sorted(subject.source.machines.keys() - used.keys()):
        yield f"the state machine `{file}` is not deployed"


def substitutions(subject, name, properties, definition):
    asked, given = set(re.findall(r"\$\{(\w+)\}", definition)), properties.get("DefinitionSubstitutions", {})
    for placeholder in sorted(asked - given.keys()):
        yield f"{name} puts nothing in the place of `${{{placeholder}}}`"
    for placeholder in sorted(given.keys() - asked):
        yield f"{name} substitutes `{placeholder}`, which its definition does not name"
    functions = {key: value for key, value in given.items() if key.endswith("FunctionArn")}
    for placeholder, value in functions.items():
        if value != arn_of(placeholder.removesuffix("Arn")):
            yield f"{name} puts another function in the place of `${{{placeholder}}}`"
    yield from may_invoke(subject, name, properties, functions.values())


def may_invoke(subject, name, properties, functions):
    role = properties["Role"]["Fn::GetAtt"][0]
    policies = subject.resources[role]["Properties"]["Policies"]
    statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    granted = [one["Resource"] for one in statements if one.get("Action") == "lambda:InvokeFunction"]
    granted = [resource for resources in granted for resource in (resources if isinstance(resources, list) else [resources])]
    wanted, granted = {json.dumps(one) for one in functions}, {json.dumps(one) for one in granted}
    if wanted != granted:
        yield f"{role} may invoke other functions than {name} does: {sorted(wanted ^ granted)}"


def errors(file, definition):
    matched = {name for names in members(definition, "ErrorEquals") for name in names}
    for name in sorted(matched - failures() - RESERVED):
        if not INTEGRATION.fullmatch(name):
            yield f"{file} matches the error `{name}`, which nobody raises"


def members(value, name):
    """All values of a member, at any depth."""
    if isinstance(value, dict):
        yield from (one for key, one in value.items() if key == name)
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from members(one, name)


def environment(subject):
    for name, function in subject.of_type("AWS::Lambda::Function").items():
        given = function["Properties"]["Environment"]["Variables"]
        if missing := variables() - given.keys():
            yield f"{name} does not get {sorted(missing)}, which it reads"
        if unread := given.keys() - variables():
            yield f"{name} gets {sorted(unread)}, which it does not read"
        if given.get("SLUICE_SETTINGS_FILE", SETTINGS) != SETTINGS:
            yield f"{name} looks for its settings elsewhere than beside the program, at {SETTINGS}"
        machine = subject.resolve(given.get("SLUICE_STATE_MACHINE_ARN", ""))
        if machine not in {subject.resolve.ref(one) for one in subject.of_type("AWS::StepFunctions::StateMachine")}:
            yield f"{name} would start `{machine}`, which is not deployed"


def events(subject):
    for name, rule in subject.of_type("AWS::Events::Rule").items():
        pattern = subject.resolve(rule["Properties"].get("EventPattern", {}))
        for source in pattern.get("source", []):
            for kind in pattern.get("detail-type", [None]):
                if kind not in EVENTS.get(source, set()):
                    yield f"{name} waits for `{kind}`, which {source} does not send"
        for status in set(pattern.get("detail", {}).get("status", [])) - STATUSES:
            yield f"{name} waits for the status `{status}`, which no execution has"
    bucket = subject.resources.get("RawBucket", {}).get("Properties", {})
    if not bucket.get("NotificationConfiguration", {}).get("EventBridgeConfiguration", {}).get("EventBridgeEnabled"):
        yield "the raw bucket does not tell EventBridge of its objects"


def columns(subject):
    schema = json.loads((expand.ROOT / "schemas/change.schema.json").read_text())
    for name, table in subject.of_type("AWS::Glue::Table").items():
        given = {one["Name"] for one in table["Properties"]["TableInput"]["StorageDescriptor"]["Columns"]}
        if given != schema["properties"].keys():
            yield f"{name} has other columns than schemas/change.schema.json: {sorted(given ^ schema['properties'].keys())}"
