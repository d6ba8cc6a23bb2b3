//! The store's tables. Every statement may run again on a database that has them.

/// To be handed to [`Database::open`](crate::database::Database::open).
///
/// `versions.version_id` is `null` (the word, as in S3) for what was written while the bucket was not versioned.
/// `versions.content` holds the bytes of a small object; a larger one's are a file.
/// `events` are the notifications that wait for delivery: the store writes them, `queue` takes them away. Those that
/// `bus` writes are about no object and have a detail of their own.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY,
    created_ms INTEGER NOT NULL,
    versioning TEXT,
    notifications TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL REFERENCES buckets (name),
    key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    latest INTEGER NOT NULL,
    delete_marker INTEGER NOT NULL DEFAULT 0,
    modified_ms INTEGER NOT NULL,
    sequencer INTEGER NOT NULL,
    etag TEXT NOT NULL DEFAULT '',
    size_bytes INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT NOT NULL DEFAULT '',
    attributes TEXT NOT NULL DEFAULT '{}',
    tags TEXT NOT NULL DEFAULT '[]',
    checksums TEXT NOT NULL DEFAULT '{}',
    parts TEXT NOT NULL DEFAULT '[]',
    content BLOB,
    UNIQUE (bucket, key, version_id)
) STRICT;
CREATE INDEX IF NOT EXISTS versions_by_age ON versions (bucket, key, id DESC);
CREATE UNIQUE INDEX IF NOT EXISTS versions_latest ON versions (bucket, key) WHERE latest = 1;
CREATE INDEX IF NOT EXISTS versions_by_content ON versions (sha256) WHERE content IS NULL;

CREATE TABLE IF NOT EXISTS uploads (
    upload_id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES buckets (name),
    key TEXT NOT NULL,
    initiated_ms INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    algorithm TEXT,
    full_object INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, upload_id);

CREATE TABLE IF NOT EXISTS parts (
    upload_id TEXT NOT NULL REFERENCES uploads (upload_id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    etag TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    checksums TEXT NOT NULL,
    modified_ms INTEGER NOT NULL,
    PRIMARY KEY (upload_id, number)
) STRICT;
CREATE INDEX IF NOT EXISTS parts_by_content ON parts (sha256);

CREATE TABLE IF NOT EXISTS sequence (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO sequence VALUES (1, 0);

CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    rule TEXT NOT NULL,
    name TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    sequencer INTEGER NOT NULL,
    etag TEXT,
    size_bytes INTEGER,
    version_id TEXT,
    receives INTEGER NOT NULL DEFAULT 0,
    first_received_ms INTEGER,
    visible_ms INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    reason TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS events_due ON events (target, visible_ms, id) WHERE dead = 0;
CREATE INDEX IF NOT EXISTS events_dead ON events (target, id) WHERE dead = 1;

CREATE TABLE IF NOT EXISTS event_details (
    event INTEGER PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
";

/// Brings the tables of the first form, which kept every object's bytes in a file, to this one.
pub(crate) const FROM_FIRST: &str = "
ALTER TABLE versions ADD COLUMN content BLOB;
DROP INDEX IF EXISTS versions_by_content;
ALTER TABLE events DROP COLUMN leased;
";
