//! Document properties in XML: OOXML's core and app parts, ODF's and EPUB's Dublin Core.

use crate::draft::Draft;
use crate::xml::{self, Element, Sink};

/// Element names (without prefix) and the metadata keys they become.
pub(crate) const OFFICE: &[(&str, &str)] = &[
    ("title", "Title"),
    ("subject", "Subject"),
    ("creator", "Author"),
    ("initial-creator", "Author"),
    ("description", "Description"),
    ("keywords", "Keywords"),
    ("keyword", "Keywords"),
    ("category", "Category"),
    ("lastModifiedBy", "Last-Modified-By"),
    ("revision", "Revision"),
    ("created", "Created"),
    ("creation-date", "Created"),
    ("modified", "Modified"),
    ("date", "Date"),
    ("language", "Language"),
    ("publisher", "Publisher"),
    ("contributor", "Contributor"),
    ("identifier", "Identifier"),
    ("rights", "Rights"),
    ("Application", "Application"),
    ("generator", "Application"),
    ("Company", "Company"),
    ("Manager", "Manager"),
    ("Pages", "Pages"),
    ("Words", "Words"),
    ("Slides", "Slides"),
];

/// Puts the properties of one XML part into the draft; a broken part gives what it has.
pub(crate) fn read(markup: &str, draft: &mut Draft<'_>) {
    let max_depth = draft.limits.max_depth;
    let mut sink = Properties { draft, key: None, value: String::new() };
    // Properties are a courtesy: their damage is not the document's.
    let _ = xml::walk(markup, max_depth, &mut sink);
}

struct Properties<'d, 'l> {
    draft: &'d mut Draft<'l>,
    key: Option<&'static str>,
    value: String,
}

impl Sink for Properties<'_, '_> {
    fn start(&mut self, name: &str, _: &Element<'_>) {
        if let Some((_, key)) = OFFICE.iter().find(|(element, _)| *element == name) {
            self.key = Some(key);
            self.value.clear();
        }
    }

    fn end(&mut self, _: &str) {
        if let Some(key) = self.key.take() {
            self.draft.metadata(key, &self.value);
        }
    }

    fn text(&mut self, text: &str) {
        if self.key.is_some() {
            self.value.push_str(text);
        }
    }
}
