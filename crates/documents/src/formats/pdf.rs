//! PDF (ISO 32000): the text layer page by page, properties, attached files; and pages cut out.
//!
//! Structure and decryption are `lopdf`'s, fonts `pdf-extract`'s. That crate panics on what it
//! does not expect, so a page reaches it only as a [flat](flatten) run of text operators over
//! [cleaned](fonts) fonts, and a page that panics all the same is read more simply. Pages whose
//! fonts say nothing readable count as pages without text, for whoever recognises pictures.
//!
//! Not done: recognition of scans, passwords (a PDF that opens with the empty one is read),
//! certificates.

use lopdf::{Dictionary, Document, Object, ObjectId};

use super::{Input, Outcome};
use crate::draft::Draft;
use crate::error::DocumentError;
use crate::isolate;

mod bidi;
mod cmap;
mod flatten;
mod fonts;
mod guard;
mod info;
mod layout;
mod open;
mod scratch;
mod select;

pub use select::select_pages;

/// Page trees and inheritance deeper than this are knots.
const MAX_TREE_DEPTH: usize = 64;

/// Warning for a PDF that others may still show: its pages are to be recognised.
const UNREADABLE: &str = "the text layer is unreadable";

/// Reads a PDF.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let mut document = match open::open(input.bytes, draft.limits) {
        Ok(document) => document,
        Err(DocumentError::Damaged(reason)) => {
            if reason == open::UNDECRYPTABLE {
                draft.metadata("Encrypted", "true");
            }
            draft.warn(UNREADABLE);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    info::read(&document, draft);
    let pages = pages(&document);
    if pages.is_empty() {
        draft.warn(UNREADABLE);
        return Ok(());
    }
    draft.metadata("Pages", &pages.len().to_string());
    read_pages(&mut document, &pages, draft);
    Ok(())
}

fn read_pages(document: &mut Document, pages: &[ObjectId], draft: &mut Draft<'_>) {
    let mut scratch = scratch::Scratch::new(document);
    let mut unreadable = Vec::new();
    for page in pages {
        draft.end_block();
        let start = draft.position();
        if !draft.is_full() {
            match read_page(&mut scratch, *page, draft) {
                Some(text) => draft.push(text.trim_end()),
                None => unreadable.push(draft.next_page().to_string()),
            }
        }
        if !draft.page(start, None) {
            break;
        }
    }
    if !unreadable.is_empty() {
        draft.warn(format!("{UNREADABLE} on `{}` of `{}` pages", unreadable.len(), pages.len()));
    }
}

/// The text of a page; `None` where there is a text layer that says nothing readable.
fn read_page(scratch: &mut scratch::Scratch<'_>, page: ObjectId, draft: &Draft<'_>) -> Option<String> {
    let left = draft.limits.max_text_chars.saturating_sub(draft.position());
    let max_chars = usize::try_from(left).unwrap_or(usize::MAX);
    let flat = isolate::contain(|| flatten::flatten(scratch.document, page, draft.limits))?;
    if !flat.has_text() {
        return Some(String::new());
    }
    let (text, unknown) = scratch.text(flat, max_chars)?;
    is_readable(&text, unknown).then_some(text)
}

/// Glyphs without a meaning come out as replacement, private or control characters, or not at all.
fn is_readable(text: &str, unknown: usize) -> bool {
    let is_garbage =
        |c: &char| matches!(c, '\u{fffd}' | '\u{e000}'..='\u{f8ff}') || c.is_control() && !c.is_whitespace();
    let all = text.chars().filter(|c| !c.is_whitespace()).count();
    let garbage = text.chars().filter(is_garbage).count();
    garbage * 4 <= all && unknown * 2 <= all
}

/// The pages in order; where the page tree is broken, as they lie in the file.
fn pages(document: &Document) -> Vec<ObjectId> {
    let listed: Vec<ObjectId> = isolate::contain(|| document.page_iter().collect()).unwrap_or_default();
    if !listed.is_empty() {
        return listed;
    }
    let is_page = |object: &Object| object.as_dict().is_ok_and(|dict| dict.has_type(b"Page"));
    document.objects.iter().filter(|(_, object)| is_page(object)).map(|(id, _)| *id).collect()
}

/// An attribute of a page, its own or inherited.
fn inherited<'a>(document: &'a Document, page: &'a Dictionary, key: &[u8]) -> Option<&'a Object> {
    let mut node = page;
    for _ in 0..MAX_TREE_DEPTH {
        if let Ok(value) = node.get(key) {
            return resolve(document, value);
        }
        node = resolve(document, node.get(b"Parent").ok()?)?.as_dict().ok()?;
    }
    None
}

/// What an object is behind its references; knots are `None`.
fn resolve<'a>(document: &'a Document, object: &'a Object) -> Option<&'a Object> {
    document.dereference(object).ok().map(|(_, object)| object)
}

fn get<'a>(document: &'a Document, dict: &'a Dictionary, key: &[u8]) -> Option<&'a Object> {
    resolve(document, dict.get(key).ok()?)
}

fn number(object: &Object) -> Option<f64> {
    match object {
        #[expect(clippy::cast_precision_loss, reason = "coordinates of pages are small")]
        Object::Integer(number) => Some(*number as f64),
        Object::Real(number) => Some(f64::from(*number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
