//! The variables of a flow: what its states assign, and what the flows around it do.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>. A distributed
//! Map's children see none of the variables outside.

use std::collections::HashMap;

use super::json::Node;
use super::walk::{Check, Place, Walk};
use super::{json, template};

/// The longest name of a variable, in characters.
const MAX_NAME_CHARS: usize = 80;

/// The name that expressions read the state's own data by.
const RESERVED: &str = "states";

#[derive(Debug, Default)]
pub(super) struct Scope<'s> {
    /// Each variable with the states that assign it.
    names: HashMap<String, Vec<String>>,
    outer: Option<&'s Scope<'s>>,
    /// The state of the outer flow that this flow is in.
    within: String,
}

impl<'s> Scope<'s> {
    /// The scope of the states in an object.
    pub(super) fn of(states: &Node, outer: Option<&'s Scope<'s>>, within: &str) -> Self {
        let mut scope = Self { names: HashMap::new(), outer, within: within.to_owned() };
        for state in states.members() {
            scope.collect(&state.node, &state.name);
            for rules in ["Choices", "Catch"] {
                for rule in state.node.get(rules).map_or(&[][..], Node::items) {
                    scope.collect(rule, &state.name);
                }
            }
        }
        scope
    }

    fn collect(&mut self, node: &Node, state: &str) {
        for member in node.get("Assign").map_or(&[][..], Node::members) {
            self.names.entry(variable(&member.name).to_owned()).or_default().push(state.to_owned());
        }
    }

    /// Whether a flow around this one has the variable. What only the state around assigns does not
    /// count: it is assigned when this flow is over.
    fn shadows(&self, name: &str) -> bool {
        self.outer.is_some_and(|outer| {
            let states = outer.names.get(name).map_or(&[][..], Vec::as_slice);
            states.iter().any(|state| *state != self.within) || outer.shadows(name)
        })
    }
}

/// The variable that a member of `Assign` sets.
fn variable(member: &str) -> &str {
    member.strip_suffix(".$").unwrap_or(member)
}

/// Checks an `Assign` field.
pub(super) fn assign(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    if !matches!(node.value, json::Value::Object(_)) {
        return walk.schema("Expected value of type [OBJECT]", node, place);
    }
    for member in node.members() {
        name(walk, variable(&member.name), &member.node, &place.field(&member.name));
    }
    walk.check(Check::Template, node, place);
}

fn name(walk: &mut Walk, name: &str, node: &Node, place: &Place<'_>) {
    if name == RESERVED {
        walk.find("RESERVED_VARIABLE_NAME", "Cannot assign to reserved variable '$states'.", node, place);
    } else if name.chars().count() > MAX_NAME_CHARS {
        let why =
            format!("Invalid variable name '{name}': the variable name is longer than {MAX_NAME_CHARS} characters.");
        walk.find("INVALID_VARIABLE_NAME", why, node, place);
    } else if !template::is_variable_name(name) {
        let why = format!("Invalid variable name '{name}': the variable name contains invalid characters.");
        walk.find("INVALID_VARIABLE_NAME", why, node, place);
    } else if place.scope.shadows(name) {
        let why = format!("The variable name '{name}' was already defined in a parent scope.");
        walk.find("DUPLICATE_VARIABLE_NAME", why, node, place);
    }
}
