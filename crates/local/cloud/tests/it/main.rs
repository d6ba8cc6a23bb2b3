//! The cloud as its clients see it: over the wire, with real worker processes, through crashes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod athena;
mod cloud;
mod common;
mod lambda;
mod map_runs;
mod recovery;
mod states;
mod states_api;
mod tasks;
