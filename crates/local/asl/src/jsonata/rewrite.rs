//! Where an expression is given the calls of `meter.rs`.
//!
//! A call goes around what makes a value and stands where a value is wanted. What the evaluator
//! looks at by its form stays as it is: the steps of a path, arrays written inside arrays, what a
//! sort or a grouping goes over, the right side of `~>`, and tail calls, which must stay tail calls.
//! A function that the expression itself defines is not taken for the one of that name.

use std::collections::HashSet;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};
use jsonata_core::value::with_stack;

use super::bounds::nodes;
use super::meter;

/// Functions that give a truth, a number or one of the values they are given.
const LIGHT: [&str; 26] = [
    "abs",
    "assert",
    "average",
    "boolean",
    "ceil",
    "contains",
    "count",
    "error",
    "exists",
    "floor",
    "length",
    "lookup",
    "max",
    "millis",
    "min",
    "not",
    "now",
    "number",
    "parseInteger",
    "power",
    "random",
    "round",
    "sqrt",
    "sum",
    "toMillis",
    "type",
];

/// An expression as a whole. Its result is weighed when it is turned into JSON.
pub(super) fn metered(tree: AstNode) -> AstNode {
    let mut defined = HashSet::new();
    for node in nodes(&tree) {
        match node {
            AstNode::Lambda { params, .. } => defined.extend(params.iter().cloned()),
            AstNode::Binary { op: BinaryOp::ColonEqual, lhs, .. } => {
                if let AstNode::Variable(name) = &**lhs {
                    defined.insert(name.clone());
                }
            }
            _ => {}
        }
    }
    Rewriter { defined }.kept(tree)
}

struct Rewriter {
    /// The names that the expression gives values to.
    defined: HashSet<String>,
}

type Map = fn(&Rewriter, AstNode) -> AstNode;

impl Rewriter {
    /// A node where a value is wanted.
    fn value(&self, node: AstNode) -> AstNode {
        let is_maker = is_maker(&node);
        let node = self.kept(node);
        if is_maker { call(meter::HELD, vec![node]) } else { node }
    }

    fn boxed(&self, mut node: Box<AstNode>, map: Map) -> Box<AstNode> {
        let inner = std::mem::replace(&mut *node, AstNode::Null);
        *node = map(self, inner);
        node
    }

    fn values(&self, nodes: Vec<AstNode>) -> Vec<AstNode> {
        nodes.into_iter().map(|node| self.value(node)).collect()
    }

    fn pairs(&self, pairs: Vec<(AstNode, AstNode)>) -> Vec<(AstNode, AstNode)> {
        pairs.into_iter().map(|(key, member)| (self.value(key), self.value(member))).collect()
    }

    /// A node of the same form, with the nodes inside it metered.
    fn kept(&self, node: AstNode) -> AstNode {
        with_stack(|| match node {
            AstNode::Function { name, args, is_builtin } => self.function(name, self.values(args), is_builtin),
            AstNode::Call { procedure, args } => {
                AstNode::Call { procedure: self.boxed(procedure, Self::kept), args: self.values(args) }
            }
            AstNode::Binary { op, lhs, rhs } => self.binary(op, lhs, *rhs),
            AstNode::Lambda { params, body, signature, thunk } => {
                let body = self.boxed(body, if thunk { Self::tail } else { Self::value });
                AstNode::Lambda { params, body, signature, thunk }
            }
            AstNode::Path { steps } => AstNode::Path { steps: steps.into_iter().map(|step| self.step(step)).collect() },
            AstNode::Unary { op, operand } => AstNode::Unary { op, operand: self.boxed(operand, Self::kept) },
            other => self.kept_container(other),
        })
    }

    fn kept_container(&self, node: AstNode) -> AstNode {
        match node {
            AstNode::Array(items) => AstNode::Array(items.into_iter().map(|item| self.item(item)).collect()),
            AstNode::ArrayGroup(items) => AstNode::ArrayGroup(items.into_iter().map(|item| self.item(item)).collect()),
            // The step `.(…)` or `.$f(…)`: for each item, what is inside is a value.
            AstNode::FunctionApplication(inner) => AstNode::FunctionApplication(self.boxed(inner, Self::value)),
            AstNode::Block(items) => AstNode::Block(self.values(items)),
            AstNode::Object(members) => AstNode::Object(self.pairs(members)),
            AstNode::ObjectTransform { input, pattern } => {
                AstNode::ObjectTransform { input: self.boxed(input, Self::kept), pattern: self.pairs(pattern) }
            }
            AstNode::Conditional { condition, then_branch, else_branch } => AstNode::Conditional {
                condition: self.boxed(condition, Self::value),
                then_branch: self.boxed(then_branch, Self::value),
                else_branch: else_branch.map(|branch| self.boxed(branch, Self::value)),
            },
            AstNode::Sort { input, terms } => AstNode::Sort {
                input: self.boxed(input, Self::kept),
                terms: terms.into_iter().map(|(term, ascending)| (self.value(term), ascending)).collect(),
            },
            AstNode::Transform { location, update, delete } => AstNode::Transform {
                location: self.boxed(location, Self::kept),
                update: self.boxed(update, Self::kept),
                delete: delete.map(|delete| self.boxed(delete, Self::kept)),
            },
            other => other,
        }
    }

    /// An item of a written array: an array written there stays one item.
    fn item(&self, node: AstNode) -> AstNode {
        if matches!(node, AstNode::Array(_)) { self.kept(node) } else { self.value(node) }
    }

