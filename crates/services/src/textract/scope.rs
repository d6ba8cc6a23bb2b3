//! What of a file is sent to Textract: all of it, or of a PDF the pages without text.

use domain::extraction::Extraction;
use domain::failure::Failure;
use domain::media::Family;
use domain::object::ObjectRef;
use domain::plan::Subject;

use super::blocks::Raw;
use crate::service::Call;

/// A PDF is taken apart in memory; a larger one is sent whole, and its pages with text are billed too.
const SELECT_LIMIT_BYTES: u64 = 100 << 20;

/// What of a file is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// Nothing: every page has text.
    Nothing,
    /// The whole file.
    Whole {
        /// How many pages that is, where they are counted.
        pages: Option<u32>,
    },
    /// Some pages, by number.
    Pages(Vec<u32>),
}

impl Scope {
    /// How many pages are sent, where they are counted.
    pub(super) fn pages(&self) -> Option<u32> {
        match self {
            Self::Nothing => Some(0),
            Self::Whole { pages } => *pages,
            Self::Pages(pages) => u32::try_from(pages.len()).ok(),
        }
    }
}

/// What of the file is sent, by what was found before: a PDF without any pages could not be read.
pub(super) fn scope(subject: &Subject, earlier: &Extraction) -> Scope {
    if subject.family != Family::Pdf || earlier.pages.is_empty() {
        return Scope::Whole { pages: None };
    }
    let mut empty = earlier.pages_without_text();
    empty.sort_unstable();
    if empty.is_empty() {
        Scope::Nothing
    } else if empty.len() == earlier.pages.len() {
        Scope::Whole { pages: u32::try_from(empty.len()).ok() }
    } else {
        Scope::Pages(empty)
    }
}

/// Writes a PDF of these pages for Textract; nothing where this PDF cannot be taken apart.
pub(super) async fn select(call: &Call<'_>, pages: &[u32]) -> Result<Option<ObjectRef>, Failure> {
    if call.subject.size_bytes > SELECT_LIMIT_BYTES {
        return Ok(None);
    }
    let bytes = call.deployment.store.read(call.subject, SELECT_LIMIT_BYTES).await?;
    let Ok(selected) = documents::pdf::select_pages(&bytes, pages) else { return Ok(None) };
    let object = ObjectRef::new(&call.work.bucket, format!("{}{}.pdf", call.work.key, call.token));
    call.deployment.store.write(&object, "application/pdf", selected.into()).await?;
    Ok(Some(object))
}

/// The file's page for each page of the answer, unless the answer is about the whole file.
///
/// The selected pages are fewer than all, so how many were read tells which of the two was sent.
pub(super) fn page_map(raw: &Raw, pages: Vec<u32>) -> Vec<u32> {
    if usize::try_from(raw.pages).is_ok_and(|read| read <= pages.len()) { pages } else { Vec::new() }
}
