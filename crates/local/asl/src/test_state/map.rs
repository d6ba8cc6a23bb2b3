//! A Map under test: its items, their selection and batching, and how many of them may fail.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>. The items'
//! own states are not run. What a reader would have read comes with the test; of that, JSON and
//! JSON lines are taken apart here, and other forms are not looked into.

use serde_json::{Map, Value, json};

use super::{Begun, Run};
use crate::context::ContextObject;
use crate::failure::{Failure, Fault};
use crate::intrinsic::Random;
use crate::map_run::{InputType, ItemBatcher, ItemReader, MapRunOrder};
use crate::payload::MAX_PAYLOAD_BYTES;
use crate::states::Action;
use crate::states::map::MapState;

const EXCEEDED: &str = "States.ExceedToleratedFailureThreshold";
const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";

/// How many iterations may fail.
#[derive(Debug, Default)]
pub(super) struct Tolerance {
    count: Option<u64>,
    percentage: Option<f64>,
    items: usize,
}

impl Tolerance {
    /// What a Map with so many failed iterations fails of.
    pub(super) fn exceeded(&self, failed: Option<u64>) -> Option<Failure> {
        let (failed, total) = (failed?, u64::try_from(self.items).unwrap_or(u64::MAX));
        MapRunOrder::exceeds_tolerance(self.count, self.percentage, failed, total)
            .then(|| Failure::new(EXCEEDED, "The specified tolerated failure threshold was exceeded"))
    }
}

impl Run {
    pub(super) fn map(&mut self, map: &MapState, random: Random<'_>) -> Result<Begun, Fault> {
        self.see_filtered_input(random)?;
        let (items, order) = match self.with_moment(random, |moment| map.run(moment))? {
            Action::StartMapRun { items, concurrency } => {
                (items, Some(self.with_moment(random, |moment| map.order(concurrency, moment))?))
            }
            Action::StartItems { items, .. } => (Some(items), None),
            _ => (None, None),
        };
        if let Some(items) = items.as_ref().filter(|_| self.speaks_jsonpath()) {
            self.seen.document("afterItemsPath", items.value());
        }
        self.see_bounds(map, order.as_ref(), random)?;
        let reader = order.as_ref().and_then(|order| order.reader.as_ref());
        let items = match (items, reader) {
            (Some(items), _) => items.value().as_array().cloned(),
            (None, Some(reader)) => self.read_items(reader)?,
            (None, None) => None,
        };
        let batcher = order.as_ref().and_then(|order| order.batcher.as_ref());
        self.see_inputs(map, items.unwrap_or_default(), batcher, random)?;
        Ok(Begun::Flows)
    }

    fn see_bounds(&mut self, map: &MapState, order: Option<&MapRunOrder>, random: Random<'_>) -> Result<(), Fault> {
        let concurrency = match order {
            Some(order) => order.max_concurrency,
            None => self.with_moment(random, |moment| map.asked_concurrency(moment))?,
        };
        self.seen.member("maxConcurrency", concurrency.into());
        let (count, percentage) =
            order.map_or((None, None), |order| (order.tolerated_failure_count, order.tolerated_failure_percentage));
        for (member, bound) in [
            ("toleratedFailureCount", count.map(Value::from)),
            ("toleratedFailurePercentage", percentage.map(Value::from)),
        ] {
            if let Some(bound) = bound {
                self.seen.member(member, bound);
            }
        }
        self.tolerance = Tolerance { count, percentage, items: 0 };
        Ok(())
    }

    /// What the reader would have read, from the text that came with the test.
    fn read_items(&mut self, reader: &ItemReader) -> Result<Option<Vec<Value>>, Fault> {
        let Some(data) = self.setting.map_item_reader_data.clone() else {
            return Ok(None);
        };
        let failed = |cause: String| Fault::from(Failure::new(ITEM_READER_FAILED, cause));
        let items = match reader.input_type {
            Some(InputType::Csv | InputType::Parquet | InputType::Manifest) => return Ok(None),
            Some(InputType::Jsonl) => lines(&data).map_err(failed)?,
            Some(InputType::Json) | None => {
                let whole: Value = serde_json::from_str(&data).map_err(|why| failed(why.to_string()))?;
                let found = reader.items_pointer.as_deref().map_or(Some(&whole), |pointer| whole.pointer(pointer));
                let found = found.ok_or_else(|| failed("the ItemsPointer leads nowhere".to_owned()))?;
                if reader.items_pointer.is_some() {
                    self.seen.document("afterItemsPointer", found);
                }
                array(found).ok_or_else(|| failed("the items are neither an array nor an object".to_owned()))?
            }
        };
        let most = reader.max_items.and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0);
        Ok(Some(items.into_iter().take(most.unwrap_or(usize::MAX)).collect()))
    }

    /// `ItemSelector` and `ItemBatcher`.
    fn see_inputs(
        &mut self,
        map: &MapState,
        items: Vec<Value>,
        batcher: Option<&ItemBatcher>,
        random: Random<'_>,
    ) -> Result<(), Fault> {
        self.tolerance.items = items.len();
        let inputs = if map.selects() { self.selected_items(map, &items, random)? } else { items };
        if map.selects() {
            self.seen.document("afterItemSelector", &Value::from(inputs.clone()));
        }
        if let Some(batcher) = batcher {
            self.seen.document("afterItemBatcher", &batches(batcher, inputs).into());
        }
        Ok(())
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

fn lines(data: &str) -> Result<Vec<Value>, String> {
    let lines = data.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).map_err(|why| why.to_string())).collect()
}

/// The items of an array, or the members of an object.
fn array(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::Object(members) => {
            Some(members.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect())
        }
        _ => None,
    }
}

/// Items that share a child execution, within both bounds of the batcher.
fn batches(batcher: &ItemBatcher, inputs: Vec<Value>) -> Vec<Value> {
    let most_items = batcher.max_items.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let most_bytes = batcher.max_input_bytes.and_then(|most| usize::try_from(most).ok()).unwrap_or(MAX_PAYLOAD_BYTES);
    let frame = batch(batcher, Vec::new()).to_string().len();
    let (mut closed, mut open, mut bytes) = (Vec::new(), Vec::new(), frame);
    for input in inputs {
        let more = input.to_string().len();
        if !open.is_empty() && (open.len() >= most_items || bytes + more >= most_bytes) {
            closed.push(batch(batcher, std::mem::take(&mut open)));
            bytes = frame;
        }
        bytes += more + usize::from(!open.is_empty());
        open.push(input);
    }
    if !open.is_empty() {
        closed.push(batch(batcher, open));
    }
    closed
}

fn batch(batcher: &ItemBatcher, items: Vec<Value>) -> Value {
    let mut input = Map::new();
    if let Some(batch_input) = &batcher.batch_input {
        input.insert("BatchInput".to_owned(), batch_input.value().clone());
    }
    input.insert("Items".to_owned(), items.into());
    input.into()
}
