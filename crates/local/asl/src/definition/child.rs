//! The definition that the children of a distributed Map run: the states within it.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>

use std::sync::Arc;

use super::{Definition, Flow};
use crate::states::Kind;

impl Definition {
    /// The states within the distributed Map at a JSON pointer, as the definition of its children.
    #[must_use]
    pub fn child(&self, location: &str, timeout_seconds: Option<u64>) -> Option<Self> {
        processor_at(&self.flow, location).map(|flow| Self { flow, timeout_seconds })
    }
}

fn processor_at(flow: &Flow, location: &str) -> Option<Arc<Flow>> {
    flow.states.values().find_map(|state| match &state.kind {
        Kind::Map(map) if map.location() == Some(location) => Some(map.processor.clone()),
        Kind::Map(map) => processor_at(&map.processor, location),
        Kind::Parallel(parallel) => parallel.branches.iter().find_map(|branch| processor_at(branch, location)),
        _ => None,
    })
}
