//! Reads what can be read of a damaged database into a new one.
//!
//! Each table is read from its beginning as far as that goes, and then from its end; what lies between is lost. Rows
//! that refer to lost ones go too.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

/// Less than this no row takes, so a file of a given length has no more rows; damage may well pretend that.
const LEAST_ROW_BYTES: u64 = 4;

/// A bucket is known by its objects, if need be.
const MEND: &str = "INSERT OR IGNORE INTO buckets (name, created_ms)
                    SELECT bucket, min(modified_ms) FROM versions GROUP BY bucket";

/// What people call the tables that they know something of.
const KNOWN: [(&str, &str); 4] = [
    ("state_machine", "state machines"),
    ("execution", "executions"),
    ("versions", "object versions"),
    ("events", "undelivered events"),
];

/// What could be read.
#[derive(Debug, Default)]
pub(super) struct Salvage {
    rows: BTreeMap<String, i64>,
    /// Tables of which something is lost.
    broken: Vec<String>,
}

/// Reads what can be read at `from` into the new database at `to`.
pub(super) fn salvage(from: &Path, to: &Path) -> rusqlite::Result<Salvage> {
    let target = Connection::open(to)?;
    target.pragma_update(None, "foreign_keys", false)?;
    let tables = names(&target, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(source) = Connection::open_with_flags(from, flags) else {
        return Ok(Salvage { rows: BTreeMap::new(), broken: tables });
    };
    let most_rows = std::fs::metadata(from).map_or(0, |file| file.len()) / LEAST_ROW_BYTES;
    target.execute_batch("BEGIN")?;
    let mut salvage = Salvage::default();
    for table in tables {
        if copy(&source, &target, &table, most_rows).is_none() {
            salvage.broken.push(table);
        }
    }
    target.execute_batch(MEND)?;
    remove_orphans(&target)?;
    for (table, _) in KNOWN {
        let count = target.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        salvage.rows.insert(table.to_owned(), count);
    }
    target.execute_batch("COMMIT")?;
    Ok(salvage)
}

fn names(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Copies a table; nothing if something of it is lost.
fn copy(source: &Connection, target: &Connection, table: &str, most_rows: u64) -> Option<()> {
    let columns = |connection| names(connection, &format!("SELECT name FROM pragma_table_info('{table}')"));
    let there = columns(source).ok()?;
    let mut shared = columns(target).ok()?;
    shared.retain(|column| there.contains(column));
    if shared.is_empty() {
        return None;
    }
    let list = shared.join(", ");
    let insert = format!("INSERT OR IGNORE INTO {table} ({list}) VALUES ({})", vec!["?"; shared.len()].join(", "));
    let select = format!("SELECT {list} FROM {table}");
    let forwards = rows(source, &select, target, &insert, most_rows);
    if forwards.is_none() {
        let key = format!("SELECT name || ' DESC' FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk");
        let key = names(target, &key).unwrap_or_default().join(", ");
        let order = if key.is_empty() { "rowid DESC".to_owned() } else { key };
        // As far as it goes.
        let _ = rows(source, &format!("{select} ORDER BY {order}"), target, &insert, most_rows);
    }
    forwards
}

/// Copies rows as far as that goes; nothing if it does not go to the end.
fn rows(source: &Connection, select: &str, target: &Connection, insert: &str, most: u64) -> Option<()> {
    let mut select = source.prepare(select).ok()?;
    let mut insert = target.prepare_cached(insert).ok()?;
    let columns = select.column_count();
    let mut rows = select.query([]).ok()?;
    let mut whole = Some(());
    for _ in 0..=most {
        let Some(row) = rows.next().ok()? else { return whole };
        let values: Result<Vec<Value>, _> = (0..columns).map(|column| row.get(column)).collect();
        // A value that its column does not take was damaged.
        let copied = values.ok().and_then(|values| insert.execute(params_from_iter(values)).ok());
        whole = whole.and(copied.map(drop));
    }
    None
}

/// Removes rows that refer to rows that are not there, until there are none.
fn remove_orphans(target: &Connection) -> rusqlite::Result<()> {
    let sql = "SELECT format('DELETE FROM %s WHERE %s IS NOT NULL AND NOT EXISTS (SELECT 1 FROM %s AS parent
                              WHERE parent.%s = %s.%s)',
                             child.name, key.\"from\", key.\"table\", key.\"to\", child.name, key.\"from\")
               FROM sqlite_schema AS child, pragma_foreign_key_list(child.name) AS key WHERE child.type = 'table'";
    let deletes = names(target, sql)?;
    loop {
        let removed = deletes.iter().map(|delete| target.execute(delete, [])).sum::<rusqlite::Result<usize>>()?;
        if removed == 0 {
            return Ok(());
        }
    }
}

impl fmt::Display for Salvage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = KNOWN.iter().map(|(table, called)| format!("{} {called}", self.rows.get(*table).unwrap_or(&0)));
        write!(f, "{}", counts.collect::<Vec<_>>().join(", "))?;
        match self.broken.as_slice() {
            [] => Ok(()),
            broken => write!(f, "; not all could be read of {}", broken.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use crate::schema::SCHEMA;

    #[test]
    fn orphans_go_and_buckets_come_back() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        for path in [&from, &to] {
            drop(Database::open(path, &SCHEMA).unwrap());
        }
        let source = Connection::open(&from).unwrap();
        source.pragma_update(None, "foreign_keys", false).unwrap();
        source
            .execute_batch(
                "INSERT INTO execution (number, arn, machine_arn, revision, name, status, input, started)
                 VALUES (1, 'a', 'm', 77, 'a', 'RUNNING', '{}', 1);
                 INSERT INTO versions (bucket, key, version_id, latest, modified_ms, sequencer)
                 VALUES ('b', 'k', 'null', 1, 5, 1);",
            )
            .unwrap();
        let salvage = salvage(&from, &to).unwrap();
        assert_eq!(salvage.to_string(), "0 state machines, 0 executions, 1 object versions, 0 undelivered events");
        let target = Connection::open(&to).unwrap();
        let bucket: String = target.query_row("SELECT name FROM buckets", [], |row| row.get(0)).unwrap();
        assert_eq!(bucket, "b");
    }

    #[test]
    fn of_what_is_no_database_nothing_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        std::fs::write(&from, "no database".repeat(1000)).unwrap();
        drop(Database::open(&to, &SCHEMA).unwrap());
        let salvage = salvage(&from, &to).unwrap();
        assert!(salvage.broken.contains(&"versions".to_owned()), "{salvage}");
        assert!(salvage.rows.values().all(|count| *count == 0));
    }
}
