//! The `sluice` program: the main job in one go, and a look at what became of it.
//!
//! All commands speak the AWS APIs, so the same code serves the local cloud and a deployment in AWS.
//! What this crate refuses to do: know the order of steps, read files itself, or reach into the data directory.
//!
//! [`arguments`] is what a person types, [`deployment`] what it is typed at, [`commands`] one file for each command.

mod arguments;
mod athena;
mod bulk;
mod catalog;
mod commands;
mod deployment;
mod environment;
mod executions;
mod files;
mod host;
mod output;
mod problem;
mod row;
mod sql;
mod upload;
mod watch;

pub use commands::main;
pub use environment::Environment;
