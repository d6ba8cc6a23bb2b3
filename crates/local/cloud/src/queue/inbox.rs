//! The events' table: leases, deliveries that failed, dead letters.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::Settings;
use super::outcome::Outcome;
use crate::database::{Database, DatabaseError};

/// How long an event that is to come late lets others pass.
const REORDER_MS: i64 = 300;

/// How long an undelivered event or dead letter is kept: SQS's longest retention.
const RETENTION_MS: i64 = 14 * 24 * 60 * 60 * 1000;

const COLUMNS: &str = "id, target, rule, name, time_ms, bucket, key, sequencer, etag, size_bytes, version_id, receives, \
     first_received_ms, reason, source, detail";

/// Every event, with the detail of those that are no change in S3.
const EVENTS: &str = "events LEFT JOIN event_details ON event_details.event = events.id";

/// The table, and how its rows are treated.
#[derive(Debug, Clone)]
pub(super) struct Inbox {
    pub(super) database: Database,
    pub(super) settings: Arc<Settings>,
}

/// One event for one target.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) id: i64,
    pub(super) target: String,
    pub(super) rule: String,
    pub(super) name: String,
    pub(super) time_ms: i64,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) sequence: i64,
    pub(super) etag: Option<String>,
    pub(super) size_bytes: Option<i64>,
    pub(super) version_id: Option<String>,
    pub(super) receives: u32,
    pub(super) first_received_ms: i64,
    reason: Option<String>,
    /// Of an event that is no change in S3.
    pub(super) bus: Option<BusDetail>,
}

/// What an event says that a service other than S3 put on the bus.
#[derive(Debug, Clone)]
pub(super) struct BusDetail {
    /// `aws.states` …
    pub(super) source: String,
    /// JSON.
    pub(super) detail: String,
}

/// An event that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its row.
    pub id: i64,
    /// For whom it was.
    pub target: String,
    /// `ObjectCreated:Put` …, or the type of another service's event.
    pub name: String,
    /// Bucket name; empty for another service's event.
    pub bucket: String,
    /// Key, not encoded; the ARN that another service's event is about.
    pub key: String,
    /// Version id, where the bucket is versioned.
    pub version_id: Option<String>,
    /// Deliveries that failed.
    pub receives: u32,
    /// Why the last one failed.
    pub reason: String,
}

/// What is due, and if nothing is, when something will be.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) events: Vec<Event>,
    pub(super) next_ms: Option<i64>,
}

impl Inbox {
    /// Gives back what a process that is gone had leased. It was killed, so the delivery does not count.
    pub(super) async fn take_back_leases(&self) -> Result<usize, DatabaseError> {
        let sql = "UPDATE events SET leased = 0, visible_ms = 0, receives = max(receives - 1, 0) WHERE leased = 1";
        self.database.write(move |transaction| transaction.execute(sql, [])).await
    }

    /// Leases a batch that is due, all for one target.
    pub(super) async fn receive(&self, now_ms: i64) -> Result<Received, DatabaseError> {
        let settings = Arc::clone(&self.settings);
        // Looking is for free and most often in vain; writing costs a sync.
        let due = Arc::clone(&settings);
        let look = self.database.read(move |connection| {
            let mut next: Option<i64> = None;
            for target in targets(connection)?.into_iter().filter(|target| due.mapping(target).is_some()) {
                let sql = "SELECT visible_ms FROM events WHERE target = ?1 AND dead = 0 ORDER BY visible_ms LIMIT 1";
                let visible_ms = connection.prepare_cached(sql)?.query_row([target], |row| row.get(0)).optional()?;
                next = next.into_iter().chain(visible_ms).min();
            }
            Ok(next)
        });
        match look.await? {
            Some(next_ms) if next_ms <= now_ms => {}
            next_ms => return Ok(Received { events: Vec::new(), next_ms }),
        }
        let lease = self.database.write(move |transaction| lease(transaction, &settings, now_ms));
        Ok(Received { events: lease.await?, next_ms: Some(now_ms) })
    }

    /// Deletes what was dealt with, and puts off or gives up what was not.
    pub(super) async fn settle(&self, events: Vec<Event>, outcome: Outcome, now_ms: i64) -> Result<(), DatabaseError> {
        let settings = Arc::clone(&self.settings);
        let settled = self.database.write(move |transaction| {
            events.iter().try_for_each(|event| settle(transaction, &settings, event, &outcome, now_ms))
        });
        settled.await
    }

    pub(super) async fn dead_letters(&self) -> Result<Vec<DeadLetter>, DatabaseError> {
        let sql = format!("SELECT {COLUMNS} FROM {EVENTS} WHERE dead = 1 ORDER BY id");
        let letters = self.database.read(move |connection| {
            connection.prepare_cached(&sql)?.query_map([], |row| event(row).map(dead_letter))?.collect()
        });
        letters.await
    }

