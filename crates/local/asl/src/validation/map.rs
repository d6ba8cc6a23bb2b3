//! What a Map adds: the flow for each item, where the items come from, and where results go.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>.

use super::json::{Node, Value};
use super::machine::{flow, states};
use super::scope::Scope;
use super::walk::Language::{JsonPath, Jsonata};
use super::walk::{Check, Field, Group, Place, Shape, Walk};
use super::{path, template};

pub(super) const COUNT: Check = Check::DynamicInteger { least: 0, most: i64::MAX };

/// The longest label, in characters, and what no label holds.
const MAX_LABEL_CHARS: usize = 40;
const NOT_IN_LABELS: &str = "?*<>{}[]:;,\\|^~$#%&`\"";

/// Fields that only a distributed Map may have; the service lets its others pass.
const DISTRIBUTED_FIELDS: [&str; 3] = ["ItemReader", "ItemBatcher", "ResultWriter"];

static PROCESSOR: Shape = Shape {
    fields: &[
        Field::new("Comment", Check::Text),
        Field::new("StartAt", Check::Text).required(),
        Field::new("States", Check::With(states)).required(),
        Field::new("ProcessorConfig", Check::With(processor_config)),
    ],
    groups: &[],
};

static CONFIG: Shape = Shape {
    fields: &[
        Field::new("Mode", Check::With(mode)),
        Field::new("ExecutionType", Check::OneOf(&["STANDARD", "EXPRESS"])),
    ],
    groups: &[],
};

static READER: Shape = Shape {
    fields: &[
        Field::new("Resource", Check::With(reader_resource)).required(),
        Field::new("Parameters", Check::Template).only(JsonPath),
        Field::new("Arguments", Check::Template).only(Jsonata),
        Field::new("ReaderConfig", Check::With(reader_config)),
    ],
    groups: &[],
};

static READER_CONFIG: Shape = Shape {
    fields: &[
        Field::new("InputType", Check::OneOf(&["CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"])),
        Field::new("CSVHeaderLocation", Check::OneOf(&["FIRST_ROW", "GIVEN"])),
        Field::new("CSVHeaders", Check::With(headers)),
        Field::new("CSVDelimiter", Check::OneOf(&["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"])),
        Field::new("ItemsPointer", Check::Text),
        Field::new("ManifestType", Check::OneOf(&["ATHENA_DATA", "S3_INVENTORY"])),
        Field::new("MaxItems", Check::DynamicInteger { least: 0, most: 100_000_000 }),
        Field::new("MaxItemsPath", Check::ReferencePath).only(JsonPath),
        Field::new("Transformation", Check::OneOf(&["NONE", "LOAD_AND_FLATTEN"])),
    ],
    groups: &[Group { names: &["MaxItems", "MaxItemsPath"], required: false }],
};

static BATCHER: Shape = Shape {
    fields: &[
        Field::new("BatchInput", Check::Template),
        Field::new("MaxItemsPerBatch", COUNT),
        Field::new("MaxItemsPerBatchPath", Check::ReferencePath).only(JsonPath),
        Field::new("MaxInputBytesPerBatch", Check::DynamicInteger { least: 0, most: 262_144 }),
        Field::new("MaxInputBytesPerBatchPath", Check::ReferencePath).only(JsonPath),
    ],
    groups: &[
        Group { names: &["MaxItemsPerBatch", "MaxItemsPerBatchPath"], required: false },
        Group { names: &["MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"], required: false },
    ],
};

static WRITER: Shape = Shape {
    fields: &[
        Field::new("Resource", Check::With(writer_resource)),
        Field::new("Parameters", Check::Template).only(JsonPath),
        Field::new("Arguments", Check::Template).only(Jsonata),
        Field::new("WriterConfig", Check::With(writer_config)),
    ],
    groups: &[],
};

static WRITER_CONFIG: Shape = Shape {
    fields: &[
        Field::new("OutputType", Check::OneOf(&["JSON", "JSONL"])),
        Field::new("Transformation", Check::OneOf(&["NONE", "COMPACT", "FLATTEN"])),
    ],
    groups: &[],
};

pub(super) fn processor(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    let config = node.get("ProcessorConfig");
    let named = |field| config.and_then(|config| config.get(field)).and_then(Node::text);
    let nothing = Scope::default();
    let mut inside = Place { depth: place.depth + 1, ..place.clone() };
    if named("Mode") == Some("DISTRIBUTED") {
        // The children are executions of their own.
        inside.scope = &nothing;
        inside.express |= named("ExecutionType") == Some("EXPRESS");
    }
    flow(walk, node, &inside, &PROCESSOR);
}

