"""Lambda functions: how soon one is ready, what a warm invocation costs, and a chain of six under load."""

import http.server
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from .process import bare_environment

FUNCTIONS = ["start", "classify", "start-job", "poll-status", "postprocess", "catalog"]
STARTS = 15

PYTHON_FUNCTION = """
import os, urllib.request
import boto3
boto3.client('s3', region_name='us-east-1')
urllib.request.urlopen('http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/next')
"""


class FirstNext(http.server.BaseHTTPRequestHandler):
    """A Runtime API that only notes when it is first asked for work."""

    def do_GET(self):
        self.server.asked.set()
        self.server.over.wait(30)
        self.close_connection = True

    def log_message(self, *_):
        pass


def seconds_to_next(command):
    """Seconds from starting the process until it asks for its first event."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FirstNext)
    server.asked, server.over = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = bare_environment(
        AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{server.server_port}", AWS_LAMBDA_FUNCTION_NAME="bench",
        AWS_LAMBDA_FUNCTION_VERSION="$LATEST", AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512",
        AWS_LAMBDA_LOG_GROUP_NAME="g", AWS_LAMBDA_LOG_STREAM_NAME="s", AWS_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", SLUICE_RAW_BUCKET="r",
        SLUICE_EXTRACTED_BUCKET="e", SLUICE_CATALOG_BUCKET="c", SLUICE_STATE_MACHINE_ARN="arn",
    )
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    asked = server.asked.wait(30)
    taken = time.perf_counter() - began
    process.kill()
    process.wait()
    server.over.set()
    server.shutdown()
    if not asked:
        sys.exit(f"{command[0]} never asked for an event")
    return taken


def starts(programs):
    print(f"\n## Start: process start to first `next`, median of {STARTS}")
    commands = {name: [str(programs / name)] for name in FUNCTIONS}
    commands["hello world in Rust"] = [str(programs / "examples" / "worker")]
    commands["Python with boto3"] = [sys.executable, "-c", PYTHON_FUNCTION]
    taken = {name: [] for name in commands}
    for _ in range(STARTS):
        for name, command in commands.items():
            taken[name].append(seconds_to_next(command))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    python, hello = medians["Python with boto3"], medians["hello world in Rust"]
    for name, median in medians.items():
        print(f"{name:22} {median * 1000:7.1f} ms   {median / hello:5.2f} x hello world   1/{python / median:.1f} of Python")


def overhead(programs):
    print("\n## Overhead: a warm invocation through the Runtime API, against a bare loopback HTTP round trip", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([programs / "examples" / "overhead", scratch, "5000"], check=True)


def load(programs):
    print("\n## Load: files through a chain of six functions, two workers each, durable", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([programs / "examples" / "chain", scratch, programs / "start"], check=True)
