"""Small texts through the whole pipeline, against a loop that only calls the same engines."""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from .process import Peak, bare_environment

WORDS = """the committee reviewed annual budget proposals and agreed that new library opening hours would help
families students and retired people alike because evenings remain quiet while weekend visits keep growing
every spring according to a report from example.com dated 3 May 2026 costing 250 EUR""".split()


def write(folder, count):
    chance = random.Random(7)
    for number in range(count):
        words = " ".join(chance.choices(WORDS, k=chance.randint(30, 120)))
        (folder / f"text-{number:05}.txt").write_text(f"Note {number}. {words}.\n")


def end_to_end(programs, count):
    """Seconds of the pipeline and of the engines alone, and the peak of the program's own memory in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "texts"
        folder.mkdir()
        write(folder, count)
        began = time.perf_counter()
        command = [programs / "sluice", "run", "--json", "--data", f"{scratch}/data", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=bare_environment())
        peak = Peak(process.pid)
        rows = [json.loads(line) for line in process.stdout]
        process.wait()
        taken = time.perf_counter() - began
        if len(rows) != count or any(row["status"] != "SUCCEEDED" for row in rows):
            sys.exit("not every text succeeded")
        began = time.perf_counter()
        subprocess.run([programs / "examples" / "language_engines", folder], check=True, stdout=subprocess.DEVNULL)
        return taken, time.perf_counter() - began, peak.stop()


def throughput(programs, count):
    print("\n## Throughput: small texts end to end, against a loop that only calls the same engines")
    for files in (count, 2 * count):
        whole, engines, peak = end_to_end(programs, files)
        print(
            f"{files} files: {files / whole:.0f} files/s; engines alone {files / engines:.0f} files/s; "
            f"ratio {engines / whole:.2f}; peak anonymous memory of the program {peak:.0f} MB",
            flush=True,
        )
