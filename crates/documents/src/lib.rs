//! What a file is, and what it says: media types by content, and text out of documents.
//!
//! Two doors: [`detect()`] looks at the first and last bytes of a file and names its media type;
//! [`read()`] turns the whole file into an extraction document (text, pages, tables, metadata,
//! attachments). [`picture`] writes pictures anew for services that do not take them. All take strangers' bytes: every reader is bounded in time, output, nesting
//! and expansion by [`Limits`], and a crash of a reader is an error of that file.
//!
//! Absent on purpose: no network, no file system, no clock, no environment, no recognition of
//! pictures or sound, no opening of attachments.

mod detect;
mod draft;
mod encoding;
mod error;
mod formats;
mod isolate;
mod limits;
mod package;
pub mod picture;
mod read;
mod xml;

pub use detect::{Detection, Problem, Sample, detect};
pub use error::DocumentError;
pub use formats::pdf;
pub use limits::Limits;
pub use read::read;