    pub(super) async fn redrive(&self) -> Result<usize, DatabaseError> {
        let sql = "UPDATE events SET dead = 0, receives = 0, visible_ms = 0, first_received_ms = NULL, reason = NULL WHERE dead = 1";
        self.database.write(move |transaction| transaction.execute(sql, [])).await
    }

    pub(super) async fn depth(&self) -> Result<u64, DatabaseError> {
        let sql = "SELECT count(*) FROM events WHERE dead = 0";
        let count = self.database.read(move |connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)));
        Ok(count.await?.cast_unsigned())
    }
}

/// Each target that has events, found by steps along the index.
fn targets(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "WITH RECURSIVE step (target) AS (SELECT min(target) FROM events WHERE dead = 0 UNION ALL \
               SELECT (SELECT min(target) FROM events WHERE dead = 0 AND target > step.target) FROM step \
               WHERE step.target IS NOT NULL) SELECT target FROM step WHERE target IS NOT NULL";
    connection.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn lease(transaction: &Transaction<'_>, settings: &Settings, now_ms: i64) -> rusqlite::Result<Vec<Event>> {
    transaction.prepare_cached("DELETE FROM events WHERE time_ms < ?1")?.execute([now_ms - RETENTION_MS])?;
    for target in targets(transaction)? {
        let Some(mapping) = settings.mapping(&target) else { continue };
        let most = i64::try_from(mapping.envelope.most_events(settings.batch)).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM {EVENTS} WHERE target = ?1 AND dead = 0 AND visible_ms <= ?2 ORDER BY visible_ms, id LIMIT ?3"
        );
        let mut due = transaction.prepare_cached(&sql)?;
        let due = due.query_map(params![target, now_ms, most], event)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut leased = Vec::with_capacity(due.len());
        for event in due {
            leased.extend(lease_one(transaction, settings, event, now_ms)?);
        }
        if !leased.is_empty() {
            return Ok(leased);
        }
    }
    Ok(Vec::new())
}

/// Leases one event, unless it is to come late.
fn lease_one(
    transaction: &Transaction<'_>,
    settings: &Settings,
    mut event: Event,
    now_ms: i64,
) -> rusqlite::Result<Option<Event>> {
    let is_new = event.first_received_ms == 0;
    let late = is_new && settings.faults.reorders();
    let lease_ms = i64::try_from(settings.visibility.as_millis()).unwrap_or(i64::MAX);
    let visible_ms = now_ms.saturating_add(if late { REORDER_MS } else { lease_ms });
    let sql = "UPDATE events SET leased = ?2, visible_ms = ?3, receives = receives + ?2, \
               first_received_ms = coalesce(first_received_ms, ?4) WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![event.id, !late, visible_ms, now_ms])?;
    event.receives += 1;
    if is_new {
        event.first_received_ms = now_ms;
    }
    Ok((!late).then_some(event))
}

fn settle(
    transaction: &Transaction<'_>,
    settings: &Settings,
    event: &Event,
    outcome: &Outcome,
    now_ms: i64,
) -> rusqlite::Result<()> {
    if !outcome.is_failed(event) {
        // The second copy comes at once; it is not copied again.
        let sql = if event.receives == 1 && settings.faults.duplicates() {
            "UPDATE events SET leased = 0, visible_ms = 0 WHERE id = ?1"
        } else {
            "DELETE FROM events WHERE id = ?1"
        };
        transaction.prepare_cached(sql)?.execute([event.id])?;
        return Ok(());
    }
    let receives = if outcome.counts { event.receives } else { event.receives - 1 };
    let sql = "UPDATE events SET leased = 0, receives = ?2, visible_ms = ?3, dead = ?4, reason = ?5 WHERE id = ?1";
    let visible_ms = now_ms.saturating_add(settings.backoff_ms(event.receives));
    let dead = receives >= settings.most_receives;
    transaction.prepare_cached(sql)?.execute(params![event.id, receives, visible_ms, dead, outcome.reason])?;
    Ok(())
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get(0)?,
        target: row.get(1)?,
        rule: row.get(2)?,
        name: row.get(3)?,
        time_ms: row.get(4)?,
        bucket: row.get(5)?,
        key: row.get(6)?,
        sequence: row.get(7)?,
        etag: row.get(8)?,
        size_bytes: row.get(9)?,
        version_id: row.get(10)?,
        receives: row.get(11)?,
        first_received_ms: row.get::<_, Option<i64>>(12)?.unwrap_or(0),
        reason: row.get(13)?,
        bus: bus_detail(row.get(14)?, row.get(15)?),
    })
}

fn bus_detail(source: Option<String>, detail: Option<String>) -> Option<BusDetail> {
    Some(BusDetail { source: source?, detail: detail? })
}

fn dead_letter(event: Event) -> DeadLetter {
    DeadLetter {
        id: event.id,
        target: event.target,
        name: event.name,
        bucket: event.bucket,
        key: event.key,
        version_id: event.version_id,
        receives: event.receives,
        reason: event.reason.unwrap_or_default(),
    }
}
