//! AI services over local engines: one file for each service.

pub mod comprehend;
mod file;
#[cfg(test)]
mod fixture;
pub mod jobs;
pub mod media;
pub mod rekognition;
pub mod textract;
pub(crate) mod token;
pub mod transcribe;
pub(crate) mod validate;
