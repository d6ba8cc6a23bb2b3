"""Nothing is lost on the way: queues hold a burst, what fails is kept and told of, and data outlives the stack."""

import re

from subject import arn_of, listed

DATA = {"RawBucket", "ExtractedBucket", "PartitionedBucket", "CatalogBucket", "LakeBucket"}
VERSIONED = {"RawBucket", "CatalogBucket"}

# The metrics that alarms and dashboard read. CloudWatch takes any name, and shows nothing.
METRICS = {
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "NumberOfMessagesSent"},
    "AWS/States": {
        "ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsAborted", "ExecutionsTimedOut",
        "ExecutionThrottled", "ExecutionTime",
    },
    "AWS/Lambda": {"Errors", "Throttles", "Invocations", "Duration", "ConcurrentExecutions"},
}


def check(subject):
    yield from sources(subject)
    yield from rules(subject)
    yield from alarms(subject)
    yield from buckets(subject)
    yield from logs(subject)


def sources(subject):
    for name, source in subject.of_type("AWS::Lambda::EventSourceMapping").items():
        properties = source["Properties"]
        function = subject.resources[properties["FunctionName"]["Ref"]]["Properties"]
        queue_name = properties["EventSourceArn"]["Fn::GetAtt"][0]
        queue = subject.resources[queue_name]["Properties"]
        if queue.get("VisibilityTimeout", 30) < 6 * function["Timeout"]:
            yield f"{queue_name} delivers again while the function may still work: at least six times its timeout"
        if "ReportBatchItemFailures" not in properties.get("FunctionResponseTypes", []):
            yield f"{name} does not ask which messages failed: one that fails brings back the whole batch"
        concurrency = subject.resolve(properties.get("ScalingConfig", {})).get("MaximumConcurrency")
        if not concurrency or not 2 <= int(concurrency) <= 1000:
            yield f"{name} has no maximum concurrency: a burst would take all of the account's"
        redrive = queue.get("RedrivePolicy", {})
        if redrive.get("maxReceiveCount", 0) < 10:
            yield f"{queue_name} gives up on a message after less than ten deliveries: load would do that"
        target = redrive.get("deadLetterTargetArn", {}).get("Fn::GetAtt", [None])[0]
        if subject.resources.get(target, {}).get("Properties", {}).get("MessageRetentionPeriod", 0) < 1209600:
            yield f"{queue_name} has no dead-letter queue that keeps messages for 14 days"


def rules(subject):
    for name, rule in subject.of_type("AWS::Events::Rule").items():
        for target in rule["Properties"]["Targets"]:
            kept = target.get("DeadLetterConfig", {}).get("Arn")
            if not kept:
                yield f"{name} loses what it cannot deliver to `{target['Id']}`"
            for queue in (target["Arn"], kept):
                if is_queue(subject, queue) and not may_send(subject, name, queue):
                    yield f"{name} may not send to {queue['Fn::GetAtt'][0]}"
            if not is_queue(subject, target["Arn"]) and not may_call(subject, name, target["Arn"]):
                yield f"{name} may not call {target['Arn']}"


def is_queue(subject, arn):
    return bool(arn) and subject.resources[arn["Fn::GetAtt"][0]]["Type"] == "AWS::SQS::Queue"


def may_send(subject, rule, queue):
    for policy in subject.of_type("AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            comes = statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn")
            if statement["Effect"] == "Allow" and comes == arn_of(rule) and queue in listed(statement["Resource"]):
                return True
    return False


def may_call(subject, rule, function):
    permissions = (one["Properties"] for one in subject.of_type("AWS::Lambda::Permission").values())
    name = function["Fn::GetAtt"][0]
    return any(one["FunctionName"] == {"Ref": name} and one.get("SourceArn") == arn_of(rule) for one in permissions)


def alarms(subject):
    watched = str([one["Properties"] for one in subject.of_type("AWS::CloudWatch::Alarm").values()])
    dead = {one for one in subject.of_type("AWS::SQS::Queue") if "DeadLetter" in one}
    for queue in sorted(one for one in dead if f"'{one}'" not in watched):
        yield f"nobody is told of messages in {queue}"
    for name, alarm in subject.of_type("AWS::CloudWatch::Alarm").items():
        properties = alarm["Properties"]
        if not properties.get("AlarmActions"):
            yield f"{name} tells nobody"
        metrics = [one["MetricStat"]["Metric"] for one in properties.get("Metrics", []) if "MetricStat" in one]
        for metric in metrics or [properties]:
            if metric["MetricName"] not in METRICS.get(metric["Namespace"], set()):
                yield f"{name} watches `{metric['MetricName']}`, which {metric['Namespace']} does not have"
    for name, dashboard in subject.of_type("AWS::CloudWatch::Dashboard").items():
        body = subject.resolve(dashboard["Properties"]["DashboardBody"])
        for namespace, metric in re.findall(r'\["(AWS/\w+)", "(\w+)"', body):
            if metric not in METRICS.get(namespace, set()):
                yield f"{name} shows `{metric}`, which {namespace} does not have"


def buckets(subject):
    for name, bucket in subject.of_type("AWS::S3::Bucket").items():
        properties = bucket["Properties"]
        if not bucket.get("DeletionPolicy") == bucket.get("UpdateReplacePolicy") == "Retain":
            yield f"{name} would be deleted with the stack, or when it is replaced"
        if not properties.get("BucketEncryption"):
            yield f"{name} does not say how it is encrypted"
        public = properties.get("PublicAccessBlockConfiguration", {})
        if len(public) != 4 or not all(public.values()):
            yield f"{name} could be made public"
        if name in VERSIONED and properties.get("VersioningConfiguration", {}).get("Status") != "Enabled":
            yield f"{name} keeps no versions"
        for rule in properties.get("LifecycleConfiguration", {}).get("Rules", []):
            if name in DATA and "ExpirationInDays" in rule and not rule.get("Prefix"):
                yield f"{name} would forget everything by the rule `{rule['Id']}`"
    for name in sorted(DATA - subject.of_type("AWS::S3::Bucket").keys()):
        yield f"there is no {name}"


def logs(subject):
    for name, group in subject.of_type("AWS::Logs::LogGroup").items():
        if "RetentionInDays" not in group["Properties"]:
            yield f"{name} keeps its lines for ever"
    for name, function in subject.of_type("AWS::Lambda::Function").items():
        group = function["Properties"].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if group not in subject.resources:
            yield f"{name} writes to a log group that is not the stack's"
