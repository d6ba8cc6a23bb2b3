//! The phrases that a text is about: runs of content words between stop words and punctuation.
//!
//! A phrase is an exact piece of the text, at most [`MOST_WORDS`] words on one line. A run of
//! content words counts when it has two words or more, when it is a name (a capital inside a
//! sentence, or an acronym), or when it comes back. Two names around a small word (`of`, `de`)
//! are one phrase. Stop words are those of [yake-rust](https://docs.rs/yake-rust); its own phrases
//! are not used, because it has no offsets and its tokenizer backtracks on hostile text.
//!
//! It refuses languages that it has no stop words for, and Chinese and Japanese, which need a
//! dictionary to be cut into words.

use std::collections::HashMap;
use std::ops::Range;

use yake_rust::StopWords;

use crate::text::words::{Word, words};
use crate::text::{CharIndex, Found, RULES_ENGINE, Span, Unavailable};

/// The engine's name.
pub const ENGINE: &str = RULES_ENGINE;

/// A longer run is a list or a heading, not a phrase.
pub const MOST_WORDS: usize = 5;

/// A text's best phrases are kept up to this many occurrences, so that an answer stays small.
pub const MOST_PHRASES: usize = 1_000;

/// One occurrence of a phrase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyPhrase {
    /// Where it stands.
    pub span: Span,
    /// How much speaks for it, 0.5 to 0.99.
    pub score: f64,
}

/// The phrases of `text` in reading order; `language` is a code such as `en`.
///
/// # Errors
/// [`Unavailable`] for a language without stop words here.
pub fn detect(text: &str, language: &str) -> Result<Found<KeyPhrase>, Unavailable> {
    let stop_words = stop_words(language)?;
    let phrases = phrases(text, &stop_words, language);
    let index = CharIndex::new(text);
    let spans =
        best(score(text, phrases)).into_iter().map(|(range, score)| KeyPhrase { span: index.span(&range), score });
    Ok(Found { engine: ENGINE, items: spans.collect() })
}

/// Whether [`detect`] reads `language`.
#[must_use]
pub fn reads(language: &str) -> bool {
    stop_words(language).is_ok()
}

fn stop_words(language: &str) -> Result<StopWords, Unavailable> {
    let list = match language {
        "zh" | "zh-TW" | "ja" => None,
        "cs" => StopWords::predefined("cz"),
        other => StopWords::predefined(other),
    };
    list.ok_or_else(|| Unavailable {
        engine: ENGINE,
        language: language.to_owned(),
        reads: "languages with spaces and a list of stop words (Arabic, English, French, German, Hindi, Italian, Portuguese, Spanish and other European ones)",
    })
}

/// A run of content words, with what its looks say.
struct Phrase {
    range: Range<usize>,
    words: usize,
    named: bool,
}

fn phrases(text: &str, stop_words: &StopWords, language: &str) -> Vec<Phrase> {
    let mut found = Vec::new();
    let mut run: Vec<Word> = Vec::new();
    let mut words = words(text).into_iter().peekable();
    while let Some(word) = words.next() {
        let joins = joins_names(text, &run, &word, words.peek());
        if word.breaks_before || !(joins || is_content(text, &word, stop_words, language)) {
            found.extend(phrase(text, &std::mem::take(&mut run), language));
        }
        if joins || is_content(text, &word, stop_words, language) {
            run.push(word);
        }
    }
    found.extend(phrase(text, &run, language));
    found
}

/// `University of East Anglia`, `Banco de España`: a small word between two names on one line.
fn joins_names(text: &str, run: &[Word], word: &Word, next: Option<&Word>) -> bool {
    const SMALL: [&str; 12] = ["of", "de", "del", "do", "da", "di", "du", "des", "von", "van", "y", "e"];
    let named_before = run.last().is_some_and(Word::is_capital);
    let named_after = next.is_some_and(|next| next.is_capital() && !next.breaks_before);
    named_before && named_after && !word.breaks_before && SMALL.contains(&&text[word.range.clone()])
}

fn is_content(text: &str, word: &Word, stop_words: &StopWords, language: &str) -> bool {
    let lower = text[word.range.clone()].to_lowercase();
    let letters = lower.chars().filter(|character| character.is_alphabetic()).count();
    if letters < 2 || stop_words.contains(&lower) {
        return false;
    }
    let adverb = lower.len() > 4 && lower.ends_with("ly") && !word.is_capital();
    let contraction = lower.contains(['\'', '’']);
    language != "en" || !(adverb || contraction)
}

fn phrase(text: &str, run: &[Word], language: &str) -> Option<Phrase> {
    let run = if language == "en" { without_verbs(text, run) } else { run };
    let (first, last) = (run.first()?, run.last()?);
    let named = run.iter().any(|word| word.is_acronym() || (word.is_capital() && !word.starts_sentence));
    let within = run.len() <= MOST_WORDS;
    within.then_some(Phrase { range: first.range.start..last.range.end, words: run.len(), named })
}

