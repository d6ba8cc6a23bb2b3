//! Weaving recognised text into a document whose pages have text here and there.
//!
//! The text of each page goes where the page stands; all spans behind it move along. Pages that
//! have text keep it.

use std::collections::BTreeMap;

use domain::extraction::{Extraction, Page};

/// Puts `texts` (by page) into the document; gives where the text of each page begins now.
///
/// Pages that the document does not know are added behind its text.
pub(super) fn weave(document: &mut Extraction, texts: &BTreeMap<u32, String>) -> BTreeMap<u32, u64> {
    let insertions = insertions(document, texts);
    let woven = Woven::new(&document.text, &insertions);
    move_spans(document, &woven);
    move_pages(document, texts, &woven);
    document.text = woven.text;
    woven.starts
}

/// Text of a page, and the character of the old text before which it goes.
struct Insertion<'a> {
    at: u64,
    page: u32,
    text: &'a str,
}

/// A page without text stands behind all pages with lower numbers, whatever its own span says.
fn insertions<'a>(document: &mut Extraction, texts: &'a BTreeMap<u32, String>) -> Vec<Insertion<'a>> {
    let end = document.text_chars();
    let unknown: Vec<u32> =
        texts.keys().copied().filter(|number| !document.pages.iter().any(|page| page.number == *number)).collect();
    document.pages.extend(unknown.iter().map(|number| Page { number: *number, start: end, end, name: None }));
    document.pages.sort_by_key(|page| page.number);
    let mut insertions = Vec::new();
    let mut behind = 0;
    for page in &document.pages {
        let text = texts.get(&page.number).filter(|text| page.start == page.end && !text.is_empty());
        let at = if unknown.contains(&page.number) { end } else { behind.min(end) };
        insertions.extend(text.map(|text| Insertion { at, page: page.number, text }));
        behind = behind.max(page.end);
    }
    insertions.sort_by_key(|insertion| insertion.at);
    insertions
}

/// The new text, and how places of the old one are found in it.
struct Woven {
    text: String,
    /// Where each page begins that was put in.
    starts: BTreeMap<u32, u64>,
    /// Places of the old text, with the number of characters put in there or before.
    shifts: Vec<(u64, u64)>,
}

impl Woven {
    fn new(old: &str, insertions: &[Insertion<'_>]) -> Self {
        let mut woven = Self { text: String::new(), starts: BTreeMap::new(), shifts: Vec::new() };
        let (mut rest, mut copied, mut inserted) = (old, 0, 0);
        for insertion in insertions {
            let (before, after) = rest.split_at(byte_of(rest, insertion.at - copied));
            woven.text.push_str(before);
            (rest, copied) = (after, insertion.at);
            inserted += woven.insert(insertion, copied + inserted, after);
            woven.shifts.push((insertion.at, inserted));
        }
        woven.text.push_str(rest);
        woven
    }

    /// Puts one page in, a line apart from what is around it; gives the characters that this took.
    fn insert(&mut self, insertion: &Insertion<'_>, at: u64, after: &str) -> u64 {
        let apart_before = !self.text.is_empty() && !self.text.ends_with(LINE_ENDS);
        let apart_after = !after.is_empty() && !after.starts_with(LINE_ENDS);
        self.text.extend(apart_before.then_some('\n'));
        self.text.push_str(insertion.text);
        self.text.extend(apart_after.then_some('\n'));
        self.starts.insert(insertion.page, at + u64::from(apart_before));
        insertion.text.chars().count() as u64 + u64::from(apart_before) + u64::from(apart_after)
    }

    /// What was put in before the place `at` does not push the end of what stands there.
    fn end(&self, at: u64) -> u64 {
        at + self.shift(self.shifts.partition_point(|(place, _)| *place < at))
    }

    /// What was put in at the place `at` pushes what begins there.
    fn start(&self, at: u64) -> u64 {
        at + self.shift(self.shifts.partition_point(|(place, _)| *place <= at))
    }

    fn shift(&self, count: usize) -> u64 {
        count.checked_sub(1).map_or(0, |last| self.shifts[last].1)
    }
}

/// What already sets two pages apart.
const LINE_ENDS: [char; 2] = ['\n', '\u{c}'];

fn byte_of(text: &str, chars: u64) -> usize {
    let nth = usize::try_from(chars).ok().and_then(|chars| text.char_indices().nth(chars));
    nth.map_or(text.len(), |(at, _)| at)
}

fn move_spans(document: &mut Extraction, woven: &Woven) {
    let segments = document.segments.iter_mut().map(|it| (&mut it.start, &mut it.end));
    let entities = document.entities.iter_mut().map(|it| (&mut it.start, &mut it.end));
    let phrases = document.key_phrases.iter_mut().map(|it| (&mut it.start, &mut it.end));
    let pii = document.pii.iter_mut().map(|it| (&mut it.start, &mut it.end));
    for (start, end) in segments.chain(entities).chain(phrases).chain(pii) {
        let length_is_zero = start == end;
        *start = woven.start(*start);
        *end = if length_is_zero { *start } else { woven.end(*end) };
    }
}

/// Pages that stay empty stand behind the page before them.
fn move_pages(document: &mut Extraction, texts: &BTreeMap<u32, String>, woven: &Woven) {
    let mut behind = 0;
    for page in &mut document.pages {
        (page.start, page.end) = match woven.starts.get(&page.number) {
            Some(start) => (*start, *start + texts[&page.number].chars().count() as u64),
            None if page.start == page.end => (behind, behind),
            None => (woven.start(page.start), woven.end(page.end)),
        };
        behind = page.end;
    }
}
