//! Numbers that a field gives in either query language: written down, at a path (`FieldPath`), or
//! from an expression.

use serde_json::Value;

use crate::data_flow::value_at;
use crate::definition::Reader;
use crate::failure::{Failure, Fault};
use crate::intrinsic::Random;
use crate::jsonata::Located;
use crate::path::Path;
use crate::scope::Scope;

/// A whole number that is not negative.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    Fixed(u64),
    Path { field: String, path: Path },
    Query(Located),
}

impl Number {
    /// Reads `field`, or `fieldPath` where the language has paths.
    pub(crate) fn read(reader: &mut Reader<'_, '_>, field: &str) -> Option<Self> {
        if reader.is_jsonata() {
            let located = reader.located(field);
            return located.map(Self::Query).or_else(|| reader.integer(field).map(Self::Fixed));
        }
        let path_field = format!("{field}Path");
        if reader.has(field) && reader.has(&path_field) {
            reader.problem(&path_field, format!("a state has either `{field}` or `{path_field}`"));
        }
        let path = reader.path(&path_field).map(|path| Self::Path { field: path_field, path });
        path.or(reader.integer(field).map(Self::Fixed))
    }

    /// The number, if `accept` takes the value that was found.
    pub(crate) fn value(
        &self,
        scope: &Scope<'_>,
        random: Random<'_>,
        accept: impl FnOnce(&Value) -> Option<u64>,
    ) -> Result<u64, Fault> {
        match self {
            Self::Fixed(number) => Ok(*number),
            Self::Query(located) => located.typed("number", scope, random, accept),
            Self::Path { field, path } => {
                let value = value_at(path, scope)?;
                accept(&value).ok_or_else(|| not_an_integer(field, &value, path).into())
            }
        }
    }
}

fn not_an_integer(field: &str, value: &Value, path: &Path) -> Failure {
    if value.as_i64().is_some_and(|number| number < 0) {
        let field = field.strip_suffix("Path").unwrap_or(field);
        return Failure::runtime(format!("Expected non-negative integer for {field}, got '{value}' instead."));
    }
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Failure::runtime(format!(
        "The {field} field refers to value \"{shown}\" which is not a valid integer: {}",
        path.text()
    ))
}
