//! Functions at the end of a path: `$.items.length()`, `$.prices.max()`.
//!
//! The dialect's: <https://github.com/json-path/JsonPath#functions>. Those that take arguments
//! are refused.

use serde_json::Value;

/// What is worked out of the value that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Length,
    Keys,
    First,
    Last,
    Min,
    Max,
    Sum,
    Avg,
    StdDev,
}

const NAMES: [(&str, Function); 10] = [
    ("length()", Function::Length),
    ("size()", Function::Length),
    ("keys()", Function::Keys),
    ("first()", Function::First),
    ("last()", Function::Last),
    ("min()", Function::Min),
    ("max()", Function::Max),
    ("sum()", Function::Sum),
    ("avg()", Function::Avg),
    ("stddev()", Function::StdDev),
];

impl Function {
    /// The function that a text begins with, and how many bytes its call takes.
    pub(super) fn at_start(text: &str) -> Option<(Self, usize)> {
        NAMES.into_iter().find(|(name, _)| text.starts_with(name)).map(|(name, function)| (function, name.len()))
    }

    /// `None` where the function has no result for such a value.
    pub(super) fn apply(self, value: &Value) -> Option<Value> {
        match self {
            Self::Length => length(value),
            Self::Keys => Some(value.as_object()?.keys().cloned().map(Value::from).collect()),
            Self::First => value.as_array()?.first().cloned(),
            Self::Last => value.as_array()?.last().cloned(),
            _ => self.aggregate(&value.as_array()?.iter().filter_map(Value::as_f64).collect::<Vec<_>>()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a payload holds far fewer numbers than 53 bits count")]
    fn aggregate(self, numbers: &[f64]) -> Option<Value> {
        let (count, sum) = (numbers.len() as f64, numbers.iter().sum::<f64>());
        let result = match self {
            _ if numbers.is_empty() => return None,
            Self::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Sum => sum,
            Self::Avg => sum / count,
            _ => (numbers.iter().map(|number| number * number).sum::<f64>() / count - (sum / count).powi(2)).sqrt(),
        };
        serde_json::Number::from_f64(result).map(Value::Number)
    }
}

fn length(value: &Value) -> Option<Value> {
    match value {
        Value::Array(items) => Some(items.len().into()),
        Value::Object(members) => Some(members.len().into()),
        Value::String(text) => Some(text.chars().count().into()),
        _ => None,
    }
}
