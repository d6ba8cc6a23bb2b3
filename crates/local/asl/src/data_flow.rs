//! How a document flows through a state: `InputPath`, `Parameters`, `ResultSelector`,
//! `ResultPath`, `OutputPath`; with JSONata `Arguments` and `Output`.
//!
//! Spec: <https://states-language.net/#filters>.

use serde_json::{Map, Value};

use crate::definition::Reader;
use crate::failure::{Failure, Fault, RESULT_PATH_MATCH_FAILURE};
use crate::intrinsic::Random;
use crate::path::{Found, Path, ReferencePath};
use crate::payload::Payload;
use crate::scope::Scope;
use crate::states::Fields;
use crate::template::Template;

/// The data fields of a state. A field that the state's language does not have is as if absent.
#[derive(Debug)]
pub(crate) struct DataFlow {
    input_path: Filter,
    /// `Parameters` or `Arguments`.
    parameters: Option<Template>,
    result_selector: Option<Template>,
    result_path: ResultPath,
    output_path: Filter,
    output: Option<Template>,
}

/// `InputPath` and `OutputPath`: a path, or null for the empty object.
#[derive(Debug)]
enum Filter {
    Nothing,
    Path(Path),
    Everything,
}

/// Where a result goes: in place of the input, into it, or nowhere.
#[derive(Debug)]
pub(crate) enum ResultPath {
    Replace,
    Discard,
    Put(ReferencePath),
}

impl DataFlow {
    pub(crate) fn read(reader: &mut Reader<'_, '_>, has: Fields) -> Self {
        if reader.is_jsonata() { Self::read_jsonata(reader, has) } else { Self::read_paths(reader, has) }
    }

    fn read_jsonata(reader: &mut Reader<'_, '_>, has: Fields) -> Self {
        Self {
            input_path: Filter::Everything,
            parameters: if has.arguments { reader.template("Arguments") } else { None },
            result_selector: None,
            result_path: ResultPath::Replace,
            output_path: Filter::Everything,
            output: if has.paths { reader.template("Output") } else { None },
        }
    }

    fn read_paths(reader: &mut Reader<'_, '_>, has: Fields) -> Self {
        Self {
            input_path: if has.paths { Filter::read(reader, "InputPath") } else { Filter::Everything },
            parameters: if has.parameters { reader.template("Parameters") } else { None },
            result_selector: if has.result_selector { reader.template("ResultSelector") } else { None },
            result_path: if has.result_path { ResultPath::read(reader) } else { ResultPath::Discard },
            output_path: if has.paths { Filter::read(reader, "OutputPath") } else { Filter::Everything },
            output: None,
        }
    }

    /// The input after `InputPath`.
    pub(crate) fn filtered_input(&self, input: &Payload, scope: &Scope<'_>) -> Result<Payload, Fault> {
        self.input_path.apply(input, &scope.over(input.value()))
    }

    /// The input after `InputPath` and `Parameters`, or the `Arguments`.
    pub(crate) fn effective_input(
        &self,
        input: &Payload,
        scope: &Scope<'_>,
        random: Random<'_>,
    ) -> Result<Payload, Fault> {
        let filtered = self.filtered_input(input, scope)?;
        match &self.parameters {
            None => Ok(filtered),
            Some(template) => template.evaluate(&scope.over(filtered.value()), random).map(Payload::from),
        }
    }

    /// The result after `ResultSelector`.
    pub(crate) fn selected(&self, result: Payload, scope: &Scope<'_>, random: Random<'_>) -> Result<Payload, Fault> {
        match &self.result_selector {
            None => Ok(result),
            Some(template) => template.evaluate(&scope.over(result.value()), random).map(Payload::from),
        }
    }

    /// The document that a state with this input and selected result leaves, before its output is
    /// made of it.
    pub(crate) fn combined(&self, input: &Payload, result: &Payload) -> Result<Payload, Failure> {
        self.result_path.combine(input, result)
    }

    /// A document after `OutputPath`, or the `Output`.
    pub(crate) fn output(&self, document: &Payload, scope: &Scope<'_>, random: Random<'_>) -> Result<Payload, Fault> {
        match &self.output {
            None => self.output_path.apply(document, &scope.over(document.value())),
            Some(template) => template.evaluate(scope, random).map(Payload::from),
        }
    }

    /// `OutputPath` alone.
    pub(crate) fn filtered_output(&self, document: &Payload, scope: &Scope<'_>) -> Result<Payload, Fault> {
        self.output_path.apply(document, &scope.over(document.value()))
    }
}

impl Filter {
    fn read(reader: &mut Reader<'_, '_>, field: &str) -> Self {
        if reader.get(field).is_some_and(Value::is_null) {
            return Self::Nothing;
        }
        match reader.path(field) {
            Some(path) if !path.is_root() => Self::Path(path),
            _ => Self::Everything,
        }
    }

    fn apply(&self, document: &Payload, scope: &Scope<'_>) -> Result<Payload, Fault> {
        match self {
            Self::Everything => Ok(document.clone()),
            Self::Nothing => Ok(Value::Object(Map::new()).into()),
            Self::Path(path) => Ok(value_at(path, scope)?.into()),
        }
    }
}

impl ResultPath {
    pub(crate) fn read(reader: &mut Reader<'_, '_>) -> Self {
        if reader.get("ResultPath").is_some_and(Value::is_null) {
            return Self::Discard;
        }
        match reader.reference_path("ResultPath") {
            Some(path) if !path.is_root() => Self::Put(path),
            _ => Self::Replace,
        }
    }

    pub(crate) fn combine(&self, input: &Payload, result: &Payload) -> Result<Payload, Failure> {
        match self {
            Self::Replace => Ok(result.clone()),
            Self::Discard => Ok(input.clone()),
            Self::Put(path) => {
                let mut document = input.value().clone();
                if path.put(&mut document, result.value().clone()) {
                    return Ok(document.into());
                }
                let cause = format!("Unable to apply ReferencePath {} to input {}", path.text(), input.value());
                Err(Failure::new(RESULT_PATH_MATCH_FAILURE, cause))
            }
        }
    }
}

/// The value at a path that must be there.
pub(crate) fn value_at(path: &Path, scope: &Scope<'_>) -> Result<Value, Failure> {
    match path.find(scope) {
        Found::One(value) => Ok(value.clone()),
        Found::Made(value) => Ok(value),
        Found::Missing => {
            Err(Failure::runtime(format!("Invalid path '{}' : {}", path.text(), path.why_missing(scope))))
        }
    }
}
