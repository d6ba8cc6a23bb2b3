//! The AI services that Sluice calls: one file (or folder) each, one list of them all.
//!
//! Adding a service is one file here and one line in each list that it
//! belongs to ([`SERVICES`], [`STARTED`], [`POLLED`]); no state, Lambda or runner
//! names a service. What this crate refuses to do: decide the order of steps, or keep state.

pub mod comprehend;
pub mod document_text;
mod picture;
pub mod registry;
pub mod rekognition;
pub mod service;
pub mod task;
pub mod textract;
pub mod transcribe;

pub use registry::{POLLED, SERVICES, STARTED, find, plan};
pub use service::{Amount, Call, Descriptor, Feature, Poll, Polled, Service, Start, Started};
