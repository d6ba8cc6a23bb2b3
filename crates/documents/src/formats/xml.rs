//! XML of any vocabulary: the characters between the tags, an element a line.

use super::flow::fold;
use super::{Input, plain};
use crate::draft::Draft;
use crate::xml::{self, Broken, Element, Sink};

/// Reads an XML file; markup that is broken from the start is read as plain text.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    let markup = xml::decode(input.bytes);
    let max_depth = draft.limits.max_depth;
    let mut sink = Lines { draft, elements: 0 };
    let walked = xml::walk(&markup, max_depth, &mut sink);
    let is_markup = sink.elements > 0;
    match walked {
        Err(Broken::Markup) if !is_markup => plain::read(input, draft),
        Err(broken) => draft.warn(broken.warning("the file")),
        Ok(()) => {}
    }
}

struct Lines<'d, 'l> {
    draft: &'d mut Draft<'l>,
    elements: usize,
}

impl Sink for Lines<'_, '_> {
    fn start(&mut self, name: &str, element: &Element<'_>) {
        self.elements += 1;
        if self.elements == 1 {
            self.draft.metadata("Root-Element", name);
            if let Some(language) = element.exact_attribute("xml:lang") {
                self.draft.metadata("Language", &language);
            }
        }
        self.draft.end_line();
    }

    fn end(&mut self, _: &str) {
        self.draft.end_line();
    }

    fn text(&mut self, text: &str) {
        let folded = fold(text);
        let at_line_start = self.draft.is_at_line_start();
        self.draft.push(if at_line_start { folded.trim_start() } else { &folded });
    }

    fn is_done(&self) -> bool {
        self.draft.is_full()
    }
}
