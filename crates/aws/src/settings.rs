//! Loading the settings file: from disk beside the function, or the defaults where there is none.

use std::path::{Path, PathBuf};

use domain::settings::Settings;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("failed to read the settings file `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what settings look like.
    #[error("failed to understand the settings file `{path}`")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: std::boxed::Box<toml::de::Error>,
    },
}

/// Reads the settings file, or gives the defaults where none is named.
///
/// # Errors
/// When the file cannot be read, is not TOML, or has a member that settings do not have.
pub fn load(path: Option<&Path>) -> Result<Settings, SettingsError> {
    let Some(path) = path else {
        return Ok(Settings::default());
    };
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|source| SettingsError::Parse { path: path.to_owned(), source: source.into() })
}
