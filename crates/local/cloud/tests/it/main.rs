//! The cloud as its clients see it: over the wire, with real worker processes, through crashes.

mod cloud;
mod common;
mod lambda;
mod states;
