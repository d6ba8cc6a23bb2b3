//! Media types, and the families by which services choose what they read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What sort of thing a file is; settings and services speak of families, never of extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Plain text, Markdown, CSV, JSON, XML.
    Text,
    /// HTML and XHTML.
    Html,
    /// `message/rfc822`, Outlook messages.
    Mail,
    /// Word, spreadsheet, presentation, RTF, e-book.
    Office,
    /// PDF.
    Pdf,
    /// Photos, scans, drawings as pixels.
    Image,
    /// Recordings of sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Anything else: archives, programs, fonts, unknown bytes.
    Other,
}

const OFFICE: &[&str] = &["application/msword", "application/rtf", "text/rtf", "application/epub+zip"];

/// Beginnings of the office formats that come in many kinds: templates, slide shows, with macros or without.
const OFFICE_PREFIXES: &[&str] = &[
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.ms-word",
    "application/vnd.oasis.opendocument.",
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.sun.xml.",
];

const TEXT: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/xml",
    "application/xslt+xml",
    "application/yaml",
    "application/toml",
    "application/javascript",
    "application/sql",
    "application/x-sh",
    "application/x-subrip",
];

impl Family {
    /// The family of a media type (lower case, without parameters).
    #[must_use]
    pub fn of(media_type: &str) -> Self {
        match media_type {
            "application/pdf" => Self::Pdf,
            "text/html" | "application/xhtml+xml" => Self::Html,
            "message/rfc822" | "application/vnd.ms-outlook" | "application/mbox" => Self::Mail,
            _ if OFFICE.contains(&media_type)
                || OFFICE_PREFIXES.iter().any(|prefix| media_type.starts_with(prefix)) =>
            {
                Self::Office
            }
            _ if TEXT.contains(&media_type) || media_type.ends_with("+xml") && !media_type.starts_with("image/") => {
                Self::Text
            }
            _ => Self::of_top_level(media_type),
        }
    }

    fn of_top_level(media_type: &str) -> Self {
        match media_type.split('/').next() {
            Some("text") => Self::Text,
            Some("image") if media_type == "image/svg+xml" => Self::Text,
            Some("image") => Self::Image,
            Some("audio") => Self::Audio,
            Some("video") => Self::Video,
            _ => Self::Other,
        }
    }
}

const ARCHIVES: &[&str] = &[
    "application/gzip",
    "application/vnd.rar",
    "application/x-7z-compressed",
    "application/x-bzip2",
    "application/x-tar",
    "application/x-xz",
    "application/zip",
    "application/zstd",
];

/// What to do with a file of a kind that nothing reads.
#[must_use]
pub fn advice(media_type: &str) -> Option<&'static str> {
    match Family::of(media_type) {
        _ if ARCHIVES.contains(&media_type) => Some("archives are not opened: store the files that are in it"),
        Family::Image => Some("save it as PNG or JPEG"),
        Family::Audio => Some("convert it to WAV, MP3 or FLAC"),
        Family::Video => Some("convert it to MP4 or WebM"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_for_what_can_be_converted() {
        assert!(advice("application/zip").unwrap().contains("archives"));
        assert_eq!(advice("image/heic"), Some("save it as PNG or JPEG"));
        assert_eq!(advice("application/x-elf"), None);
    }

    #[test]
    fn families_follow_the_media_type() {
        let cases = [
            ("text/plain", Family::Text),
            ("application/x-ndjson", Family::Text),
            ("image/svg+xml", Family::Text),
            ("application/xhtml+xml", Family::Html),
            ("application/vnd.oasis.opendocument.text", Family::Office),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", Family::Office),
            ("application/vnd.ms-word.template.macroenabled.12", Family::Office),
            ("application/vnd.ms-outlook", Family::Mail),
            ("image/heic", Family::Image),
            ("audio/wav", Family::Audio),
            ("application/zip", Family::Other),
        ];
        for (media_type, family) in cases {
            assert_eq!(Family::of(media_type), family, "{media_type}");
        }
    }
}
