//! Word documents (OOXML): body, notes, comments, headers and footers, tables, properties.
//!
//! Deleted text of tracked changes is left out; inserted text counts. Text boxes count once (the
//! fallback copy for old readers is passed over).

use super::flow::{Flow, Vocabulary};
use super::{Input, Outcome, properties};
use crate::draft::Draft;
use crate::error::DocumentError;
use crate::package::Package;
use crate::xml;

static WORDS: Vocabulary = Vocabulary {
    text: &["t"],
    paragraph: &["p"],
    tab: &["tab", "ptab"],
    line_break: &["br", "cr"],
    table: "tbl",
    row: "tr",
    cell: &["tc"],
    skip: &["Fallback", "pPr", "rPr", "sectPr", "tblPr", "del", "moveFrom", "instrText"],
    folds_space: false,
    spans_advance: true,
};

/// Parts beside the body whose text belongs to the document, in this order.
const BESIDE: &[&str] = &["word/footnotes", "word/endnotes", "word/header", "word/footer", "word/comments"];

/// Reads a Word document.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let mut package = Package::open(input.bytes, draft.limits)?;
    for part in ["docProps/core.xml", "docProps/app.xml"] {
        if let Ok(Some(markup)) = package.xml(part) {
            properties::read(&markup, draft);
        }
    }
    let body = main_part(&package).ok_or_else(|| DocumentError::damaged("the container has no document part"))?;
    read_part(&mut package, &body, draft)?;
    let beside: Vec<String> = BESIDE.iter().flat_map(|prefix| package.numbered(prefix, ".xml")).collect();
    for part in beside {
        if let Err(error) = read_part(&mut package, &part, draft) {
            draft.warn(format!("`{part}` could not be read: {error}"));
        }
    }
    list_embedded(&mut package, draft);
    Ok(())
}

/// `word/document.xml`, or what some writers call it instead (`document2.xml`).
fn main_part(package: &Package<'_>) -> Option<String> {
    let names = package.names();
    let exact = names.iter().find(|name| name.eq_ignore_ascii_case("word/document.xml"));
    exact.cloned().or_else(|| package.numbered("word/document", ".xml").into_iter().next())
}

fn read_part(package: &mut Package<'_>, part: &str, draft: &mut Draft<'_>) -> Outcome {
    let Some(markup) = package.xml(part)? else { return Ok(()) };
    let max_depth = draft.limits.max_depth;
    let mut flow = Flow::new(draft, &WORDS);
    let walked = xml::walk(&markup, max_depth, &mut flow);
    flow.finish();
    if let Err(broken) = walked {
        draft.warn(broken.warning(part));
    }
    Ok(())
}

/// Lists embedded files (not pictures, which are part of the page).
pub(super) fn list_embedded(package: &mut Package<'_>, draft: &mut Draft<'_>) {
    let is_file = |name: &&String| name.contains("/embeddings/") && !name.ends_with('/');
    let embedded: Vec<String> = package.names().iter().filter(is_file).cloned().collect();
    for name in embedded {
        let size = package.claimed_size(&name);
        draft.attachment(name.rsplit('/').next().unwrap_or(&name), None, size);
    }
}
