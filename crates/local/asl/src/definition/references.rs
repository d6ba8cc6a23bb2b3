//! Which variables each state of a definition refers to, as `DescribeStateMachine` tells it.
//!
//! A reference is `$name` where a path, an intrinsic function or a `JSONata` expression stands, and `name` is assigned
//! somewhere in the machine: `JSONata`'s functions and local names look the same and are none. Nothing is checked here.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Members of a state that hold states of their own.
const FLOWS: [&str; 3] = ["Branches", "Iterator", "ItemProcessor"];

/// The variables that the states of a definition refer to, by the names of the states; those that refer to none are
/// left out, and a text that is no definition has none.
#[must_use]
pub fn variable_references(definition: &str) -> BTreeMap<String, Vec<String>> {
    let machine: Value = serde_json::from_str(definition).unwrap_or_default();
    let mut states = Vec::new();
    collect_states(&machine, &mut states);
    let assigned: BTreeSet<&str> = states.iter().flat_map(|(_, state)| assigned_in(state)).collect();
    let mut references = BTreeMap::new();
    for (name, state) in states {
        let mut found = Vec::new();
        for (member, value) in state.iter().filter(|(member, _)| !FLOWS.contains(&member.as_str())) {
            collect_names(member, value, &mut found);
        }
        let mut seen = BTreeSet::new();
        found.retain(|name| assigned.contains(name.as_str()) && seen.insert(name.clone()));
        if !found.is_empty() {
            references.insert(name.clone(), found);
        }
    }
    references
}

/// All states with their names, at any depth. The depth is bounded by that of the parser.
fn collect_states<'a>(flow: &'a Value, states: &mut Vec<(&'a String, &'a Map<String, Value>)>) {
    for (name, state) in flow["States"].as_object().into_iter().flatten() {
        let Some(members) = state.as_object() else { continue };
        states.push((name, members));
        state["Branches"].as_array().into_iter().flatten().for_each(|branch| collect_states(branch, states));
        collect_states(&state["Iterator"], states);
        collect_states(&state["ItemProcessor"], states);
    }
}

/// The names that a state assigns, in itself, its catchers and its choices.
fn assigned_in(state: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let inner = ["Catch", "Choices"].into_iter().filter_map(|list| state.get(list)?.as_array()).flatten();
    let all = state.get("Assign").into_iter().chain(inner.filter_map(|one| one.get("Assign")));
    let names = all.filter_map(Value::as_object).flat_map(Map::keys);
    names.map(|name| name.strip_suffix(".$").unwrap_or(name))
}

fn collect_names(member: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_evaluated(member, text) => found.extend(names_in(text)),
        Value::Array(items) => items.iter().for_each(|item| collect_names("", item, found)),
        Value::Object(members) => members.iter().for_each(|(member, value)| collect_names(member, value, found)),
        _ => {}
    }
}

/// Whether a text is a path, a function or an expression, and no word.
fn is_evaluated(member: &str, text: &str) -> bool {
    let expression = text.starts_with("{%") && text.ends_with("%}");
    let path = member.ends_with(".$") || member.ends_with("Path") || member == "Variable";
    expression || (path && (text.starts_with('$') || text.starts_with("States.")))
}

/// The names behind a `$`, outside of quoted texts.
fn names_in(text: &str) -> Vec<String> {
    let (mut names, mut quote) = (Vec::new(), None);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', Some(_)) => drop(characters.next()),
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            ('$', None) => {
                let mut name = String::new();
                while let Some(c) = characters.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                names.push(name);
                // `$$` is the context object, or a mark of `JSONata`.
                while characters.next_if_eq(&'$').is_some() {}
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_stand_where_something_is_evaluated() {
        let definition = json!({"StartAt": "Set", "States": {
            "Set": {"Type": "Pass", "Assign": {"one": 1, "two.$": "$.two", "three.$": "$one"}, "Next": "Use"},
            "Use": {"Type": "Pass", "Parameters": {"a.$": "States.Format('{} $three', $two.x)", "b": "$one"}, "Next": "Each"},
            "Each": {"Type": "Map", "ItemsPath": "$two", "ItemProcessor": {"StartAt": "In", "States": {
                "In": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $one + $sum($two) & '$three' & $local %}", "End": true},
            }}, "Next": "Choose"},
            "Choose": {"Type": "Choice", "Choices": [{"Variable": "$three", "IsPresent": true, "Next": "End"}], "Default": "End"},
            "End": {"Type": "Task", "Comment": "$one", "InputPath": "$$.Execution", "Catch": [{"Assign": {"failed": 1}, "ResultPath": "$.one"}]},
        }});
        let found = variable_references(&definition.to_string());
        let expected =
            json!({"Set": ["one"], "Use": ["two"], "Each": ["two"], "In": ["one", "two"], "Choose": ["three"]});
        assert_eq!(json!(found), expected);
    }

    #[test]
    fn what_is_no_definition_refers_to_nothing() {
        for text in ["", "{", "[]", "{\"States\": 1}", "{\"States\": {\"A\": 1}}"] {
            assert!(variable_references(text).is_empty(), "{text}");
        }
    }
}