/// English verbs beside a name (`Roberts scored`, `greeted Anna`) are no part of it.
fn without_verbs<'r>(text: &str, mut run: &'r [Word]) -> &'r [Word] {
    let verb = |word: &Word| {
        let text = &text[word.range.clone()];
        !word.is_capital() && text.len() > 4 && (text.ends_with("ed") || text.ends_with("ing"))
    };
    if run.len() == 1 || run.iter().any(Word::is_capital) {
        while let Some((_, rest)) = run.split_first().filter(|(first, _)| verb(first)) {
            run = rest;
        }
        while let Some((_, rest)) = run.split_last().filter(|(last, _)| verb(last)) {
            run = rest;
        }
    }
    run
}

/// A single small word must come back to count, and be long enough to mean something.
const SHORTEST_COMMON_WORD: usize = 5;
const LEAST_COMMON_TIMES: u32 = 3;

/// Half for being a run of content words, the rest for what else speaks for it.
fn score(text: &str, phrases: Vec<Phrase>) -> Vec<(Range<usize>, f64)> {
    let mut times: HashMap<String, u32> = HashMap::new();
    for phrase in &phrases {
        *times.entry(text[phrase.range.clone()].to_lowercase()).or_default() += 1;
    }
    let times_of = |phrase: &Phrase| times[&text[phrase.range.clone()].to_lowercase()];
    phrases
        .into_iter()
        .map(|phrase| (times_of(&phrase), phrase))
        .filter(|(times, phrase)| counts(*times, phrase))
        .map(|(times, phrase)| (phrase.range.clone(), evidence(times, &phrase)))
        .collect()
}

fn counts(times: u32, phrase: &Phrase) -> bool {
    phrase.words > 1 || phrase.named || (times >= LEAST_COMMON_TIMES && phrase.range.len() >= SHORTEST_COMMON_WORD)
}

fn evidence(times: u32, phrase: &Phrase) -> f64 {
    let several = if phrase.words > 1 { 0.15 } else { 0.0 };
    let named = if phrase.named { 0.19 } else { 0.0 };
    let repeated = 0.15 * (1.0 - 1.0 / f64::from(times));
    0.5 + several + named + repeated
}

fn best(mut scored: Vec<(Range<usize>, f64)>) -> Vec<(Range<usize>, f64)> {
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.start.cmp(&b.0.start)));
    scored.truncate(MOST_PHRASES);
    scored.sort_by_key(|(range, _)| range.start);
    scored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, language: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        let items = detect(text, language).unwrap().items;
        items.iter().map(|p| chars[p.span.begin..p.span.end].iter().collect()).collect()
    }

    #[test]
    fn phrases_are_pieces_of_the_text() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("en", "The annual report was sent to the finance committee.", &["annual report", "finance committee"]),
            (
                "en",
                "She studied at the University of East Anglia in Norwich.",
                &["University of East Anglia", "Norwich"],
            ),
            ("en", "🦀 naïve approach, then NASA", &["naïve approach", "NASA"]),
            ("en", "It is what it is.", &[]),
            ("en", "Then Roberts scored and greeted Anna Lee.", &["Roberts", "Anna Lee"]),
            ("en", "12 34, 56.78", &[]),
            ("en", "The sensor failed. A new sensor came.", &["sensor failed"]),
            ("de", "Der Vorstand hat den neuen Haushaltsplan beschlossen.", &["Vorstand", "Haushaltsplan beschlossen"]),
            ("es", "El Banco de España publicó el informe anual.", &["Banco de España publicó", "informe anual"]),
            ("en", "red green blue black white orange", &[]),
            ("en", "", &[]),
        ];
        for (language, text, expected) in cases {
            assert_eq!(&found(text, language), expected, "{text}");
        }
    }

    #[test]
    fn what_comes_back_scores_higher() {
        let items = detect("solar panel. wind turbine. solar panel.", "en").unwrap().items;
        assert!(items[0].score > items[1].score);
        assert!((items[0].score - items[2].score).abs() < f64::EPSILON);
    }

    #[test]
    fn languages_without_words_or_lists_are_refused() {
        for language in ["zh", "zh-TW", "ja", "ko", "xx"] {
            assert!(!reads(language));
            assert_eq!(detect("text", language).unwrap_err().language, language);
        }
        for language in ["de", "en", "es", "it", "pt", "fr", "hi", "ar", "cs"] {
            assert!(reads(language), "{language}");
        }
    }

    #[test]
    fn hostile_texts_stay_within_bounds() {
        for text in [
            "a".repeat(100_000),
            "🦀".repeat(25_000),
            "ab ".repeat(33_000),
            "א ".repeat(33_000),
            "Aa Bb, ".repeat(14_000),
            "1".repeat(100_000),
        ] {
            assert!(detect(&text, "en").unwrap().items.len() <= MOST_PHRASES);
        }
    }
}
