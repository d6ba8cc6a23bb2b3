//! `JSONata` expressions before they are ever evaluated: their syntax, and that they name nothing
//! that cannot be there.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>. An expression has
//! no document of its own, so a bare name at its top level can never be anything; names behind a
//! step of a path, in a filter or in a sort term are of the value in hand, and are left alone.

use jsonata_core::ast::{AstNode, PathStep, Stage};

use super::json::Node;
use super::walk::{Place, Walk};
use crate::jsonata::Query;

const UNSUPPORTED: &str = "UNSUPPORTED_JSONATA_EXPRESSION";

/// The variable that holds the state's own data.
const STATES: &str = "states";

pub(super) fn check(walk: &mut Walk, source: &str, node: &Node, place: &Place<'_>) {
    match Query::parse(source.trim()) {
        Err(why) => walk.find("INVALID_JSONATA_EXPRESSION", without_code(&why), node, place),
        Ok(query) => references(walk, query.tree(), node, place),
    }
}

/// The service leaves out `JSONata`'s own code before the message.
fn without_code(message: &str) -> &str {
    let is_code =
        |code: &str| code.len() == 5 && code.is_ascii() && code[1..].bytes().all(|digit| digit.is_ascii_digit());
    message.split_once(": ").filter(|(code, _)| is_code(code)).map_or(message, |(_, rest)| rest)
}

/// Each name is told once.
fn references(walk: &mut Walk, tree: &AstNode, node: &Node, place: &Place<'_>) {
    let mut told = Vec::new();
    let mut waiting = vec![(tree, true)];
    while let Some((part, is_top)) = waiting.pop() {
        let message = match part {
            AstNode::Name(name) if is_top => Some(format!("Reference to '{name}' at the top level is not supported.")),
            AstNode::ParentVariable(_) => Some("Reference to '$$' is not supported.".to_owned()),
            AstNode::Path { steps } => missing_member(steps, place),
            _ => None,
        };
        if let Some(message) = message.filter(|message| !told.contains(message)) {
            walk.find(UNSUPPORTED, message.clone(), node, place);
            told.push(message);
        }
        below(part, is_top, &mut waiting);
    }
}

/// What is said of a member of `$states` that is not there.
fn missing_member(steps: &[PathStep], place: &Place<'_>) -> Option<String> {
    let [PathStep { node: AstNode::Variable(variable), .. }, PathStep { node: AstNode::Name(member), .. }, ..] = steps
    else {
        return None;
    };
    let is_there = match member.as_str() {
        "input" | "context" => true,
        "result" => place.sees_result,
        "errorOutput" => place.sees_error,
        _ => false,
    };
    (variable == STATES && !is_there).then(|| format!("Field '$states.{member}' does not exist."))
}

/// The parts of an expression, and whether a bare name in them would be one at the top level.
fn below<'a>(part: &'a AstNode, is_top: bool, found: &mut Vec<(&'a AstNode, bool)>) {
    match part {
        AstNode::Path { steps } => steps.iter().enumerate().for_each(|(at, step)| {
            found.push((&step.node, is_top && at == 0));
            found.extend(step.stages.iter().filter_map(|stage| match stage {
                Stage::Filter(filter) => Some((&**filter, false)),
                _ => None,
            }));
        }),
        AstNode::ObjectTransform { input, pattern } => {
            found.push((&**input, is_top));
            found.extend(pattern.iter().flat_map(|(key, value)| [(key, false), (value, false)]));
        }
        AstNode::Sort { input, terms } => {
            found.push((&**input, is_top));
            found.extend(terms.iter().map(|(term, _)| (term, false)));
        }
        AstNode::Transform { location, update, delete } => {
            found.extend([(&**location, false), (&**update, false)]);
            found.extend(delete.as_deref().map(|delete| (delete, false)));
        }
        _ => same_level(part, &mut |inner| found.push((inner, is_top))),
    }
}

fn same_level<'a>(part: &'a AstNode, each: &mut dyn FnMut(&'a AstNode)) {
    match part {
        AstNode::Binary { lhs, rhs, .. } => [lhs, rhs].into_iter().for_each(|side| each(side)),
        AstNode::Unary { operand: inner, .. }
        | AstNode::Lambda { body: inner, .. }
        | AstNode::FunctionApplication(inner) => each(inner),
        AstNode::Function { args: items, .. }
        | AstNode::Array(items)
        | AstNode::Block(items)
        | AstNode::ArrayGroup(items) => items.iter().for_each(each),
        AstNode::Call { procedure, args } => {
            each(procedure);
            args.iter().for_each(each);
        }
        AstNode::Object(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).for_each(each),
        AstNode::Conditional { condition, then_branch, else_branch } => {
            [condition, then_branch].into_iter().chain(else_branch).for_each(|branch| each(branch));
        }
        _ => {}
    }
}
