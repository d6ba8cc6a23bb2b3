"""Processes from outside: what they cost in CPU time and memory, and when a port answers."""

import os
import pathlib
import socket
import threading
import time


def cpu_seconds(process):
    """CPU time of a whole process so far, to the nanosecond (Linux: the id of another process's CPU clock)."""
    return time.clock_gettime((~process << 3) | 2)


def memory_kb(process, field):
    """`VmRSS` (all that is mapped and resident) or `RssAnon` (the process's own), in KB."""
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_for_port(port, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except Exception:
        process.kill()
        process.wait()


class Peak:
    """Watches how much memory of its own a process holds at most, in MB."""

    def __init__(self, process):
        self.process = process
        self.peak = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.over.wait(0.02):
            try:
                self.peak = max(self.peak, memory_kb(self.process, "RssAnon"))
            except (OSError, StopIteration):
                return

    def stop(self):
        self.over.set()
        self.thread.join()
        return self.peak / 1024


def bare_environment(**more):
    """An environment that says nothing of any deployment."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **more}
