//! A Map under test: its items, their selection, and how many of them may fail.
//!
//! Spec: <https://states-language.net/#map-state>. The items' own states are not run.

use serde_json::{Value, json};

use super::{Begun, Run};
use crate::context::ContextObject;
use crate::failure::{Failure, Fault};
use crate::intrinsic::Random;
use crate::payload::MAX_PAYLOAD_BYTES;
use crate::states::Action;
use crate::states::map::MapState;

const EXCEEDED: &str = "States.ExceedToleratedFailureThreshold";

/// How many iterations may fail.
#[derive(Debug, Default)]
pub(super) struct Tolerance {
    count: u64,
}

impl Tolerance {
    /// What a Map with so many failed iterations fails of.
    pub(super) fn exceeded(&self, failed: Option<u64>) -> Option<Failure> {
        let is_exceeded = failed.is_some_and(|failed| failed > self.count);
        is_exceeded.then(|| Failure::new(EXCEEDED, "The specified tolerated failure threshold was exceeded"))
    }
}

impl Run {
    pub(super) fn map(&mut self, map: &MapState, random: Random<'_>) -> Result<Begun, Fault> {
        self.see_filtered_input(random)?;
        let Action::StartItems { items, .. } = self.with_moment(random, |moment| map.run(moment))? else {
            return Ok(Begun::Flows);
        };
        if self.speaks_jsonpath() {
            self.seen.document("afterItemsPath", items.value());
        }
        let concurrency = self.with_moment(random, |moment| map.asked_concurrency(moment))?;
        self.seen.member("maxConcurrency", concurrency.into());
        if map.selects() {
            let items = items.value().as_array().map_or(&[][..], Vec::as_slice);
            let inputs = self.selected_items(map, items, random)?;
            self.seen.document("afterItemSelector", &inputs.into());
        }
        Ok(Begun::Flows)
    }

    fn selected_items(&self, map: &MapState, items: &[Value], random: Random<'_>) -> Result<Vec<Value>, Fault> {
        let filtered = self.with_moment(random, |moment| moment.filtered_input())?;
        let (mut inputs, mut bytes) = (Vec::with_capacity(items.len()), 0);
        // The context object can be as large as a payload, so it is handed on, not copied.
        let mut context = self.context.clone();
        for (index, item) in items.iter().enumerate() {
            context["Map"] = json!({ "Item": { "Index": index, "Value": item } });
            let object = self.context_object(std::mem::take(&mut context));
            let moment = self.moment(&object, &mut *random);
            let made = map.item_input(item, &moment.scope(filtered.value()), moment.random)?;
            bytes += made.to_json().len();
            if bytes > MAX_PAYLOAD_BYTES {
                return Err(Failure::too_large(&self.state.name).into());
            }
            inputs.push(made.value().clone());
            context = made_of(object);
        }
        Ok(inputs)
    }
}

fn made_of(object: ContextObject<'_>) -> Value {
    object.made.into_inner().unwrap_or_default()
}
