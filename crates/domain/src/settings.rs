//! What the owner of a deployment may choose: one file, every member with a default.
//!
//! ```toml
//! languages = ["en", "es", "de"]
//!
//! [features.image.rekognition]
//! moderation = false
//!
//! [redaction]
//! enabled = true
//! ```

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::media::Family;

/// Features of one service, by the service's own names: on or off.
pub type Features = BTreeMap<String, bool>;

/// The settings file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Languages to expect, most likely first, as ISO 639-1 codes; speech is matched against them.
    pub languages: Vec<String>,
    /// `features.<family>.<service>.<feature> = true|false`; what is not named keeps the service's default.
    pub features: BTreeMap<Family, BTreeMap<String, Features>>,
    /// What is hidden in extraction documents.
    pub redaction: Redaction,
    /// Copies of raw objects under keys that say what was found.
    pub partitioned_copy: PartitionedCopy,
}

/// What is hidden in extraction documents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redaction {
    /// Replace the characters of personal data by `*`.
    pub enabled: bool,
    /// Which kinds, in Amazon Comprehend's names; empty means all.
    pub kinds: Vec<String>,
}

/// Copies of raw objects under keys that say what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PartitionedCopy {
    /// Write the copy; needs a bucket for it in the deployment.
    pub enabled: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            languages: ["en", "es", "de", "fr", "it", "pt"].map(str::to_owned).to_vec(),
            features: BTreeMap::new(),
            redaction: Redaction::default(),
            partitioned_copy: PartitionedCopy::default(),
        }
    }
}

impl Settings {
    /// Whether `feature` of `service` is on for files of `family`.
    #[must_use]
    pub fn feature(&self, family: Family, service: &str, feature: &str, default: Preset) -> bool {
        let chosen = self.features.get(&family).and_then(|services| services.get(service)?.get(feature).copied());
        chosen.unwrap_or(default == Preset::On)
    }
}

/// What a feature is unless the settings say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// On.
    On,
    /// Off.
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_keeps_its_preset() {
        let settings: Settings = serde_json::from_value(serde_json::json!({
            "features": {"image": {"rekognition": {"moderation": false}}}
        }))
        .unwrap();
        assert!(!settings.feature(Family::Image, "rekognition", "moderation", Preset::On));
        assert!(settings.feature(Family::Image, "rekognition", "labels", Preset::On));
        assert!(!settings.feature(Family::Video, "rekognition", "labels", Preset::Off));
    }

    #[test]
    fn unknown_members_are_refused() {
        let wrong = serde_json::json!({"redactoin": {}});
        assert!(serde_json::from_value::<Settings>(wrong).is_err());
    }
}
