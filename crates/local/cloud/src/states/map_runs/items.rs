//! From items to children: `ItemSelector` makes each item's input, `ItemBatcher` puts items together, and a waiting
//! child is made for each of them, some hundreds in one transaction. Never are all of them in memory.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html>

use asl::map_run::ItemBatcher;
use asl::{Failure, MAX_PAYLOAD_BYTES, MapItem};
use serde_json::{Map, Value, json};

use super::children::{self, NewChild};
use super::reader::{self, Raw, Source};
use super::rows;
use super::run::{Run, Stopped};
use super::{Heard, s3};
use crate::identifier;
use crate::states::name;
use crate::wire::ServiceError;

/// Children made in one transaction.
const MOST_CHILDREN: usize = 500;

/// Bytes of inputs in one transaction.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Reads all items and makes a child of each, or of each batch.
pub(super) async fn read(run: &mut Run<'_>) -> Result<(), Stopped> {
    let number = run.row.number;
    run.states.write(move |database| children::forget(database, number)).await?;
    let mut source = reader::open(run.states, run.order).map_err(Stopped::Failed)?;
    let mut making = Making::new(run);
    while let Some(raw) = next(run, &mut source).await? {
        making.take(run, &raw)?;
        if making.is_full() {
            making.store(run).await?;
        }
    }
    making.close_batch(run)?;
    making.store(run).await?;
    Ok(run.states.write(move |database| rows::set_read(database, number)).await?)
}

/// The next item, unless the parent no longer wants it.
async fn next(run: &mut Run<'_>, source: &mut Source) -> Result<Option<Raw>, Stopped> {
    loop {
        tokio::select! {
            biased;
            heard = run.heard.recv() => if matches!(heard, Some(Heard::Cancelled)) {
                return Err(Stopped::Cancelled);
            },
            item = source.next() => return item.map_err(Stopped::Failed),
        }
    }
}

/// Children that are not in the database yet.
struct Making {
    batcher: Option<ItemBatcher>,
    batch: Vec<Value>,
    batch_bytes: usize,
    /// The bytes of a batch without its items.
    frame_bytes: usize,
    index: usize,
    place: u64,
    children: Vec<NewChild>,
    bytes: usize,
}

impl Making {
    fn new(run: &Run<'_>) -> Self {
        let batcher = run.order.order.batcher.clone();
        let frame_bytes = batcher.as_ref().map_or(0, |batcher| batched(batcher, &[]).to_string().len());
        Self {
            batcher,
            batch: Vec::new(),
            batch_bytes: frame_bytes,
            frame_bytes,
            index: 0,
            place: 0,
            children: Vec::new(),
            bytes: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.children.len() >= MOST_CHILDREN || self.bytes >= MOST_BYTES
    }

    fn take(&mut self, run: &Run<'_>, raw: &Raw) -> Result<(), Stopped> {
        let item = MapItem { index: self.index, value: &raw.value, source: &raw.source };
        self.index += 1;
        let now = run.states.context().clock.now();
        let input = run.order.inputs.item(&item, now, &mut fastrand::f64).map_err(Stopped::Failed)?;
        match &self.batcher {
            None => self.add(run, input.to_json(), 1),
            Some(batcher) => {
                let bytes = input.to_json().len();
                if !fits(batcher, &self.batch, self.batch_bytes, bytes) {
                    self.close_batch(run)?;
                }
                self.put(input.value().clone(), bytes)
            }
        }
    }

    /// Puts an item into the open batch.
    fn put(&mut self, item: Value, bytes: usize) -> Result<(), Stopped> {
        let most = self.batcher.as_ref().and_then(|batcher| batcher.max_input_bytes);
        if self.batch.is_empty() && most.is_some_and(|most| self.frame_bytes + bytes > as_bytes(most)) {
            let cause = "An item is larger than the field MaxInputBytesPerBatch allows for a batch.";
            return Err(Stopped::Failed(Failure::new(s3::ITEM_READER_FAILED, cause)));
        }
        self.batch_bytes += bytes + usize::from(!self.batch.is_empty());
        self.batch.push(item);
        Ok(())
    }

    fn close_batch(&mut self, run: &Run<'_>) -> Result<(), Stopped> {
        let items = std::mem::take(&mut self.batch);
        self.batch_bytes = self.frame_bytes;
        let Some(batcher) = self.batcher.as_ref().filter(|_| !items.is_empty()) else {
            return Ok(());
        };
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let input = batched(batcher, &items).to_string();
        self.add(run, input, count)
    }

    fn add(&mut self, run: &Run<'_>, input: String, items: u64) -> Result<(), Stopped> {
        if input.len() > MAX_PAYLOAD_BYTES {
            return Err(Stopped::Failed(run.order.inputs.too_large()));
        }
        self.bytes += input.len();
        let name = identifier::random();
        let arn = name::child_arn(&run.row.machine_arn, &name, run.row.express);
        self.children.push(NewChild { place: self.place, items, name, arn, input });
        self.place += 1;
        Ok(())
    }

    async fn store(&mut self, run: &Run<'_>) -> Result<(), ServiceError> {
        let (children, row) = (std::mem::take(&mut self.children), run.row.clone());
        let (revision, now) = (run.parent.revision, run.states.now());
        self.bytes = 0;
        if children.is_empty() {
            return Ok(());
        }
        run.states.write(move |database| children::insert(database, &row, revision, &children, now)).await
    }
}

/// Whether one more item has room in a batch that is not empty.
fn fits(batcher: &ItemBatcher, batch: &[Value], batch_bytes: usize, bytes: usize) -> bool {
    let most_bytes = batcher.max_input_bytes.map_or(MAX_PAYLOAD_BYTES, as_bytes);
    let has_place = batcher.max_items.is_none_or(|most| batch.len() < as_bytes(most));
    batch.is_empty() || has_place && batch_bytes + bytes < most_bytes
}

fn as_bytes(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The input of a child that has a batch.
fn batched(batcher: &ItemBatcher, items: &[Value]) -> Value {
    let mut input = Map::new();
    if let Some(batch_input) = &batcher.batch_input {
        input.insert("BatchInput".to_owned(), batch_input.value().clone());
    }
    input.insert("Items".to_owned(), json!(items));
    input.into()
}

#[cfg(test)]
mod tests {
    use super::{ItemBatcher, batched, fits};
    use serde_json::json;

    #[test]
    fn a_batch_keeps_both_of_its_bounds() {
        let batcher = ItemBatcher { max_items: Some(2), max_input_bytes: Some(24), batch_input: None };
        let frame = batched(&batcher, &[]).to_string().len();
        assert_eq!(frame, r#"{"Items":[]}"#.len());
        assert!(fits(&batcher, &[], frame, 1000), "an empty batch takes the item and refuses it itself");
        let one = [json!("abcd")];
        assert!(fits(&batcher, &one, frame + 6, 5), "18, a comma, and 5 make 24");
        assert!(!fits(&batcher, &one, frame + 6, 6));
        let unbounded = ItemBatcher { max_items: Some(2), max_input_bytes: None, batch_input: None };
        assert!(fits(&unbounded, &one, frame + 6, 6));
        assert!(!fits(&unbounded, &[json!(1), json!(2)], frame + 3, 1));
    }

    #[test]
    fn the_batch_input_stands_before_the_items() {
        let batcher = ItemBatcher { max_items: None, max_input_bytes: None, batch_input: Some(json!({"a": 1}).into()) };
        assert_eq!(batched(&batcher, &[json!(2)]).to_string(), r#"{"BatchInput":{"a":1},"Items":[2]}"#);
    }
}
