//! Which languages a passage can be in at all, from its stop words, before any model is read.
//!
//! lingua's models take some two megabytes for each language and are read at random, so asking all
//! of them about every passage maps the whole program file into memory. A passage with enough stop
//! words of one language is only compared with that language's nearest rivals and relatives; any
//! other passage is compared with all.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use lingua::Language;
use yake_rust::StopWords;

/// At least this many different stop words, and this share of all words, make a passage's language clear.
const LEAST_DISTINCT: usize = 4;
const LEAST_SHARE_PERCENT: usize = 25;

/// How many languages are taken by their stop words; their relatives come on top.
const MOST_RIVALS: usize = 3;

/// Languages in Latin letters with a list of stop words, and the relatives that they are mistaken for.
const FAMILIES: [(&str, Language, &[Language]); 23] = [
    ("en", Language::English, &[]),
    ("de", Language::German, &[]),
    ("nl", Language::Dutch, &[Language::Afrikaans]),
    ("da", Language::Danish, &[Language::Bokmal, Language::Nynorsk, Language::Swedish]),
    ("no", Language::Bokmal, &[Language::Nynorsk, Language::Danish, Language::Swedish]),
    ("sv", Language::Swedish, &[Language::Danish, Language::Bokmal, Language::Nynorsk]),
    ("es", Language::Spanish, &[Language::Catalan, Language::Portuguese, Language::Latin, Language::Esperanto]),
    ("pt", Language::Portuguese, &[Language::Spanish, Language::Catalan, Language::Latin]),
    ("it", Language::Italian, &[Language::Spanish, Language::Latin, Language::Esperanto, Language::Catalan]),
    ("fr", Language::French, &[Language::Catalan, Language::Latin, Language::Esperanto]),
    ("ro", Language::Romanian, &[Language::Italian]),
    ("cz", Language::Czech, &[Language::Slovak]),
    ("sk", Language::Slovak, &[Language::Czech, Language::Tagalog]),
    ("pl", Language::Polish, &[]),
    ("hr", Language::Croatian, &[Language::Bosnian, Language::Slovene, Language::Serbian]),
    ("sl", Language::Slovene, &[Language::Croatian, Language::Bosnian]),
    ("id", Language::Indonesian, &[Language::Malay]),
    ("tr", Language::Turkish, &[Language::Azerbaijani]),
    ("et", Language::Estonian, &[Language::Finnish]),
    ("fi", Language::Finnish, &[Language::Estonian]),
    ("hu", Language::Hungarian, &[]),
    ("lt", Language::Lithuanian, &[]),
    ("lv", Language::Latvian, &[]),
];

/// For each stop word the families, as indices, that have it.
static STOP_WORDS: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    let mut words: HashMap<String, Vec<usize>> = HashMap::new();
    for (family, (code, ..)) in FAMILIES.iter().enumerate() {
        for word in StopWords::predefined(code).unwrap_or_default().iter().filter(|word| word.len() > 1) {
            words.entry(word.clone()).or_default().push(family);
        }
    }
    words
});

/// The languages to compare, most likely first; empty where only all of them will do.
pub(super) fn candidates(words: &str) -> Vec<Language> {
    let lower = words.to_lowercase();
    let hits = count(&lower);
    let mut ranked: Vec<usize> = (0..FAMILIES.len()).filter(|family| hits[*family].0 > 0).collect();
    ranked.sort_by_key(|family| std::cmp::Reverse(hits[*family]));
    let total = lower.split_whitespace().count();
    let clear = ranked.first().is_some_and(|best| {
        let (all, distinct) = hits[*best];
        distinct >= LEAST_DISTINCT && all * 100 >= total * LEAST_SHARE_PERCENT
    });
    if clear { with_relatives(&ranked) } else { Vec::new() }
}

/// How often the stop words of each family come, and how many different ones.
fn count(lower: &str) -> [(usize, usize); FAMILIES.len()] {
    let mut hits = [(0, 0); FAMILIES.len()];
    let mut seen = HashSet::new();
    for word in lower.split_whitespace() {
        let new = usize::from(seen.insert(word));
        for family in STOP_WORDS.get(word).into_iter().flatten() {
            hits[*family].0 += 1;
            hits[*family].1 += new;
        }
    }
    hits
}

fn with_relatives(ranked: &[usize]) -> Vec<Language> {
    let mut languages = Vec::new();
    for family in &ranked[..ranked.len().min(MOST_RIVALS)] {
        let (_, language, relatives) = FAMILIES[*family];
        languages.extend(std::iter::once(language).chain(relatives.iter().copied()));
    }
    let mut seen = HashSet::new();
    languages.retain(|language| seen.insert(*language));
    // lingua needs two languages to compare.
    if languages.len() < 2 {
        languages.push(if languages.contains(&Language::English) { Language::German } else { Language::English });
    }
    languages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_passage_has_few_candidates_and_its_own_first() {
        let english =
            candidates("the committee will meet again on Thursday to discuss what has been done with the budget");
        assert_eq!(english[0], Language::English);
        assert!(english.len() < 12, "{english:?}");
        let danish = candidates("jeg ved ikke hvad der er sket med det hele men det er ikke godt for os");
        assert!(danish.contains(&Language::Danish) && danish.contains(&Language::Bokmal), "{danish:?}");
    }

    #[test]
    fn an_unclear_passage_has_none() {
        for text in [
            "",
            "Norwich City Watford",
            "Watu wote wamezaliwa huru hadhi na haki zao ni sawa",
            "Комитет снова соберётся",
        ] {
            assert_eq!(candidates(text), [], "{text}");
        }
    }
}
