//! Checks that need all states of a flow: every transition has a target, every state is reached,
//! and the flow can end.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Flow, Reader, State};
use crate::states::Kind;

/// `written` are the states as written, so that a state that could not be read is not missed.
pub(super) fn transitions(flow: &Flow, written: &Map<String, Value>, reader: &mut Reader<'_, '_>) {
    if !written.contains_key(&flow.start_at) {
        reader.missing_target("StartAt", format!("missing `StartAt` target: {}", flow.start_at));
        return;
    }
    for state in flow.states.values() {
        for target in targets(state).into_iter().filter(|target| !written.contains_key(*target)) {
            reader.missing_state_target(&state.name, format!("missing `Next` target: {target}"));
        }
    }
    if flow.states.len() == written.len() {
        reachable(flow, reader);
    }
}

fn reachable(flow: &Flow, reader: &mut Reader<'_, '_>) {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![flow.start_at.as_str()];
    while let Some(name) = waiting.pop() {
        if let Some(state) = flow.states.get(name).filter(|_| seen.insert(name)) {
            waiting.extend(targets(state));
        }
    }
    for name in flow.states.keys().filter(|name| !seen.contains(name.as_str())) {
        reader.missing_state_target(name, format!("state `{name}` is not reachable"));
    }
    if !flow.states.values().any(|state| is_end(state)) {
        reader.missing_target("States", "no state ends the flow".to_owned());
    }
}

fn is_end(state: &State) -> bool {
    !matches!(state.kind, Kind::Choice(_)) && state.next.is_none()
}

fn targets(state: &State) -> Vec<&str> {
    let mut targets: Vec<&str> = state.next.as_deref().into_iter().collect();
    targets.extend(state.catch.iter().map(|catcher| catcher.next.as_str()));
    if let Kind::Choice(choice) = &state.kind {
        targets.extend(choice.targets());
    }
    targets
}
