//! Which language a text is written in, by [lingua](https://docs.rs/lingua).
//!
//! The answer is ranked as `DetectDominantLanguage` ranks it, in Comprehend's own codes. A text is
//! cut into passages that are judged one by one, so a text in two languages is answered with two.
//! It refuses to be sure of anything on little evidence: numbers, addresses and code are no words,
//! a word counts once however often it is repeated, and text without words has no language at all.
//!
//! lingua's models lie in the program file and are paged in as they are read. A bounded sample of
//! a long text keeps the time constant, and stop words narrow the choice before a model is asked.

mod candidates;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use lingua::{Language, LanguageDetector, LanguageDetectorBuilder};

use crate::text::{Found, sentences};

/// The engine's name and version.
pub const ENGINE: &str = "lingua 1.8";

/// One language that the text may be in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LanguageScore {
    /// An RFC 5646 code as Comprehend writes it, such as `en` or `zh-TW`.
    pub code: &'static str,
    /// How sure the engine is, and for a mixed text how much of it is in this language, 0 to 1.
    pub score: f64,
}

/// The languages of `text`, most likely first; none at all when there is nothing to go by.
#[must_use]
pub fn detect(text: &str) -> Found<LanguageScore> {
    Found { engine: ENGINE, items: rank(text) }
}

/// Languages below this are noise among seventy candidates.
const LEAST_SCORE: f64 = 0.05;

/// Comprehend answers with a handful at most.
const MOST_LANGUAGES: usize = 5;

/// Passages that are judged; a longer text is sampled evenly.
const MOST_PASSAGES: usize = 16;

/// A passage holds at least this many letters where the text has them: lingua is less sure below,
/// and passages much longer than a sentence hide the second language of a text.
const PASSAGE_LETTERS: usize = 80;

/// A passage is not read beyond this.
const MOST_PASSAGE_LETTERS: usize = 400;

/// At this many letters the engine's own confidence is halved.
const HALF_EVIDENCE_LETTERS: f64 = 4.0;

/// Longer runs of Latin letters are encoded data or noise.
const LONGEST_LATIN_WORD: usize = 40;

/// Comprehend has no code for these, and with them short English is often mistaken.
const NOT_IN_COMPREHEND: [Language; 8] = [
    Language::Ganda,
    Language::Maori,
    Language::Shona,
    Language::Sotho,
    Language::Tsonga,
    Language::Tswana,
    Language::Xhosa,
    Language::Zulu,
];

static DETECTOR: LazyLock<LanguageDetector> =
    LazyLock::new(|| LanguageDetectorBuilder::from_all_languages_without(&NOT_IN_COMPREHEND).build());

/// Words only, and how many letters they hold.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
struct Passage {
    words: String,
    letters: usize,
}

fn rank(text: &str) -> Vec<LanguageScore> {
    let passages = sample(passages(text));
    let certainty = certainty(&passages);
    let mut ranked: Vec<LanguageScore> = weigh(&passages)
        .into_iter()
        .map(|(code, share)| LanguageScore { code, score: share * certainty })
        .filter(|language| language.score >= LEAST_SCORE)
        .collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.code.cmp(b.code)));
    ranked.truncate(MOST_LANGUAGES);
    ranked
}

fn passages(text: &str) -> Vec<Passage> {
    let mut found = Vec::new();
    let mut current = Passage::default();
    for sentence in sentences(text).into_iter().flat_map(|range| lines(text, range)) {
        current.push_words(sentence);
        if current.letters >= PASSAGE_LETTERS {
            found.push(std::mem::take(&mut current));
        }
    }
    if current.letters > 0 {
        found.push(current);
    }
    found
}

/// A line end inside a sentence is only a break where the sentence is already long.
fn lines(text: &str, sentence: Range<usize>) -> impl Iterator<Item = &str> {
    let long = sentence.len() > MOST_PASSAGE_LETTERS;
    text[sentence].split(move |character| long && character == '\n')
}

fn sample(passages: Vec<Passage>) -> Vec<Passage> {
    let step = passages.len().div_ceil(MOST_PASSAGES).max(1);
    passages.into_iter().step_by(step).collect()
}

impl Passage {
    fn push_words(&mut self, text: &str) {
        for word in text.split_whitespace().map(bare).filter(|word| is_word(word)) {
            if self.letters >= MOST_PASSAGE_LETTERS {
                return;
            }
            let word: String = word.chars().take(MOST_PASSAGE_LETTERS).collect();
            self.letters += word.chars().map(weight).sum::<usize>();
            self.words.push_str(&word);
            self.words.push(' ');
        }
    }
}

fn bare(token: &str) -> &str {
    token.trim_matches(|character: char| !character.is_alphabetic())
}

/// Addresses, file names, numbers and code say nothing about the language around them.
fn is_word(token: &str) -> bool {
    let marks = ['\'', '’', '-', '‐', '·', '\u{200c}', '\u{200d}'];
    let written = |character: char| {
        character.is_alphabetic() || marks.contains(&character) || !(character.is_ascii() || character.is_numeric())
    };
    !token.is_empty() && token.chars().all(written) && (token.len() <= LONGEST_LATIN_WORD || !token.is_ascii())
}

