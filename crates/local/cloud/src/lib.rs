//! The local cloud: the AWS wire protocols over embedded parts, on one loopback port.
//!
//! Each surface is one folder; `server` sends a request to the surface it is for.
//! What this crate refuses to do: listen beyond loopback unless asked, and invent answers.

pub mod ai;
mod athena;
pub mod bus;
pub mod clock;
mod cloud;
pub mod context;
pub mod database;
pub mod deployment;
pub mod faults;
mod glue;
mod identifier;
mod lake;
pub mod lambda;
pub mod queue;
pub mod recovery;
pub mod s3;
mod schema;
mod server;
pub mod states;
pub mod store;
mod tasks;
pub mod wire;

pub use cloud::{Cloud, CloudError, Config};
