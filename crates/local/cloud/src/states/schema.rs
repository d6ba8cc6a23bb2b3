//! The tables of the Step Functions surface.
//!
//! An execution is its log; the row of the execution repeats what lists and descriptions need of it.

/// Times are milliseconds since 1970. A row of the log holds what one commit added, from its first entry to its last, and
/// the id of its last event. A definition is kept once for each revision, however many executions use it.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS state_machine (
    arn TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL REFERENCES state_machine_revision (number),
    created INTEGER NOT NULL,
    settings TEXT NOT NULL,
    tags TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state_machine_revision (
    number INTEGER PRIMARY KEY,
    id TEXT,
    machine_arn TEXT NOT NULL,
    definition TEXT NOT NULL,
    role_arn TEXT NOT NULL,
    updated INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS execution (
    number INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    machine_arn TEXT NOT NULL,
    revision INTEGER NOT NULL REFERENCES state_machine_revision (number),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    input TEXT NOT NULL,
    output TEXT,
    error TEXT,
    cause TEXT,
    started INTEGER NOT NULL,
    stopped INTEGER,
    redrives INTEGER NOT NULL DEFAULT 0,
    redriven INTEGER,
    redrive_token TEXT
);
CREATE INDEX IF NOT EXISTS execution_by_machine ON execution (machine_arn, number);
CREATE INDEX IF NOT EXISTS execution_by_status ON execution (status, number);
CREATE TABLE IF NOT EXISTS execution_log (
    execution INTEGER NOT NULL REFERENCES execution (number),
    sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    event_id INTEGER,
    entries BLOB NOT NULL,
    PRIMARY KEY (execution, sequence)
) WITHOUT ROWID;
";
