//! Queries: DataFusion over the catalog's tables, with Trino's rules where the two differ.
//! Each statement has a session of its own, in which a table means one snapshot however often it is named.

pub(crate) mod functions;
mod guard;
pub(crate) mod labels;
mod names;
pub(crate) mod path;
pub(crate) mod predicate;
pub(crate) mod provider;
mod scope;
mod stars;
mod system;
pub(crate) mod target;
mod unnest;

pub(crate) use names::Shared;
pub(crate) use scope::Scope;

/// What a query may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory for joins, sorts and aggregates, which spill to disk beyond it.
    pub memory_bytes: usize,
    /// Threads that one query uses.
    pub parallelism: usize,
}
