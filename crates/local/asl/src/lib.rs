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
//! | distributed Maps and their runs | `states/map/*.rs`, `map_run.rs` |
//! | what a `Resource` names | `integration.rs`, `integration/*.rs`, `lambda.rs` |
//! | task tokens | `token.rs` |
//! | definitions, read for execution | `definition/*.rs` |
//! | definitions, checked as the service checks them | `validation/*.rs` |
//! | one state, executed alone | `test_state/*.rs` |
//! | execution and its log | `execution/*.rs`, `log.rs`, `history.rs` |

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
pub mod map_run;
mod number;
mod path;
mod payload;
mod random;
mod retry;
mod scope;
mod states;
mod template;
pub mod test_state;
#[cfg(test)]
mod tests;
mod timestamp;
mod token;
mod validation;

pub use context::StartContext;
pub use definition::{Definition, DefinitionError, Problem, ProblemCode, variable_references};
pub use execution::{
    Effect, Execution, Finish, MAX_HISTORY_EVENTS, MapInputs, MapItem, ReplayError, Status, Step, Stimulus, TaskId,
    TimerId, TimerPurpose,
};
pub use failure::Failure;
pub use integration::{Pattern, Resource};
pub use log::{Event, FrameId, LogEntry, MapRunEvent, StateKind, read_log, write_log};
pub use payload::{MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, Payload};
pub use token::{TaskToken, TokenKey};
pub use validation::{Diagnostic, MachineType, Severity, validate};
