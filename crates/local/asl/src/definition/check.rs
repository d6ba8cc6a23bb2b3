//! A check that needs all states of a flow: every transition has a target, which is what an
//! execution relies on. What else the service asks of a flow is asked in [`crate::validate`].

use serde_json::{Map, Value};

use super::{Flow, Reader, State};
use crate::states::Kind;

/// `written` are the states as written, so that a state that could not be read is not missed.
pub(super) fn transitions(flow: &Flow, written: &Map<String, Value>, reader: &mut Reader<'_, '_>) {
    if !written.contains_key(&flow.start_at) {
        reader.missing_target("StartAt", format!("missing `StartAt` target: {}", flow.start_at));
    }
    for state in flow.states.values() {
        for target in targets(state).into_iter().filter(|target| !written.contains_key(*target)) {
            reader.missing_state_target(&state.name, format!("missing `Next` target: {target}"));
        }
    }
}

fn targets(state: &State) -> Vec<&str> {
    let mut targets: Vec<&str> = state.next.as_deref().into_iter().collect();
    targets.extend(state.catch.iter().map(|catcher| catcher.next.as_str()));
    if let Kind::Choice(choice) = &state.kind {
        targets.extend(choice.targets());
    }
    targets
}
