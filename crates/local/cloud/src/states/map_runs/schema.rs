//! The tables of Map Runs.
//!
//! A child is an execution like any other; its row here says whose child it is. Children wait as executions of the
//! status `PENDING`, which no list shows.

/// Times are milliseconds since 1970. `outcome` is what the parent is told, kept until it has heard.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS map_run (
    number INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    execution INTEGER NOT NULL,
    machine_arn TEXT NOT NULL,
    location TEXT NOT NULL,
    express INTEGER NOT NULL,
    status TEXT NOT NULL,
    is_read INTEGER NOT NULL DEFAULT 0,
    started INTEGER NOT NULL,
    stopped INTEGER,
    max_concurrency INTEGER NOT NULL,
    tolerated_count INTEGER,
    tolerated_percentage REAL,
    results_written INTEGER NOT NULL DEFAULT 0,
    redrives INTEGER NOT NULL DEFAULT 0,
    redriven INTEGER,
    outcome TEXT
);
CREATE INDEX IF NOT EXISTS map_run_by_execution ON map_run (execution, number);
CREATE INDEX IF NOT EXISTS map_run_open ON map_run (number) WHERE status = 'RUNNING';
CREATE TABLE IF NOT EXISTS map_run_child (
    map_run INTEGER NOT NULL REFERENCES map_run (number),
    place INTEGER NOT NULL,
    items INTEGER NOT NULL,
    execution INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (map_run, place)
) WITHOUT ROWID;
";
