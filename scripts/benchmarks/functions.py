"""Lambda functions: how soon one is ready, what a warm invocation costs, and a chain of six under load."""

import http.server
import io
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

from .process import bare_environment, memory_kb

# The functions as they are deployed: `make package` fills it.
PACKAGES = pathlib.Path(__file__).resolve().parents[2] / "infra" / "build"
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


def first_next(command):
    """Seconds from starting the process until it asks for its first event, and the megabytes that it took by then."""
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
    megabytes = memory_kb(process.pid, "VmHWM") / 1024 if asked else 0
    process.kill()
    process.wait()
    server.over.set()
    server.shutdown()
    if not asked:
        sys.exit(f"{command[0]} never asked for an event")
    return taken, megabytes


def packed_megabytes(package):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in package.iterdir():
            archive.write(file, file.name)
    return len(packed.getvalue()) / 1e6


def starts(programs):
    packages = sorted(folder for folder in PACKAGES.iterdir() if (folder / "bootstrap").exists())
    commands = {package.name: [str(package / "bootstrap")] for package in packages}
    commands["hello world in Rust"] = [str(programs / "examples" / "worker")]
    commands["Python with boto3"] = [sys.executable, "-c", PYTHON_FUNCTION]
    print(f"\n## Start of the packages: process start to first `next` and memory by then, median of {STARTS}")
    taken = {name: [] for name in commands}
    for _ in range(STARTS):
        for name, command in commands.items():
            taken[name].append(first_next(command))
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in taken.items()}
    (python, _), (hello, _) = medians["Python with boto3"], medians["hello world in Rust"]
    sizes = {package.name: packed_megabytes(package) for package in packages}
    for name, (seconds, megabytes) in medians.items():
        size = f"{sizes[name]:5.2f} MB packed" if name in sizes else " " * 15
        print(
            f"{name:22} {seconds * 1000:7.1f} ms   {seconds / hello:5.2f} x hello world   1/{python / seconds:.1f} of Python"
            f"   {megabytes:6.1f} MB   {size}"
        )


def overhead(programs):
    print("\n## Overhead: a warm invocation through the Runtime API, against a bare loopback HTTP round trip", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([programs / "examples" / "overhead", scratch, "5000"], check=True)


def load(programs):
    print("\n## Load: files through a chain of six functions, two workers each, durable", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([programs / "examples" / "chain", scratch, programs / "start"], check=True)
