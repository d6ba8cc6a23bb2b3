//! The media type of a file by its content.
//!
//! The order of trust: signatures and structure of the bytes; then, for text only, its shape
//! (markup, headers, rows); the name's extension and the declared type only tell kinds of plain
//! text from one another, and kinds within a container that content has already proven.

use serde::{Deserialize, Serialize};

mod binary;
mod compound;
mod container;
mod hint;
mod mail;
mod markup;
mod media;
mod text;

/// The parts of a file that detection looks at.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The first bytes: up to 256 KiB, the whole file if it is smaller.
    pub head: &'a [u8],
    /// The last bytes: up to 64 KiB; may overlap `head`, may be empty where `head` is all.
    pub tail: &'a [u8],
    /// Size of the whole file.
    pub size_bytes: u64,
    /// Name or key of the file; only its extension counts, and only as a hint.
    pub file_name: &'a str,
    /// Media type as declared by whoever stored the file; a hint.
    pub declared: Option<&'a str>,
}

impl Sample<'_> {
    /// Whether `head` is the whole file.
    fn is_whole(&self) -> bool {
        self.head.len() as u64 >= self.size_bytes
    }
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Media type, lower case, without parameters.
    pub media_type: String,
    /// Why the file will give nothing, where that can be seen already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Why a file will give nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Problem {
    /// It has no bytes.
    Empty,
    /// It needs a password; the reason says what does.
    Encrypted(String),
    /// It cannot be what its signature says; the reason says why.
    Damaged(String),
}

impl Detection {
    fn of(media_type: impl Into<String>) -> Self {
        Self { media_type: media_type.into(), problem: None }
    }

    fn with(media_type: impl Into<String>, problem: Problem) -> Self {
        Self { media_type: media_type.into(), problem: Some(problem) }
    }
}

/// Names the media type of the file that `sample` is from; never fails and never panics.
#[must_use]
pub fn detect(sample: &Sample<'_>) -> Detection {
    if sample.size_bytes == 0 || sample.head.is_empty() {
        return Detection::with("application/x-empty", Problem::Empty);
    }
    container::detect(sample)
        .or_else(|| compound::detect(sample))
        .or_else(|| media::detect(sample))
        .or_else(|| binary::detect(sample.head).map(|kind| Detection::of(in_tiff(kind, sample))))
        .or_else(|| pdf(sample).map(Detection::of))
        .or_else(|| text::detect(sample).map(Detection::of))
        .unwrap_or_else(|| Detection::of(binary::rare(sample.head)))
}

/// A camera's raw picture is a TIFF too, and no reader of scans makes anything of it.
fn in_tiff(kind: &'static str, sample: &Sample<'_>) -> &'static str {
    if kind == "image/tiff" { hint::camera_raw(sample).unwrap_or(kind) } else { kind }
}

/// Viewers accept junk before the header, within the first 1,024 bytes (ISO 32000-1, annex H).
fn pdf(sample: &Sample<'_>) -> Option<&'static str> {
    const HEADER_BYTES: usize = 1_024;
    let head = &sample.head[..sample.head.len().min(HEADER_BYTES)];
    let at = head.windows(5).position(|five| five == b"%PDF-")?;
    if at == 0 {
        return Some("application/pdf");
    }
    // Junk alone is no proof: a mail may quote a PDF. The end of the file must be a PDF's too.
    let end = if sample.tail.is_empty() { sample.head } else { sample.tail };
    let has_end = end.windows(5).any(|five| five == b"%%EOF") || end.windows(9).any(|nine| nine == b"startxref");
    let at_line_start = matches!(head[at - 1], b'\n' | b'\r' | 0) || !head[..at].contains(&b'\n');
    (has_end && at_line_start && !mail::looks_like(&String::from_utf8_lossy(sample.head), false))
        .then_some("application/pdf")
}

#[cfg(test)]
mod tests;