    /// The end of a function's body that is a call: what is called instead of it returns for it.
    fn tail(&self, node: AstNode) -> AstNode {
        with_stack(|| match node {
            AstNode::Conditional { condition, then_branch, else_branch } => AstNode::Conditional {
                condition: self.boxed(condition, Self::value),
                then_branch: self.boxed(then_branch, Self::tail),
                else_branch: else_branch.map(|branch| self.boxed(branch, Self::tail)),
            },
            AstNode::Block(mut items) => {
                let last = items.pop().map(|last| self.tail(last));
                let mut items = self.values(items);
                items.extend(last);
                AstNode::Block(items)
            }
            other => self.kept(other),
        })
    }

    fn binary(&self, op: BinaryOp, lhs: Box<AstNode>, rhs: AstNode) -> AstNode {
        match (op, rhs) {
            // `text ~> $replace(…)` is a call with the left side first.
            (BinaryOp::ChainPipe, AstNode::Function { name, mut args, is_builtin }) if !is_partial(&args) => {
                args.insert(0, *lhs);
                self.function(name, self.values(args), is_builtin)
            }
            (BinaryOp::ColonEqual, rhs) => AstNode::Binary { op, lhs, rhs: Box::new(self.value(rhs)) },
            (BinaryOp::ChainPipe, rhs) => {
                AstNode::Binary { op, lhs: self.boxed(lhs, Self::value), rhs: Box::new(self.kept(rhs)) }
            }
            (_, rhs) => AstNode::Binary { op, lhs: self.boxed(lhs, Self::value), rhs: Box::new(self.value(rhs)) },
        }
    }

    fn step(&self, step: PathStep) -> PathStep {
        let stages = step.stages.into_iter().map(|stage| match stage {
            Stage::Filter(filter) => Stage::Filter(self.boxed(filter, Self::kept)),
            other => other,
        });
        PathStep { node: self.kept(step.node), stages: stages.collect(), ..step }
    }

    /// A call of a function by its name, whose arguments are metered already.
    fn function(&self, name: String, mut args: Vec<AstNode>, is_builtin: bool) -> AstNode {
        if is_partial(&args) || self.defined.contains(&name) {
            return AstNode::Function { name, args, is_builtin };
        }
        match (name.as_str(), args.len()) {
            ("join", 1 | 2) => return call(meter::JOIN, args),
            ("distinct", 1) => return call(meter::DISTINCT, args),
            ("replace", 2..=4) => return replace(args),
            ("split" | "match", 1..=3) => {
                with_context(&mut args, 1);
                wrap(&mut args, 0, meter::SEARCHED);
            }
            ("pad", count) => {
                for at in 0..count {
                    wrap(&mut args, at, meter::WIDTH);
                }
            }
            _ => {}
        }
        AstNode::Function { name, args, is_builtin }
    }
}

fn call(name: &str, args: Vec<AstNode>) -> AstNode {
    AstNode::Function { name: name.to_owned(), args, is_builtin: true }
}

fn is_maker(node: &AstNode) -> bool {
    match node {
        AstNode::Binary { op: BinaryOp::Concatenate | BinaryOp::ChainPipe, .. }
        | AstNode::Array(_)
        | AstNode::Object(_)
        | AstNode::ObjectTransform { .. }
        | AstNode::Call { .. } => true,
        AstNode::Function { name, args, .. } => !LIGHT.contains(&name.as_str()) && !is_partial(args),
        AstNode::Path { steps } => steps.iter().any(is_computed),
        _ => false,
    }
}

/// A call with `?` among its arguments makes a function.
fn is_partial(args: &[AstNode]) -> bool {
    args.iter().any(|arg| matches!(arg, AstNode::Placeholder))
}

fn is_computed(step: &PathStep) -> bool {
    !matches!(
        step.node,
        AstNode::Name(_) | AstNode::Variable(_) | AstNode::ParentVariable(_) | AstNode::Parent(_) | AstNode::String(_)
    )
}

/// Writes the text out that a function takes from its context where it is not given.
fn with_context(args: &mut Vec<AstNode>, without: usize) {
    if args.len() <= without || matches!(args[0], AstNode::Regex { .. }) {
        args.insert(0, AstNode::Variable(String::new()));
    }
}

fn wrap(args: &mut [AstNode], at: usize, name: &str) {
    if let Some(arg) = args.get_mut(at) {
        let inner = std::mem::replace(arg, AstNode::Null);
        *arg = call(name, vec![inner]);
    }
}

/// `$replace` with its text and pattern in variables, so that the replacement can be held against
/// them before any text is made.
fn replace(mut args: Vec<AstNode>) -> AstNode {
    const NAMES: [&str; 2] = [" text", " pattern"];
    with_context(&mut args, 2);
    wrap(&mut args, 0, meter::SEARCHED);
    let variable = |name: &str| AstNode::Variable(name.to_owned());
    let mut args = args.into_iter();
    let mut parts: Vec<AstNode> = NAMES
        .into_iter()
        .zip(&mut args)
        .map(|(name, node)| AstNode::Binary {
            op: BinaryOp::ColonEqual,
            lhs: Box::new(variable(name)),
            rhs: Box::new(node),
        })
        .collect();
    let known = NAMES.map(variable);
    let fitting = known.clone().into_iter().chain(args.next()).collect();
    let args = known.into_iter().chain([call(meter::FITTING, fitting)]).chain(args).collect();
    parts.push(call("replace", args));
    AstNode::Block(parts)
}
