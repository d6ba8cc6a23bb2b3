//! The fields of a Map in distributed mode: tolerance, label, and what is asked of its Map Run.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>. Everything is
//! worked out here, once, before the run starts; only `ItemSelector` is left for each item.

mod batcher;
mod quantity;
mod reader;
mod writer;

use sha2::{Digest as _, Sha256};

use self::batcher::Batcher;
use self::quantity::Quantity;
use self::reader::ItemReaderField;
use self::writer::Writer;
use crate::definition::Reader;
use crate::failure::{Failure, Fault};
use crate::map_run::{ExecutionType, MapRunOrder};
use crate::states::Moment;

/// The most characters of a label:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>.
const MAX_LABEL_CHARACTERS: usize = 40;

/// Characters that no label may hold, beside white space and controls.
const FORBIDDEN_IN_LABELS: &str = "?*<>{}[]:;,\\|^~$#%&`\"";

#[derive(Debug)]
pub(crate) struct Distributed {
    location: String,
    label: String,
    pub(super) execution_type: ExecutionType,
    tolerated_count: Option<Quantity>,
    tolerated_percentage: Option<Quantity>,
    reader: Option<ItemReaderField>,
    batcher: Option<Batcher>,
    writer: Option<Writer>,
}

impl Distributed {
    pub(super) fn read(reader: &mut Reader<'_, '_>, execution_type: ExecutionType) -> Self {
        let location = reader.location().to_owned();
        Self {
            label: read_label(reader).unwrap_or_else(|| made_label(&location)),
            location,
            execution_type,
            tolerated_count: Quantity::read(reader, "ToleratedFailureCount"),
            tolerated_percentage: Quantity::read(reader, "ToleratedFailurePercentage"),
            reader: ItemReaderField::read(reader),
            batcher: Batcher::read(reader),
            writer: Writer::read(reader),
        }
    }

    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// Whether the items are still to be read.
    pub(super) fn reads_items(&self) -> bool {
        self.reader.is_some()
    }

    /// Whether results are written elsewhere.
    pub(super) fn writes_results(&self) -> bool {
        self.writer.is_some()
    }

    /// What is asked of the Map Run.
    pub(super) fn order(&self, concurrency: u64, moment: &mut Moment<'_, '_>) -> Result<MapRunOrder, Fault> {
        let input = moment.filtered_input()?;
        let scope = moment.scope(moment.input.value());
        let over = scope.over(input.value());
        let random = &mut *moment.random;
        let count = self.tolerated_count.as_ref().map(|count| count.integer(&over, random)).transpose()?;
        let percentage = self.tolerated_percentage.as_ref().map(|share| share.number(&over, random)).transpose()?;
        Ok(MapRunOrder {
            location: self.location.clone(),
            label: self.label.clone(),
            execution_type: self.execution_type,
            max_concurrency: concurrency,
            tolerated_failure_count: count.map(tolerated_count).transpose()?,
            tolerated_failure_percentage: percentage.map(tolerated_percentage).transpose()?,
            reader: self.reader.as_ref().map(|field| field.order(&over, random)).transpose()?,
            batcher: self.batcher.as_ref().map(|batcher| batcher.order(&over, random)).transpose()?,
            writer: self.writer.as_ref().map(|writer| writer.order(&over, random)).transpose()?,
        })
    }
}

fn tolerated_count(count: i64) -> Result<u64, Failure> {
    u64::try_from(count).map_err(|_| Failure::runtime("ToleratedFailureCount cannot be negative."))
}

fn tolerated_percentage(share: f64) -> Result<f64, Failure> {
    if (0.0..=100.0).contains(&share) {
        return Ok(share);
    }
    Err(Failure::runtime("ToleratedFailurePercentage must be between 0 and 100."))
}

fn read_label(reader: &mut Reader<'_, '_>) -> Option<String> {
    let label = reader.string("Label")?;
    if label.is_empty() {
        reader.problem("Label", "Label cannot be empty");
    }
    if label.chars().count() > MAX_LABEL_CHARACTERS {
        reader.problem("Label", "Label cannot exceed 40 characters");
    }
    if let Some(bad) = label.chars().find(|c| c.is_whitespace() || c.is_control() || FORBIDDEN_IN_LABELS.contains(*c)) {
        reader.problem("Label", format!("Label contains invalid character: '{bad}'"));
    }
    Some(label.to_owned())
}

/// A label of the service's own making: the same for every execution of the definition.
fn made_label(location: &str) -> String {
    let digest = Sha256::digest(location.as_bytes());
    let number = digest.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let hex = format!("{number:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
