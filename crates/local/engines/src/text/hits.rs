//! What a rule found, before it becomes an answer: byte ranges that may overlap, and rules as data.
//!
//! Every pattern here is a `regex` (linear time) with bounded repetition, so a search never reads
//! far beyond what it returns and going over all matches stays linear.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::Regex;

use super::{before, stands_alone};

/// One find of one rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hit<K> {
    pub(crate) range: Range<usize>,
    pub(crate) kind: K,
    pub(crate) score: f64,
}

impl<K> Hit<K> {
    pub(crate) fn of_kind<L>(self, kind: L) -> Hit<L> {
        Hit { range: self.range, kind, score: self.score }
    }
}

/// How far before a find a word may stand that explains it.
const CUE_BYTES: usize = 48;

/// One kind of find, as data.
pub(crate) struct Rule<K> {
    pub(crate) kind: K,
    /// The find is the first group where there is one, else the whole match.
    pub(crate) pattern: &'static str,
    /// A pattern that must match shortly before the find.
    pub(crate) cue: Option<&'static str>,
    /// A pattern that must not match shortly before the find.
    pub(crate) unless: Option<&'static str>,
    /// Check digits and ranges, over the found text.
    pub(crate) check: fn(&str) -> bool,
    pub(crate) score: f64,
}

/// A [`Rule`] whose patterns are compiled.
pub(crate) struct Compiled<K: 'static> {
    rule: &'static Rule<K>,
    pattern: Regex,
    cue: Option<Regex>,
    unless: Option<Regex>,
}

impl<K: Copy> Compiled<K> {
    pub(crate) fn new(rule: &'static Rule<K>) -> Self {
        Self { rule, pattern: regex(rule.pattern), cue: rule.cue.map(regex), unless: rule.unless.map(regex) }
    }

    pub(crate) fn find(&self, text: &str, hits: &mut Vec<Hit<K>>) {
        let (kind, score) = (self.rule.kind, self.rule.score);
        let found = finds(&self.pattern, text).filter(|range| self.accepts(text, range));
        hits.extend(found.map(|range| Hit { range, kind, score }));
    }

    fn accepts(&self, text: &str, range: &Range<usize>) -> bool {
        let earlier = before(text, range.start, CUE_BYTES);
        stands_alone(text, range)
            && !number_goes_on(text, range)
            && (self.rule.check)(&text[range.clone()])
            && self.cue.as_ref().is_none_or(|cue| cue.is_match(earlier))
            && !self.unless.as_ref().is_some_and(|unless| unless.is_match(earlier))
    }
}

/// What `pattern` finds: its first group, or the whole match where it has none, which is much faster.
pub(crate) fn finds(pattern: &Regex, text: &str) -> impl Iterator<Item = Range<usize>> {
    let grouped = pattern.captures_len() > 1;
    let whole = (!grouped).then(|| pattern.find_iter(text).map(|found| found.range()));
    let groups = grouped.then(|| pattern.captures_iter(text).filter_map(|captures| Some(captures.get(1)?.range())));
    whole.into_iter().flatten().chain(groups.into_iter().flatten())
}

/// A number before `-7` or `.7` is a piece of something longer.
fn number_goes_on(text: &str, range: &Range<usize>) -> bool {
    let mut after = text[range.end..].chars();
    text[..range.end].ends_with(|last: char| last.is_ascii_digit())
        && matches!(after.next(), Some('-' | '.'))
        && after.next().is_some_and(|next| next.is_ascii_digit())
}

/// Compiles a pattern of a rule table. Word ends are those of ASCII: with Unicode's the engine
/// falls back to its slowest search on every text that has one accent, and [`stands_alone`] looks
/// at the neighbours again in any case.
pub(crate) fn regex(pattern: &str) -> Regex {
    let ascii = pattern.replace(r"\b", r"(?-u:\b)");
    Regex::new(&ascii).expect("the patterns of the rule tables are valid")
}

/// Every text passes: for rules whose pattern says it all.
pub(crate) fn any(_: &str) -> bool {
    true
}

/// Where finds overlap, the surer one stays, then the longer one; in reading order.
pub(crate) fn without_overlaps<K>(mut hits: Vec<Hit<K>>) -> Vec<Hit<K>> {
    hits.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(b.range.len().cmp(&a.range.len())).then(a.range.start.cmp(&b.range.start))
    });
    let mut kept: BTreeMap<usize, Hit<K>> = BTreeMap::new();
    for hit in hits {
        let earlier = kept.range(..hit.range.end).next_back();
        if earlier.is_none_or(|(_, other)| other.range.end <= hit.range.start) {
            kept.insert(hit.range.start, hit);
        }
    }
    kept.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surer_and_then_the_longer_find_stays() {
        let hit = |range, kind, score| Hit { range, kind, score };
        let found = without_overlaps(vec![
            hit(0..4, 'a', 0.5),
            hit(2..9, 'b', 0.9),
            hit(9..12, 'c', 0.5),
            hit(9..14, 'd', 0.5),
            hit(14..15, 'e', 0.1),
        ]);
        let kinds: String = found.iter().map(|hit| hit.kind).collect();
        assert_eq!(kinds, "bde");
    }
}
