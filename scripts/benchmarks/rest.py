"""At rest: how long a start takes, what an idle program holds, what a closed execution leaves in memory."""

import statistics
import subprocess
import tempfile
import time

from .chain import ROLE, client, definition, sluice
from .process import bare_environment, memory_kb, stop

STARTS = 15
EXECUTIONS = 4000


def start(programs, data):
    """Seconds from starting the process until it answers, and the process."""
    command = [programs / "sluice", "up", "--json", "--port", "0", "--data", data]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=bare_environment())
    process.stdout.readline()
    return time.perf_counter() - began, process


def starts(programs):
    fresh, again, resident, own = [], [], [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as scratch:
            for times in (fresh, again):
                taken, process = start(programs, f"{scratch}/data")
                times.append(taken * 1000)
                time.sleep(0.2)
                resident.append(memory_kb(process.pid, "VmRSS") / 1024)
                own.append(memory_kb(process.pid, "RssAnon") / 1024)
                stop(process)
    print(
        f"start: {statistics.median(fresh):.0f} ms with a new directory, {statistics.median(again):.0f} ms with an old one; "
        f"idle: {statistics.median(resident):.1f} MB resident, {statistics.median(own):.1f} MB of its own"
    )


def closed(programs):
    """The second half of the executions is counted: the first fills caches that do not grow any more."""
    with tempfile.TemporaryDirectory() as scratch:
        process, endpoint = sluice(programs, scratch)
        states = client(endpoint)
        made = states.create_state_machine(name="chain", definition=definition(5), roleArn=ROLE)
        held = []
        for _ in range(2):
            for _ in range(EXECUTIONS // 2):
                states.start_execution(stateMachineArn=made["stateMachineArn"], input='{"a": "small input"}')
            time.sleep(1)
            held.append(memory_kb(process.pid, "RssAnon") * 1024)
        stop(process)
    print(f"closed executions: {(held[1] - held[0]) / (EXECUTIONS // 2):.0f} bytes of memory for each ({held[1] >> 20} MB in all)")


def rest(programs):
    print(f"\n## At rest: median of {STARTS} starts, and {EXECUTIONS} executions")
    starts(programs)
    closed(programs)
