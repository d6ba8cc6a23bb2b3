//! What expressions can see: the document in hand, the context object and the variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::context::ContextObject;
use crate::path::{Root, Segment, Selector};
use crate::payload::Payload;
use serde_json::Value;

/// Variables by name; a Map iteration or a branch begins with its parent's and keeps its own.
pub(crate) type Variables = Arc<BTreeMap<String, Payload>>;

/// The documents that a path may start from.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) input: &'a Value,
    pub(crate) context: &'a ContextObject<'a>,
    pub(crate) variables: &'a Variables,
    /// `$states.result`, where the state has one already.
    pub(crate) result: Option<&'a Value>,
    /// `$states.errorOutput`, within a `Catch`.
    pub(crate) error_output: Option<&'a Value>,
}

impl<'a> Scope<'a> {
    /// The same scope over another document.
    pub(crate) fn over<'b>(&self, input: &'b Value) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { input, ..*self }
    }

    /// The document that a root means, and the segments that remain to be walked in it.
    pub(crate) fn root<'s, 'p>(&'s self, root: &Root, segments: &'p [Segment]) -> Option<(&'s Value, &'p [Segment])> {
        match root {
            Root::Input => Some((self.input, segments)),
            Root::Variable(name) => Some((self.variables.get(&**name)?.value(), segments)),
            Root::Context => Some(match segments {
                // The input may be large, so it is read in place rather than copied into the
                // context object.
                [Segment::Child(Selector::Name(first)), Segment::Child(Selector::Name(second)), rest @ ..]
                    if &**first == "Execution" && &**second == "Input" =>
                {
                    (self.context.execution_input(), rest)
                }
                _ => (self.context.value(), segments),
            }),
        }
    }
}
