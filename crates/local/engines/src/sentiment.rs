//! How a text feels, by [VADER](https://docs.rs/vader_sentiment), which reads English only.
//!
//! VADER gives each sentence the proportions of its positive, negative and neutral words. Comprehend
//! gives a text four scores that sum to 1. This is how the one becomes the other:
//!
//! 1. A sentence whose loaded proportion is `e = positive + negative` counts as loaded by
//!    `e / (e + 0.1)` and as neutral by the rest: at one loaded word in ten the two are even. The
//!    loaded part is divided between positive and negative as VADER divided it.
//! 2. The text's `P`, `N` and `U` are the means over its sentences, weighted by their words.
//! 3. Two loaded passages drawn at random agree or disagree: positive is `P²/(P+N)`, negative
//!    `N²/(P+N)`, mixed `2PN/(P+N)`, and neutral stays `U`. Together they are 1.
//!
//! The label is the largest score. Sentences without a loaded word are neutral, and so is a text
//! without words.

use std::collections::HashMap;
use std::sync::LazyLock;

use vader_sentiment::SentimentIntensityAnalyzer;

use crate::text::{Unavailable, sentences};

/// The engine's name and version.
pub const ENGINE: &str = "vader_sentiment 0.1";

/// The label of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feeling {
    /// Mostly positive.
    Positive,
    /// Mostly negative.
    Negative,
    /// Mostly without feeling.
    Neutral,
    /// Positive and negative side by side.
    Mixed,
}

/// The label and the four scores, which sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sentiment {
    /// The engine and its version.
    pub engine: &'static str,
    /// The label with the largest score.
    pub feeling: Feeling,
    /// Positive, 0 to 1.
    pub positive: f64,
    /// Negative, 0 to 1.
    pub negative: f64,
    /// Neutral, 0 to 1.
    pub neutral: f64,
    /// Mixed, 0 to 1.
    pub mixed: f64,
}

/// The sentiment of `text`, written in `language` (a code such as `en`).
///
/// # Errors
/// [`Unavailable`] for every language but English.
pub fn detect(text: &str, language: &str) -> Result<Sentiment, Unavailable> {
    if language != "en" {
        return Err(Unavailable { engine: ENGINE, language: language.to_owned(), reads: "English" });
    }
    let shares: Vec<Shares> = sentences(text).into_iter().map(|range| judge(&text[range])).collect();
    Ok(combine(&shares))
}

/// One loaded word in ten makes a sentence as loaded as neutral.
const EVEN_PROPORTION: f64 = 0.1;

static VADER: LazyLock<SentimentIntensityAnalyzer<'static>> = LazyLock::new(SentimentIntensityAnalyzer::new);

#[derive(Debug, Clone, Copy)]
struct Shares {
    positive: f64,
    negative: f64,
    words: f64,
}

fn judge(sentence: &str) -> Shares {
    let scores = VADER.polarity_scores(sentence);
    let (positive, negative) = (proportion(&scores, "pos"), proportion(&scores, "neg"));
    let scale = 1.0 / (positive + negative + EVEN_PROPORTION);
    let words = u32::try_from(sentence.split_whitespace().count()).unwrap_or(u32::MAX);
    Shares { positive: positive * scale, negative: negative * scale, words: f64::from(words) }
}

fn proportion(scores: &HashMap<&str, f64>, name: &str) -> f64 {
    scores.get(name).copied().filter(|score| score.is_finite()).unwrap_or(0.0)
}

fn combine(sentences: &[Shares]) -> Sentiment {
    let words: f64 = sentences.iter().map(|sentence| sentence.words).sum::<f64>().max(1.0);
    let mean = |of: fn(&Shares) -> f64| sentences.iter().map(|s| of(s) * s.words).sum::<f64>() / words;
    let (positive, negative) = (mean(|s| s.positive), mean(|s| s.negative));
    let loaded = positive + negative;
    let share = |product: f64| if loaded > 0.0 { product / loaded } else { 0.0 };
    label([
        (Feeling::Positive, share(positive * positive)),
        (Feeling::Negative, share(negative * negative)),
        (Feeling::Neutral, 1.0 - loaded),
        (Feeling::Mixed, share(2.0 * positive * negative)),
    ])
}

fn label(scores: [(Feeling, f64); 4]) -> Sentiment {
    let [(_, positive), (_, negative), (_, neutral), (_, mixed)] = scores;
    let largest = scores.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let feeling = largest.map_or(Feeling::Neutral, |(feeling, _)| feeling);
    Sentiment { engine: ENGINE, feeling, positive, negative, neutral, mixed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_what_a_reader_would_say() {
        let cases = [
            ("I love this phone. It is wonderful and the support is excellent!", Feeling::Positive),
            ("The worst service ever. I hate it and I am very angry.", Feeling::Negative),
            ("The train leaves at nine from platform four.", Feeling::Neutral),
            ("The food was wonderful. The service was terrible.", Feeling::Mixed),
            ("It is not good.", Feeling::Negative),
            ("12345 67890", Feeling::Neutral),
            ("", Feeling::Neutral),
            ("Invoice 42 is due on Friday. Please pay to the account below.", Feeling::Neutral),
        ];
        for (text, expected) in cases {
            assert_eq!(detect(text, "en").unwrap().feeling, expected, "{text}");
        }
    }

    #[test]
    fn the_scores_sum_to_one_whatever_the_text() {
        let texts = ["", "good", "bad", "good bad", "🦀🦀", "!!!!", "a", "GREAT but awful. Not bad?"];
        let hostile = ["love ".repeat(20_000), "😀".repeat(25_000), "ا".repeat(50_000), "!".repeat(100_000)];
        for text in texts.into_iter().chain(hostile.iter().map(String::as_str)) {
            let found = detect(text, "en").unwrap();
            let scores = [found.positive, found.negative, found.neutral, found.mixed];
            assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{scores:?}");
            assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
        }
    }

    #[test]
    fn other_languages_are_refused_by_name() {
        let refusal = detect("Das ist gut", "de").unwrap_err();
        assert_eq!(refusal.to_string(), "read text in `de`: `vader_sentiment 0.1` reads English only");
    }
}
