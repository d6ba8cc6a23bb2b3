//! The logs of executions in the database: what one commit adds is one row of text.
//!
//! A row for each entry would cost more than all else that a state costs. A row is closed once it is long, so that a
//! page of a history reads little more than it shows. A row's key is its execution and its first entry, so the log takes
//! no entry twice.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html>

use asl::LogEntry;
use rusqlite::{Connection, OptionalExtension as _, params};

/// A row that is as long as this takes no further entry.
const FULL_BYTES: usize = 64 * 1024;

/// Bits of a place that count the entries of one log: years of a heartbeat each second.
pub(crate) const SEQUENCE_BITS: u32 = 28;

const INSERT: &str = "INSERT INTO execution_log (place, last_sequence, event_id, entries) VALUES (?1, ?2, ?3, ?4)";

/// Adds entries to an execution's log.
pub(crate) fn append(database: &Connection, execution: i64, entries: &[LogEntry]) -> rusqlite::Result<()> {
    let mut rest = entries;
    while !rest.is_empty() {
        let (text, written) = asl::write_log(rest, FULL_BYTES).map_err(unreadable)?;
        let (row, next) = rest.split_at(written);
        insert_row(database, execution, row, &text)?;
        rest = next;
    }
    Ok(())
}

fn insert_row(database: &Connection, execution: i64, entries: &[LogEntry], text: &[u8]) -> rusqlite::Result<()> {
    let ends = entries.first().zip(entries.last());
    let (first, last) = ends.map_or((0, 0), |(first, last)| (id(first.sequence), id(last.sequence)));
    let (start, end) = places(execution);
    if last > end - start {
        return Err(rusqlite::Error::ToSqlConversionFailure("the log of the execution is full".into()));
    }
    let event_id = entries.iter().rev().find_map(|entry| entry.event_id).map(id);
    database.prepare_cached(INSERT)?.execute(params![start + first, last, event_id, text]).map(drop)
}

/// The first and the last place of an execution's log.
fn places(execution: i64) -> (i64, i64) {
    (execution << SEQUENCE_BITS, ((execution + 1) << SEQUENCE_BITS) - 1)
}

/// Whether an execution has a log yet.
pub(crate) fn is_there(database: &Connection, execution: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM execution_log WHERE place BETWEEN ?1 AND ?2)";
    database.prepare_cached(sql)?.query_row(places(execution), |row| row.get(0))
}

/// Takes an execution's log away.
pub(crate) fn remove(database: &Connection, execution: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM execution_log WHERE place BETWEEN ?1 AND ?2";
    database.prepare_cached(sql)?.execute(places(execution)).map(drop)
}

/// Takes up to `most` rows away from the end of an execution's log; how many there were.
pub(crate) fn remove_last(database: &Connection, execution: i64, most: i64) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM execution_log WHERE place IN (
               SELECT place FROM execution_log WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT ?3)";
    let (first, last) = places(execution);
    database.prepare_cached(sql)?.execute([first, last, most])
}

/// The whole log, in rows for [`asl::read_log`].
pub(crate) fn whole(database: &Connection, execution: i64) -> rusqlite::Result<Vec<Vec<u8>>> {
    let sql = "SELECT entries FROM execution_log WHERE place BETWEEN ?1 AND ?2 ORDER BY place";
    database.prepare_cached(sql)?.query_map(places(execution), |row| row.get(0))?.collect()
}

/// How many events the history holds.
pub(crate) fn history_length(database: &Connection, execution: i64) -> rusqlite::Result<i64> {
    let sql = "SELECT event_id FROM execution_log WHERE place BETWEEN ?1 AND ?2 AND event_id IS NOT NULL
               ORDER BY place DESC LIMIT 1";
    let last = database.prepare_cached(sql)?.query_row(places(execution), |row| row.get(0)).optional()?;
    Ok(last.unwrap_or(0))
}

