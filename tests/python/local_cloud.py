"""A local cloud on a free port, for as long as a test needs it. SLUICE names the program."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "samples"


class Up:
    """`sluice up` on a directory of its own; `deployment` is what it says of itself."""

    def __init__(self):
        self.data = tempfile.TemporaryDirectory()
        command = [os.environ["SLUICE"], "up", "--json", "--port", "0", "--data", self.data.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.deployment = json.loads(self.process.stdout.readline())

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.data.cleanup()
        assert code == 0, f"the program ended with {code}"
