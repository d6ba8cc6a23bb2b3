"""A catalog of a million rows: what a question costs that a person would ask, from the start of `sluice sql` to its end.

Beside it a question about nothing, which is what starting the program and opening the tables costs.
"""

import pathlib
import subprocess
import tempfile
import time

from .process import bare_environment

ROWS = 1_000_000

# Files of a month, one in fifty failed, in four languages.
FILL = f"""
INSERT INTO catalog_merged (bucket, key, version_id, object_uri, etag, size_bytes, event, first_seen, last_seen, sequencer,
    status, media_type, language, sensitivity, text_chars, entities_count, cost_usd, run, started, recorded, seconds)
SELECT 'raw', key, 'v' || n, 's3://raw/' || key, 'e' || n, x * 7 % 100000, 'created', seen AS first_seen,
    seen AS last_seen, lpad(n, 16, '0'), CASE WHEN x % 50 = 0 THEN 'FAILED' ELSE 'SUCCEEDED' END,
    CASE WHEN x % 3 = 0 THEN 'audio/wav' ELSE 'text/plain' END,
    element_at(ARRAY['en', 'de', 'fr', 'es'], CAST(x / 50 % 4 AS integer) + 1), 'none', x % 5000,
    CAST(x % 20 AS integer), 0.001, 'run-' || n, seen AS started, seen AS recorded, 0.5
FROM (SELECT x, n, 'folder/' || CAST(x % 1000 AS varchar) || '/file-' || n || '.txt' AS key,
             date_add('minute', x % 43200, TIMESTAMP '2026-05-01 00:00:00') AS seen
      FROM (SELECT x, CAST(x AS varchar) AS n FROM UNNEST(sequence(1, {ROWS})) AS t (x)))
"""

QUESTIONS = {
    "nothing": ("SELECT 1 AS one", 1),
    "one file by its key": ("SELECT status FROM catalog WHERE key = 'folder/5/file-500005.txt'", 1),
    "failed German recordings of a day": (
        "SELECT key, size_bytes FROM catalog WHERE language = 'de' AND status = 'FAILED' AND media_type = 'audio/wav' "
        "AND first_seen >= TIMESTAMP '2026-05-10 00:00:00' AND first_seen < TIMESTAMP '2026-05-11 00:00:00' "
        "ORDER BY size_bytes DESC LIMIT 10", 10),
    "failed German recordings of all days": (
        "SELECT key, size_bytes FROM catalog WHERE language = 'de' AND status = 'FAILED' AND media_type = 'audio/wav' "
        "ORDER BY size_bytes DESC LIMIT 10", 10),
    "long texts by language": (
        "SELECT language, count(*) AS files FROM catalog WHERE text_chars > 4900 GROUP BY language", 2),
}


def catalog(programs):
    print(f"\n## A catalog of {ROWS} rows: from the start of `sluice sql` to its end, the best of three", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        sluice, data = programs / "sluice", f"{scratch}/data"

        def ask(statement):
            command = [sluice, "sql", "--data", data, "--format", "json", statement]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=bare_environment())
            return done.stdout.splitlines()

        note = pathlib.Path(scratch) / "note.txt"
        note.write_text("The first file makes the tables.\n")
        subprocess.run([sluice, "run", "--json", "--data", data, note], check=True, env=bare_environment(),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ask(FILL)
        nothing = None
        for name, (statement, rows) in QUESTIONS.items():
            taken = []
            for _ in range(3):
                began = time.perf_counter()
                found = ask(statement)
                taken.append(time.perf_counter() - began)
            if len(found) != rows:
                raise SystemExit(f"{name}: {len(found)} rows instead of {rows}")
            nothing = nothing or min(taken)
            print(f"{name}: {min(taken) * 1000:.0f} ms, {min(taken) / nothing:.1f} x a question about nothing", flush=True)
