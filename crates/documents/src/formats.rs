//! One reader for each kind of document, and the table that picks it.
//!
//! A reader pushes what it finds into the draft. It returns an error only where nothing more can
//! be read; the caller keeps what was found before damage.

use std::sync::Arc;

use domain::media::Family;

use crate::draft::Draft;
use crate::error::DocumentError;

pub(crate) mod delimited;
mod doc;
mod docx;
mod epub;
mod flow;
pub(crate) mod html;
mod image;
mod json;
mod mail;
mod odf;
pub(crate) mod ole;
mod outlook;
pub mod pdf;
mod plain;
mod ppt;
mod pptx;
mod properties;
mod rtf;
mod sheet;
mod subtitles;
mod xml;

/// A file to read.
pub(crate) struct Input<'a> {
    pub(crate) bytes: &'a Arc<[u8]>,
    pub(crate) media_type: &'a str,
}

/// What a reader gives besides its draft.
pub(crate) type Outcome = Result<(), DocumentError>;

/// Reads `input` with the reader of its media type.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let media_type = input.media_type;
    if let Some(reader) = sure_reader(media_type) {
        reader(input, draft);
        return Ok(());
    }
    match media_type {
        "application/pdf" => pdf::read(input, draft),
        "application/rtf" | "text/rtf" => rtf::read(input, draft),
        "message/rfc822" | "application/mbox" => mail::read(input, draft),
        "application/vnd.ms-outlook" => outlook::read(input, draft),
        "application/msword" => doc::read(input, draft),
        "application/vnd.ms-powerpoint" => ppt::read(input, draft),
        "application/vnd.ms-excel" => sheet::read(input, draft),
        "application/epub+zip" => epub::read(input, draft),
        _ => read_by_family(input, draft),
    }
}

/// A reader that always finds something: any bytes are text of some kind, or a picture's.
type SureReader = fn(&Input<'_>, &mut Draft<'_>);

fn sure_reader(media_type: &str) -> Option<SureReader> {
    Some(match media_type {
        "text/html" | "application/xhtml+xml" => html::read,
        "text/csv" | "text/tab-separated-values" => delimited::read,
        "application/json" | "application/x-ndjson" => json::read,
        "text/vtt" | "application/x-subrip" => subtitles::read,
        // Of the text family by its name only.
        "text/rtf" => return None,
        _ => match Family::of(media_type) {
            Family::Text if media_type.ends_with("xml") => xml::read,
            Family::Text => plain::read,
            Family::Image => image::read,
            _ => return None,
        },
    })
}

fn read_by_family(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let media_type = input.media_type;
    match Family::of(media_type) {
        Family::Office if media_type.contains("opendocument") => odf::read(input, draft),
        Family::Office if media_type.contains("wordprocessingml") || media_type.contains("ms-word") => {
            docx::read(input, draft)
        }
        Family::Office if media_type.contains("presentationml") || media_type.contains("ms-powerpoint") => {
            pptx::read(input, draft)
        }
        Family::Office if media_type.contains("spreadsheetml") || media_type.contains("ms-excel") => {
            sheet::read(input, draft)
        }
        _ if media_type.contains("vnd.sun.xml.") => odf::read(input, draft),
        _ if media_type.contains("ms-word") => docx::read(input, draft),
        _ if media_type.contains("ms-powerpoint") => pptx::read(input, draft),
        _ if media_type.contains("ms-excel") => sheet::read(input, draft),
        _ => Err(DocumentError::Unsupported(format!("`{media_type}`"))),
    }
}
