//! A document of one page that is written anew for each page that is read.
//!
//! It lies in the same file as the real pages, so fonts keep their references.

use std::collections::HashMap;

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};
use pdf_extract::output_doc_page;

use super::flatten::Flat;
use super::fonts;
use super::layout::Layout;
use crate::isolate;

/// The one-page document within a document.
pub(super) struct Scratch<'a> {
    pub(super) document: &'a mut Document,
    page: ObjectId,
    content: ObjectId,
    /// Fonts that were tried, by the reference under which pages know them.
    fonts: HashMap<ObjectId, Option<ObjectId>>,
}

impl<'a> Scratch<'a> {
    pub(super) fn new(document: &'a mut Document) -> Self {
        let content = document.add_object(Object::Null);
        let page = document.add_object(Object::Null);
        let mut pages = Dictionary::new();
        pages.set("Type", Object::Name(b"Pages".to_vec()));
        pages.set("Kids", Object::Array(vec![Object::Reference(page)]));
        pages.set("Count", Object::Integer(1));
        let pages = document.add_object(pages);
        let mut catalog = Dictionary::new();
        catalog.set("Type", Object::Name(b"Catalog".to_vec()));
        catalog.set("Pages", Object::Reference(pages));
        let catalog = document.add_object(catalog);
        document.trailer.set("Root", Object::Reference(catalog));
        Self { document, page, content, fonts: HashMap::new() }
    }

    /// The text of a flat page, and how many glyphs of it stand for nothing that is known; `None` where reading it
    /// breaks off.
    pub(super) fn text(&mut self, flat: Flat, max_chars: usize) -> Option<(String, usize)> {
        let mut resources = Dictionary::new();
        for (index, font) in flat.fonts.iter().enumerate() {
            if let Some(fit) = self.fit(font) {
                resources.set(format!("F{index}"), Object::Reference(fit));
            }
        }
        let is_fit = |operation: &Operation| match &operation.operands[..] {
            [Object::Name(name), _] if operation.operator == "Tf" => resources.has(name),
            _ => true,
        };
        let operations = flat.operations.into_iter().filter(is_fit).collect();
        self.write(with_fonts_set(operations), resources, flat.media_box);
        self.lay_out(max_chars)
    }

    /// The reference to a form of the font that does not panic.
    fn fit(&mut self, font: &Object) -> Option<ObjectId> {
        let id = font.as_reference().ok();
        if let Some(known) = id.and_then(|id| self.fonts.get(&id)) {
            return *known;
        }
        let fit = fonts::attempts(self.document, font).into_iter().find_map(|attempt| self.try_font(attempt));
        if let Some(id) = id {
            self.fonts.insert(id, fit);
        }
        fit
    }

    fn try_font(&mut self, font: Dictionary) -> Option<ObjectId> {
        let font = self.document.add_object(font);
        let mut resources = Dictionary::new();
        resources.set("F0", Object::Reference(font));
        let set = Operation::new("Tf", vec![Object::Name(b"F0".to_vec()), Object::Integer(1)]);
        let show = Operation::new("Tj", vec![Object::string_literal(b"\0A".to_vec())]);
        let letter = [0, 0, 612, 792].map(Object::Integer).to_vec();
        self.write(vec![set, show], resources, letter);
        let works = self.lay_out(100).is_some();
        if !works {
            self.document.objects.remove(&font);
        }
        works.then_some(font)
    }

    fn write(&mut self, operations: Vec<Operation>, fonts: Dictionary, media_box: Vec<Object>) {
        let content = Content { operations }.encode().unwrap_or_default();
        self.document.set_object(self.content, Stream::new(Dictionary::new(), content));
        let mut resources = Dictionary::new();
        resources.set("Font", Object::Dictionary(fonts));
        let mut page = Dictionary::new();
        page.set("Type", Object::Name(b"Page".to_vec()));
        page.set("MediaBox", Object::Array(media_box));
        page.set("Resources", Object::Dictionary(resources));
        page.set("Contents", Object::Reference(self.content));
        self.document.set_object(self.page, page);
    }

    fn lay_out(&self, max_chars: usize) -> Option<(String, usize)> {
        isolate::contain(|| {
            let mut layout = Layout::new(max_chars);
            // The layout ends the page itself when it is full: what it has then is the result.
            let result = output_doc_page(self.document, &mut layout, 1);
            (result.is_ok() || layout.is_full()).then(|| layout.finish())
        })
        .flatten()
    }
}

/// Drops text that is shown before a font is set, where a font has been dropped.
fn with_fonts_set(operations: Vec<Operation>) -> Vec<Operation> {
    let mut is_set = vec![false];
    let keep = |operation: &Operation| {
        let now = is_set.last().copied().unwrap_or(false);
        match operation.operator.as_str() {
            "q" => is_set.push(now),
            "Q" if is_set.len() > 1 => {
                is_set.pop();
            }
            "Tf" => {
                is_set.pop();
                is_set.push(true);
            }
            "Tj" | "TJ" => return now,
            _ => {}
        }
        true
    };
    operations.into_iter().filter(keep).collect()
}
