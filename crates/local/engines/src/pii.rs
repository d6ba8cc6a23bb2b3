//! Personal data by rules: patterns, check digits, and words that announce a number.
//!
//! The types are Amazon Comprehend's own
//! (<https://docs.aws.amazon.com/comprehend/latest/dg/how-pii.html>). What has a check digit must
//! pass it; what looks like any other number needs a cue word before it. A rule would rather miss
//! than mark a price, a version, an ISBN or an order number. Names are found only where something
//! says that they are names: a title, a mail header, a greeting, a signature, a label.
//!
//! Only the place and the type are returned, never the value.

mod address;
mod checks;
pub(crate) mod contact;
mod financial;
mod kind;
mod national;
mod secret;

use std::sync::LazyLock;

pub use kind::PiiType;

use crate::entities::{dates, people};
use crate::text::hits::{Compiled, Hit, Rule, without_overlaps};
use crate::text::words::Words;
use crate::text::{CharIndex, Found, RULES_ENGINE, Span};

/// The engine's name.
pub const ENGINE: &str = RULES_ENGINE;

/// One piece of personal data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PiiSpan {
    /// What it is.
    pub kind: PiiType,
    /// Where it stands.
    pub span: Span,
    /// How much the rule proves, 0 to 1.
    pub score: f64,
}

/// The personal data in `text`, in reading order and without overlaps.
#[must_use]
pub fn detect(text: &str) -> Found<PiiSpan> {
    let index = CharIndex::new(text);
    let spans = without_overlaps(hits(text)).into_iter().map(|hit| PiiSpan {
        kind: hit.kind,
        span: index.span(&hit.range),
        score: hit.score,
    });
    Found { engine: ENGINE, items: spans.collect() }
}

static RULES: LazyLock<Vec<Compiled<PiiType>>> = LazyLock::new(|| {
    let tables: [&'static [Rule<PiiType>]; 5] =
        [contact::RULES, financial::RULES, national::RULES, secret::RULES, address::RULES];
    tables.into_iter().flatten().map(Compiled::new).collect()
});

fn hits(text: &str) -> Vec<Hit<PiiType>> {
    let mut hits = Vec::new();
    for rule in RULES.iter() {
        rule.find(text, &mut hits);
    }
    hits.extend(contact::urls(text).into_iter().map(|range| Hit { range, kind: PiiType::Url, score: 0.99 }));
    contact::emails(text, &mut hits);
    contact::ipv6(text, &mut hits);
    financial::ibans(text, &mut hits);
    let words = Words::new(text);
    hits.extend(people::find(&words).into_iter().map(|hit| hit.of_kind(PiiType::Name)));
    hits.extend(dates::find(text).into_iter().filter(says_more_than_a_year).map(|hit| hit.of_kind(PiiType::DateTime)));
    hits
}

/// A lone year or weekday is a date, but says nothing about a person.
fn says_more_than_a_year(hit: &Hit<()>) -> bool {
    hit.score >= dates::WHOLE_DATE
}

#[cfg(test)]
pub(crate) mod tests;