/// Up to `most` events of the history after (or, in reverse, before) the place `from` of the log.
pub(crate) fn history(
    database: &Connection,
    execution: i64,
    from: i64,
    reverse: bool,
    most: usize,
) -> rusqlite::Result<Vec<LogEntry>> {
    let (wanted, order) = if reverse { ("place - ?1 <", "DESC") } else { ("last_sequence >", "ASC") };
    let sql = format!(
        "SELECT entries FROM execution_log WHERE place BETWEEN ?1 AND ?2 AND {wanted} ?3 AND event_id IS NOT NULL
         ORDER BY place {order}"
    );
    let is_wanted = |place: i64| if reverse { place < from } else { place > from };
    let mut statement = database.prepare_cached(&sql)?;
    let (first, last) = places(execution);
    let mut rows = statement.query([first, last, from])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()?.filter(|_| found.len() < most) {
        let mut entries = asl::read_log(row.get_ref(0)?.as_blob()?).map_err(unreadable)?;
        entries.retain(|entry| entry.event_id.is_some() && is_wanted(id(entry.sequence)));
        if reverse {
            entries.reverse();
        }
        found.extend(entries);
    }
    found.truncate(most);
    Ok(found)
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

/// The database counts with a sign; no log comes near that bound.
fn id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use asl::{Event, LogEntry, Payload, StateKind};
    use jiff::Timestamp;
    use rusqlite::Connection;

    use super::{append, history, history_length, whole};

    /// Entry 0 is event 1, and every fourth entry is internal.
    fn entries(range: std::ops::Range<u64>, output: &str) -> Vec<LogEntry> {
        let event = |sequence: u64| match sequence % 4 {
            3 => Event::HeartbeatReceived,
            _ => Event::StateExited {
                kind: StateKind::Pass,
                name: format!("state {sequence}"),
                output: Payload::from(serde_json::Value::from(output)),
                assigned: std::collections::BTreeMap::new(),
                next: None,
            },
        };
        let entry = |sequence: u64| LogEntry {
            sequence,
            frame: 0,
            at: Timestamp::UNIX_EPOCH,
            event_id: (sequence % 4 != 3).then_some(sequence - sequence / 4 + 1),
            previous_event_id: 0,
            event: event(sequence),
        };
        range.map(entry).collect()
    }

    fn database() -> Connection {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(crate::states::SCHEMA).unwrap();
        database.pragma_update(None, "foreign_keys", false).unwrap();
        for (range, output) in [(0..7, "a\nb"), (7..8, "x"), (8..20, "x")] {
            append(&database, 1, &entries(range, output)).unwrap();
        }
        append(&database, 2, &entries(0..3, "of another execution")).unwrap();
        database
    }

    #[test]
    fn a_commit_is_one_row_and_comes_back_whole() {
        let rows = whole(&database(), 1).unwrap();
        assert_eq!(rows.len(), 3);
        let back: Vec<LogEntry> = rows.iter().flat_map(|row| asl::read_log(row).unwrap()).collect();
        assert_eq!(back, [entries(0..7, "a\nb"), entries(7..20, "x")].concat());
    }

    #[test]
    fn a_long_row_is_closed() {
        let database = database();
        append(&database, 3, &entries(0..8, &"x".repeat(40_000))).unwrap();
        assert_eq!(whole(&database, 3).unwrap().len(), 4);
        assert_eq!(history_length(&database, 3).unwrap(), 6);
    }

    #[test]
    fn a_history_is_read_in_pages_both_ways() {
        let database = database();
        let ids = |from, reverse, most| -> Vec<u64> {
            let page = history(&database, 1, from, reverse, most).unwrap();
            page.into_iter().filter_map(|entry| entry.event_id).collect()
        };
        assert_eq!(ids(-1, false, 100), (1..=15).collect::<Vec<u64>>());
        assert_eq!(ids(i64::MAX, true, 100), (1..=15).rev().collect::<Vec<u64>>());
        // Entry 4 is event 4, for entry 3 is internal.
        assert_eq!((ids(4, false, 3), ids(4, true, 2)), (vec![5, 6, 7], vec![3, 2]));
        assert_eq!((ids(18, false, 3), ids(0, true, 3)), (vec![], vec![]));
        assert_eq!(history_length(&database, 1).unwrap(), 15);
        assert_eq!(history_length(&database, 9).unwrap(), 0);
    }
}
