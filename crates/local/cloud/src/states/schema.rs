//! The tables of the Step Functions surface.
//!
//! An execution is its log; the row of the execution repeats what lists and descriptions need of it.

/// Times are milliseconds since 1970. A row of the log holds what one commit added, from its first entry to its last, and
/// the id of its last event; `execution_log.place` is made of the execution's number and the sequence of the first entry,
/// so that a log lies together and a commit touches one page. A definition is kept once for each revision, however many
/// executions use it.
///
/// `state_machine.creation` is what the creation asked for beside the content, which its idempotency depends on.
/// `execution.kind` is `STANDARD`, `EXPRESS`, or `SYNC` for an Express execution that somebody waits for.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS state_machine (
    arn TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL REFERENCES state_machine_revision (number),
    created INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    creation TEXT NOT NULL DEFAULT '{}',
    next_version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state_machine_revision (
    number INTEGER PRIMARY KEY,
    id TEXT,
    machine_arn TEXT NOT NULL,
    definition TEXT NOT NULL,
    role_arn TEXT NOT NULL,
    updated INTEGER NOT NULL,
    type TEXT NOT NULL DEFAULT 'STANDARD',
    settings TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS state_machine_version (
    machine_arn TEXT NOT NULL,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL REFERENCES state_machine_revision (number),
    description TEXT,
    created INTEGER NOT NULL,
    PRIMARY KEY (machine_arn, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state_machine_alias (
    number INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    machine_arn TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    routing TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS state_machine_alias_by_machine ON state_machine_alias (machine_arn, number);
CREATE TABLE IF NOT EXISTS resource_tag (
    arn TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) WITHOUT ROWID;
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
    kind TEXT NOT NULL DEFAULT 'STANDARD',
    version_arn TEXT,
    alias_arn TEXT,
    trace_header TEXT
);
CREATE INDEX IF NOT EXISTS execution_by_time ON execution (machine_arn, coalesce(stopped, redriven, started), number);
CREATE INDEX IF NOT EXISTS execution_open ON execution (number) WHERE status = 'RUNNING';
CREATE INDEX IF NOT EXISTS execution_closed ON execution (stopped, number) WHERE stopped IS NOT NULL;
CREATE INDEX IF NOT EXISTS execution_passing ON execution (number) WHERE kind <> 'STANDARD';
CREATE TABLE IF NOT EXISTS execution_redrive (
    execution INTEGER NOT NULL REFERENCES execution (number) ON DELETE CASCADE,
    redriven INTEGER NOT NULL,
    token TEXT NOT NULL,
    PRIMARY KEY (execution, token)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS execution_log (
    place INTEGER PRIMARY KEY,
    last_sequence INTEGER NOT NULL,
    event_id INTEGER,
    entries BLOB NOT NULL
);
";

/// Brings the tables of the first form, which knew neither versions nor Express machines and kept a row for each entry of
/// a log, to the second. [`SCHEMA`] runs after all upgrades, and makes what is missing altogether.
pub(crate) const FROM_FIRST: &str = "
ALTER TABLE state_machine_revision ADD COLUMN type TEXT NOT NULL DEFAULT 'STANDARD';
ALTER TABLE state_machine_revision ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
UPDATE state_machine_revision SET settings = coalesce(
    (SELECT settings FROM state_machine WHERE arn = machine_arn), '{}');
CREATE TABLE resource_tag (
    arn TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) WITHOUT ROWID;
INSERT INTO resource_tag (arn, key, value)
    SELECT arn, json_each.key, json_each.value FROM state_machine, json_each(state_machine.tags);
ALTER TABLE state_machine DROP COLUMN settings;
ALTER TABLE state_machine DROP COLUMN tags;
ALTER TABLE state_machine ADD COLUMN status TEXT NOT NULL DEFAULT 'ACTIVE';
ALTER TABLE state_machine ADD COLUMN creation TEXT NOT NULL DEFAULT '{}';
ALTER TABLE state_machine ADD COLUMN next_version INTEGER NOT NULL DEFAULT 1;
DROP INDEX execution_by_machine;
DROP INDEX execution_by_status;
ALTER TABLE execution DROP COLUMN redrive_token;
ALTER TABLE execution ADD COLUMN kind TEXT NOT NULL DEFAULT 'STANDARD';
ALTER TABLE execution ADD COLUMN version_arn TEXT;
ALTER TABLE execution ADD COLUMN alias_arn TEXT;
ALTER TABLE execution ADD COLUMN trace_header TEXT;
ALTER TABLE execution_log RENAME TO first_execution_log;
CREATE TABLE execution_log (
    execution INTEGER NOT NULL REFERENCES execution (number),
    sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    event_id INTEGER,
    entries BLOB NOT NULL,
    PRIMARY KEY (execution, sequence)
) WITHOUT ROWID;
INSERT INTO execution_log (execution, sequence, last_sequence, event_id, entries)
    SELECT execution, sequence, sequence, event_id, CAST(entry AS BLOB) FROM first_execution_log;
DROP TABLE first_execution_log;
";

/// Brings the tables of the second form, whose log had no key of one number, to this one.
pub(crate) const FROM_SECOND: &str = "
ALTER TABLE execution_log RENAME TO second_execution_log;
CREATE TABLE execution_log (
    place INTEGER PRIMARY KEY,
    last_sequence INTEGER NOT NULL,
    event_id INTEGER,
    entries BLOB NOT NULL
);
INSERT INTO execution_log (place, last_sequence, event_id, entries)
    SELECT (execution << 28) + sequence, last_sequence, event_id, entries FROM second_execution_log
    ORDER BY execution, sequence;
DROP TABLE second_execution_log;
";
