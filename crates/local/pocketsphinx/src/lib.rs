//! Speech to text by CMU Sphinx's `pocketsphinx` (5prealpha, Debian's `libpocketsphinx3`), opened at run time.
//!
//! Building needs no header and no `-dev` package. This is the only crate with unsafe code. It
//! refuses to hold more than one utterance; cutting audio into utterances is the caller's.
//! [`worker`] is what the `sluice-speech` program does, so that a crash of the C library stays there.

mod decoder;
mod library;
pub mod worker;

use serde::{Deserialize, Serialize};

pub use decoder::Decoder;

/// Samples a second that the acoustic model is trained on.
pub const SAMPLE_RATE: u32 = 16_000;

/// The name under which results are reported.
pub const ENGINE: &str = "pocketsphinx 5prealpha en-us";

/// The language of the acoustic and language model.
pub const LANGUAGE: &str = "en-US";

/// One recognised word; times are seconds from the start of the utterance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The word, in lower case.
    pub text: String,
    /// First frame.
    pub start: f64,
    /// End of the last frame.
    pub end: f64,
    /// Posterior probability, 0 to 1.
    pub confidence: f64,
}

/// Where the acoustic model, the language model and the dictionary are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Folder of the acoustic model.
    pub acoustic: String,
    /// File of the language model.
    pub language: String,
    /// File of the pronouncing dictionary.
    pub dictionary: String,
}

impl Model {
    /// Where Debian's `pocketsphinx-en-us` puts its files.
    #[must_use]
    pub fn debian() -> Self {
        let below = |name: &str| format!("/usr/share/pocketsphinx/model/en-us/{name}");
        Self { acoustic: below("en-us"), language: below("en-us.lm.bin"), dictionary: below("cmudict-en-us.dict") }
    }
}

/// Why nothing was recognised.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The library is not installed, or is another version.
    #[error("failed to open `{name}`: install the Debian package `libpocketsphinx3`")]
    Library {
        /// The file looked for.
        name: &'static str,
        /// Cause.
        #[source]
        source: libloading::Error,
    },
    /// A model file is missing.
    #[error("failed to find `{0}`: install the Debian package `pocketsphinx-en-us`")]
    ModelMissing(String),
    /// A path holds a NUL byte.
    #[error("failed to pass `{0}` to the library: it holds a NUL")]
    Nul(String),
    /// The library refused its arguments or the model.
    #[error("failed to start the recogniser")]
    Start,
    /// The library refused the utterance.
    #[error("failed to recognise an utterance (step `{0}`)")]
    Utterance(&'static str),
}
