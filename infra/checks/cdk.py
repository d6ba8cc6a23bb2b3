"""CDK takes in the expansion: cdk-nag's AwsSolutions looks at what comes out, and the settings go where they are read."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import expand
from resolve import Resolver
from subject import SOURCE

# Values that are none of the defaults, so that it shows whether each reaches its place.
PARAMETERS = {"DatabaseName": "files_of_ours", "SourceBucketArns": [SOURCE, "arn:aws:s3:::another"]}


def check(subject):
    with tempfile.TemporaryDirectory() as folder:
        done = synthesize(subject, pathlib.Path(folder))
        report, made = (pathlib.Path(folder, name) for name in ("validation-report.json", "sluice.template.json"))
        if not report.exists():
            yield f"CDK wrote no report: {done.stderr.strip()[-2000:]}"
            return
        yield from violations(json.loads(report.read_text())["pluginReports"])
        if made.exists():
            yield from settings(json.loads(made.read_text()))
    if done.returncode != 0:
        yield f"CDK refuses the template: {done.stderr.strip()[-500:]}"


def synthesize(subject, folder):
    cdk, node = expand.INFRA / "cdk", pathlib.Path(sys.executable).with_name("node")
    template = folder / "expanded.json"
    template.write_text(expand.text(subject.expanded))
    command = [
        node, "node_modules/aws-cdk/bin/cdk", "synth", "--quiet", "--output", folder, "--context", f"template={template}",
        "--context", f"parameters={json.dumps(PARAMETERS)}",
    ]
    environment = {**os.environ, "PATH": f"{node.parent}:{os.environ['PATH']}", "CI": "true"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cdk)


def violations(plugins):
    for violation in (one for plugin in plugins for one in plugin["violations"]):
        places = [one["constructPath"] for one in violation["violatingConstructs"]]
        yield f"{violation['ruleName']} at {', '.join(places)}: {violation['description']}"


def settings(template):
    """What the construct puts lies where the schedule's input says, and speaks of the stack's database."""
    resolve = Resolver(template)
    resources = template["Resources"].values()
    calls = [json.loads(resolve(one["Properties"]["Create"])) for one in resources if one["Type"] == "Custom::AWS"]
    put = {f"s3://{call['parameters']['Bucket']}/{call['parameters']['Key']}": call["parameters"]["Body"] for call in calls}
    for schedule in (one["Properties"] for one in resources if one["Type"] == "AWS::Scheduler::Schedule"):
        uri = json.loads(resolve(schedule["Target"]["Input"]))["settings_uri"]
        if uri not in put:
            yield f"the schedule reads {uri}, and the construct puts {sorted(put)}"
    text, database = (expand.ROOT / "statemachine/catalog.toml").read_text(), PARAMETERS["DatabaseName"]
    wanted = text.replace('"sluice', f'"{database}').replace("`sluice", f"`{database}")
    if list(put.values()) != [wanted]:
        yield f"the construct does not put the settings of the catalog for the database {database}"
