//! Files of any kind that may hold text as pictures: PDFs, TIFFs of several pages, single pictures.

use std::path::Path;

use super::{Ocr, OcrError, Page, Source};
use crate::pdf::{self, PdfError};
use crate::picture::{self, Format, PictureError};
use crate::tiff;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A PDF of that many pages.
    Pdf(u32),
    /// A TIFF of that many pages.
    Tiff(u32),
    /// A single picture.
    Picture(Format),
}

impl Kind {
    /// Number of pages.
    #[must_use]
    pub fn pages(self) -> u32 {
        match self {
            Self::Pdf(pages) | Self::Tiff(pages) => pages,
            Self::Picture(_) => 1,
        }
    }
}

/// Finds out what `file` is, and how many pages it has, without decoding a page.
///
/// # Errors
/// When the format is unknown, the file damaged, or locked by a password.
pub fn inspect(file: &Path, scratch: &Path) -> Result<Kind, OcrError> {
    let start = start_of(file)?;
    match picture::format(&start) {
        Some(Format::Tiff) => {
            let pages = tiff::page_sizes(&std::fs::read(file)?).len();
            let pages = u32::try_from(pages).unwrap_or(u32::MAX);
            if pages == 0 {
                Err(PictureError::Damaged("the first page's directory is broken".to_owned()).into())
            } else {
                Ok(Kind::Tiff(pages))
            }
        }
        Some(format) => Ok(Kind::Picture(format)),
        None if pdf::is_pdf(&start) => Ok(Kind::Pdf(pdf::inspect(file, scratch)?.pages)),
        None => Err(PictureError::UnknownFormat.into()),
    }
}

/// Reads page `number` (from 1) of a file that [`inspect`] told the kind of.
///
/// # Errors
/// When that page cannot be drawn, decoded or read; others may still be.
pub fn read_page(ocr: &Ocr, file: &Path, kind: Kind, number: u32) -> Result<Page, OcrError> {
    match kind {
        Kind::Pdf(_) => ocr.read_picture(pdf::draw(file, number, ocr.scratch())?, number),
        Kind::Picture(_) => ocr.read_picture(picture::decode_grey(&std::fs::read(file)?, ocr.scratch())?, number),
        Kind::Tiff(_) => read_tiff_page(ocr, file, number),
    }
}

/// The first page is decoded here, where its orientation is honoured; the others, and compressions
/// that the decoder does not know (fax), by the engine itself.
fn read_tiff_page(ocr: &Ocr, file: &Path, number: u32) -> Result<Page, OcrError> {
    let bytes = std::fs::read(file)?;
    let index = number.saturating_sub(1) as usize;
    let Some(&size) = tiff::page_sizes(&bytes).get(index) else {
        return Err(PictureError::Damaged(format!("it has no page `{number}`")).into());
    };
    picture::check_size(size)?;
    if index == 0
        && let Ok(picture) = picture::decode_grey(&bytes, ocr.scratch())
    {
        return ocr.read_picture(picture, number);
    }
    let file = std::path::absolute(file)?;
    ocr.read_file(&Source::tiff(&file, index, number, size))
}

fn start_of(file: &Path) -> Result<Vec<u8>, OcrError> {
    use std::io::Read as _;
    /// A PDF's header may come within the first kilobyte.
    const START: u64 = 1024;
    let mut start = Vec::new();
    std::fs::File::open(file)?.take(START).read_to_end(&mut start)?;
    Ok(start)
}

impl OcrError {
    /// Whether the file opens only with a password.
    #[must_use]
    pub fn is_password(&self) -> bool {
        matches!(self, Self::Pdf(PdfError::Password))
    }

    /// Whether the format is none that can be read here.
    #[must_use]
    pub fn is_unknown_format(&self) -> bool {
        matches!(self, Self::Picture(PictureError::UnknownFormat))
    }

    /// Whether the file itself is at fault (damaged, too large), so that another try is of no use.
    #[must_use]
    pub fn is_bad_file(&self) -> bool {
        match self {
            Self::Picture(PictureError::Damaged(_) | PictureError::TooLarge(_))
            | Self::Pdf(PdfError::Damaged(_) | PdfError::Picture(_)) => true,
            Self::Picture(PictureError::Tool(error)) | Self::Engine(error) | Self::Pdf(PdfError::Tool(error)) => {
                is_files_fault(error)
            }
            _ => false,
        }
    }
}

fn is_files_fault(error: &crate::command::CommandError) -> bool {
    use crate::command::CommandError::{Failed, Io, NotInstalled, OutputTooLarge, TimedOut};
    match error {
        Failed { .. } | OutputTooLarge { .. } | TimedOut { .. } => true,
        NotInstalled { .. } | Io { .. } => false,
    }
}
