//! The ways through a flow: every transition has a target, something ends the flow, and something
//! leads to every state.
//!
//! Spec: <https://states-language.net/#transitions>. Like the service, this asks whether any
//! transition leads to a state, not whether the start does.

use std::collections::HashSet;

use super::MISSING_TRANSITION_TARGET;
use super::json::{Node, Value};
use super::walk::{Finding, Place, Walk};

/// `node` is a flow whose `StartAt` is a text.
pub(super) fn check(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    let Some(states) = node.get("States").filter(|states| matches!(states.value, Value::Object(_))) else {
        return;
    };
    let (inside, mut reached) = (place.field("States"), HashSet::new());
    let mut edges = Vec::new();
    edges.extend(node.get("StartAt").map(|start| (start, place.field("StartAt"))));
    for state in states.members() {
        transitions(&state.node, &inside.field(&state.name), &mut edges);
    }
    for (target, place) in edges {
        let Some(name) = target.text() else { continue };
        reached.insert(name);
        if states.get(name).is_none() {
            walk.find(MISSING_TRANSITION_TARGET, format!("Missing 'Next' target: {name}"), target, &place);
        }
    }
    if !states.members().iter().any(|state| is_terminal(&state.node)) {
        let message = "Workflow has no terminal state".to_owned();
        walk.found.push(Finding { code: "MISSING_END_STATE", message, location: None, at: states.at });
        return;
    }
    for state in states.members().iter().filter(|state| !reached.contains(state.name.as_str())) {
        let message = format!("State \"{}\" is not reachable.", state.name);
        walk.find(MISSING_TRANSITION_TARGET, message, &state.node, &inside.field(&state.name));
    }
}

fn transitions<'n, 's>(state: &'n Node, place: &Place<'s>, edges: &mut Vec<(&'n Node, Place<'s>)>) {
    for field in ["Next", "Default"] {
        edges.extend(state.get(field).map(|target| (target, place.field(field))));
    }
    for field in ["Choices", "Catch"] {
        for (index, rule) in state.get(field).map_or(&[][..], Node::items).iter().enumerate() {
            edges.extend(rule.get("Next").map(|target| (target, place.field(field).item(index).field("Next"))));
        }
    }
}

fn is_terminal(state: &Node) -> bool {
    let ends = matches!(state.get("End").map(|end| &end.value), Some(Value::Boolean(true)));
    ends || matches!(state.get("Type").and_then(Node::text), Some("Succeed" | "Fail"))
}
