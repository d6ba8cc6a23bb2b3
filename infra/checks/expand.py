"""The template as CloudFormation gets it: state machines inlined, SAM's transform applied, nothing else.

Parameters stay parameters: SAM would put a default in the place of some references, so defaults are taken out for the
transform and put back after it.
"""

import copy
import json
import logging
import pathlib

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

INFRA = pathlib.Path(__file__).resolve().parent.parent
ROOT = INFRA.parent
TEMPLATE = INFRA / "template.yaml"
EXPANDED = INFRA / "expanded.json"

# Where a deployment's packages will lie: `sam deploy` and the CDK construct put their own place here.
PACKAGES = "packages-of-the-deployment"

# It counts what it does, and complains that nobody wants the numbers.
logging.getLogger("samtranslator").setLevel(logging.ERROR)

FUNCTION, MACHINE = "AWS::Serverless::Function", "AWS::Serverless::StateMachine"


class Source:
    """What is deployed, as people wrote it: the template, and each state machine by its file's name."""

    def __init__(self, template, machines):
        self.template, self.machines = template, machines

    @classmethod
    def read(cls):
        template = yaml_parse(TEMPLATE.read_text())
        files = sorted((ROOT / "statemachine").glob("*.asl.json"))
        return cls(template, {file.name: json.loads(file.read_text()) for file in files})

    def copy(self):
        return Source(copy.deepcopy(self.template), copy.deepcopy(self.machines))

    def of_type(self, kind):
        resources = self.template["Resources"].items()
        return {name: resource for name, resource in resources if resource["Type"] == kind}

    def machine_of(self, resource):
        """The definition that a state machine of the template is made of, by file name."""
        return pathlib.PurePosixPath(resource["Properties"]["DefinitionUri"]).name


def packaged(source):
    """The template with its state machines in it, and its packages in a bucket."""
    template = copy.deepcopy(source.template)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == MACHINE:
            properties["Definition"] = copy.deepcopy(source.machines[source.machine_of(resource)])
            del properties["DefinitionUri"]
        if resource["Type"] == FUNCTION:
            name = pathlib.PurePosixPath(properties["CodeUri"]).name
            properties["CodeUri"] = {"Bucket": PACKAGES, "Key": f"{name}.zip"}
    return template


def expand(source, region="us-east-1"):
    """Applies SAM's transform, which refuses what it does not understand."""
    template = packaged(source)
    defaults = {name: parameter.pop("Default", None) for name, parameter in template["Parameters"].items()}
    expanded = translate(template, region)
    for name, default in defaults.items():
        if default is not None:
            expanded["Parameters"][name]["Default"] = default
    return expanded


def translate(template, region, parameters=None):
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    return translator.translate(template, parameters or {})


def text(expanded):
    return json.dumps(expanded, indent=1, ensure_ascii=False) + "\n"
