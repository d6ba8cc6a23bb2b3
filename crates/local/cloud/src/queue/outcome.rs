//! What a function's answer says about each event of its batch.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>

use std::collections::HashSet;

use serde::Deserialize;

use super::Invoked;
use super::inbox::Event;
use super::message::message_id;
use crate::wire::ServiceError;

/// The outcome of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) failed: Failed,
    /// Why, in words for a person.
    pub(super) reason: Option<String>,
    /// The function did not run, so the delivery does not count.
    pub(super) counts: bool,
}

/// Which events have to be delivered again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    All,
    These(HashSet<i64>),
}

/// `{"batchItemFailures": [{"itemIdentifier": "…"}]}`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

impl Outcome {
    pub(super) fn all_failed(reason: impl Into<String>) -> Self {
        Self { failed: Failed::All, reason: Some(reason.into()), counts: true }
    }

    pub(super) fn of(answer: Result<Invoked, ServiceError>, events: &[Event]) -> Self {
        match answer {
            Err(error) => {
                let ran = error.status < 500 && error.status != 429;
                Self { counts: ran, ..Self::all_failed(error.to_string()) }
            }
            Ok(Invoked { function_error: Some(error), .. }) => {
                Self::all_failed(format!("the function failed: {error}"))
            }
            Ok(Invoked { payload, .. }) => Self::reported(&payload, events),
        }
    }

    /// An answer that names no failures means success; one that names them wrongly means that all failed, as on AWS.
    fn reported(payload: &[u8], events: &[Event]) -> Self {
        let response = serde_json::from_slice::<Option<serde_json::Value>>(payload).ok().flatten();
        let Some(response @ serde_json::Value::Object(_)) = response else {
            return Self { failed: Failed::These(HashSet::new()), reason: None, counts: true };
        };
        let Ok(Response { batch_item_failures }) = serde_json::from_value(response) else {
            return Self::all_failed("the function's batchItemFailures are malformed");
        };
        let find = |failure: &ItemFailure| {
            events.iter().find(|event| message_id(event) == failure.item_identifier).map(|event| event.id)
        };
        let failures = batch_item_failures.unwrap_or_default();
        match failures.iter().map(find).collect::<Option<HashSet<_>>>() {
            None => Self::all_failed("the function reports an item that was not in its batch"),
            Some(failed) => {
                let reason =
                    (!failed.is_empty()).then(|| format!("the function reports {} failed items", failed.len()));
                Self { failed: Failed::These(failed), reason, counts: true }
            }
        }
    }

    pub(super) fn is_failed(&self, event: &Event) -> bool {
        match &self.failed {
            Failed::All => true,
            Failed::These(failed) => failed.contains(&event.id),
        }
    }
}
