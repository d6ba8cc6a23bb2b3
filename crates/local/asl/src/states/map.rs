//! Map: runs the same states for each item of an array, inline.
//!
//! Spec: <https://states-language.net/#map-state>. Distributed mode and its fields are refused
//! when the definition is read.

use std::sync::Arc;

use serde_json::Value;

use super::task::not_an_integer;
use super::{Action, Moment};
use crate::data_flow::value_at;
use crate::definition::{Flow, Reader, read_flow};
use crate::failure::Failure;
use crate::path::Path;
use crate::payload::Payload;
use crate::scope::Scope;
use crate::template::Template;

/// The most inline iterations that the service runs at once, also where the definition says 0.
const MAX_INLINE_CONCURRENCY: usize = 40;

/// Fields of distributed Maps.
const DISTRIBUTED_FIELDS: [&str; 8] = [
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
    "Label",
];

#[derive(Debug)]
pub(crate) struct MapState {
    pub(crate) processor: Arc<Flow>,
    items_path: Option<Path>,
    item_selector: Option<Template>,
    concurrency: Concurrency,
}

#[derive(Debug)]
enum Concurrency {
    Fixed(u64),
    Path(Path),
}

impl MapState {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        for field in DISTRIBUTED_FIELDS {
            if reader.get(field).is_some() {
                reader.not_supported_yet(field, "the distributed Map state");
            }
        }
        let items_path = reader.path("ItemsPath");
        let item_selector = read_selector(reader);
        let concurrency = match reader.path("MaxConcurrencyPath") {
            Some(path) => Concurrency::Path(path),
            None => Concurrency::Fixed(reader.integer("MaxConcurrency").unwrap_or(0)),
        };
        let processor = Arc::new(read_processor(reader)?);
        Some(Self { processor, items_path, item_selector, concurrency })
    }

    pub(super) fn run(&self, moment: &mut Moment<'_, '_>) -> Result<Action, Failure> {
        let input = moment.filtered_input()?;
        let scope = moment.scope(moment.input.value());
        let over = scope.over(input.value());
        let items = match &self.items_path {
            Some(path) if !path.is_root() => value_at(path, &over)?.into(),
            _ => input.clone(),
        };
        if !items.value().is_array() {
            return Err(not_an_array(self.items_path.as_ref()));
        }
        Ok(Action::StartItems { concurrency: self.concurrency.value(&over)?, items })
    }

    /// The input of one iteration; the scope's context object tells of the item.
    pub(crate) fn item_input(
        &self,
        item: &Value,
        scope: &Scope<'_>,
        random: &mut dyn FnMut() -> f64,
    ) -> Result<Payload, Failure> {
        match &self.item_selector {
            None => Ok(item.clone().into()),
            Some(template) => template.evaluate(scope, random).map(Payload::from),
        }
    }
}

impl Concurrency {
    fn value(&self, scope: &Scope<'_>) -> Result<usize, Failure> {
        let asked = match self {
            Self::Fixed(number) => *number,
            Self::Path(path) => {
                let value = value_at(path, scope)?;
                // The service takes a number in a string too.
                let written = value.as_str().and_then(|text| text.parse().ok());
                value.as_u64().or(written).ok_or_else(|| not_an_integer("MaxConcurrencyPath", &value, path))?
            }
        };
        Ok(usize::try_from(asked)
            .ok()
            .filter(|asked| (1..MAX_INLINE_CONCURRENCY).contains(asked))
            .unwrap_or(MAX_INLINE_CONCURRENCY))
    }
}

fn read_selector(reader: &mut Reader<'_, '_>) -> Option<Template> {
    if reader.has("ItemSelector") && reader.has("Parameters") {
        reader.problem("Parameters", "a Map state has either `ItemSelector` or `Parameters`");
    }
    let old = reader.template("Parameters");
    reader.template("ItemSelector").or(old)
}

fn read_processor(reader: &mut Reader<'_, '_>) -> Option<Flow> {
    let field = if reader.has("Iterator") { "Iterator" } else { "ItemProcessor" };
    if field == "Iterator" && reader.has("ItemProcessor") {
        reader.problem("Iterator", "a Map state has either `ItemProcessor` or `Iterator`");
    }
    if !reader.has(field) {
        reader.problem("", "these fields are required: `ItemProcessor`");
    }
    let mut inner = reader.nested(field)?;
    inner.ignore(&["Comment"]);
    inner.query_language();
    read_mode(&mut inner);
    let flow = read_flow(&mut inner);
    inner.finish();
    flow
}

fn read_mode(reader: &mut Reader<'_, '_>) {
    let Some(mut config) = reader.nested("ProcessorConfig") else {
        return;
    };
    match config.string("Mode") {
        None | Some("INLINE") => {}
        Some("DISTRIBUTED") => {
            config.ignore(&["ExecutionType"]);
            config.not_supported_yet("Mode", "the distributed Map state");
        }
        Some(other) => config.problem("Mode", format!("there is no mode `{other}`")),
    }
    config.finish();
}

fn not_an_array(path: Option<&Path>) -> Failure {
    // The service drops one `$` of the context object's `$$` here.
    let text = path
        .map_or("$", |path| path.text().strip_prefix('$').filter(|rest| rest.starts_with('$')).unwrap_or(path.text()));
    Failure::runtime(format!("Reference path \"{text}\" must point to array."))
}
