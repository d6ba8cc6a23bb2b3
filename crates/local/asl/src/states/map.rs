//! Map: runs the same states for each item of an array, inline.
//!
//! Spec: <https://states-language.net/#map-state>. Distributed mode and its fields are refused
//! when the definition is read.

use std::sync::Arc;

use serde_json::Value;

use super::{Action, Moment};
use crate::data_flow::value_at;
use crate::definition::{Flow, Reader, read_flow};
use crate::failure::{Failure, Fault};
use crate::field::Number;
use crate::intrinsic::Random;
use crate::jsonata::Located;
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
    items: Items,
    item_selector: Option<Template>,
    concurrency: Number,
}

/// The array to go over.
#[derive(Debug)]
enum Items {
    Input,
    Path(Path),
    Fixed(Payload),
    Template(Template),
    Query(Located),
}

impl MapState {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        for field in DISTRIBUTED_FIELDS {
            if reader.get(field).is_some() {
                reader.not_supported_yet(field, "the distributed Map state");
            }
        }
        let items = Items::read(reader);
        let item_selector = read_selector(reader);
        let concurrency = Number::read(reader, "MaxConcurrency").unwrap_or(Number::Fixed(0));
        let processor = Arc::new(read_processor(reader)?);
        Some(Self { processor, items, item_selector, concurrency })
    }

    pub(super) fn run(&self, moment: &mut Moment<'_, '_>) -> Result<Action, Fault> {
        let input = moment.filtered_input()?;
        let scope = moment.scope(moment.input.value());
        let over = scope.over(input.value());
        let items = self.items.array(&input, &over, moment.random)?;
        let concurrency = self.concurrency.value(&over, moment.random, concurrency_in)?;
        Ok(Action::StartItems { concurrency: bounded(concurrency), items })
    }

    /// The input of one iteration; the scope's context object tells of the item.
    pub(crate) fn item_input(&self, item: &Value, scope: &Scope<'_>, random: Random<'_>) -> Result<Payload, Fault> {
        match &self.item_selector {
            None => Ok(item.clone().into()),
            Some(template) => {
                let input = Payload::from(template.evaluate(scope, random)?);
                if input.is_too_large() {
                    Err(Failure::too_large_parameters(scope.context.state.name).into())
                } else {
                    Ok(input)
                }
            }
        }
    }
}

impl Items {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        if !reader.is_jsonata() {
            return reader.path("ItemsPath").filter(|path| !path.is_root()).map_or(Self::Input, Self::Path);
        }
        if let Some(located) = reader.located("Items") {
            return Self::Query(located);
        }
        match reader.template("Items") {
            None => Self::Input,
            Some(Template::Literal(items)) => {
                if !items.is_array() {
                    reader.problem("Items", "the value must be an array or a JSONata expression");
                }
                Self::Fixed(items.into())
            }
            Some(template) => Self::Template(template),
        }
    }

    fn array(&self, input: &Payload, scope: &Scope<'_>, random: Random<'_>) -> Result<Payload, Fault> {
        let items = match self {
            Self::Fixed(items) => items.clone(),
            Self::Input => input.clone(),
            Self::Path(path) => value_at(path, scope)?.into(),
            Self::Template(template) => template.evaluate(scope, random)?.into(),
            Self::Query(located) => {
                return located.typed("array", scope, random, |value| value.is_array().then(|| value.clone().into()));
            }
        };
        if items.value().is_array() { Ok(items) } else { Err(self.not_an_array().into()) }
    }

    fn not_an_array(&self) -> Failure {
        let text = match self {
            // The service drops one `$` of the context object's `$$` here.
            Self::Path(path) => {
                path.text().strip_prefix('$').filter(|rest| rest.starts_with('$')).unwrap_or(path.text())
            }
            _ => "$",
        };
        Failure::runtime(format!("Reference path \"{text}\" must point to array."))
    }
}

/// The service takes a number in a string too.
fn concurrency_in(value: &Value) -> Option<u64> {
    let written = value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or(written)
}

fn bounded(concurrency: u64) -> usize {
    let asked = usize::try_from(concurrency).ok().filter(|asked| (1..MAX_INLINE_CONCURRENCY).contains(asked));
    asked.unwrap_or(MAX_INLINE_CONCURRENCY)
}

fn read_selector(reader: &mut Reader<'_, '_>) -> Option<Template> {
    if reader.has("ItemSelector") && reader.has("Parameters") {
        reader.problem("Parameters", "a Map state has either `ItemSelector` or `Parameters`");
    }
    let old = if reader.is_jsonata() { None } else { reader.template("Parameters") };
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
    inner.flow_language();
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
