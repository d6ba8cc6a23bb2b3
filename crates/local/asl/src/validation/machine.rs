//! A machine and the flows in it: the fields around the states, the states' names, and how deep
//! flows nest.
//!
//! Spec: <https://states-language.net/#toplevelfields>.

use super::json::{Node, Value};
use super::scope::Scope;
use super::walk::{Check, Field, Language, Place, Shape, Walk};
use super::{MAX_FLOW_DEPTH, graph, state};

/// The longest name of a state, in characters.
const MAX_NAME_CHARS: usize = 80;

pub(super) const QUERY_LANGUAGES: [&str; 2] = ["JSONPath", "JSONata"];

static MACHINE: Shape = Shape {
    fields: &[
        Field::new("Comment", Check::Text),
        Field::new("QueryLanguage", Check::OneOf(&QUERY_LANGUAGES)),
        Field::new("StartAt", Check::Text).required(),
        Field::new("States", Check::With(states)).required(),
        Field::new("TimeoutSeconds", Check::Integer { least: 0, most: 99_999_999 }),
        Field::new("Version", Check::OneOf(&["1.0"])),
    ],
    groups: &[],
};

static BRANCH: Shape = Shape {
    fields: &[
        Field::new("Comment", Check::Text),
        Field::new("StartAt", Check::Text).required(),
        Field::new("States", Check::With(states)).required(),
    ],
    groups: &[],
};

pub(super) fn machine(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    flow(walk, node, place, &MACHINE);
}

/// One of the branches of a Parallel state.
pub(super) fn branch(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    flow(walk, node, &Place { depth: place.depth + 1, ..place.clone() }, &BRANCH);
}

/// A flow whose shape holds a field `States` that is checked by [`states`].
pub(super) fn flow(walk: &mut Walk, node: &Node, place: &Place<'_>, shape: &Shape) {
    if place.depth > MAX_FLOW_DEPTH {
        return walk.find("TOO_DEEPLY_NESTED", "The states are too deeply nested.", node, place);
    }
    let is_root = place.depth == 0;
    let outer = if is_root { None } else { Some(place.scope) };
    let scope = node.get("States").map_or_else(Scope::default, |states| Scope::of(states, outer, &place.state));
    // Nested states fall back to the language of the machine, not to that of the state around them.
    let inside =
        Place { scope: &scope, language: place.machine, sees_result: false, sees_error: false, ..place.clone() };
    walk.object(node, &inside, shape);
    if node.get("StartAt").is_some_and(|start| start.text().is_some()) {
        graph::check(walk, node, &inside);
    }
}

/// The language that a machine or a state names: anything but the exact word for the one means the
/// other, as the service reads it.
pub(super) fn language(node: &Node) -> Option<Language> {
    let named = node.get("QueryLanguage")?;
    Some(if named.text() == Some(Language::JsonPath.name()) { Language::JsonPath } else { Language::Jsonata })
}

pub(super) fn states(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    if !matches!(node.value, Value::Object(_)) {
        return walk.schema("Expected value of type [OBJECT]", node, place);
    }
    for member in node.members() {
        let inside = Place { state: member.name.clone(), ..place.field(&member.name) };
        name(walk, &member.name, &member.node, &inside);
        state::check(walk, &member.node, &inside);
    }
}

fn name(walk: &mut Walk, name: &str, node: &Node, place: &Place<'_>) {
    if !walk.names.insert(name.to_owned()) {
        walk.find("DUPLICATE_STATE_NAME", format!("Duplicate State name: {name}"), node, place);
    }
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME_CHARS {
        let message = format!("The name of a state has 1 to {MAX_NAME_CHARS} characters, this one has {length}.");
        walk.find("INVALID_STATE_NAME", message, node, place);
    }
}
