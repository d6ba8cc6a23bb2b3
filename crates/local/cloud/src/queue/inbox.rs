//! The events' table: leases, deliveries that failed, dead letters.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Row, Transaction, params};

use super::outcome::Outcome;
use super::{Over, Settings};
use crate::database::{Database, DatabaseError};

/// How long an event that is to come late lets others pass.
const REORDER_MS: i64 = 300;

/// How long an undelivered event or dead letter is kept: SQS's longest retention.
const RETENTION_MS: i64 = 14 * 24 * 60 * 60 * 1000;

/// The source of what a client sent over the SQS API; the detail is the message's body.
pub(super) const MESSAGE: &str = "aws:sqs";

const COLUMNS: &str = "id, target, rule, name, time_ms, bucket, key, sequencer, etag, size_bytes, version_id, receives, \
     first_received_ms, reason, source, detail";

/// Every event, with the detail of those that are no change in S3.
const EVENTS: &str = "events LEFT JOIN event_details ON event_details.event = events.id";

/// The table, and how its rows are treated.
#[derive(Debug, Clone)]
pub(super) struct Inbox {
    database: Database,
    settings: Arc<Settings>,
    /// What is being delivered. A process that is gone delivers nothing any more, so this need not outlive it, and no
    /// delivery waits for a disk.
    leased: Arc<Mutex<HashSet<i64>>>,
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

/// A message that a client sends.
#[derive(Debug, Clone)]
pub(super) struct NewMessage {
    /// ARN of the queue.
    pub(super) target: String,
    pub(super) body: String,
    pub(super) time_ms: i64,
    /// 0 where it may be delivered at once.
    pub(super) visible_ms: i64,
}

/// How many messages a queue holds, by what they wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Depth {
    /// To be delivered.
    pub(super) visible: usize,
    /// Being delivered, or to be delivered again after a while.
    pub(super) not_visible: usize,
    /// Not to be delivered yet, by their sender's wish.
    pub(super) delayed: usize,
    /// Given up.
    pub(super) dead: usize,
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
    pub(super) fn new(database: Database, settings: Arc<Settings>) -> Self {
        Self { database, settings, leased: Arc::default() }
    }

    /// Gives up what nobody wanted for as long as SQS would keep it.
    pub(super) async fn purge(&self, now_ms: i64) -> Result<(), DatabaseError> {
        let before = now_ms - RETENTION_MS;
        let found = "SELECT EXISTS (SELECT 1 FROM events WHERE time_ms < ?1)";
        if self.database.look(|connection| connection.query_row(found, [before], |row| row.get(0)))? {
            let sql = "DELETE FROM events WHERE time_ms < ?1";
            self.database.write(move |transaction| transaction.execute(sql, [before])).await?;
        }
        Ok(())
    }