/// A sign of Chinese, Japanese or Korean says about as much as three Latin letters.
fn weight(character: char) -> usize {
    match character {
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => 3,
        other => usize::from(other.is_alphabetic()),
    }
}

/// Near 1 for a text, small for a word or two: `letters / (letters + 4)` over distinct words.
fn certainty(passages: &[Passage]) -> f64 {
    let distinct: HashSet<&str> = passages.iter().flat_map(|passage| passage.words.split(' ')).collect();
    let letters: usize = distinct.into_iter().map(distinct_weight).sum();
    let letters = f64::from(u32::try_from(letters).unwrap_or(u32::MAX));
    letters / (letters + HALF_EVIDENCE_LETTERS)
}

/// Scripts without spaces have no words to tell apart, so each sign counts once.
fn distinct_weight(word: &str) -> usize {
    if word.len() <= LONGEST_LATIN_WORD {
        return word.chars().map(weight).sum();
    }
    word.chars().collect::<HashSet<char>>().into_iter().map(weight).sum()
}

/// The share of each language over all passages, each weighted by its letters.
fn weigh(passages: &[Passage]) -> Vec<(&'static str, f64)> {
    let mut letters_of: HashMap<&str, usize> = HashMap::new();
    for passage in passages {
        *letters_of.entry(&passage.words).or_default() += passage.letters;
    }
    let total: usize = letters_of.values().sum();
    let known = Known::of(&letters_of);
    let mut shares: HashMap<&'static str, f64> = HashMap::new();
    for (words, letters) in letters_of {
        let share = ratio(letters, total);
        for (language, confidence) in known.judge(words) {
            if confidence > 0.0 {
                *shares.entry(code(language, words)).or_default() += share * confidence;
            }
        }
    }
    shares.into_iter().collect()
}

/// What the stop words say about the passages of one text.
struct Known<'p> {
    candidates: HashMap<&'p str, Vec<Language>>,
    /// The candidates of all clear passages, where those are most of the text.
    of_most: Vec<Language>,
}

impl<'p> Known<'p> {
    fn of(letters_of: &HashMap<&'p str, usize>) -> Self {
        let candidates: HashMap<&str, Vec<Language>> =
            letters_of.keys().map(|words| (*words, candidates::candidates(words))).collect();
        let clear = || letters_of.iter().filter(|(words, _)| !candidates[*words].is_empty());
        let clear_letters: usize = clear().map(|(_, letters)| letters).sum();
        let mostly_clear = clear_letters * 2 > letters_of.values().sum();
        let all = clear().flat_map(|(words, _)| candidates[words].iter().copied());
        let of_most = if mostly_clear { all.collect::<HashSet<_>>().into_iter().collect() } else { Vec::new() };
        Self { candidates, of_most }
    }

    fn judge(&self, words: &str) -> Vec<(Language, f64)> {
        let own = self.candidates.get(words).map_or(&[][..], Vec::as_slice);
        match if own.is_empty() && is_plain_latin(words) { &self.of_most } else { own } {
            [] => DETECTOR.compute_language_confidence_values(words),
            few => LanguageDetectorBuilder::from_languages(few).build().compute_language_confidence_values(words),
        }
    }
}

/// A list of names between clear sentences is in their language; another script would not be.
fn is_plain_latin(words: &str) -> bool {
    const LAST_LATIN: char = '\u{24f}';
    words.chars().all(|character| character <= LAST_LATIN)
}

fn ratio(part: usize, whole: usize) -> f64 {
    let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    float(part) / float(whole.max(1))
}

/// Comprehend knows one Norwegian and two ways to write Chinese.
fn code(language: Language, words: &str) -> &'static str {
    match language {
        Language::Bokmal | Language::Nynorsk => "no",
        Language::Chinese if is_traditional(words) => "zh-TW",
        other => CODES.get(&other).map_or("und", String::as_str),
    }
}

static CODES: LazyLock<HashMap<Language, String>> = LazyLock::new(|| {
    Language::all().into_iter().map(|language| (language, language.iso_code_639_1().to_string())).collect()
});

/// Frequent signs that only one of the two ways of writing has.
fn is_traditional(words: &str) -> bool {
    const TRADITIONAL: &str =
        "們個為來說對時會國學這裡後過開還沒與當發經點話應無關從動兩長見門問間車東馬風書語電體氣實現頭";
    const SIMPLIFIED: &str =
        "们个为来说对时会国学这里后过开还没与当发经点话应无关从动两长见门问间车东马风书语电体气实现头";
    let count =
        |signs: &str, other: &str| words.chars().filter(|sign| signs.contains(*sign) && !other.contains(*sign)).count();
    count(TRADITIONAL, SIMPLIFIED) > count(SIMPLIFIED, TRADITIONAL)
}

#[cfg(test)]
mod tests;
