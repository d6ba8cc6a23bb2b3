//! The tables of Athena's surface. Every statement may run again on a database that has them.

/// A query's request, and what came of it, are JSON: they are written and read whole.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS athena_query (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    work_group TEXT NOT NULL,
    token TEXT UNIQUE,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    submitted_ms INTEGER NOT NULL,
    started_ms INTEGER,
    completed_ms INTEGER,
    outcome TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX IF NOT EXISTS athena_query_by_group ON athena_query (work_group, number);
CREATE INDEX IF NOT EXISTS athena_query_open ON athena_query (number) WHERE completed_ms IS NULL;

CREATE TABLE IF NOT EXISTS athena_work_group (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    description TEXT,
    configuration TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS athena_saved (
    kind TEXT NOT NULL,
    work_group TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, work_group, name)
) STRICT, WITHOUT ROWID;
";
