//! What expressions can see: the document in hand, the context object and the variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::context::ContextObject;
use crate::failure::Failure;
use crate::path::{Root, Segment, Selector};
use crate::payload::{MAX_PAYLOAD_BYTES, Payload, weight};
use serde_json::Value;

/// Many times what a state may give, and nothing to a computer.
const MAX_TAKEN_BYTES: usize = 64 * MAX_PAYLOAD_BYTES;

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

    /// A value that an expression takes out of a document. A template may name one large document a
    /// thousand times, so what all expressions of a moment take is bounded.
    pub(crate) fn taken(&self, value: Value) -> Result<Value, Failure> {
        let total = self.context.taken.get() + weight(&value);
        self.context.taken.set(total);
        if total > MAX_TAKEN_BYTES { Err(Failure::too_large_parameters(self.context.state.name)) } else { Ok(value) }
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
