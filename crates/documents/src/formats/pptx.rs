//! Presentations (OOXML): one page for each slide in the order of the show, with its notes.

use super::docx::list_embedded;
use super::flow::{Flow, Vocabulary};
use super::{Input, Outcome, properties};
use crate::draft::Draft;
use crate::error::DocumentError;
use crate::package::{Package, resolve};
use crate::xml::{self, Element, Sink};

static WORDS: Vocabulary = Vocabulary {
    text: &["t"],
    paragraph: &["p"],
    tab: &["tab"],
    line_break: &["br"],
    table: "tbl",
    row: "tr",
    cell: &["tc"],
    skip: &["Fallback", "pPr", "rPr", "tabLst", "extLst"],
    folds_space: false,
    spans_advance: false,
};

/// Reads a presentation.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let mut package = Package::open(input.bytes, draft.limits)?;
    for part in ["docProps/core.xml", "docProps/app.xml"] {
        if let Ok(Some(markup)) = package.xml(part) {
            properties::read(&markup, draft);
        }
    }
    let slides = slides(&mut package, draft.limits.max_depth)?;
    if slides.is_empty() && !package.names().iter().any(|name| name.starts_with("ppt/")) {
        return Err(DocumentError::damaged("the container has no presentation part"));
    }
    for slide in &slides {
        if draft.is_full() || !read_slide(&mut package, slide, draft) {
            break;
        }
    }
    list_embedded(&mut package, draft);
    Ok(())
}

/// The slides' parts in the order of the show; by their numbers where the order is unreadable.
fn slides(package: &mut Package<'_>, max_depth: usize) -> Result<Vec<String>, DocumentError> {
    let relations = relations(package, "ppt/presentation.xml", max_depth);
    let mut ids = Attributes { element: "sldId", attribute: "r:id", found: Vec::new() };
    if let Some(markup) = package.xml("ppt/presentation.xml")? {
        // A broken list is a shorter list; the fallback below takes over when it is empty.
        let _ = xml::walk(&markup, max_depth, &mut ids);
    }
    let target =
        |id: &String| relations.iter().find(|relation| relation.id == *id).map(|relation| relation.target.clone());
    let ordered: Vec<String> = ids.found.iter().filter_map(target).collect();
    Ok(if ordered.is_empty() { package.numbered("ppt/slides/slide", ".xml") } else { ordered })
}

/// Reads one slide with its notes and diagrams; false when there are enough pages.
fn read_slide(package: &mut Package<'_>, slide: &str, draft: &mut Draft<'_>) -> bool {
    draft.end_block();
    let start = draft.position();
    let title = read_part(package, slide, draft);
    for relation in relations(package, slide, draft.limits.max_depth) {
        if relation.kind.ends_with("/notesSlide") || relation.kind.ends_with("/diagramData") {
            read_part(package, &relation.target, draft);
        }
    }
    draft.page(start, title)
}

/// Reads a part's text and gives the title found in it.
fn read_part(package: &mut Package<'_>, part: &str, draft: &mut Draft<'_>) -> Option<String> {
    let markup = match package.xml(part) {
        Ok(Some(markup)) => markup,
        Ok(None) => {
            draft.warn(format!("`{part}` is missing"));
            return None;
        }
        Err(error) => {
            draft.warn(format!("`{part}` could not be read: {error}"));
            return None;
        }
    };
    let (max_depth, page) = (draft.limits.max_depth, draft.next_page());
    let mut flow = Flow::new(draft, &WORDS);
    flow.page = Some(page);
    let mut sink = Slide { flow, title: String::new(), in_title: false };
    let walked = xml::walk(&markup, max_depth, &mut sink);
    sink.flow.finish();
    let title = sink.title;
    if let Err(broken) = walked {
        draft.warn(broken.warning(part));
    }
    Some(title).filter(|title| !title.trim().is_empty())
}

/// A slide's shapes: the title is told from the rest, slide numbers and dates are layout.
struct Slide<'d, 'l> {
    flow: Flow<'d, 'l>,
    title: String,
    in_title: bool,
}

impl Sink for Slide<'_, '_> {
    fn start(&mut self, name: &str, element: &Element<'_>) {
        if name == "ph" && !self.flow.is_skipping() {
            let kind = element.attribute("type").unwrap_or_default();
            self.in_title = matches!(kind.as_str(), "title" | "ctrTitle");
        } else if name == "fld"
            && !self.flow.is_skipping()
            && element.attribute("type").is_some_and(|kind| kind == "slidenum")
        {
            self.flow.skip();
            return;
        }
        self.flow.start(name, element);
    }

    fn end(&mut self, name: &str) {
        if name == "sp" {
            self.in_title = false;
        }
        self.flow.end(name);
    }

    fn text(&mut self, text: &str) {
        if self.in_title && !self.flow.is_skipping() && self.title.len() < 500 {
            self.title.push_str(text.trim_matches(['\n', '\r']));
        }
        self.flow.text(text);
    }

    fn is_done(&self) -> bool {
        self.flow.is_done()
    }
}

struct Relation {
    id: String,
    kind: String,
    target: String,
}

#[derive(Default)]
struct Relations {
    base: String,
    found: Vec<Relation>,
}

impl Sink for Relations {
    fn start(&mut self, name: &str, element: &Element<'_>) {
        let internal = element.attribute("TargetMode").is_none_or(|mode| mode != "External");
        if name == "Relationship" && internal {
            let get = |name| element.attribute(name).unwrap_or_default();
            self.found.push(Relation { id: get("Id"), kind: get("Type"), target: resolve(&self.base, &get("Target")) });
        }
    }

    fn end(&mut self, _: &str) {}

    fn text(&mut self, _: &str) {}
}

/// What `part` refers to; nothing where its relations are missing or broken.
fn relations(package: &mut Package<'_>, part: &str, max_depth: usize) -> Vec<Relation> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let mut sink = Relations { base: part.to_owned(), found: Vec::new() };
    if let Ok(Some(markup)) = package.xml(&format!("{folder}/_rels/{file}.rels")) {
        // What was found before the damage still holds.
        let _ = xml::walk(&markup, max_depth, &mut sink);
    }
    sink.found
}

/// Gathers one attribute of one element.
struct Attributes {
    element: &'static str,
    attribute: &'static str,
    found: Vec<String>,
}

impl Sink for Attributes {
    fn start(&mut self, name: &str, element: &Element<'_>) {
        if name == self.element {
            self.found.extend(element.exact_attribute(self.attribute));
        }
    }

    fn end(&mut self, _: &str) {}

    fn text(&mut self, _: &str) {}
}
