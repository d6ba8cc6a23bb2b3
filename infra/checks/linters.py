"""Checks that others wrote: cfn-lint over the expansion, `sam validate` over the source, our engine over definitions."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import cfnlint.api
import expand
from samcli.yamlhelper import yaml_dump

# One of the large regions, a small one, and one of another partition.
REGIONS = ["us-east-1", "eu-central-1", "us-gov-west-1"]


def cloudformation(subject):
    for found in cfnlint.api.lint(expand.text(subject.expanded), regions=REGIONS):
        yield f"{found.rule.id} at {'/'.join(map(str, found.path or ['?']))}: {found.message}"


def sam(source):
    """SAM's own schema and transform, as its command line applies them."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "template.yaml")
        file.write_text(yaml_dump(source.template))
        command = [pathlib.Path(sys.executable).with_name("sam"), "validate", "--template", file, "--region", "us-east-1"]
        environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "SAM_CLI_CHECK_VERSION": "0"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
        if done.returncode != 0:
            yield (done.stdout + done.stderr).strip().splitlines()[-1]


def definitions(source, programs):
    """What Step Functions would say of each definition, by the engine that runs them on a laptop."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: pathlib.Path(folder, name) for name in source.machines}
        for name, file in files.items():
            file.write_text(json.dumps(source.machines[name], indent=2))
        command = [programs / "examples" / "check_definitions", *files.values()]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        yield from done.stdout.replace(f"{folder}/", "").splitlines()
        if done.returncode not in (0, 1):
            yield done.stderr.strip()
