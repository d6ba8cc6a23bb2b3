"""What a further state costs: CPU time of the server over chains of Pass states, beside moto and MiniStack."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

import boto3
from botocore.config import Config

from .process import bare_environment, cpu_seconds, free_port, stop, wait_for_port

SHORT, LONG = 1, 41
BLOCKS = 5
ROLE = "arn:aws:iam::000000000000:role/r"


def definition(states):
    def state(number):
        return {"Type": "Pass", **({"End": True} if number == states else {"Next": f"S{number + 1}"})}

    return json.dumps({"StartAt": "S1", "States": {f"S{number}": state(number) for number in range(1, states + 1)}})


def sluice(programs, scratch):
    command = [programs / "sluice", "up", "--json", "--port", "0", "--data", f"{scratch}/data"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=bare_environment())
    return process, json.loads(process.stdout.readline())["endpoint_url"]


def moto(_, scratch):
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    process = quiet(command, scratch)
    wait_for_port(port)
    body = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    url = f"http://127.0.0.1:{port}/moto-api/config"
    urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST"))
    return process, f"http://127.0.0.1:{port}"


def ministack(_, scratch):
    port = free_port()
    process = quiet([sys.executable, "-m", "ministack"], scratch, GATEWAY_PORT=str(port), HOME=scratch)
    wait_for_port(port)
    return process, f"http://127.0.0.1:{port}"


def quiet(command, scratch, **more):
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=bare_environment(**more), cwd=scratch, **nowhere)


# Each server with how many executions it is given in a block: the slow ones need fewer to be measured.
SERVERS = {"sluice (durable)": (sluice, 200), "moto": (moto, 20), "MiniStack": (ministack, 40)}


def client(endpoint):
    return boto3.client(
        "stepfunctions", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a",
        aws_secret_access_key="b", config=Config(retries={"max_attempts": 1}),
    )


def run(states, machine, count):
    """Starts `count` executions and sees each of them to its end."""
    # moto takes no second execution without a name.
    starts = ({"stateMachineArn": machine, "name": str(uuid.uuid4()), "input": "{}"} for _ in range(count))
    arns = [states.start_execution(**start)["executionArn"] for start in starts]
    # Nobody is asked before all have had the time to end, so that asking costs the same for both chains.
    time.sleep(1)
    for arn in arns:
        while (status := states.describe_execution(executionArn=arn)["status"]) == "RUNNING":
            time.sleep(0.05)
        if status != "SUCCEEDED":
            sys.exit(f"an execution ended as {status}")
    return arns[-1]


def measure(name, programs):
    start, count = SERVERS[name]
    with tempfile.TemporaryDirectory() as scratch:
        process, endpoint = start(programs, scratch)
        try:
            return cost(process, client(endpoint), count)
        finally:
            stop(process)


def cost(process, states, count):
    """Microseconds of CPU for an execution of one state, and for each further state."""
    machines = {
        length: states.create_state_machine(name=f"chain-{length}", definition=definition(length), roleArn=ROLE)[
            "stateMachineArn"
        ]
        for length in (SHORT, LONG)
    }
    spent = {length: 0.0 for length in machines}
    for length, machine in machines.items():
        check(states, run(states, machine, count // 4), length)
    for _ in range(BLOCKS):
        for length, machine in machines.items():
            began = cpu_seconds(process.pid)
            run(states, machine, count)
            spent[length] += cpu_seconds(process.pid) - began
    each = {length: seconds * 1e6 / (BLOCKS * count) for length, seconds in spent.items()}
    return each[SHORT], (each[LONG] - each[SHORT]) / (LONG - SHORT)


def check(states, arn, length):
    """A server that skips states, or their events, would be fast for nothing."""
    events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    entered = [event for event in events if event["type"] == "PassStateEntered"]
    if len(entered) != length:
        sys.exit(f"a history of {length} states has {len(entered)} of them")


def chain(programs):
    print(f"\n## A further state: CPU time of the server, chains of {SHORT} and {LONG} Pass states through boto3")
    found = {name: measure(name, programs) for name in SERVERS}
    _, ours = found["sluice (durable)"]
    for name, (execution, state) in found.items():
        print(
            f"{name:18} {execution:8.0f} us for an execution of one state, {state:7.1f} us for each further state"
            f"   {state / ours:6.1f} x sluice"
        )
