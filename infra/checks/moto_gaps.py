"""What moto's CloudFormation passes by, through the APIs of the services. Each says whether it reads back as it was put."""

import json


def bucket_policy(stack, given):
    s3 = stack.of("s3")
    s3.put_bucket_policy(Bucket=given["Bucket"], Policy=json.dumps(given["PolicyDocument"]))
    return json.loads(s3.get_bucket_policy(Bucket=given["Bucket"])["Policy"]) == given["PolicyDocument"]


def queue_policy(stack, given):
    sqs, policy = stack.of("sqs"), json.dumps(given["PolicyDocument"])
    for url in given["Queues"]:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    kept = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"] for url in given["Queues"]]
    return all(json.loads(one["Policy"]) == given["PolicyDocument"] for one in kept)


def topic_policy(stack, given):
    sns, (topic,) = stack.of("sns"), given["Topics"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(given["PolicyDocument"]))
    return json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]) == given["PolicyDocument"]


def database(stack, given):
    glue = stack.of("glue")
    glue.create_database(DatabaseInput=given["DatabaseInput"])
    there = glue.get_database(Name=given["DatabaseInput"]["Name"])["Database"]
    return there["Description"] == given["DatabaseInput"]["Description"]


def table(stack, given):
    glue, name = stack.of("glue"), given["TableInput"]["Name"]
    glue.create_table(DatabaseName=given["DatabaseName"], TableInput=given["TableInput"])
    there = glue.get_table(DatabaseName=given["DatabaseName"], Name=name)["Table"]
    return all(there[member] == value for member, value in given["TableInput"].items())


def workgroup(stack, given):
    athena, wanted = stack.of("athena"), given["WorkGroupConfiguration"]
    athena.create_work_group(Name=given["Name"], Description=given["Description"], Configuration=wanted)
    there = athena.get_work_group(WorkGroup=given["Name"])["WorkGroup"]["Configuration"]
    return all(there.get(member) == wanted.get(member) for member in ("BytesScannedCutoffPerQuery", "EnforceWorkGroupConfiguration"))


def alarm(stack, given):
    cloudwatch = stack.of("cloudwatch")
    cloudwatch.put_metric_alarm(**given)
    there, = cloudwatch.describe_alarms(AlarmNames=[given["AlarmName"]])["MetricAlarms"]
    return all(there[member] == value for member, value in given.items() if member != "Metrics")


def invoke_config(stack, given):
    functions, members = stack.of("lambda"), ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    wanted = {member: given[member] for member in members}
    there = functions.put_function_event_invoke_config(FunctionName=given["FunctionName"], **wanted)
    return all(there[member] == wanted[member] for member in members)


def schedule(stack, given):
    scheduler = stack.of("scheduler")
    scheduler.create_schedule(**given)
    there = scheduler.get_schedule(Name=given["Name"])
    return there["ScheduleExpression"] == given["ScheduleExpression"] and there["Target"]["Arn"] == given["Target"]["Arn"]


TYPES = {
    "AWS::Athena::WorkGroup": workgroup,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::Glue::Database": database,
    "AWS::Glue::Table": table,
    "AWS::Lambda::EventInvokeConfig": invoke_config,
    "AWS::S3::BucketPolicy": bucket_policy,
    "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::Scheduler::Schedule": schedule,
    "AWS::SQS::QueuePolicy": queue_policy,
}


def public_access(stack, bucket, given):
    s3 = stack.of("s3")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=given)
    return s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == given


def ownership(stack, bucket, given):
    s3 = stack.of("s3")
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=given)
    return s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == given


def notifications(stack, bucket, given):
    s3, wanted = stack.of("s3"), given["EventBridgeConfiguration"]["EventBridgeEnabled"]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}} if wanted else {}
    )
    # moto does not give it back; that events arrive in the queue is what counts, and is looked for.
    return True


def access_logs(stack, bucket, given):
    s3, wanted = stack.of("s3"), {"TargetBucket": given["DestinationBucketName"], "TargetPrefix": given["LogFilePrefix"]}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": wanted})
    there = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
    return all(there[member] == value for member, value in wanted.items())


def lifecycle(stack, bucket, given):
    s3, rules = stack.of("s3"), [lifecycle_rule(rule) for rule in given["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    return s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules


def lifecycle_rule(rule):
    """CloudFormation writes two members in another way than the API."""
    wanted = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        wanted["Expiration"] = {"Days": rule["ExpirationInDays"]}
    same = ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration")
    return wanted | {member: rule[member] for member in same if member in rule}


def run_logs(stack, machine, given):
    logging = {
        "level": given["Level"], "includeExecutionData": given["IncludeExecutionData"],
        "destinations": [
            {"cloudWatchLogsLogGroup": {"logGroupArn": one["CloudWatchLogsLogGroup"]["LogGroupArn"]}}
            for one in given["Destinations"]
        ],
    }
    states = stack.of("stepfunctions")
    states.update_state_machine(stateMachineArn=machine, loggingConfiguration=logging)
    return states.describe_state_machine(stateMachineArn=machine)["loggingConfiguration"]["level"] == given["Level"]


def run_traces(stack, machine, given):
    states = stack.of("stepfunctions")
    states.update_state_machine(stateMachineArn=machine, tracingConfiguration={"enabled": given["Enabled"]})
    return states.describe_state_machine(stateMachineArn=machine)["tracingConfiguration"]["enabled"] == given["Enabled"]


def substituted(stack, machine, given):
    states = stack.of("stepfunctions")
    definition = states.describe_state_machine(stateMachineArn=machine)["definition"]
    for placeholder, value in given.items():
        definition = definition.replace(f"${{{placeholder}}}", value)
    states.update_state_machine(stateMachineArn=machine, definition=definition)
    return states.describe_state_machine(stateMachineArn=machine)["definition"] == definition


PROPERTIES = {
    "DefinitionSubstitutions": substituted,
    "LifecycleConfiguration": lifecycle,
    "LoggingConfiguration": lambda stack, name, given: (run_logs if "Level" in given else access_logs)(stack, name, given),
    "NotificationConfiguration": notifications,
    "OwnershipControls": ownership,
    "PublicAccessBlockConfiguration": public_access,
    "TracingConfiguration": run_traces,
}
