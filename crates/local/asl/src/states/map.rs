//! Map: runs the same states for each item of an array, inline or as executions of their own.
//!
//! Spec: <https://states-language.net/#map-state>.

mod distributed;

use std::sync::Arc;

use serde_json::Value;

use self::distributed::Distributed;
use super::{Action, Moment};
use crate::data_flow::value_at;
use crate::definition::{Flow, Reader, read_flow};
use crate::failure::{Failure, Fault};
use crate::field::Number;
use crate::intrinsic::Random;
use crate::jsonata::Located;
use crate::map_run::{ExecutionType, MapRunOrder};
use crate::path::Path;
use crate::payload::Payload;
use crate::scope::Scope;
use crate::template::Template;

/// The most inline iterations that the service runs at once, also where the definition says 0.
const MAX_INLINE_CONCURRENCY: usize = 40;

/// Fields that only a distributed Map may have. The service lets the others pass and ignores them.
const DISTRIBUTED_FIELDS: [&str; 3] = ["ItemReader", "ItemBatcher", "ResultWriter"];

/// Fields that an inline Map may have although they mean nothing to it.
const IGNORED_FIELDS: [&str; 5] = [
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
    distributed: Option<Distributed>,
}

/// How a Map runs its items.
enum Mode {
    Inline,
    Distributed(ExecutionType),
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
        let items = Items::read(reader);
        let item_selector = read_selector(reader);
        let concurrency = Number::read(reader, "MaxConcurrency").unwrap_or(Number::Fixed(0));
        let (processor, mode) = read_processor(reader)?;
        let distributed = match mode {
            Mode::Distributed(execution_type) => Some(Distributed::read(reader, execution_type)),
            Mode::Inline => {
                refuse_distributed_fields(reader);
                None
            }
        };
        Some(Self { processor: Arc::new(processor), items, item_selector, concurrency, distributed })
    }

    pub(crate) fn run(&self, moment: &mut Moment<'_, '_>) -> Result<Action, Fault> {
        let input = moment.filtered_input()?;
        let scope = moment.scope(moment.input.value());
        let over = scope.over(input.value());
        // With a reader the service does not look at `ItemsPath`.
        let reads_items = self.distributed.as_ref().is_some_and(Distributed::reads_items);
        let items = if reads_items { None } else { Some(self.items.array(&input, &over, moment.random)?) };
        let concurrency = self.concurrency.value(&over, moment.random, concurrency_in)?;
        let items = match (items, &self.distributed) {
            (Some(items), None) => items,
            (items, _) => return Ok(Action::StartMapRun { items, concurrency }),
        };
        Ok(Action::StartItems { concurrency: bounded(concurrency), items })
    }

    /// What is asked of the Map Run of a distributed Map.
    pub(crate) fn order(&self, concurrency: u64, moment: &mut Moment<'_, '_>) -> Result<MapRunOrder, Fault> {
        match &self.distributed {
            Some(distributed) => distributed.order(concurrency, moment),
            None => Err(Failure::runtime("an inline Map has no Map Run").into()),
        }
    }

    /// Where a distributed Map stands in the definition.
    pub(crate) fn location(&self) -> Option<&str> {
        self.distributed.as_ref().map(Distributed::location)
    }

    /// How many iterations may run at once, as the definition says it; 0 sets no bound.
    pub(crate) fn asked_concurrency(&self, moment: &mut Moment<'_, '_>) -> Result<u64, Fault> {
        let input = moment.filtered_input()?;
        let scope = moment.scope(moment.input.value());
        self.concurrency.value(&scope.over(input.value()), moment.random, concurrency_in)
    }

    /// Whether the results are written elsewhere, so that the state's own result is no array.
    pub(crate) fn writes_results(&self) -> bool {
        self.distributed.as_ref().is_some_and(Distributed::writes_results)
    }

    /// Whether each iteration's input is made by a selector.
    pub(crate) fn selects(&self) -> bool {
        self.item_selector.is_some()
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

fn refuse_distributed_fields(reader: &mut Reader<'_, '_>) {
    for field in DISTRIBUTED_FIELDS {
        if reader.get(field).is_some() {
            reader.problem(field, format!("`{field}` is only for a Map in the mode DISTRIBUTED"));
        }
    }
    reader.ignore(&IGNORED_FIELDS);
}

fn read_processor(reader: &mut Reader<'_, '_>) -> Option<(Flow, Mode)> {
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
    let mode = read_mode(&mut inner);
    let flow = read_flow(&mut inner);
    inner.finish();
    flow.map(|flow| (flow, mode))
}

fn read_mode(reader: &mut Reader<'_, '_>) -> Mode {
    let Some(mut config) = reader.nested("ProcessorConfig") else {
        return Mode::Inline;
    };
    let mode = match config.string("Mode") {
        None | Some("INLINE") => Mode::Inline,
        Some("DISTRIBUTED") => Mode::Distributed(read_execution_type(&mut config)),
        Some(other) => {
            config.problem("Mode", format!("there is no mode `{other}`"));
            Mode::Inline
        }
    };
    config.finish();
    mode
}

fn read_execution_type(config: &mut Reader<'_, '_>) -> ExecutionType {
    match config.string("ExecutionType") {
        Some("STANDARD") => ExecutionType::Standard,
        Some("EXPRESS") => ExecutionType::Express,
        Some(other) => {
            config.problem("ExecutionType", format!("there is no execution type `{other}`"));
            ExecutionType::Standard
        }
        None => {
            config.problem("", "these fields are required: `ExecutionType`");
            ExecutionType::Standard
        }
    }
}
