"""Other engines read what the lakehouse writes: PyIceberg and DuckDB, at every snapshot, after random statements.

LAKEHOUSE_SHELL names the example program `lakehouse_shell`. What a table must hold is kept in a plain dictionary beside
it. The writer is also killed in the middle of statements: afterwards the table is as before or as after, never between.
SEEDS says how many random runs there are.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import threading
import unittest

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
from pyiceberg.table import StaticTable

SHELL = os.environ["LAKEHOUSE_SHELL"]
SEEDS = int(os.environ.get("SEEDS", "2"))
GROUPS = [None, "a", "b/c", "d'e", "ä=f", "", "a b"]
SPECS = ["", "PARTITIONED BY (grp)", "PARTITIONED BY (grp, bucket(4, id))", "PARTITIONED BY (truncate(10, id))",
         "PARTITIONED BY (month(seen))", "PARTITIONED BY (day(seen), truncate(1, grp))"]


class Shell:
    """The lakehouse in a process of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([SHELL, self.folder, "lake"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def send(self, statement):
        self.process.stdin.write(json.dumps(statement) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def run(self, statement):
        self.send(statement)
        answer = self.answer()
        if answer is None or "error" in answer:
            raise AssertionError(f"{statement}: {answer}")
        return answer

    def rows(self, query):
        return self.run(query)["rows"]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def literal(value):
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def moment(number):
    return f"2024-{number % 4 + 1:02}-{number % 27 + 1:02} 10:00:00"


def changed(row, column, value):
    """A row with another value in one column; one from before the column has all of it null."""
    return {**row, column: value}


class Model:
    """What the table must hold: rows by key. `extra` is there once the column was added."""

    def __init__(self, chance):
        self.chance = chance
        self.rows = {}
        self.extra = False

    def statement(self):
        """A random statement, and the rows after it."""
        kinds = [self.delete, self.delete_group, self.update, self.update_group, self.optimize, self.insert]
        return self.chance.choice(kinds + [self.merge] * 4 + ([] if self.extra else [self.add_column]))()

    def delete(self):
        low = self.chance.randrange(40)
        rows = {key: row for key, row in self.rows.items() if not low <= key <= low + 4}
        return f"DELETE FROM t WHERE id BETWEEN {low} AND {low + 4}", rows

    def delete_group(self):
        group = self.chance.choice(GROUPS[1:])
        rows = {key: row for key, row in self.rows.items() if row["grp"] != group}
        return f"DELETE FROM t WHERE grp = {literal(group)}", rows

    def update(self):
        low = self.chance.randrange(40)
        rows = {key: changed(row, "n", row["n"] if key < low or row["n"] is None else row["n"] + 1)
                for key, row in self.rows.items()}
        return f"UPDATE t SET n = n + 1 WHERE id >= {low}", rows

    def update_group(self):
        group = self.chance.choice(GROUPS)
        rows = {key: changed(row, "grp", group if row["n"] is None else row["grp"]) for key, row in self.rows.items()}
        return f"UPDATE t SET grp = {literal(group)} WHERE n IS NULL", rows

    def optimize(self):
        return "OPTIMIZE t REWRITE DATA USING BIN_PACK", dict(self.rows)

    def add_column(self):
        self.extra = True
        return "ALTER TABLE t ADD COLUMNS (extra string)", dict(self.rows)

    def new_row(self):
        row = {"grp": self.chance.choice(GROUPS), "n": self.chance.choice([None, 1, 2, 3]),
               "seen": moment(self.chance.randrange(100))}
        return changed(row, "extra", self.chance.choice([None, "x"])) if self.extra else row

    def values(self, key, row):
        values = [str(key), literal(row["grp"]), literal(row["n"]), f"TIMESTAMP '{row['seen']}'"]
        return f"({', '.join(values + ([literal(row.get('extra'))] if self.extra else []))})"

    def names(self):
        return ["id", "grp", "n", "seen"] + (["extra"] if self.extra else [])

    def insert(self):
        free = [key for key in range(40, 400) if key not in self.rows]
        new = {key: self.new_row() for key in self.chance.sample(free, 3)}
        values = ", ".join(self.values(key, row) for key, row in new.items())
        return f"INSERT INTO t ({', '.join(self.names())}) VALUES {values}", {**self.rows, **new}

    def merge(self):
        rows = dict(self.rows)
        source = {key: self.new_row() for key in self.chance.sample(range(40), self.chance.randrange(1, 20))}
        for key, row in source.items():
            if key not in rows:
                rows[key] = row
            elif row["n"] == 1:
                del rows[key]
            else:
                rows[key] = changed(rows[key], "grp", row["grp"])
        names = ", ".join(self.names())
        values = ", ".join(self.values(key, row) for key, row in source.items())
        return (f"MERGE INTO t USING (VALUES {values}) AS s({names}) ON t.id = s.id "
                "WHEN MATCHED AND s.n = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET grp = s.grp "
                f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({', '.join('s.' + name for name in self.names())})"
                ), rows


def plain(rows, columns):
    """Rows of dictionaries or tuples in one form, sorted by key."""
    return sorted(tuple(str(value) if name == "seen" and value is not None else value
                        for name, value in zip(columns, row)) for row in rows)


def expected(rows, columns):
    return plain([(key, *(row.get(name) for name in columns[1:])) for key, row in rows.items()], columns)


class Readers(unittest.TestCase):
    maxDiff = None

    def follow(self, seed, kills):
        chance = random.Random(seed)
        with tempfile.TemporaryDirectory() as folder:
            shell = Shell(folder)
            shell.run("CREATE DATABASE lake")
            shell.run(f"CREATE TABLE t (id bigint, grp string, n int, seen timestamp) {SPECS[seed % len(SPECS)]} "
                      "LOCATION 's3://b/t' TBLPROPERTIES ('optimize_rewrite_data_file_threshold'='2')")
            model, snapshots = Model(chance), {}
            for _ in range(25):
                statement, rows = model.statement()
                if kills and chance.random() < 0.5:
                    model.rows = self.killed(shell, statement, model, rows, chance)
                else:
                    shell.run(statement)
                    model.rows = rows
                self.assertEqual(self.own(shell, model), expected(model.rows, model.names()), (seed, statement))
                newest = shell.rows('SELECT snapshot_id FROM "t$snapshots" ORDER BY committed_at DESC LIMIT 1')
                if newest:
                    snapshots.setdefault(int(newest[0][0]), (dict(model.rows), model.names()))
            self.read_by_others(pathlib.Path(folder), snapshots, seed)
            shell.close()

    def own(self, shell, model):
        """The table as the lakehouse reads it."""
        columns = model.names()
        rows = shell.rows(f"SELECT id, grp, n, CAST(seen AS VARCHAR){', extra' if model.extra else ''} FROM t")
        read = [(int(row[0]), row[1], None if row[2] is None else int(row[2]), row[3].removesuffix(".000000"), *row[4:])
                for row in rows]
        return plain(read, columns)

    def killed(self, shell, statement, model, rows, chance):
        """Kills the writer on the way, and says which rows the table must hold: those before or those after."""
        had_extra = model.extra
        shell.send(statement)
        timer = threading.Timer(chance.random() * 0.15, shell.kill)
        timer.start()
        done = shell.answer()
        timer.join()
        shell.start()
        columns = [row[0] for row in shell.rows("SHOW COLUMNS IN t")]
        model.extra = "extra" in columns
        found = self.own(shell, model)
        before, after = expected(model.rows, model.names()), expected(rows, model.names())
        self.assertIn(found, [after] if done else [before, after], statement)
        self.assertTrue(model.extra or not done or not had_extra)
        return rows if found == after else model.rows

    def read_by_others(self, folder, snapshots, seed):
        # The newest entry of the catalog: a writer that was killed may have left newer files that count for nothing.
        entry = max((folder / "warehouse/.catalog/lake/t").glob("*.json"))
        metadata = json.loads(entry.read_text())["metadata_location"].removeprefix("file://")
        table = StaticTable.from_metadata(metadata)
        engine = duckdb.connect()
        for extension in (duckdb_extension_avro, duckdb_extension_iceberg):
            for file in pathlib.Path(extension.__file__).parent.rglob("*.duckdb_extension"):
                engine.load_extension(str(file))
        for snapshot, (rows, columns) in snapshots.items():
            wanted = expected(rows, columns)
            read = table.scan(snapshot_id=snapshot).to_arrow().to_pylist()
            self.assertEqual(plain([[row[name] for name in columns] for row in read], columns), wanted, (seed, "PyIceberg"))
            query = f"SELECT {', '.join(columns)} FROM iceberg_scan('{metadata}', snapshot_from_id = {snapshot})"
            self.assertEqual(plain(engine.sql(query).fetchall(), columns), wanted, (seed, "DuckDB"))

    def test_random_statements(self):
        for seed in range(SEEDS * len(SPECS)):
            with self.subTest(seed=seed):
                self.follow(seed, kills=False)

    def test_a_killed_writer(self):
        for seed in range(1000, 1000 + SEEDS * 2):
            with self.subTest(seed=seed):
                self.follow(seed, kills=True)


if __name__ == "__main__":
    unittest.main()
