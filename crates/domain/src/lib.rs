//! The words of Sluice and the decisions that need nothing but data.
//!
//! Pure: no AWS crate, no tokio, no clock, no environment, no input or output, no logging.
//! Read the modules in the order of a file's way: [`event`] → [`stage`] → [`plan`] → [`answer`]
//! → [`extraction`] → [`change`]; [`failure`] is the one list of what can go wrong. [`table`] and [`upsert`] are the
//! words of merging changes into tables.

pub mod answer;
pub mod change;
pub mod event;
pub mod extraction;
pub mod failure;
pub mod media;
pub mod object;
pub mod plan;
pub mod run;
pub mod sensitivity;
pub mod settings;
pub mod stage;
pub mod table;
pub mod upsert;
pub mod wait;
