//! AI services over local engines: one file for each service.

pub mod comprehend;
mod file;
#[cfg(test)]
mod fixture;
pub mod jobs;
pub mod media;
pub mod rekognition;
pub mod textract;
mod token;
pub mod transcribe;
mod validate;
