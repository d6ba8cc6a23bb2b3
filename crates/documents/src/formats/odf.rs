//! `OpenDocument`: text, presentations (a page for each slide) and spreadsheets (a page for each
//! sheet), zipped or as one flat XML file.

use super::flow::{Flow, Vocabulary};
use super::{Input, Outcome, properties};
use crate::draft::Draft;
use crate::error::DocumentError;
use crate::package::Package;
use crate::xml::{self, Element, Sink};

static WORDS: Vocabulary = Vocabulary {
    text: &["p", "h"],
    paragraph: &["p", "h"],
    tab: &["tab"],
    line_break: &["line-break"],
    table: "table",
    row: "table-row",
    cell: &["table-cell", "covered-table-cell"],
    skip: &[
        "tracked-changes",
        "styles",
        "automatic-styles",
        "master-styles",
        "font-face-decls",
        "scripts",
        "settings",
        "meta",
        "binary-data",
    ],
    folds_space: true,
    spans_advance: false,
};

/// Reads an `OpenDocument` file.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    if !input.bytes.starts_with(b"PK") {
        let markup = xml::decode(input.bytes);
        properties::read(&markup, draft);
        read_content(&markup, input.media_type, draft);
        return Ok(());
    }
    let mut package = Package::open(input.bytes, draft.limits)?;
    if is_encrypted(&mut package) {
        return Err(DocumentError::Encrypted("the document needs a password"));
    }
    if let Ok(Some(markup)) = package.xml("meta.xml") {
        properties::read(&markup, draft);
    }
    let Some(markup) = package.xml("content.xml")? else {
        return Err(DocumentError::damaged("the container has no content part"));
    };
    read_content(&markup, input.media_type, draft);
    list_objects(&mut package, draft);
    Ok(())
}

fn is_encrypted(package: &mut Package<'_>) -> bool {
    let manifest = package.xml("META-INF/manifest.xml").ok().flatten();
    manifest.is_some_and(|markup| markup.contains(":encryption-data"))
}

fn read_content(markup: &str, media_type: &str, draft: &mut Draft<'_>) {
    let max_depth = draft.limits.max_depth;
    let page_element = match media_type {
        it if it.contains("spreadsheet") => Some("table"),
        it if it.contains("presentation") || it.contains("graphics") => Some("page"),
        _ => None,
    };
    let mut sink = Content { flow: Flow::new(draft, &WORDS), page_element, open: None, depth: 0, is_enough: false };
    let walked = xml::walk(markup, max_depth, &mut sink);
    sink.flow.finish();
    if let Err(broken) = walked {
        draft.warn(broken.warning("content.xml"));
    }
}

/// Embedded objects are folders with a content part of their own; they are listed, not opened.
fn list_objects(package: &mut Package<'_>, draft: &mut Draft<'_>) {
    let is_object = |name: &&String| name.starts_with("Object ") && name.ends_with("/content.xml");
    let objects: Vec<String> = package.names().iter().filter(is_object).cloned().collect();
    for name in objects {
        let size = package.claimed_size(&name);
        draft.attachment(name.trim_end_matches("/content.xml"), None, size);
    }
}

/// The content part: slides or sheets become pages.
struct Content<'d, 'l> {
    flow: Flow<'d, 'l>,
    page_element: Option<&'static str>,
    open: Option<(u64, Option<String>)>,
    depth: usize,
    is_enough: bool,
}

impl Sink for Content<'_, '_> {
    fn start(&mut self, name: &str, element: &Element<'_>) {
        if Some(name) == self.page_element && !self.flow.is_skipping() {
            if self.depth == 0 {
                self.flow.draft.end_block();
                self.flow.page = Some(self.flow.draft.next_page());
                self.open = Some((self.flow.draft.position(), element.attribute("name")));
            }
            self.depth += 1;
        }
        self.flow.start(name, element);
    }

    fn end(&mut self, name: &str) {
        let is_page = Some(name) == self.page_element && !self.flow.is_skipping();
        self.flow.end(name);
        if is_page {
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0
                && let Some((start, name)) = self.open.take()
            {
                self.is_enough = !self.flow.draft.page(start, name);
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.flow.text(text);
    }

    fn is_done(&self) -> bool {
        self.is_enough || self.flow.is_done()
    }
}
