"""One local cloud for the tests of a class, and the clients that speak to it.

SLUICE names the program.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

# The longest that anything here may take: recognising speech on a slow, busy machine.
MOST_SECONDS = 300

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "samples"

ROLE = "arn:aws:iam::000000000000:role/test"


def until(what, condition):
    """Looks again and again until the condition gives something."""
    for _ in range(MOST_SECONDS * 10):
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {MOST_SECONDS} s in vain until {what}")


class CloudTestCase(unittest.TestCase):
    """Runs `sluice up` on a directory of its own for all tests of the class."""

    options = []

    @classmethod
    def setUpClass(cls):
        cls.data = tempfile.TemporaryDirectory()
        command = [os.environ["SLUICE"], "up", "--json", "--port", "0", "--data", cls.data.name, *cls.options]
        cls.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        cls.deployment = json.loads(cls.process.stdout.readline())

    @classmethod
    def tearDownClass(cls):
        cls.process.send_signal(signal.SIGTERM)
        code = cls.process.wait(timeout=30)
        cls.process.stdout.close()
        cls.data.cleanup()
        assert code == 0, f"the program ended with {code}"

    def client(self, service, endpoint_url=None, **settings):
        return boto3.client(
            service,
            endpoint_url=endpoint_url or self.deployment["endpoint_url"],
            region_name=self.deployment["region"],
            aws_access_key_id="sluice",
            aws_secret_access_key="sluice",
            config=botocore.config.Config(**settings),
        )

    def refused(self, code, call, **arguments):
        """The message of a call that must fail with this error type."""
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            call(**arguments)
        error = refused.exception.response["Error"]
        self.assertEqual(error["Code"], code, error)
        return error["Message"]

    def aws(self, *arguments, check=True):
        """What the AWS CLI prints, as JSON; with `check=False` its exit code and what it complains of."""
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.deployment["endpoint_url"],
            "AWS_DEFAULT_REGION": self.deployment["region"],
            "AWS_ACCESS_KEY_ID": "sluice",
            "AWS_SECRET_ACCESS_KEY": "sluice",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_PAGER": "",
        }
        command = [sys.executable, "-m", "awscli", *arguments, "--output", "json"]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS)
        if not check:
            return finished.returncode, finished.stderr
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return json.loads(finished.stdout) if finished.stdout.strip() else None
