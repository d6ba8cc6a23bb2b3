//! Hiding personal data: its characters become `*`, so that every offset stays right.

use std::ops::Range;

use super::Extraction;
use crate::settings::Redaction;

/// What stands for a hidden character.
const MASK: char = '*';

impl Extraction {
    /// Hides personal data of the chosen kinds wherever the document repeats it.
    ///
    /// The text, and the words of entities and key phrases, are masked by place. Tables, form
    /// fields and metadata have no place in the text, so there the hidden values are masked by
    /// what they say.
    pub fn redact(&mut self, redaction: &Redaction) {
        if !redaction.enabled {
            return;
        }
        let hidden = self.hidden_spans(redaction);
        let values = self.values(&hidden);
        self.text = mask_spans(&self.text, 0, &hidden);
        for entity in &mut self.entities {
            entity.text = mask_spans(&entity.text, entity.start, &hidden);
        }
        for phrase in &mut self.key_phrases {
            phrase.text = mask_spans(&phrase.text, phrase.start, &hidden);
        }
        self.mask_values(&values);
    }

    fn hidden_spans(&self, redaction: &Redaction) -> Vec<Range<u64>> {
        let chosen = |kind: &String| redaction.kinds.is_empty() || redaction.kinds.contains(kind);
        let mut spans: Vec<_> =
            self.pii.iter().filter(|span| chosen(&span.kind)).map(|span| span.start..span.end).collect();
        spans.sort_by_key(|span| span.start);
        spans
    }

    fn values(&self, hidden: &[Range<u64>]) -> Vec<String> {
        let chars: Vec<char> = self.text.chars().collect();
        let value = |span: &Range<u64>| -> Option<String> {
            let (start, end) = (usize::try_from(span.start).ok()?, usize::try_from(span.end).ok()?);
            Some(chars.get(start..end)?.iter().collect())
        };
        let mut values: Vec<String> =
            hidden.iter().filter_map(value).filter(|value| !value.trim().is_empty()).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        values
    }

    fn mask_values(&mut self, values: &[String]) {
        let cells = self.tables.iter_mut().flat_map(|table| &mut table.cells).map(|cell| &mut cell.text);
        let fields = self.forms.iter_mut().map(|field| &mut field.value);
        let metadata = self.metadata.values_mut();
        let attachments = self.attachments.iter_mut().map(|attachment| &mut attachment.name);
        for text in cells.chain(fields).chain(metadata).chain(attachments) {
            for value in values {
                if text.contains(value.as_str()) {
                    *text = text.replace(value.as_str(), &mask(value));
                }
            }
        }
    }
}

fn mask(value: &str) -> String {
    value.chars().map(|_| MASK).collect()
}

/// Masks the characters of `text` (which begins at `base`) that lie in one of the sorted `spans`.
fn mask_spans(text: &str, base: u64, spans: &[Range<u64>]) -> String {
    let mut spans = spans.iter().peekable();
    let mut covered_to = 0;
    (base..)
        .zip(text.chars())
        .map(|(at, c)| {
            while let Some(span) = spans.next_if(|span| span.start <= at) {
                covered_to = covered_to.max(span.end);
            }
            if at < covered_to { MASK } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extraction::{Entity, PiiSpan};

    fn document() -> Extraction {
        Extraction {
            text: "ü a@b.co, call 555".into(),
            pii: vec![
                PiiSpan { start: 15, end: 18, kind: "PHONE".into(), confidence: 1.0 },
                PiiSpan { start: 2, end: 8, kind: "EMAIL".into(), confidence: 1.0 },
            ],
            entities: vec![Entity {
                start: 0, end: 8, kind: "OTHER".into(), text: "ü a@b.co".into(), confidence: 1.0
            }],
            metadata: [("From".to_owned(), "<a@b.co>".to_owned())].into(),
            ..Extraction::default()
        }
    }

    #[test]
    fn hidden_values_are_gone_everywhere_and_offsets_stay() {
        let mut hidden = document();
        hidden.redact(&Redaction { enabled: true, kinds: Vec::new() });
        assert_eq!(hidden.text, "ü ******, call ***");
        assert_eq!(hidden.entities[0].text, "ü ******");
        assert_eq!(hidden.metadata["From"], "<******>");
    }

    #[test]
    fn only_the_chosen_kinds_are_hidden() {
        let mut hidden = document();
        hidden.redact(&Redaction { enabled: true, kinds: vec!["PHONE".into()] });
        assert_eq!(hidden.text, "ü a@b.co, call ***");
        let mut shown = document();
        shown.redact(&Redaction::default());
        assert_eq!(shown, document());
    }
}
