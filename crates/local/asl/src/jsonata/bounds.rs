//! What one evaluation may take, and what no version 2.0.6 expression holds.
//!
//! The service's own bounds are not published; these stand where it was seen to draw the line.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};
use jsonata_core::evaluator::{EvaluatorError, EvaluatorOptions};

/// The longest time for one evaluation, a backstop to the other bounds. A build without
/// optimisation is many times slower.
const MAX_MILLISECONDS: u64 = if cfg!(debug_assertions) { 3_000 } else { 1_000 };

/// How deep an expression may be written. The service counts what is evaluated, and stops here.
const MAX_WRITTEN_DEPTH: usize = 100;

/// How deep an evaluation may nest: more than the service allows, as the calls of `meter.rs` count
/// too.
const MAX_DEPTH: usize = 400;

/// The most items of one sequence.
pub(super) const MAX_SEQUENCE: usize = 873_782;

pub(super) fn options() -> EvaluatorOptions {
    EvaluatorOptions {
        timeout_ms: Some(MAX_MILLISECONDS),
        cancel: None,
        max_stack_depth: Some(MAX_DEPTH),
        max_sequence_length: Some(MAX_SEQUENCE),
    }
}

/// What the evaluator itself says of a sequence beyond the bound.
pub(super) fn too_long() -> EvaluatorError {
    EvaluatorError::EvaluationError(format!("D2015: The maximum sequence length of {MAX_SEQUENCE} was exceeded."))
}

/// Refuses the operators that came after version 2.0.6.
pub(super) fn refuse_later_operators(tree: &AstNode) -> Result<(), String> {
    let later = nodes(tree).find_map(|node| match node {
        AstNode::Binary { op: BinaryOp::Coalesce, .. } => Some("??"),
        AstNode::Binary { op: BinaryOp::Default, .. } => Some("?:"),
        _ => None,
    });
    later.map_or(Ok(()), |operator| Err(format!("the operator `{operator}` is not in JSONata 2.0.6")))
}

/// Whether an expression is written deeper than an evaluation may go.
pub(super) fn is_too_deep(tree: &AstNode) -> bool {
    let mut level = vec![tree];
    for _ in 0..=MAX_WRITTEN_DEPTH {
        let mut below = Vec::new();
        for node in level {
            children(node, &mut below);
        }
        if below.is_empty() {
            return false;
        }
        level = below;
    }
    true
}

/// Every node of a tree.
pub(super) fn nodes(tree: &AstNode) -> impl Iterator<Item = &AstNode> {
    let mut waiting = vec![tree];
    std::iter::from_fn(move || {
        let node = waiting.pop()?;
        children(node, &mut waiting);
        Some(node)
    })
}

/// The nodes directly below one.
fn children<'a>(node: &'a AstNode, found: &mut Vec<&'a AstNode>) {
    match node {
        AstNode::Path { steps } => steps.iter().for_each(|step| step_children(step, found)),
        AstNode::Binary { lhs, rhs, .. } => found.extend([&**lhs, &**rhs]),
        AstNode::Unary { operand: inner, .. }
        | AstNode::Lambda { body: inner, .. }
        | AstNode::FunctionApplication(inner) => found.push(inner),
        AstNode::Function { args, .. } => found.extend(args),
        AstNode::Call { procedure, args } => {
            found.push(procedure);
            found.extend(args);
        }
        AstNode::Array(items) | AstNode::Block(items) | AstNode::ArrayGroup(items) => found.extend(items),
        AstNode::Object(pairs) => found.extend(pairs.iter().flat_map(|(key, value)| [key, value])),
        AstNode::ObjectTransform { input, pattern } => {
            found.push(input);
            found.extend(pattern.iter().flat_map(|(key, value)| [key, value]));
        }
        AstNode::Conditional { condition, then_branch, else_branch } => {
            found.extend([&**condition, &**then_branch]);
            found.extend(else_branch.as_deref());
        }
        AstNode::Sort { input, terms } => {
            found.push(input);
            found.extend(terms.iter().map(|(term, _)| term));
        }
        AstNode::Transform { location, update, delete } => {
            found.extend([&**location, &**update]);
            found.extend(delete.as_deref());
        }
        _ => {}
    }
}

fn step_children<'a>(step: &'a PathStep, found: &mut Vec<&'a AstNode>) {
    found.push(&step.node);
    found.extend(step.stages.iter().filter_map(|stage| match stage {
        Stage::Filter(filter) => Some(&**filter),
        Stage::KeepArray | Stage::Index(_) => None,
    }));
}
