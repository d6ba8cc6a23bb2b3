"""Values of a template as they are once it is deployed: parameters, conditions and references put in.

Only what this template uses. A reference that it does not know is an error, not an empty text.
"""

import re

ACCOUNT, REGION, STACK = "000000000000", "us-east-1", "sluice"

# `${Name}` and `${Name.Attribute}`, but not `${!Literal}`.
SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")

NOTHING = object()


class Unresolved(Exception):
    """A reference to what is not there."""


class Resolver:
    def __init__(self, template, stack=STACK, region=REGION, account=ACCOUNT, **parameters):
        self.resources = template["Resources"]
        self.conditions = template.get("Conditions", {})
        defaults = {name: one.get("Default") for name, one in template.get("Parameters", {}).items()}
        pseudo = {
            "AWS::AccountId": account, "AWS::Region": region, "AWS::StackName": stack, "AWS::Partition": "aws",
            "AWS::NoValue": NOTHING,
        }
        self.values = {**defaults, **pseudo, **parameters}
        for name, one in template.get("Parameters", {}).items():
            if one["Type"] == "CommaDelimitedList":
                self.values[name] = [part.strip() for part in self.values[name].split(",")]
        self.region, self.account, self.stack = region, account, stack
        # Names that a deployment gave, where the template gives none.
        self.physical = {}
        self.arns = dict(ARNS)

    def __call__(self, value):
        if isinstance(value, list):
            return [one for one in map(self, value) if one is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), = value.items()
            if name == "Ref":
                return self.ref(argument)
            if name.startswith("Fn::"):
                return getattr(self, name[4:].lower())(argument)
        found = {name: self(one) for name, one in value.items()}
        return {name: one for name, one in found.items() if one is not NOTHING}

    def ref(self, name):
        if name in self.values:
            return self.values[name]
        resource = self.resource(name)
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind in ("AWS::StepFunctions::StateMachine", "AWS::SNS::Topic"):
            return self.getatt([name, "Arn"])
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self(properties['QueueName'])}"
        if kind == "AWS::Glue::Database":
            return self(properties["DatabaseInput"]["Name"])
        return self.name(name)

    def name(self, name):
        """What the resource is called once it is there."""
        if name in self.physical:
            return self.physical[name]
        properties = self.resource(name).get("Properties", {})
        given = [key for key in NAMES if key in properties]
        return self(properties[given[0]]) if given else f"{self.stack}-{name.lower()}"

    def resource(self, name):
        if name not in self.resources:
            raise Unresolved(f"nothing is called `{name}`")
        return self.resources[name]

    def getatt(self, argument):
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        kind = self.resource(name)["Type"]
        if attribute in ("Name", "QueueName"):
            return self.name(name)
        if attribute == "Arn" and kind in self.arns:
            return self.arns[kind].format(name=self.name(name), region=self.region, account=self.account)
        raise Unresolved(f"`{kind}` has no attribute `{attribute}` here")

    def sub(self, argument):
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def put_in(match):
            name = match[1]
            if name in own:
                return str(self(own[name]))
            return str(self.getatt(name) if "." in name else self.ref(name))

        return SUBSTITUTION.sub(put_in, text).replace("${!", "${")

    def join(self, argument):
        separator, parts = argument
        return separator.join(map(str, self(parts)))

    def split(self, argument):
        separator, text = argument
        return self(text).split(separator)

    def condition(self, name):
        return self(self.conditions[name])

    def equals(self, argument):
        first, second = map(str, self(argument))
        return first == second

    def __getattr__(self, name):
        if name == "not":
            return lambda argument: not self(argument[0])
        if name == "if":
            return lambda argument: self(argument[1] if self.condition(argument[0]) else argument[2])
        raise AttributeError(name)

    def is_there(self, resource):
        return "Condition" not in resource or self.condition(resource["Condition"])


NAMES = (
    "FunctionName", "QueueName", "BucketName", "RoleName", "LogGroupName", "StateMachineName", "TopicName", "AlarmName",
    "DashboardName", "Name",
)

ARNS = {
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:{region}:{account}:stateMachine:{name}",
}
