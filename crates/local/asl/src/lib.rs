//! The Amazon States Language, executed: pure, synchronous, and without any input or output.
//!
//! A [`Definition`] is read and checked once. An [`Execution`] of it takes stimuli and gives back
//! log entries to commit and effects to perform; its state is a fold of the log, so a restart
//! replays the log and carries on. Time and randomness come in as arguments. The crate knows no
//! AWS client, no clock, no environment and no thread.
//!
//! The language: <https://states-language.net>. One file for each of its sections:
//!
//! | section | file |
//! | --- | --- |
//! | state types | `states/*.rs` |
//! | paths, reference paths | `path/*.rs` |
//! | payload templates | `template.rs` |
//! | intrinsic functions | `intrinsic/*.rs`, `random.rs` |
//! | `JSONata` expressions | `jsonata/*.rs` |
//! | numbers in either query language | `field.rs` |
//! | input and output processing | `data_flow.rs` |
//! | context object | `context.rs` |
//! | errors, `Retry`, `Catch` | `failure.rs`, `retry.rs`, `catch.rs` |
//! | what a `Resource` names | `integration.rs`, `lambda.rs` |
//! | definitions and their problems | `definition/*.rs` |
//! | execution and its log | `execution/*.rs`, `log.rs`, `history.rs` |
//!
//! Not supported yet, and refused when a definition is read: distributed Maps, activities, `.sync` and `.waitForTaskToken`.

mod catch;
mod context;
mod data_flow;
mod definition;
mod execution;
mod failure;
mod field;
mod history;
mod integration;
mod intrinsic;
mod jsonata;
pub mod lambda;
mod log;
mod number;
mod path;
mod payload;
#[cfg(test)]
mod properties;
mod random;
mod retry;
mod scope;
mod states;
mod template;
mod timestamp;

pub use context::StartContext;
pub use definition::{Definition, DefinitionError, Problem, ProblemCode};
pub use execution::{
    Effect, Execution, Finish, MAX_HISTORY_EVENTS, ReplayError, Status, Step, Stimulus, TaskId, TimerId, TimerPurpose,
};
pub use failure::Failure;
pub use integration::Resource;
pub use log::{Event, FrameId, LogEntry, StateKind};
pub use payload::{MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, Payload};
