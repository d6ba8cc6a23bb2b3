//! `EventBridge` as far as the pipeline needs it: rules of the default bus that tell a function how executions ended.
//!
//! An event is written down in the transaction that makes it true, for each rule that wants it, and delivered from
//! there by `queue`. Not here: buses of one's own, patterns beyond machine and status, and the API.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>

use rusqlite::{Transaction, params};
use serde_json::Value;

use crate::context::ACCOUNT;
use crate::queue::{Envelope, Mapping};

/// Tells a function of executions of one state machine that ended in one of some ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The rule's name; with region and account it makes its ARN.
    pub name: &'static str,
    /// Executions of this state machine.
    pub machine_arn: String,
    /// `ABORTED`, `TIMED_OUT` …
    pub statuses: &'static [&'static str],
    /// The function's name.
    pub function: String,
}

/// An event of a service, its time and its envelope apart.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    /// `aws.states` …
    pub(crate) source: &'a str,
    pub(crate) detail_type: &'a str,
    /// ARN of what it is about.
    pub(crate) resource: &'a str,
    pub(crate) time_ms: i64,
    pub(crate) detail: &'a Value,
}

impl Rule {
    fn target(&self, region: &str) -> String {
        format!("arn:aws:events:{region}:{ACCOUNT}:rule/{}", self.name)
    }

    /// How the queue finds the function behind the rule.
    pub(crate) fn mapping(&self, region: &str) -> Mapping {
        Mapping { target: self.target(region), function: self.function.clone(), envelope: Envelope::EventBridge }
    }

    /// Whether the rule wants to know that an execution of `machine_arn` is `status` now.
    pub(crate) fn wants(&self, machine_arn: &str, status: &str) -> bool {
        self.machine_arn == machine_arn && self.statuses.contains(&status)
    }

    /// Writes `event` down for the rule's function.
    pub(crate) fn publish(
        &self,
        transaction: &Transaction<'_>,
        region: &str,
        event: &Event<'_>,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO events (target, rule, name, time_ms, bucket, key, sequencer) \
                   VALUES (?1, ?2, ?3, ?4, '', ?5, 0)";
        let row = params![self.target(region), self.name, event.detail_type, event.time_ms, event.resource];
        transaction.prepare_cached(sql)?.execute(row)?;
        let id = transaction.last_insert_rowid();
        let sql = "INSERT INTO event_details (event, source, detail) VALUES (?1, ?2, ?3)";
        transaction.prepare_cached(sql)?.execute(params![id, event.source, event.detail.to_string()]).map(drop)
    }
}
