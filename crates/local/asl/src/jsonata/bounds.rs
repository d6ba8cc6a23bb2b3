//! What one evaluation may take, and what no version 2.0.6 expression holds.
//!
//! The service's own bounds are not published; these stand where it was seen to draw the line.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};
use jsonata_core::evaluator::{EvaluatorError, EvaluatorOptions};

/// The longest time for one evaluation. It is a backstop: depth and length bind earlier.
const MAX_MILLISECONDS: u64 = 1_000;

/// How deep an evaluation may nest.
const MAX_DEPTH: usize = 100;

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
    let mut waiting = vec![tree];
    while let Some(node) = waiting.pop() {
        if let AstNode::Binary { op, .. } = node {
            match op {
                BinaryOp::Coalesce => return Err("the operator `??` is not in JSONata 2.0.6".to_owned()),
                BinaryOp::Default => return Err("the operator `?:` is not in JSONata 2.0.6".to_owned()),
                _ => {}
            }
        }
        children(node, &mut waiting);
    }
    Ok(())
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
