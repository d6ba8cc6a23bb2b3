//! Choice: goes on with the first rule that holds.
//!
//! Spec: <https://states-language.net/#choice-state>. The operators are in `operator.rs`.

mod operator;

use serde_json::Value;

use self::operator::{Operand, Operator};
use super::{Exit, Moment};
use crate::definition::Reader;
use crate::failure::{Failure, Fault, NO_CHOICE_MATCHED};
use crate::intrinsic::Random;
use crate::jsonata::Located;
use crate::path::{Found, Path};
use crate::scope::Scope;
use crate::template::Template;

/// Rules may nest this deep; hand-written ones need three or four.
const MAX_RULE_DEPTH: usize = 64;

#[derive(Debug)]
pub(crate) struct Choice {
    rules: Vec<Rule>,
    default: Option<String>,
}

#[derive(Debug)]
struct Rule {
    condition: Condition,
    next: String,
    output: Option<Template>,
    assign: Option<Template>,
}

#[derive(Debug)]
enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        variable: Path,
        operator: Operator,
        operand: Operand,
    },
    /// JSONata: `true` and `false` may be written plainly.
    Fixed(bool),
    Query(Located),
}

impl Choice {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let default = reader.string("Default").map(str::to_owned);
        let written = reader.required_array("Choices")?;
        let mut rules = Vec::with_capacity(written.len());
        for (at, rule) in written.iter().enumerate() {
            if let Some(mut inner) = reader.item("Choices", at, rule) {
                rules.extend(Rule::read(&mut inner));
                inner.finish();
            }
        }
        if written.is_empty() {
            reader.problem("Choices", "a Choice state has at least one rule");
        }
        Some(Self { rules, default })
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.next.as_str()).chain(self.default.as_deref())
    }

    pub(super) fn run(&self, moment: &mut Moment<'_, '_>) -> Result<Exit, Fault> {
        let input = moment.filtered_input()?;
        let chosen = {
            let scope = moment.scope(input.value());
            self.chosen(&scope, moment.random)?
        };
        if let Some(rule) = chosen {
            return moment.leave_by_rule(&input, rule.output.as_ref(), rule.assign.as_ref(), &rule.next);
        }
        let default = self.default.clone().ok_or_else(no_choice_matched)?;
        moment.leave(&input, Some(default))
    }

    fn chosen(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<Option<&Rule>, Fault> {
        for rule in &self.rules {
            if rule.condition.holds(scope, random)? {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }
}

fn no_choice_matched() -> Failure {
    Failure::new(NO_CHOICE_MATCHED, "Failed to transition out of the state. The state does not point to a next state.")
}

impl Rule {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let assign = reader.template("Assign");
        let output = if reader.is_jsonata() { reader.template("Output") } else { None };
        let condition = if reader.is_jsonata() { Condition::read_query(reader) } else { Condition::read(reader, 0) };
        let next = reader.required_string("Next")?.to_owned();
        Some(Self { condition: condition?, next, output, assign })
    }
}

impl Condition {
    fn read(reader: &mut Reader<'_, '_>, depth: usize) -> Option<Self> {
        reader.ignore(&["Comment"]);
        if depth > MAX_RULE_DEPTH {
            reader.problem("", format!("rules nest deeper than {MAX_RULE_DEPTH}"));
            return None;
        }
        if reader.has("And") {
            return Self::read_list(reader, "And", depth).map(Self::And);
        }
        if reader.has("Or") {
            return Self::read_list(reader, "Or", depth).map(Self::Or);
        }
        if let Some(mut inner) = reader.nested("Not") {
            let condition = Self::read(&mut inner, depth + 1);
            inner.finish();
            return Some(Self::Not(Box::new(condition?)));
        }
        Self::read_comparison(reader)
    }

    fn read_query(reader: &mut Reader<'_, '_>) -> Option<Self> {
        reader.ignore(&["Comment"]);
        if !reader.has("Condition") {
            reader.problem("", "these fields are required: `Condition`");
        }
        let query = reader.located("Condition").map(Self::Query);
        query.or_else(|| reader.boolean("Condition").map(Self::Fixed))
    }

    fn read_list(reader: &mut Reader<'_, '_>, field: &str, depth: usize) -> Option<Vec<Self>> {
        let written = reader.array(field)?;
        let mut conditions = Vec::with_capacity(written.len());
        for (at, condition) in written.iter().enumerate() {
            let mut inner = reader.item(field, at, condition)?;
            let condition = Self::read(&mut inner, depth + 1);
            inner.finish();
            conditions.push(condition?);
        }
        if conditions.is_empty() {
            reader.problem(field, "the value must be a non-empty array");
        }
        Some(conditions)
    }

    fn read_comparison(reader: &mut Reader<'_, '_>) -> Option<Self> {
        reader.required_string("Variable")?;
        let variable = reader.path("Variable");
        let (operator, operand) = operator::read(reader)?;
        Some(Self::Compare { variable: variable?, operator, operand })
    }

    fn holds(&self, scope: &Scope<'_>, random: Random<'_>) -> Result<bool, Fault> {
        match self {
            Self::Not(inner) => inner.holds(scope, random).map(|holds| !holds),
            Self::And(all) => Self::first(all, false, scope, random),
            Self::Or(any) => Self::first(any, true, scope, random),
            Self::Compare { variable, operator, operand } => Ok(compare(variable, *operator, operand, scope)?),
            Self::Fixed(truth) => Ok(*truth),
            Self::Query(located) => located.typed("boolean", scope, random, Value::as_bool),
        }
    }

    /// Whether any condition has the wanted outcome; later ones are not evaluated then.
    fn first(conditions: &[Self], wanted: bool, scope: &Scope<'_>, random: Random<'_>) -> Result<bool, Fault> {
        for condition in conditions {
            if condition.holds(scope, random)? == wanted {
                return Ok(wanted);
            }
        }
        Ok(!wanted)
    }
}

fn compare(variable: &Path, operator: Operator, operand: &Operand, scope: &Scope<'_>) -> Result<bool, Failure> {
    let found = variable.find(scope);
    if let Operator::IsPresent = operator {
        let is_present = is_present(&found);
        return Ok(Operand::Literal(Value::Bool(is_present)) == *operand);
    }
    let value = match &found {
        Found::One(value) => *value,
        Found::Made(value) => value,
        Found::Missing => return Err(invalid_reference(variable)),
    };
    match operand {
        Operand::Literal(expected) => Ok(operator.holds(value, expected)),
        Operand::Path(path) => match path.find(scope) {
            Found::One(expected) => Ok(operator.holds(value, expected)),
            Found::Made(expected) => Ok(operator.holds(value, &expected)),
            Found::Missing => Err(invalid_reference(path)),
        },
    }
}

/// A path that can name several values is there when it names one at least.
fn is_present(found: &Found<'_>) -> bool {
    match found {
        Found::One(_) => true,
        Found::Made(value) => value.as_array().is_none_or(|values| !values.is_empty()),
        Found::Missing => false,
    }
}

fn invalid_reference(path: &Path) -> Failure {
    Failure::runtime(format!(
        "Invalid path '{}': The choice state's condition path references an invalid value.",
        path.text()
    ))
}
