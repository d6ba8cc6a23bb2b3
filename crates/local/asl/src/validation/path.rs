//! Paths, reference paths and intrinsic calls, as fields of a definition hold them.
//!
//! Spec: <https://states-language.net/#path>.

use super::NO_PATH;
use super::json::Node;
use super::walk::{Check, Language, Place, Walk};
use crate::path::{Path, ReferencePath};
use crate::template::Expression;

pub(super) fn path(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    check(walk, node, place, |text| Path::parse(text).err().map(|_| "Value must be a valid JSONPath.".to_owned()));
}

/// A reference path into the input or into a variable.
pub(super) fn reference_path(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    check(walk, node, place, |text| {
        if !text.starts_with('$') {
            return Some("Value is not a Reference Path: Reference path didn't start with '$'".to_owned());
        }
        (!is_reference(text)).then(|| "Value is not a Reference Path".to_owned())
    });
}

/// The same, or a path into the context object.
pub(super) fn reference_or_context_path(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    if node.text().is_some_and(|text| text.starts_with("$$")) {
        path(walk, node, place);
    } else {
        reference_path(walk, node, place);
    }
}

/// A path of plain names and positions; what comes behind a variable's name is as behind `$`.
fn is_reference(text: &str) -> bool {
    let behind = text[1..].trim_start_matches(|c: char| c == '_' || c.is_alphanumeric());
    Path::parse(text).is_ok() && ReferencePath::parse(&format!("${behind}")).is_ok()
}

pub(super) fn path_or_call(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    check(walk, node, place, |text| {
        let wrong = "Value must be a valid JSONPath or a valid intrinsic function call";
        Expression::parse(text).err().map(|_| wrong.to_owned())
    });
}

/// Whether a text would be evaluated if its field were one for paths.
pub(super) fn looks_dynamic(text: &str) -> bool {
    let is_path = ["$.", "$[", "$$.", "$$["].iter().any(|start| text.starts_with(start)) || text == "$" || text == "$$";
    (is_path || text.starts_with("States.")) && Expression::parse(text).is_ok()
}

/// Warns of a path in a field that takes none, beside one whose name ends in `Path`.
pub(super) fn warn_of_path(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    if place.language == Language::JsonPath && node.text().is_some_and(looks_dynamic) {
        let message = "The value looks like a path, but the name of the field does not end with 'Path'.";
        walk.find(NO_PATH, message, node, place);
    }
}

fn check(walk: &mut Walk, node: &Node, place: &Place<'_>, wrong: impl Fn(&str) -> Option<String>) {
    match node.text() {
        None => walk.check(Check::Text, node, place),
        Some(text) => {
            if let Some(message) = wrong(text) {
                walk.schema(message, node, place);
            }
        }
    }
}
