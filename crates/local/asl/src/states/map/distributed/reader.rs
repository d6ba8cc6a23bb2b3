//! `ItemReader`: where a Map Run reads its items.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html>. Nothing is
//! read here; what cannot be read fails the run, not the definition.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::quantity::Quantity;
use crate::definition::Reader;
use crate::failure::Fault;
use crate::intrinsic::Random;
use crate::map_run::{CsvDelimiter, InputType, ItemReader, ManifestType, ReaderAction, ReaderTransformation};
use crate::scope::Scope;
use crate::template::Template;

#[derive(Debug)]
pub(super) struct ItemReaderField {
    action: ReaderAction,
    parameters: Option<Template>,
    config: Config,
}

#[derive(Debug, Default)]
struct Config {
    input_type: Option<InputType>,
    header_location: Option<String>,
    headers: Option<Template>,
    delimiter: CsvDelimiter,
    items_pointer: Option<String>,
    manifest_type: Option<ManifestType>,
    transformation: ReaderTransformation,
    max_items: Option<Quantity>,
}

impl ItemReaderField {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let mut inner = reader.nested("ItemReader")?;
        inner.ignore(&["Comment"]);
        let action = read_action(&mut inner);
        let parameters = inner.template(parameters_field(&inner));
        let config = Config::read(&mut inner);
        if action == Some(ReaderAction::GetObject) && config.input_type.is_none() && config.manifest_type.is_none() {
            inner.problem("ReaderConfig", "these fields are required: `InputType`");
        }
        inner.finish();
        Some(Self { action: action?, parameters, config })
    }

    pub(super) fn order(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<ItemReader, Fault> {
        let config = &self.config;
        let parameters = evaluated(self.parameters.as_ref(), scope, random)?.unwrap_or_default();
        let headers = evaluated(config.headers.as_ref(), scope, random)?;
        Ok(ItemReader {
            action: self.action,
            parameters: parameters.into(),
            input_type: config.input_type,
            csv_headers: headers.filter(|_| config.header_location.as_deref() == Some("GIVEN")).as_ref().map(names_in),
            csv_delimiter: config.delimiter,
            items_pointer: config.items_pointer.clone(),
            manifest_type: config.manifest_type,
            transformation: config.transformation,
            max_items: config.max_items.as_ref().map(|most| most.integer(scope, random)).transpose()?,
        })
    }
}

impl Config {
    fn read(reader: &mut Reader<'_, '_>) -> Self {
        let Some(mut inner) = reader.nested("ReaderConfig") else {
            return Self::default();
        };
        inner.ignore(&["Comment"]);
        let config = Self {
            input_type: named(&mut inner, "InputType"),
            header_location: inner.string("CSVHeaderLocation").map(str::to_owned),
            headers: inner.template("CSVHeaders"),
            delimiter: named(&mut inner, "CSVDelimiter").unwrap_or_default(),
            items_pointer: inner.string("ItemsPointer").map(str::to_owned),
            manifest_type: named(&mut inner, "ManifestType"),
            transformation: named(&mut inner, "Transformation").unwrap_or_default(),
            max_items: Quantity::read(&mut inner, "MaxItems"),
        };
        config.check(&mut inner);
        inner.finish();
        config
    }

    fn check(&self, reader: &mut Reader<'_, '_>) {
        match self.header_location.as_deref() {
            Some("GIVEN") if self.headers.is_none() => {
                reader.problem("", "these fields are required: `CSVHeaders`");
            }
            None | Some("GIVEN" | "FIRST_ROW") => {}
            Some(other) => {
                reader.problem("CSVHeaderLocation", format!("there is no header location `{other}`"));
            }
        }
        if self.items_pointer.as_deref().is_some_and(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            reader.problem("ItemsPointer", "the value must be a JSON pointer");
        }
    }
}

fn read_action(reader: &mut Reader<'_, '_>) -> Option<ReaderAction> {
    let text = reader.required_string("Resource")?;
    let action = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":states:::"));
    match action.map(|(_, action)| action) {
        Some("s3:getObject") => Some(ReaderAction::GetObject),
        Some("s3:listObjectsV2") => Some(ReaderAction::ListObjectsV2),
        _ => {
            reader.problem("Resource", format!("`{text}` is not an action that items can be read with"));
            None
        }
    }
}

/// `Parameters` are `Arguments` in JSONata.
pub(super) fn parameters_field(reader: &Reader<'_, '_>) -> &'static str {
    if reader.is_jsonata() { "Arguments" } else { "Parameters" }
}

pub(super) fn evaluated(
    template: Option<&Template>,
    scope: &Scope<'_>,
    random: Random<'_>,
) -> Result<Option<Value>, Fault> {
    template.map(|template| template.evaluate(scope, random)).transpose()
}

/// Reads a field that holds one of the names of a type.
pub(super) fn named<T: DeserializeOwned>(reader: &mut Reader<'_, '_>, field: &str) -> Option<T> {
    let text = reader.string(field)?;
    let read = serde_json::from_value(text.into()).ok();
    if read.is_none() {
        reader.problem(field, format!("`{text}` is not one of the values of `{field}`"));
    }
    read
}

fn names_in(headers: &Value) -> Vec<String> {
    let text = |name: &Value| name.as_str().map_or_else(|| name.to_string(), str::to_owned);
    headers.as_array().into_iter().flatten().map(text).collect()
}
