//! Reading: one page at once, or a job that reads page after page into a file of blocks.
//!
//! A job holds one page at a time; its blocks go to disk as they come, one JSON object a line.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use engines::ocr::document::{self, Kind};
use engines::ocr::{Ocr, OcrError, Page};
use engines::picture::Format;
use serde_json::json;

use super::request::{self, Kept};
use super::{blocks, results};
use crate::ai::file::{self, WorkFile};
use crate::ai::jobs::{End, Job, Stop};
use crate::ai::media::{Media, chain, internal, is_lacking, lacking};
use crate::identifier;
use crate::wire::{ServiceError, decode};

/// A page that was read at once.
pub(super) struct Read {
    pub(super) page: Page,
    pub(super) engine: String,
}

/// Reads a document of one page.
pub(super) fn read_single_page(media: &Media, file: &WorkFile) -> Result<Read, ServiceError> {
    let ocr = media.ocr()?;
    let kind = inspect(ocr, file).map_err(Fault::into_service_error)?;
    if kind.pages() != 1 {
        return Err(unsupported());
    }
    let page = document::read_page(ocr, file.path(), kind, 1).map_err(|error| fault(&error).into_service_error())?;
    Ok(Read { page, engine: ocr.engine().to_owned() })
}

/// Runs one job to its end.
pub(in crate::ai) async fn run(media: &Media, job: &Job, stop: Stop) -> Result<End, ServiceError> {
    let kept: Kept = decode(job.request.clone())?;
    let Some(object) = &kept.document_location.s3_object else {
        return Ok(End::Failed("Request has invalid parameters".to_owned()));
    };
    let file = match file::link(media, object, request::MOST_JOB_BYTES, request::ERRORS).await {
        Ok(file) => file,
        Err(error) if error.status == 400 => return Ok(End::Failed(error.message)),
        Err(error) => return Err(error),
    };
    let read = media.block(move |media| Ok(read_all(media, &file, &kept, &stop))).await?;
    match read {
        Ok(read) => results::store(media, job, read).await,
        Err(Fault::Ours(error)) => Err(error),
        Err(fault) => Ok(End::Failed(fault.into_service_error().message)),
    }
}

/// What a job read: its blocks in a file, and what did not work.
pub(super) struct ReadAll {
    pub(super) blocks: Lines,
    pub(super) pages: u32,
    pub(super) unread: Vec<u32>,
    pub(super) engine: String,
}

fn read_all(media: &Media, file: &WorkFile, kept: &Kept, stop: &Stop) -> Result<ReadAll, Fault> {
    let ocr = media.ocr().map_err(Fault::Lacking)?;
    let kind = inspect(ocr, file)?;
    let pages = kind.pages();
    if pages > request::MOST_PAGES {
        return Err(Fault::TooLarge);
    }
    let mut lines = Lines::create(media)?;
    let mut unread = Vec::new();
    let mut last = None;
    for number in 1..=pages {
        if stop.flag().load(Ordering::Relaxed) {
            return Err(Fault::Ours(ServiceError::internal("InternalServerError", "the job was told to stop")));
        }
        match document::read_page(ocr, file.path(), kind, number) {
            Ok(page) => lines.add(&blocks::of_page(&page, kept.features()))?,
            Err(error) if is_lacking(&error) => return Err(Fault::Lacking(lacking(ocr.engine(), &error))),
            Err(error) => {
                tracing::debug!(page = number, error = chain(&error), "failed to read a page");
                unread.push(number);
                last = Some(fault(&error));
            }
        }
    }
    match last {
        Some(fault) if unread.len() == pages as usize => Err(fault),
        _ => Ok(ReadAll { blocks: lines.finish()?, pages, unread, engine: ocr.engine().to_owned() }),
    }
}

fn inspect(ocr: &Ocr, file: &WorkFile) -> Result<Kind, Fault> {
    let kind = document::inspect(file.path(), ocr.scratch()).map_err(|error| fault(&error))?;
    match kind {
        // Textract takes no other pictures; what it would refuse is refused here.
        Kind::Picture(format) if !matches!(format, Format::Png | Format::Jpeg) => Err(Fault::Unsupported),
        Kind::Picture(_) if file.size_bytes > request::MOST_BYTES.object => Err(Fault::TooLarge),
        kind => Ok(kind),
    }
}

/// Why a document was not read.
enum Fault {
    Unsupported,
    Bad,
    TooLarge,
    Lacking(ServiceError),
    Ours(ServiceError),
}

fn fault(error: &OcrError) -> Fault {
    use engines::picture::PictureError;
    match error {
        error if is_lacking(error) => Fault::Lacking(lacking("tesseract", error)),
        error if error.is_password() || error.is_unknown_format() => Fault::Unsupported,
        OcrError::Picture(PictureError::TooLarge(_)) => Fault::TooLarge,
        error if error.is_bad_file() => Fault::Bad,
        error => Fault::Ours(internal(error)),
    }
}

impl Fault {
    fn into_service_error(self) -> ServiceError {
        match self {
            Self::Unsupported => unsupported(),
            Self::Bad => ServiceError::client("BadDocumentException", "The document can't be read: it is damaged."),
            Self::TooLarge => (request::ERRORS.too_large)(),
            Self::Lacking(error) | Self::Ours(error) => error,
        }
    }
}

fn unsupported() -> ServiceError {
    ServiceError::client("UnsupportedDocumentException", "Request has unsupported document format")
}

/// Blocks as lines of JSON in a file that goes when it is dropped.
pub(super) struct Lines {
    writer: Option<BufWriter<File>>,
    pub(super) path: PathBuf,
}

impl Lines {
    fn create(media: &Media) -> Result<Self, Fault> {
        let path = media.context().scratch.join(identifier::random());
        let file = File::create(&path).map_err(|error| Fault::Ours(internal(&error)))?;
        Ok(Self { writer: Some(BufWriter::new(file)), path })
    }

    fn add(&mut self, blocks: &[serde_json::Value]) -> Result<(), Fault> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let written = blocks.iter().try_for_each(|block| writeln!(writer, "{}", json!(block)));
        written.map_err(|error| Fault::Ours(internal(&error)))
    }

    fn finish(mut self) -> Result<Self, Fault> {
        let flushed = self.writer.take().map_or(Ok(()), |mut writer| writer.flush());
        flushed.map(|()| self).map_err(|error| Fault::Ours(internal(&error)))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "failed to remove a work file");
        }
    }
}