/// Whether a Map's items are run in executions of their own.
fn is_distributed(map: &Node) -> bool {
    let config =
        map.get("ItemProcessor").or_else(|| map.get("Iterator")).and_then(|inner| inner.get("ProcessorConfig"));
    config.and_then(|config| config.get("Mode")).and_then(Node::text) == Some("DISTRIBUTED")
}

/// What needs several fields of the state.
pub(super) fn check(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    let is_distributed = is_distributed(node);
    for field in DISTRIBUTED_FIELDS.into_iter().filter(|field| !is_distributed && node.get(field).is_some()) {
        walk.unsupported(field, node, place);
    }
    let config = node.get("ItemProcessor").and_then(|inner| inner.get("ProcessorConfig"));
    if let Some(mode) = config.and_then(|config| config.get("Mode")).filter(|_| is_distributed && place.express) {
        let message = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines";
        walk.schema(message, mode, &place.field("ItemProcessor").field("ProcessorConfig").field("Mode"));
    }
}

fn processor_config(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.object(node, place, &CONFIG);
    match (node.get("Mode").and_then(Node::text), node.get("ExecutionType")) {
        (Some("DISTRIBUTED"), None) => walk.missing(&["ExecutionType"], node, place),
        (None | Some("INLINE"), Some(_)) => walk.unsupported("ExecutionType", node, place),
        _ => {}
    }
}

fn mode(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.check(Check::OneOf(&["INLINE", "DISTRIBUTED"]), node, place);
}

pub(super) fn items_path(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    path::reference_or_context_path(walk, node, place);
}

pub(super) fn label(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    let Some(text) = node.text() else {
        return walk.check(Check::Text, node, place);
    };
    if let Some(why) = wrong_label(text) {
        walk.find("INVALID_LABEL_NAME", why, node, place);
    }
    if !walk.labels.insert(text.to_owned()) {
        walk.find("DUPLICATE_LABEL_NAME", format!("Duplicate Label name: {text}"), node, place);
    }
}

fn wrong_label(text: &str) -> Option<String> {
    let is_wrong = |c: &char| c.is_whitespace() || c.is_control() || NOT_IN_LABELS.contains(*c);
    if text.is_empty() {
        return Some("Label cannot be empty".to_owned());
    }
    if text.chars().count() > MAX_LABEL_CHARS {
        return Some(format!("Label cannot exceed {MAX_LABEL_CHARS} characters"));
    }
    text.chars().find(is_wrong).map(|wrong| format!("Label contains invalid character: '{wrong}'"))
}

pub(super) fn reader(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.object(node, place, &READER);
}

fn reader_resource(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    one_of_resources(walk, node, place, &["s3:getObject", "s3:listObjectsV2"]);
}

fn writer_resource(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    one_of_resources(walk, node, place, &["s3:putObject"]);
}

fn one_of_resources(walk: &mut Walk, node: &Node, place: &Place<'_>, actions: &[&str]) {
    let Some(text) = node.text() else {
        return walk.check(Check::Text, node, place);
    };
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    if !matches!(parts[..], ["arn", _, "states", "", "", action] if actions.contains(&action)) {
        walk.schema("The field 'Resource' does not match any of the allowed values", node, place);
    }
}

fn reader_config(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.object(node, place, &READER_CONFIG);
    let has = |field| node.get(field).is_some();
    match node.get("InputType").and_then(Node::text) {
        Some("CSV") if !has("CSVHeaderLocation") => {
            walk.schema("The field 'CSVHeaderLocation' is required", node, place);
        }
        Some("JSON" | "JSONL") => {
            for field in ["CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"].into_iter().filter(|field| has(field)) {
                walk.unsupported(field, node, place);
            }
        }
        _ => {}
    }
    if node.get("CSVHeaderLocation").and_then(Node::text) == Some("GIVEN") && !has("CSVHeaders") {
        walk.missing(&["CSVHeaders"], node, place);
    }
}

fn headers(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    for (index, header) in walk.non_empty_array(node, place).iter().enumerate() {
        walk.check(Check::Text, header, &place.item(index));
    }
}

pub(super) fn batcher(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.object(node, place, &BATCHER);
    let bounds = ["MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"];
    if matches!(node.value, Value::Object(_)) && bounds.iter().all(|bound| node.get(bound).is_none()) {
        walk.schema(format!("At least one of the following fields is required: [{}]", bounds.join(", ")), node, place);
    }
}

pub(super) fn writer(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    walk.object(node, place, &WRITER);
}

fn writer_config(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    if template::is_expression(node, place) {
        return template::check(walk, node, place);
    }
    walk.object(node, place, &WRITER_CONFIG);
}
