//! E-books (EPUB 2 and 3): the chapters in the order of the spine, properties of the package.

use super::{Input, Outcome, html, properties};
use crate::draft::Draft;
use crate::error::DocumentError;
use crate::package::{Package, resolve};
use crate::xml::{self, Element, Sink};

/// Reads an e-book.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let mut package = Package::open(input.bytes, draft.limits)?;
    let max_depth = draft.limits.max_depth;
    let mut book = Book { base: root_file(&mut package, max_depth)?, ..Book::default() };
    let markup = package.xml(&book.base)?.ok_or_else(|| DocumentError::damaged("the book has no package document"))?;
    properties::read(&markup, draft);
    if let Err(broken) = xml::walk(&markup, max_depth, &mut book) {
        draft.warn(broken.warning("the package document"));
    }
    refuse_protected(&mut package, &book)?;
    for chapter in book.chapters() {
        if draft.is_full() {
            break;
        }
        read_chapter(&mut package, &chapter, draft);
    }
    Ok(())
}

fn root_file(package: &mut Package<'_>, max_depth: usize) -> Result<String, DocumentError> {
    let mut container = Container::default();
    if let Some(markup) = package.xml("META-INF/container.xml")? {
        // Without a readable container file the suffix tells.
        let _ = xml::walk(&markup, max_depth, &mut container);
    }
    let by_suffix = || package.names().iter().find(|name| name.to_ascii_lowercase().ends_with(".opf")).cloned();
    container.root.or_else(by_suffix).ok_or_else(|| DocumentError::damaged("the book has no package document"))
}

/// Fonts may be scrambled in any book; scrambled chapters are copy protection.
fn refuse_protected(package: &mut Package<'_>, book: &Book) -> Outcome {
    let Ok(Some(markup)) = package.xml("META-INF/encryption.xml") else { return Ok(()) };
    let is_protected = book.chapters().iter().any(|chapter| markup.contains(chapter.as_str()));
    if is_protected { Err(DocumentError::Encrypted("the book's chapters are copy-protected")) } else { Ok(()) }
}

fn read_chapter(package: &mut Package<'_>, chapter: &str, draft: &mut Draft<'_>) {
    match package.xml(chapter) {
        Ok(Some(markup)) => {
            draft.end_block();
            html::read_text(&markup, draft);
        }
        Ok(None) => draft.warn(format!("the chapter `{chapter}` is missing")),
        Err(error) => draft.warn(format!("the chapter `{chapter}` could not be read: {error}")),
    }
}

#[derive(Default)]
struct Container {
    root: Option<String>,
}

impl Sink for Container {
    fn start(&mut self, name: &str, element: &Element<'_>) {
        if name == "rootfile" && self.root.is_none() {
            self.root = element.attribute("full-path");
        }
    }

    fn end(&mut self, _: &str) {}

    fn text(&mut self, _: &str) {}
}

/// The package document: what is in the book, and in which order it is read.
#[derive(Default)]
struct Book {
    base: String,
    items: Vec<(String, String)>,
    spine: Vec<String>,
}

impl Book {
    fn chapters(&self) -> Vec<String> {
        let place = |id: &String| self.items.iter().find(|(item, _)| item == id).map(|(_, place)| place.clone());
        self.spine.iter().filter_map(place).collect()
    }
}

impl Sink for Book {
    fn start(&mut self, name: &str, element: &Element<'_>) {
        match name {
            "item" => {
                let (id, href) =
                    (element.attribute("id").unwrap_or_default(), element.attribute("href").unwrap_or_default());
                self.items.push((id, resolve(&self.base, &unescape(&href))));
            }
            "itemref" => self.spine.extend(element.attribute("idref")),
            _ => {}
        }
    }

    fn end(&mut self, _: &str) {}

    fn text(&mut self, _: &str) {}
}

/// `%20` and its like in a reference to a member.
fn unescape(href: &str) -> String {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        let escaped = hex.filter(|_| *first == b'%');
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
