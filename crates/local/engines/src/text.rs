//! What every reader of text shares: spans in characters, sentences, and the two shapes of an answer.
//!
//! Spans count Unicode scalar values from the start of the text, as Amazon Comprehend's
//! `BeginOffset` and `EndOffset` do. Nothing here knows a language: the sentence rules look at
//! punctuation and line ends only.

pub(crate) mod hits;
pub(crate) mod words;

use std::ops::Range;

/// The engine name of everything that is found by this crate's own rules.
pub const RULES_ENGINE: &str = "sluice rules";

/// A stretch of text, counted in characters (Unicode scalar values), end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first character.
    pub begin: usize,
    /// One past the last character.
    pub end: usize,
}

/// What one engine found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// The engine and its version.
    pub engine: &'static str,
    /// What it found, in the order that the function documents.
    pub items: Vec<T>,
}

/// A question that the local engine cannot answer, and will not guess at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read text in `{language}`: `{engine}` reads {reads} only")]
pub struct Unavailable {
    /// The engine that was asked.
    pub engine: &'static str,
    /// The language that it was asked for.
    pub language: String,
    /// The languages that it does read, in words.
    pub reads: &'static str,
}

/// Turns byte offsets into character offsets without walking the text each time.
pub(crate) struct CharIndex<'t> {
    text: &'t str,
    chars_before_block: Vec<usize>,
}

/// Small enough that counting inside one block is cheap, large enough that the index is small.
const BLOCK_BYTES: usize = 256;

impl<'t> CharIndex<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let chars_before_block = text
            .as_bytes()
            .chunks(BLOCK_BYTES)
            .scan(0, |total, block| {
                let before = *total;
                *total += count_chars(block);
                Some(before)
            })
            .collect();
        Self { text, chars_before_block }
    }

    pub(crate) fn span(&self, bytes: &Range<usize>) -> Span {
        Span { begin: self.chars_before(bytes.start), end: self.chars_before(bytes.end) }
    }

    fn chars_before(&self, byte: usize) -> usize {
        let block = byte / BLOCK_BYTES;
        let Some(before) = self.chars_before_block.get(block) else {
            return self.chars_before_block.last().copied().unwrap_or(0) + count_chars(self.tail_of_last_block());
        };
        before + count_chars(&self.text.as_bytes()[block * BLOCK_BYTES..byte])
    }

    fn tail_of_last_block(&self) -> &[u8] {
        let start = self.chars_before_block.len().saturating_sub(1) * BLOCK_BYTES;
        &self.text.as_bytes()[start..]
    }
}

/// Every byte that does not continue a character starts one.
fn count_chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

/// A sentence longer than this is cut at the next space: nobody writes one, and engines that look
/// at whole sentences would otherwise see a whole file at once.
const LONGEST_SENTENCE_BYTES: usize = 1_000;

/// A sentence without any space is cut at this length even inside a "word".
const LONGEST_RUN_BYTES: usize = 2_000;

/// The sentences of `text` as byte ranges, in order, blank ones left out.
pub(crate) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        if ends_sentence(text, start, at, character) {
            push_trimmed(&mut found, text, start..end);
            start = end;
        }
    }
    push_trimmed(&mut found, text, start..text.len());
    found
}

fn ends_sentence(text: &str, start: usize, at: usize, character: char) -> bool {
    let length = at - start;
    match character {
        '。' | '！' | '？' | '।' | '؟' => true,
        '\n' => text[at + 1..].starts_with(['\n', '\r']) || length > LONGEST_SENTENCE_BYTES,
        '.' | '!' | '?' => ends_after_mark(text, start, at, character),
        other => length > LONGEST_RUN_BYTES || (length > LONGEST_SENTENCE_BYTES && other.is_whitespace()),
    }
}

/// A full stop ends a sentence when a space and no small letter follow, and no abbreviation stands before it.
fn ends_after_mark(text: &str, start: usize, at: usize, mark: char) -> bool {
    let mut after = text[at + 1..].chars();
    let Some(next) = after.next() else {
        return true;
    };
    if !next.is_whitespace() {
        return false;
    }
    if after.find(|c| !c.is_whitespace()).is_some_and(char::is_lowercase) {
        return false;
    }
    mark != '.' || !is_abbreviation(last_word(&text[start..at]))
}

fn last_word(text: &str) -> &str {
    let mut start = text.len();
    // No abbreviation is longer than this, so a long "word" is not walked again and again.
    for (at, character) in text.char_indices().rev().take(12) {
        if !character.is_alphanumeric() && character != '.' {
            break;
        }
        start = at;
    }
    &text[start..]
}

fn is_abbreviation(word: &str) -> bool {
    const KNOWN: [&str; 22] = [
        "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "etc", "e.g", "i.e", "inc", "ltd", "co", "corp", "no",
        "nr", "bzw", "ca", "hr", "fr",
    ];
    let single_letter = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    single_letter || KNOWN.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn push_trimmed(found: &mut Vec<Range<usize>>, text: &str, range: Range<usize>) {
    let trimmed = trim(text, range);
    if !trimmed.is_empty() {
        found.push(trimmed);
    }
}

/// `range` without the white space at its two ends.
pub(crate) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let slice = &text[range.clone()];
    let start = range.start + (slice.len() - slice.trim_start().len());
    start..start + slice.trim().len()
}

/// The last `limit` bytes or a little less of what stands before `at`.
pub(crate) fn before(text: &str, at: usize, limit: usize) -> &str {
    &text[text.floor_char_boundary(at.saturating_sub(limit))..at]
}

/// Whether no letter or digit touches `range` on either side.
pub(crate) fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_characters() {
        let text = format!("{}ß€𝄞 end", "é".repeat(300));
        let index = CharIndex::new(&text);
        for (chars, (bytes, _)) in text.char_indices().enumerate() {
            assert_eq!(index.span(&(0..bytes)), Span { begin: 0, end: chars });
        }
        assert_eq!(index.span(&(0..text.len())).end, text.chars().count());
        let exact = "x".repeat(BLOCK_BYTES * 2);
        assert_eq!(CharIndex::new(&exact).span(&(0..exact.len())).end, BLOCK_BYTES * 2);
        assert_eq!(CharIndex::new("").span(&(0..0)), Span { begin: 0, end: 0 });
    }

    #[test]
    fn sentences_end_where_a_reader_would_end_them() {
        let cases: &[(&str, &[&str])] = &[
            ("One. Two! Three?", &["One.", "Two!", "Three?"]),
            ("Dr. No met J. Bond at 3.5 p.m. on Monday.", &["Dr. No met J. Bond at 3.5 p.m. on Monday."]),
            ("A heading\n\nA text", &["A heading", "A text"]),
            ("一。二！", &["一。", "二！"]),
            ("  \n\n ", &[]),
        ];
        for (text, expected) in cases {
            let found: Vec<&str> = sentences(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(&found, expected);
        }
    }

    #[test]
    fn a_text_without_ends_is_cut_on_a_character() {
        let cut = sentences(&"🦀".repeat(25_000)).len();
        assert!((40..=60).contains(&cut), "{cut} pieces");
    }
}
