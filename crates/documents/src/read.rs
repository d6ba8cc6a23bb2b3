//! The door to the readers: picks one by media type, bounds it, and judges what it gave.

use std::sync::Arc;

use domain::extraction::Extraction;
use domain::media::Family;

use crate::draft::Draft;
use crate::error::DocumentError;
use crate::formats::{self, Input};
use crate::isolate::{self, Stopped};
use crate::limits::Limits;

/// Reads a file of a known media type (as [`detect`](crate::detect()) names it) into an
/// extraction document: `text`, `pages`, `tables`, `metadata`, `attachments`, `segments` and
/// `warnings`; the rest is left to others.
///
/// The reader works on a thread of its own. When it outlives [`Limits::max_time`] it is abandoned:
/// it goes on until the process ends, so a caller that reads many files in one process should let
/// the process end after a [`DocumentError::TimedOut`].
///
/// # Errors
/// Where nothing of use can be read; what is damaged in part is read in part, with a warning.
pub fn read(bytes: &[u8], media_type: &str, limits: &Limits) -> Result<Extraction, DocumentError> {
    if bytes.len() as u64 > limits.max_input_bytes {
        return Err(DocumentError::TooLarge(format!("`{}` bytes", limits.max_input_bytes)));
    }
    let input: Arc<[u8]> = Arc::from(bytes);
    let (owned_type, owned_limits) = (media_type.to_owned(), limits.clone());
    let work = move || read_here(&input, &owned_type, &owned_limits);
    match isolate::run(limits.max_time, work) {
        Ok(result) => result,
        // Others read pictures and show the pages of a PDF; they shall have their try.
        Err(stopped) if matches!(Family::of(media_type), Family::Image | Family::Pdf) => Ok(unread(stopped)),
        Err(Stopped::TimedOut) => Err(DocumentError::TimedOut(limits.max_time.as_secs())),
        Err(Stopped::Panicked) => Err(DocumentError::damaged("its structure makes no sense to the reader")),
    }
}

fn unread(stopped: Stopped) -> Extraction {
    let why = match stopped {
        Stopped::TimedOut => "reading it took too long",
        Stopped::Panicked => "its structure makes no sense to the reader",
    };
    let limits = Limits::default();
    let mut draft = Draft::new(&limits);
    draft.warn(format!("the text layer or metadata is unreadable: {why}"));
    draft.finish()
}

fn read_here(bytes: &Arc<[u8]>, media_type: &str, limits: &Limits) -> Result<Extraction, DocumentError> {
    let mut draft = Draft::new(limits);
    let result = formats::read(&Input { bytes, media_type }, &mut draft);
    match result {
        // What was found before the damage is worth more than the error.
        Err(DocumentError::Damaged(reason)) if draft.has_content() => {
            draft.warn(format!("the file is damaged: {reason}"));
        }
        result => result?,
    }
    Ok(draft.finish())
}
