//! What the catalog knows of each object version, in the order in which the files came: its newest record.
//!
//! Records lie under the time of their event, which all runs of a version share, replays too. So a walk along the
//! listing meets them together, and holds no more than a page of them.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_s3::Client;
use domain::change::{Change, record_prefix};
use domain::event::EventKind;
use domain::object::ObjectRef;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::filter::Span;
use crate::catalog::{self, PREFIX};

/// Records that are read at once.
const READS_AT_ONCE: usize = 16;

/// A walk over the catalog.
#[derive(Debug)]
pub(crate) struct Records {
    client: Client,
    bucket: String,
    start_after: Option<String>,
    /// Keys from here on are of later events.
    end: Option<String>,
    /// Keys that may have more of their event behind them.
    held: Vec<String>,
    is_over: bool,
}

impl Records {
    /// Records of events in `span`.
    pub(crate) fn new(client: &Client, bucket: &str, span: Span) -> Self {
        Self {
            client: client.clone(),
            bucket: bucket.to_owned(),
            start_after: span.since.map(record_prefix),
            end: span.until.map(record_prefix),
            held: Vec::new(),
            is_over: false,
        }
    }

    /// The next object versions; none when all have been given.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Vec<Change>>> {
        while !self.is_over {
            let whole = self.page().await?;
            if !whole.is_empty() {
                return self.read(whole).await.map(Some);
            }
        }
        Ok(None)
    }

    /// A page of keys, up to the last event that is sure to be whole.
    async fn page(&mut self) -> anyhow::Result<Vec<String>> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(PREFIX);
        let page = request.set_start_after(self.start_after.clone()).send().await;
        let page = page.with_context(|| format!("failed to list the change records in `{}`", self.bucket))?;
        let keys: Vec<_> = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect();
        let within = |key: &&String| self.end.as_ref().is_none_or(|end| *key < end);
        let wanted: Vec<_> = keys.iter().take_while(within).cloned().collect();
        self.is_over = !page.is_truncated.unwrap_or(false) || wanted.len() < keys.len();
        self.start_after = keys.last().cloned().or(self.start_after.take());
        self.held.extend(wanted);
        let rest = if self.is_over { self.held.len() } else { first_of_last_event(&self.held) };
        let held = self.held.split_off(rest);
        Ok(std::mem::replace(&mut self.held, held))
    }

    /// The newest record of each version among those under `keys`, in their order.
    async fn read(&self, keys: Vec<String>) -> anyhow::Result<Vec<Change>> {
        let (client, bucket) = (&self.client, self.bucket.as_str());
        let reads = keys.into_iter().map(|key| async move { catalog::record(client, bucket, &key).await });
        let records: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(newest(records.into_iter().flatten()))
    }
}

/// The part of a key that all records of one event share.
fn event_of(key: &str) -> &str {
    let name = key.rfind('/').map_or(0, |slash| slash + 1);
    key[name..].find('-').map_or(key, |dash| &key[..name + dash])
}

/// Where the last event among `keys` begins.
fn first_of_last_event(keys: &[String]) -> usize {
    let Some(last) = keys.last() else { return 0 };
    keys.iter().position(|key| event_of(key) == event_of(last)).unwrap_or(0)
}

/// The newest record of each version, in the order in which the versions first appear.
pub(crate) fn newest(records: impl IntoIterator<Item = Change>) -> Vec<Change> {
    let mut places: HashMap<(ObjectRef, bool), usize> = HashMap::new();
    let mut newest: Vec<Change> = Vec::new();
    for record in records {
        let version = (record.object.clone(), record.event == EventKind::Removed);
        let place = *places.entry(version).or_insert(newest.len());
        match newest.get_mut(place) {
            Some(there) if there.order(&record).is_le() => *there = record,
            Some(_) => {}
            None => newest.push(record),
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::wanted::tests::change;

    #[test]
    fn keys_of_one_event_stay_together() {
        let keys =
            ["changes/dt=2026-05-01/1-a-b.json", "changes/dt=2026-05-01/2-a.json", "changes/dt=2026-05-01/2-b.json"];
        let keys = keys.map(str::to_owned);
        assert_eq!(event_of(&keys[0]), "changes/dt=2026-05-01/1");
        assert_eq!(first_of_last_event(&keys), 1);
        assert_eq!(first_of_last_event(&keys[..1]), 0);
        assert_eq!(first_of_last_event(&[]), 0);
    }

    #[test]
    fn a_replay_hides_the_run_before_it_and_not_another_version() {
        let record = |run: &str, version: &str, started: i64| {
            let mut record = change("a");
            record.object.version_id = Some(version.into());
            record.run = run.into();
            record.started = jiff::Timestamp::from_second(started).unwrap();
            record
        };
        let records =
            [record("first", "v1", 1), record("other", "v2", 2), record("again", "v1", 3), record("late", "v1", 2)];
        let runs: Vec<_> = newest(records).into_iter().map(|record| record.run).collect();
        assert_eq!(runs, ["again", "other"]);
    }
}
