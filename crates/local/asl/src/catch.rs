//! `Catch`: where an execution goes on after an error.
//!
//! Spec: <https://states-language.net/#errors>, "Fallback states".

use serde_json::json;

use crate::data_flow::ResultPath;
use crate::definition::Reader;
use crate::failure::Failure;
use crate::payload::Payload;
use crate::retry::read_error_equals;
use crate::template::Template;

/// One rule of a `Catch` list.
#[derive(Debug)]
pub(crate) struct Catcher {
    error_equals: Vec<String>,
    pub(crate) next: String,
    pub(crate) result_path: ResultPath,
    /// With JSONata, what the output is in place of the error.
    pub(crate) output: Option<Template>,
    pub(crate) assign: Option<Template>,
}

impl Catcher {
    pub(crate) fn read_all(reader: &mut Reader<'_, '_>) -> Vec<Self> {
        let rules = reader.array("Catch").map_or(&[][..], Vec::as_slice);
        let mut catchers = Vec::with_capacity(rules.len());
        for (at, rule) in rules.iter().enumerate() {
            if let Some(mut inner) = reader.item("Catch", at, rule) {
                catchers.extend(Self::read(&mut inner, at + 1 == rules.len()));
                inner.finish();
            }
        }
        catchers
    }

    fn read(reader: &mut Reader<'_, '_>, is_last: bool) -> Option<Self> {
        reader.ignore(&["Comment"]);
        let error_equals = read_error_equals(reader, is_last);
        let result_path = if reader.is_jsonata() { ResultPath::Replace } else { ResultPath::read(reader) };
        let output = if reader.is_jsonata() { reader.template("Output") } else { None };
        let assign = reader.template("Assign");
        let next = reader.required_string("Next")?.to_owned();
        Some(Self { error_equals, next, result_path, output, assign })
    }

    pub(crate) fn matches(&self, failure: &Failure) -> bool {
        failure.is_matched_by(&self.error_equals)
    }
}

/// The document that a caught error becomes; what the failure lacks is null.
pub(crate) fn error_output(failure: &Failure) -> Payload {
    json!({ "Error": failure.error, "Cause": failure.cause }).into()
}
