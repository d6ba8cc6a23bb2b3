//! `ItemBatcher`: items that share a child execution.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html>.

use super::quantity::Quantity;
use super::reader::evaluated;
use crate::definition::Reader;
use crate::failure::{Failure, Fault};
use crate::intrinsic::Random;
use crate::map_run::ItemBatcher;
use crate::payload::{MAX_PAYLOAD_BYTES, Payload};
use crate::scope::Scope;
use crate::template::Template;

#[derive(Debug)]
pub(super) struct Batcher {
    max_items: Option<Quantity>,
    max_input_bytes: Option<Quantity>,
    batch_input: Option<Template>,
}

impl Batcher {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let mut inner = reader.nested("ItemBatcher")?;
        inner.ignore(&["Comment"]);
        let max_items = Quantity::read(&mut inner, "MaxItemsPerBatch");
        let max_input_bytes = Quantity::read(&mut inner, "MaxInputBytesPerBatch");
        if max_items.is_none() && max_input_bytes.is_none() {
            inner.problem("", "these fields are required: one of `MaxItemsPerBatch` and `MaxInputBytesPerBatch`");
        }
        let batch_input = inner.template("BatchInput");
        inner.finish();
        Some(Self { max_items, max_input_bytes, batch_input })
    }

    pub(super) fn order(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<ItemBatcher, Fault> {
        let mut bound = |field: &Option<Quantity>, name: &str| match field {
            None => Ok(None),
            Some(quantity) => Ok::<_, Fault>(Some(positive(quantity.integer(scope, random)?, name)?)),
        };
        let max_items = bound(&self.max_items, "MaxItemsPerBatch")?;
        let max_input_bytes = bound(&self.max_input_bytes, "MaxInputBytesPerBatch")?;
        let most = u64::try_from(MAX_PAYLOAD_BYTES).unwrap_or(u64::MAX);
        if max_input_bytes.is_some_and(|bytes| bytes > most) {
            return Err(Failure::runtime("field MaxInputBytesPerBatch must not exceed 256KB").into());
        }
        let batch_input = evaluated(self.batch_input.as_ref(), scope, random)?.map(Payload::from);
        Ok(ItemBatcher { max_items, max_input_bytes, batch_input })
    }
}

fn positive(number: i64, field: &str) -> Result<u64, Failure> {
    let number = u64::try_from(number).ok().filter(|number| *number > 0);
    number.ok_or_else(|| Failure::runtime(format!("field {field} must be positive")))
}
