//! Numbers that may be negative or have a fraction until somebody looks at them: written down, at
//! a path (`FieldPath`), or from an expression.

use serde_json::Value;

use crate::data_flow::value_at;
use crate::definition::Reader;
use crate::failure::{Failure, Fault};
use crate::intrinsic::Random;
use crate::jsonata::Located;
use crate::path::Path;
use crate::scope::Scope;

#[derive(Debug)]
pub(super) enum Quantity {
    Fixed(f64),
    Path { field: String, path: Path },
    Query(Located),
}

impl Quantity {
    /// Reads `field`, or `fieldPath` where the language has paths.
    pub(super) fn read(reader: &mut Reader<'_, '_>, field: &str) -> Option<Self> {
        if reader.is_jsonata() {
            let located = reader.located(field);
            return located.map(Self::Query).or_else(|| fixed(reader, field));
        }
        let path_field = format!("{field}Path");
        if reader.has(field) && reader.has(&path_field) {
            reader.problem(&path_field, format!("a state has either `{field}` or `{path_field}`"));
        }
        let path = reader.path(&path_field).map(|path| Self::Path { field: path_field, path });
        path.or(fixed(reader, field))
    }

    pub(super) fn number(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<f64, Fault> {
        self.value(scope, random, "float", number_in)
    }

    pub(super) fn integer(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<i64, Fault> {
        self.value(scope, random, "integer", integer_in)
    }

    fn value<T>(
        &self,
        scope: &Scope<'_>,
        random: Random<'_>,
        kind: &str,
        accept: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, Fault> {
        match self {
            Self::Fixed(number) => {
                accept(&Value::from(*number)).ok_or_else(|| invalid(&Value::from(*number), kind).into())
            }
            Self::Query(located) => located.typed("number", scope, random, accept),
            Self::Path { field, path } => {
                let value = value_at(path, scope)?;
                accept(&value).ok_or_else(|| not_a_number(field, &value, kind, path).into())
            }
        }
    }
}

fn fixed(reader: &mut Reader<'_, '_>, field: &str) -> Option<Quantity> {
    let number = reader.number(field)?;
    if number < 0.0 {
        reader.problem(field, "the value must not be negative");
    }
    Some(Quantity::Fixed(number))
}

/// The service takes a number in a string too.
fn number_in(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number: &f64| number.is_finite())
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number below 2 to the 53rd fits")]
fn integer_in(value: &Value) -> Option<i64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    let number = number_in(value)?;
    (number.fract() == 0.0 && number.abs() <= MOST).then_some(number as i64)
}

fn invalid(value: &Value, kind: &str) -> Failure {
    Failure::runtime(format!("The value {value} is not a valid {kind}"))
}

fn not_a_number(field: &str, value: &Value, kind: &str, path: &Path) -> Failure {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Failure::runtime(format!(
        "The {field} field refers to value \"{shown}\" which is not a valid {kind}: {}",
        path.text()
    ))
}
