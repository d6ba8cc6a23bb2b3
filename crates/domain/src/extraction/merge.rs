//! Putting the tracks of a file together: spans of the second move behind the text of the first.

use super::{Extraction, Page};

impl Extraction {
    /// Takes over all that `other` holds; its spans follow its text to its new place.
    pub fn absorb(&mut self, mut other: Self) {
        let shift = self.append_text(&std::mem::take(&mut other.text)).start;
        other.shift(shift);
        self.language = self.language.take().or(other.language);
        self.sentiment = self.sentiment.take().or(other.sentiment);
        self.absorb_pages(other.pages);
        self.segments.append(&mut other.segments);
        self.entities.append(&mut other.entities);
        self.key_phrases.append(&mut other.key_phrases);
        self.pii.append(&mut other.pii);
        self.labels.append(&mut other.labels);
        self.moderation.append(&mut other.moderation);
        self.celebrities.append(&mut other.celebrities);
        self.faces.append(&mut other.faces);
        self.tables.append(&mut other.tables);
        self.forms.append(&mut other.forms);
        self.attachments.append(&mut other.attachments);
        self.metadata.append(&mut other.metadata);
        self.tasks.append(&mut other.tasks);
        self.warnings.append(&mut other.warnings);
        self.absorb_source(other.source);
    }

    fn absorb_source(&mut self, other: Option<super::Source>) {
        match (&mut self.source, other) {
            (Some(mine), Some(theirs)) => mine.sha256 = mine.sha256.take().or(theirs.sha256),
            (mine @ None, theirs) => *mine = theirs,
            (Some(_), None) => {}
        }
    }

    /// Two tracks that speak of the same pages do not make them twice as many.
    fn absorb_pages(&mut self, pages: Vec<Page>) {
        for page in pages {
            match self.pages.iter_mut().find(|mine| mine.number == page.number) {
                Some(mine) if mine.start == mine.end => *mine = page,
                Some(_) => {}
                None => self.pages.push(page),
            }
        }
    }

    /// Moves every span by `chars`.
    fn shift(&mut self, chars: u64) {
        let pages = self.pages.iter_mut().map(|it| (&mut it.start, &mut it.end));
        let segments = self.segments.iter_mut().map(|it| (&mut it.start, &mut it.end));
        let entities = self.entities.iter_mut().map(|it| (&mut it.start, &mut it.end));
        let phrases = self.key_phrases.iter_mut().map(|it| (&mut it.start, &mut it.end));
        let pii = self.pii.iter_mut().map(|it| (&mut it.start, &mut it.end));
        for (start, end) in pages.chain(segments).chain(entities).chain(phrases).chain(pii) {
            *start += chars;
            *end += chars;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::extraction::{Extraction, KeyPhrase};

    #[test]
    fn spans_follow_their_text() {
        let phrase = |start, text: &str| KeyPhrase {
            start,
            end: start + text.chars().count() as u64,
            text: text.into(),
            confidence: 1.0,
        };
        let mut first = Extraction { text: "größe".into(), ..Extraction::default() };
        let second =
            Extraction { text: "ein Maß".into(), key_phrases: vec![phrase(4, "Maß")], ..Extraction::default() };
        first.absorb(second);
        let span = &first.key_phrases[0];
        let (start, end) = (usize::try_from(span.start).unwrap(), usize::try_from(span.end).unwrap());
        let found: String = first.text.chars().skip(start).take(end - start).collect();
        assert_eq!(found, "Maß");
    }
}
