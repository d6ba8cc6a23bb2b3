//! The one seam to AWS that all steps share: environment, settings, S3, errors, the HTTP client, Lambda bootstrap.
//!
//! What this crate refuses to do: know the order of steps, or speak to any AI service.
//! The seam is the [`aws_config::SdkConfig`]; tests put an in-process server behind it.

pub mod bootstrap;
pub mod bucket;
pub mod call;
pub mod clients;
pub mod clock;
pub mod deployment;
pub mod engine;
pub mod http;
pub mod log;
pub mod settings;
pub mod store;
pub mod table;

pub use aws_config::SdkConfig;
pub use deployment::Deployment;
