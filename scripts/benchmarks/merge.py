"""What a MERGE costs: some thousand changes into a table of millions of rows, beside PyIceberg's upsert of the same
changes into the same table, and DuckDB reading all its rows, which is the least that anybody must do who looks at each.

ROWS and CHANGES say how many; nine changes of ten are updates, the others are new rows. The updates lie in the newest
tenth of the table, as those of a log of changes do, and then, in another table, all over it, so that no file is spared.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROWS = int(os.environ.get("ROWS", "10000000"))
CHANGES = int(os.environ.get("CHANGES", "100000"))
BATCH = 1_000_000


class Shell:
    """The lakehouse in a process of its own."""

    def __init__(self, programs, folder):
        command = [programs / "examples" / "lakehouse_shell", folder, "lake"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, statement):
        self.process.stdin.write(json.dumps(statement) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{statement}: {answer['error']}")
        return answer

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def values(first, last):
    return (f"SELECT x AS id, x % 97 AS grp, 'row number ' || CAST(x AS varchar) AS name, x * 3 AS amount "
            f"FROM UNNEST(sequence({first}, {last})) AS t(x)")


def fill(shell):
    shell.run("CREATE DATABASE lake")
    shell.run("CREATE TABLE target (id bigint, grp bigint, name string, amount bigint) LOCATION 's3://b/target' "
              "TBLPROPERTIES ('table_type'='ICEBERG')")
    for first in range(1, ROWS + 1, BATCH):
        shell.run(f"INSERT INTO target {values(first, min(first + BATCH - 1, ROWS))}")


def change(folder, share):
    """The changes as a file of Parquet: updates spread over the newest `share` of the table, and new rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    updates = CHANGES * 9 // 10
    step = max(1, int(ROWS * share) // updates)
    ids = [ROWS - number * step for number in range(updates)] + list(range(ROWS + 1, ROWS + 1 + CHANGES - updates))
    table = pa.table({"id": pa.array(ids, pa.int64()), "grp": pa.array([7] * len(ids), pa.int64()),
                      "name": pa.array(["changed"] * len(ids)), "amount": pa.array(ids, pa.int64())})
    place = pathlib.Path(folder) / "b" / "changes"
    place.mkdir(parents=True)
    pq.write_table(table, place / "changes.parquet")
    return table


MERGE = ("MERGE INTO target t USING changes s ON t.id = s.id WHEN MATCHED THEN UPDATE SET grp = s.grp, name = s.name, "
         "amount = s.amount WHEN NOT MATCHED THEN INSERT (id, grp, name, amount) VALUES (s.id, s.grp, s.name, s.amount)")


def metadata_of(folder):
    entry = max((pathlib.Path(folder) / "warehouse/.catalog/lake/target").glob("*.json"))
    return json.loads(entry.read_text())["metadata_location"]


UPSERT = """
import json, resource, sys, time
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
metadata, changes, folder = sys.argv[1:]
catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
catalog.create_namespace("lake")
table = catalog.register_table("lake.target", metadata)
began = time.monotonic()
done = table.upsert(pq.read_table(changes), join_cols=["id"])
seconds = time.monotonic() - began
print(json.dumps({"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "updated": done.rows_updated, "inserted": done.rows_inserted}))
"""


def read_by_duckdb(metadata):
    import duckdb
    import duckdb_extension_avro
    import duckdb_extension_iceberg

    engine = duckdb.connect()
    for extension in (duckdb_extension_avro, duckdb_extension_iceberg):
        for file in pathlib.Path(extension.__file__).parent.rglob("*.duckdb_extension"):
            engine.load_extension(str(file))
    began = time.monotonic()
    found = engine.sql(f"SELECT count(*), sum(id), count(DISTINCT name), sum(amount), sum(grp) "
                       f"FROM iceberg_scan('{metadata.removeprefix('file://')}')").fetchall()
    return time.monotonic() - began, found[0][0]


def merge(programs):
    print(f"\n## MERGE of {CHANGES} changes into {ROWS} rows", flush=True)
    for share, where in ((0.1, "in the newest tenth"), (1, "all over the table")):
        print(f"updates {where}:")
        merge_one(programs, share)


def merge_one(programs, share):
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(programs, folder)
        fill(shell)
        shell.close()
        change(folder, share)
        before = metadata_of(folder)
        shell = Shell(programs, folder)
        shell.run("CREATE EXTERNAL TABLE changes (id bigint, grp bigint, name string, amount bigint) STORED AS PARQUET "
                  "LOCATION 's3://b/changes'")
        began = time.monotonic()
        counts = shell.run(MERGE)["counts"]
        own, peak = time.monotonic() - began, shell.peak_mib()
        began = time.monotonic()
        filtered = shell.run(f"SELECT name, amount FROM target WHERE id = {ROWS // 2}")["rows"]
        look = time.monotonic() - began
        shell.close()
        floor, rows = read_by_duckdb(metadata_of(folder))
        print(f"  {own:.1f} s, {peak:.0f} MiB at most, {counts['updated']} updated and {counts['inserted']} inserted")
        print(f"  one row of {rows} found in {look * 1000:.0f} ms ({len(filtered)} row)")
        print(f"  DuckDB reads every row in {floor:.1f} s: the merge takes {own / floor:.1f} times as long")
        command = [sys.executable, "-c", UPSERT, before, f"{folder}/b/changes/changes.parquet", folder]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(f"  PyIceberg's upsert ended with {done.returncode} before it was done")
            return
        other = json.loads(done.stdout)
        print(f"  PyIceberg's upsert of the same changes: {other['seconds']:.1f} s, {other['mib']:.0f} MiB at most, "
              f"{other['updated']} updated and {other['inserted']} inserted: {other['seconds'] / own:.1f} times as long",
              flush=True)