    /// Leases a batch that is due, all for one target.
    pub(super) async fn receive(&self, now_ms: i64) -> Result<Received, DatabaseError> {
        let look = |connection: &Connection| due(connection, &self.settings, &self.leased(), now_ms);
        let Received { events, next_ms } = self.database.look(look)?;
        let is_late = |event: &Event| event.first_received_ms == 0 && self.settings.faults.reorders();
        let (late, mut events): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_late);
        if !late.is_empty() {
            self.put_off(late, now_ms).await?;
        }
        for event in &mut events {
            event.receives += 1;
            if event.first_received_ms == 0 {
                event.first_received_ms = now_ms;
            }
            self.leased().insert(event.id);
        }
        Ok(Received { events, next_ms })
    }

    /// Lets others pass these.
    async fn put_off(&self, late: Vec<Event>, now_ms: i64) -> Result<(), DatabaseError> {
        let put_off = self.database.write(move |transaction| {
            let sql = "UPDATE events SET visible_ms = ?2, first_received_ms = ?3 WHERE id = ?1";
            let mut update = transaction.prepare_cached(sql)?;
            late.iter().try_for_each(|event| update.execute([event.id, now_ms + REORDER_MS, now_ms]).map(drop))
        });
        put_off.await
    }

    /// These are delivered no longer, whatever came of it.
    pub(super) fn release(&self, ids: &[i64]) {
        let mut leased = self.leased();
        for id in ids {
            leased.remove(id);
        }
    }

    fn leased(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes what was dealt with, and puts off or gives up what was not.
    pub(super) async fn settle(&self, group: Vec<Over>, now_ms: i64) -> Result<(), DatabaseError> {
        let settings = Arc::clone(&self.settings);
        let settled = self.database.write(move |transaction| {
            let each = |Over { events, outcome }: &Over| {
                events.iter().try_for_each(|event| settle(transaction, &settings, event, outcome, now_ms))
            };
            group.iter().try_for_each(each)
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

    /// Writes messages down, all or none; gives back their ids.
    pub(super) async fn put(&self, messages: Vec<NewMessage>) -> Result<Vec<i64>, DatabaseError> {
        let put = move |transaction: &Transaction<'_>| messages.iter().map(|new| put(transaction, new)).collect();
        self.database.write(put).await
    }

    pub(super) async fn depth_of(&self, target: String, now_ms: i64) -> Result<Depth, DatabaseError> {
        let leased = self.leased().clone();
        self.database.read(move |connection| depth_of(connection, &target, &leased, now_ms)).await
    }

    pub(super) async fn depth(&self) -> Result<u64, DatabaseError> {
        let sql = "SELECT count(*) FROM events WHERE dead = 0";
        let count = self.database.read(move |connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)));
        Ok(count.await?.cast_unsigned())
    }
}

fn put(transaction: &Transaction<'_>, new: &NewMessage) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO events (target, rule, name, time_ms, bucket, key, sequencer, visible_ms) \
               VALUES (?1, '', 'Message', ?2, '', '', 0, ?3)";
    transaction.prepare_cached(sql)?.execute(params![new.target, new.time_ms, new.visible_ms])?;
    let id = transaction.last_insert_rowid();
    let sql = "INSERT INTO event_details (event, source, detail) VALUES (?1, ?2, ?3)";
    transaction.prepare_cached(sql)?.execute(params![id, MESSAGE, new.body])?;
    Ok(id)
}

fn depth_of(connection: &Connection, target: &str, leased: &HashSet<i64>, now_ms: i64) -> rusqlite::Result<Depth> {
    let sql = "SELECT id, visible_ms, first_received_ms, dead FROM events WHERE target = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([target])?;
    let mut depth = Depth::default();
    while let Some(row) = rows.next()? {
        let (id, is_late) = (row.get(0)?, row.get::<_, i64>(1)? > now_ms);
        let was_received = row.get::<_, Option<i64>>(2)?.is_some();
        let counted = match (row.get(3)?, was_received) {
            (true, _) => &mut depth.dead,
            (false, _) if leased.contains(&id) => &mut depth.not_visible,
            (false, false) if is_late => &mut depth.delayed,
            (false, _) if is_late => &mut depth.not_visible,
            (false, _) => &mut depth.visible,
        };
        *counted += 1;
    }
    Ok(depth)
}

/// Each target that has events, found by steps along the index.
fn targets(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "WITH RECURSIVE step (target) AS (SELECT min(target) FROM events WHERE dead = 0 UNION ALL \
               SELECT (SELECT min(target) FROM events WHERE dead = 0 AND target > step.target) FROM step \
               WHERE step.target IS NOT NULL) SELECT target FROM step WHERE target IS NOT NULL";
    connection.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Events of one target that are due and not leased, or when the next one will be.
fn due(connection: &Connection, settings: &Settings, leased: &HashSet<i64>, now_ms: i64) -> rusqlite::Result<Received> {
    let mut next_ms: Option<i64> = None;
    for target in targets(connection)? {
        let Some(mapping) = settings.mapping(&target) else { continue };
        let most = mapping.envelope.most_events(settings.batch);
        let waiting = waiting(connection, &target, leased, most)?;
        let first_ms = waiting.first().map(|(_, visible_ms)| *visible_ms);
        if first_ms.is_some_and(|first_ms| first_ms <= now_ms) {
            let due = waiting.into_iter().take_while(|(_, visible_ms)| *visible_ms <= now_ms);
            return Ok(Received { events: due.map(|(event, _)| event).collect(), next_ms: Some(now_ms) });
        }
        next_ms = next_ms.into_iter().chain(first_ms).min();
    }
    Ok(Received { events: Vec::new(), next_ms })
}

/// The next events of a target that are not leased, with the time from which each may be delivered.
fn waiting(
    connection: &Connection,
    target: &str,
    leased: &HashSet<i64>,
    most: usize,
) -> rusqlite::Result<Vec<(Event, i64)>> {
    let sql = format!(
        "SELECT {COLUMNS}, visible_ms FROM {EVENTS} WHERE target = ?1 AND dead = 0 ORDER BY visible_ms, id LIMIT ?2"
    );
    let limit = i64::try_from(most + leased.len()).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![target, limit])?;
    let mut waiting = Vec::new();
    while waiting.len() < most
        && let Some(row) = rows.next()?
    {
        if !leased.contains(&row.get(0)?) {
            waiting.push((event(row)?, row.get(16)?));
        }
    }
    Ok(waiting)
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
        if event.receives == 1 && settings.faults.duplicates() {
            let sql = "UPDATE events SET receives = 1, first_received_ms = ?2, visible_ms = 0 WHERE id = ?1";
            transaction.prepare_cached(sql)?.execute([event.id, event.first_received_ms])?;
        } else {
            transaction.prepare_cached("DELETE FROM events WHERE id = ?1")?.execute([event.id])?;
        }
        return Ok(());
    }
    let receives = if outcome.counts { event.receives } else { event.receives - 1 };
    let sql = "UPDATE events SET receives = ?2, visible_ms = ?3, dead = ?4, reason = ?5, first_received_ms = ?6 WHERE id = ?1";
    let visible_ms = now_ms.saturating_add(settings.backoff_ms(event.receives));
    let dead = receives >= settings.most_receives;
    let first_ms = event.first_received_ms;
    transaction.prepare_cached(sql)?.execute(params![
        event.id,
        receives,
        visible_ms,
        dead,
        outcome.reason,
        first_ms
    ])?;
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
