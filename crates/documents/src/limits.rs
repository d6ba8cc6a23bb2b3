//! How much one file may cost.

use std::time::Duration;

/// Bounds on what reading one file may take and give.
///
/// The defaults let any honest document of the services' own limits through on a Lambda of 2 GB
/// and stop archives and markup made to expand without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file; 256 MiB, for a reader holds about three times as much.
    pub max_input_bytes: u64,
    /// Characters of text; 5 million, some two thousand pages. More is cut, with a warning.
    pub max_text_chars: u64,
    /// Pages, sheets, slides or messages; 3,000, which is Textract's limit for a document.
    pub max_pages: u32,
    /// Cells of all tables together; 50,000. The text keeps what the tables leave out.
    pub max_table_cells: usize,
    /// Attachments that are listed; 1,000.
    pub max_attachments: usize,
    /// Members of a zip container; 20,000, more than any office document has.
    pub max_members: usize,
    /// Bytes that one member, or one compressed stream, may expand to; 128 MiB.
    pub max_member_bytes: u64,
    /// Bytes that all members together may expand to; 512 MiB.
    pub max_expanded_bytes: u64,
    /// Nesting of markup, groups, tables and messages; 512, far above what people write.
    pub max_depth: usize,
    /// Wall time; 60 seconds, so that a Lambda still has time to say what happened.
    pub max_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_input_bytes: 256 << 20,
            max_text_chars: 5_000_000,
            max_pages: 3_000,
            max_table_cells: 50_000,
            max_attachments: 1_000,
            max_members: 20_000,
            max_member_bytes: 128 << 20,
            max_expanded_bytes: 512 << 20,
            max_depth: 512,
            max_time: Duration::from_mins(1),
        }
    }
}
