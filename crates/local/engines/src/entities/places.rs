//! Countries and capitals from a small list of our own, by their names in English and some neighbours.
//!
//! A name that is also a person's name or a word (`Georgia`, `Jordan`, `Victoria`) is taken only
//! where no other capital word touches it, and with less confidence.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::organizations::NOT_A_NAME;
use crate::text::hits::Hit;
use crate::text::words::Words;

/// One name a line; `?` marks a name that is also something else.
const GAZETTEER: &str = include_str!("gazetteer.txt");

const SURE: f64 = 0.9;
const DOUBTFUL: f64 = 0.6;

/// The names that begin with a word, longest first.
static NAMES: LazyLock<HashMap<&'static str, Vec<Name>>> = LazyLock::new(|| {
    let mut names: HashMap<&str, Vec<Name>> = HashMap::new();
    for line in GAZETTEER.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let name = Name::read(line);
        names.entry(name.words[0]).or_default().push(name);
    }
    for list in names.values_mut() {
        list.sort_by_key(|name| std::cmp::Reverse(name.words.len()));
    }
    names
});

struct Name {
    words: Vec<&'static str>,
    doubtful: bool,
}

impl Name {
    fn read(line: &'static str) -> Self {
        let plain = line.trim_end_matches('?');
        let words = plain.split([' ', '.', ',']).filter(|word| !word.is_empty()).collect();
        Self { words, doubtful: plain.len() < line.len() }
    }
}

pub(super) fn find(words: &Words<'_>) -> Vec<Hit<()>> {
    let mut hits = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let name = name_at(words, at);
        let length = name.map_or(1, |name| name.words.len());
        if let Some(score) = name.and_then(|name| score(words, at, name)) {
            hits.push(Hit { range: range(words, at..at + length), kind: (), score });
        }
        at += length;
    }
    hits
}

/// The full stop belongs to `U.S.`, not to `France.`
fn range(words: &Words<'_>, name: Range<usize>) -> Range<usize> {
    let initials = words.str(name.end - 1).len() == 1;
    if initials { words.range_with_stop(name) } else { words.range(name) }
}

fn name_at(words: &Words<'_>, at: usize) -> Option<&'static Name> {
    let joined = |at: usize| matches!(words.gap(at), " " | "\u{a0}" | "\n" | "." | ", " | ". ");
    NAMES.get(words.str(at))?.iter().find(|name| {
        let rest = name.words.iter().enumerate().skip(1);
        rest.into_iter().all(|(i, word)| words.str(at + i) == *word && joined(at + i))
    })
}

fn score(words: &Words<'_>, at: usize, name: &Name) -> Option<f64> {
    let end = at + name.words.len();
    let before = at > 0 && words.gap(at) == " " && words.capital(at - 1) && !NOT_A_NAME.contains(&words.str(at - 1));
    let after = words.gap(end) == " " && words.capital(end);
    match (name.doubtful, before || after) {
        (true, true) => None,
        (true, false) => Some(DOUBTFUL),
        (false, _) => Some(SURE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_name() {
        let names: usize = NAMES.values().map(Vec::len).sum();
        assert!(names > 350, "{names}");
        let capital = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
        assert!(NAMES.values().flatten().all(|name| capital(name.words[0])));
    }
}
