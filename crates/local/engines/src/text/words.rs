//! Cuts a text into words with their places; knows letters and punctuation, no language.

use std::ops::Range;

/// One word and what can be seen from outside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    pub(crate) range: Range<usize>,
    /// Something other than spaces stands between this word and the one before it.
    pub(crate) breaks_before: bool,
    /// It is the first word of a sentence or a line.
    pub(crate) starts_sentence: bool,
    pub(crate) case: Case,
}

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Small,
    /// Its first letter is a capital.
    Capital,
    /// It has two letters or more, all of them capitals.
    Acronym,
}

impl Word {
    /// Whether it begins with a capital; an acronym does too.
    pub(crate) fn is_capital(&self) -> bool {
        self.case != Case::Small
    }

    pub(crate) fn is_acronym(&self) -> bool {
        self.case == Case::Acronym
    }
}

/// A text and its words, for rules that look from word to word.
pub(crate) struct Words<'t> {
    pub(crate) text: &'t str,
    list: Vec<Word>,
}

impl<'t> Words<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, list: words(text) }
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Word> {
        self.list.get(at)
    }

    /// The word at `at`, empty beyond the end.
    pub(crate) fn str(&self, at: usize) -> &'t str {
        self.list.get(at).map_or("", |word| &self.text[word.range.clone()])
    }

    pub(crate) fn capital(&self, at: usize) -> bool {
        self.list.get(at).is_some_and(Word::is_capital)
    }

    /// What stands between the word at `at` and the one before it.
    pub(crate) fn gap(&self, at: usize) -> &'t str {
        let start = at.checked_sub(1).map_or(0, |before| self.list.get(before).map_or(0, |word| word.range.end));
        let end = self.list.get(at).map_or(self.text.len(), |word| word.range.start);
        &self.text[start..end]
    }

    /// `words` and the full stop of an abbreviation at their end: `U.S.`, `Inc.`.
    pub(crate) fn range_with_stop(&self, words: Range<usize>) -> Range<usize> {
        let range = self.range(words);
        let stop = usize::from(self.text[range.end..].starts_with('.'));
        range.start..range.end + stop
    }

    /// From the first to the last of `words`.
    pub(crate) fn range(&self, words: Range<usize>) -> Range<usize> {
        let start = self.list.get(words.start).map_or(0, |word| word.range.start);
        let end = self.list.get(words.end.wrapping_sub(1)).map_or(start, |word| word.range.end);
        start..end.max(start)
    }
}

/// Longer runs are encoded data; cutting them keeps every later step linear.
const LONGEST_WORD_BYTES: usize = 80;

pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut gap_start = 0;
    for range in runs(text) {
        let gap = &text[gap_start..range.start];
        gap_start = range.end;
        found.push(word(text, range, gap));
    }
    found
}

fn runs(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices() {
        let inside = is_letter(character) || (start.is_some() && joins(text, at, character));
        match start {
            None if inside => start = Some(at),
            Some(from) if !inside || at - from > LONGEST_WORD_BYTES => {
                found.push(from..at);
                start = inside.then_some(at);
            }
            _ => {}
        }
    }
    found.extend(start.map(|from| from..text.len()));
    found
}

/// Letters, digits, and the signs that Indic and Arabic scripts write over or under them.
fn is_letter(character: char) -> bool {
    let mark = matches!(
        character,
        '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{963}' | '\u{200c}' | '\u{200d}'
    );
    character.is_alphanumeric() || mark
}

/// A sign between two letters belongs to the word, but for the possessive `'s`.
fn joins(text: &str, at: usize, sign: char) -> bool {
    let mut after = text[at + sign.len_utf8()..].chars();
    match (sign, after.next()) {
        ('\'' | '’', Some('s' | 'S')) => after.next().is_some_and(is_letter),
        ('\'' | '’' | '-' | '‐' | '&', Some(next)) => is_letter(next),
        _ => false,
    }
}

fn word(text: &str, range: Range<usize>, gap: &str) -> Word {
    let starts_text = range.start == gap.len();
    let breaks_before = starts_text || gap.chars().any(|c| c != ' ' && c != '\u{a0}');
    Word {
        breaks_before,
        starts_sentence: starts_text || gap.contains(['.', '!', '?', '\n', ':', '"', '“', '•']),
        case: case(&text[range.clone()]),
        range,
    }
}

fn case(word: &str) -> Case {
    let letters = || word.chars().filter(|character| character.is_alphabetic());
    if !letters().next().is_some_and(char::is_uppercase) {
        return Case::Small;
    }
    let all = letters().take(2).count() == 2 && letters().all(char::is_uppercase);
    if all { Case::Acronym } else { Case::Capital }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_joints_and_marks() {
        let cases: &[(&str, &[&str])] = &[
            ("state-of-the-art, don't; AT&T", &["state-of-the-art", "don't", "AT&T"]),
            ("- a -", &["a"]),
            ("Mary's, the Joneses'", &["Mary", "s", "the", "Joneses"]),
            ("समिति बजट", &["समिति", "बजट"]),
            ("cafe\u{301} 3.5", &["cafe\u{301}", "3", "5"]),
        ];
        for (text, expected) in cases {
            let found: Vec<&str> = words(text).into_iter().map(|word| &text[word.range]).collect();
            assert_eq!(&found, expected);
        }
    }
}
