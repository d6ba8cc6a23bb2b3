//! Payload templates: `Parameters`, `ItemSelector`, `ResultSelector`, `Arguments`, `Output` and
//! `Assign`.
//!
//! Spec: <https://states-language.net/#payload-template>. With `JSONPath` a member whose name ends
//! in `.$` is an expression, with `JSONata` a string between `{%` and `%}`; everything else is
//! kept as it is, at every depth.

use crate::definition::Language;
use crate::failure::{Failure, Fault};
use crate::intrinsic::{Call, Random};
use crate::jsonata::{Located, Query, expression_in};
use crate::path::{Found, Path};
use crate::scope::Scope;
use serde_json::{Map, Value};

/// A path or an intrinsic call.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Path(Path),
    Call(Call),
}

/// A template with its expressions parsed.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    Literal(Value),
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
    Expression { field: String, expression: Expression },
    Query(Located),
}

impl Expression {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('$') {
            return Path::parse(text).map(Self::Path);
        }
        if text.starts_with("States.") {
            return Call::parse(text).map(Self::Call);
        }
        Err("the value must be a path or an intrinsic function".to_owned())
    }

    /// The value, or what failed; `field` names the member that the expression is of.
    pub(crate) fn evaluate(&self, field: &str, scope: &Scope<'_>, random: Random<'_>) -> Result<Value, Failure> {
        match self {
            Self::Call(call) => call.evaluate(scope, random),
            Self::Path(path) => match path.find(scope) {
                Found::One(value) => scope.taken(value.clone()),
                Found::Made(value) => scope.taken(value),
                Found::Missing => Err(Failure::runtime(format!(
                    "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{}'",
                    path.text(),
                    scope.input
                ))),
            },
        }
    }
}

/// Where a part of a template stands: its pointer in the definition, and its place in the state.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) pointer: String,
    pub(crate) location: String,
}

impl Place {
    fn member(&self, name: &str) -> Self {
        Self { pointer: format!("{}/{name}", self.pointer), location: format!("{}/{name}", self.location) }
    }

    fn item(&self, at: usize) -> Self {
        Self { pointer: format!("{}/{at}", self.pointer), location: format!("{}[{at}]", self.location) }
    }
}

/// Told of each expression that is wrong, with its pointer.
type Problem<'a> = &'a mut dyn FnMut(String, String);

impl Template {
    /// Parses a template; every expression that is wrong is told to `problem`.
    pub(crate) fn parse(value: &Value, at: &Place, language: Language, problem: Problem<'_>) -> Self {
        match value {
            Value::Object(members) => Self::object(members, at, language, problem),
            Value::Array(items) => Self::array(items, at, language, problem),
            Value::String(text) if language == Language::Jsonata => Self::text(text, at, problem),
            other => Self::Literal(other.clone()),
        }
    }

    fn object(members: &Map<String, Value>, at: &Place, language: Language, problem: Problem<'_>) -> Self {
        let mut parsed = Vec::with_capacity(members.len());
        for (name, value) in members {
            let place = at.member(name);
            let Some(plain) = name.strip_suffix(".$").filter(|_| language == Language::JsonPath) else {
                parsed.push((name.clone(), Self::parse(value, &place, language, problem)));
                continue;
            };
            let expression = value.as_str().map(Expression::parse);
            match expression
                .unwrap_or_else(|| Err("the value of a field whose name ends in `.$` must be a string".to_owned()))
            {
                Ok(expression) => parsed.push((plain.to_owned(), Self::Expression { field: name.clone(), expression })),
                Err(why) => problem(place.pointer, why),
            }
        }
        collapse(&parsed).unwrap_or(Self::Object(parsed))
    }

    fn array(items: &[Value], at: &Place, language: Language, problem: Problem<'_>) -> Self {
        let parsed: Vec<Self> = items
            .iter()
            .enumerate()
            .map(|(index, item)| Self::parse(item, &at.item(index), language, problem))
            .collect();
        let all_literal = parsed.iter().all(|item| matches!(item, Self::Literal(_)));
        if all_literal { Self::Literal(items.to_vec().into()) } else { Self::Array(parsed) }
    }

    fn text(text: &str, at: &Place, problem: Problem<'_>) -> Self {
        let query = expression_in(text).map(|inner| inner.and_then(Query::parse));
        match query {
            Some(Ok(query)) => return Self::Query(Located::new(&at.location, query)),
            Some(Err(why)) => problem(at.pointer.clone(), why),
            None => {}
        }
        Self::Literal(text.into())
    }

    pub(crate) fn evaluate(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<Value, Fault> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression { field, expression } => Ok(expression.evaluate(field, scope, random)?),
            Self::Query(located) => Ok(scope.taken(located.evaluate(scope, random)?)?),
            Self::Array(items) => items.iter().map(|item| item.evaluate(scope, random)).collect(),
            Self::Object(members) => {
                let pairs = members.iter().map(|(name, member)| Ok((name.clone(), member.evaluate(scope, random)?)));
                pairs.collect::<Result<Map<_, _>, Fault>>().map(Value::Object)
            }
        }
    }
}

fn collapse(members: &[(String, Template)]) -> Option<Template> {
    let pairs = members.iter().map(|(name, member)| match member {
        Template::Literal(value) => Some((name.clone(), value.clone())),
        _ => None,
    });
    pairs.collect::<Option<Map<_, _>>>().map(|map| Template::Literal(map.into()))
}
