//! Parallel: runs branches side by side; its result is the array of their outputs.
//!
//! Spec: <https://states-language.net/#parallel-state>.

use std::sync::Arc;

use crate::definition::{Flow, Reader, read_flow};

#[derive(Debug)]
pub(crate) struct Parallel {
    pub(crate) branches: Vec<Arc<Flow>>,
}

impl Parallel {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let written = reader.required_array("Branches")?;
        let mut branches = Vec::with_capacity(written.len());
        for (at, branch) in written.iter().enumerate() {
            let mut inner = reader.item("Branches", at, branch)?.deeper();
            inner.ignore(&["Comment"]);
            inner.flow_language();
            branches.push(Arc::new(read_flow(&mut inner)?));
            inner.finish();
        }
        if branches.is_empty() {
            reader.problem("Branches", "a Parallel state has at least one branch");
        }
        Some(Self { branches })
    }
}
