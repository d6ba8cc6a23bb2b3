//! Named entities as far as rules honestly go, under Comprehend's types
//! (<https://docs.aws.amazon.com/comprehend/latest/dg/how-entities.html>).
//!
//! Dates, quantities, and web and mail addresses are found by their form; people only where a
//! title, a mail header, a greeting, a signature, a label or a birth date says that a name is a
//! name; organizations by legal form or by a word such as `University`; places from a small list
//! of countries and capitals. Events, titles and commercial items have no form that a rule could
//! trust, so they are never found. The score is that of the rule, not of a model.

pub(crate) mod dates;
mod organizations;
pub(crate) mod people;
mod places;
mod quantities;

use crate::pii::contact;
use crate::text::hits::{Hit, without_overlaps};
use crate::text::words::Words;
use crate::text::{CharIndex, Found, RULES_ENGINE, Span, Unavailable};

/// The engine's name.
pub const ENGINE: &str = RULES_ENGINE;

/// The languages whose titles, months and legal forms the rules know.
pub const LANGUAGES: [&str; 6] = ["de", "en", "es", "fr", "it", "pt"];

/// The types that rules can find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityType {
    /// A person.
    Person,
    /// A country or a capital.
    Location,
    /// A company or an institution.
    Organization,
    /// A date or a time.
    Date,
    /// A number with its unit: money, percent, measures.
    Quantity,
    /// A web or mail address, or a handle.
    Other,
}

impl EntityType {
    /// Comprehend's name of the type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "PERSON",
            Self::Location => "LOCATION",
            Self::Organization => "ORGANIZATION",
            Self::Date => "DATE",
            Self::Quantity => "QUANTITY",
            Self::Other => "OTHER",
        }
    }
}

/// One entity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityType,
    /// Where it stands.
    pub span: Span,
    /// How much the rule proves, 0 to 1.
    pub score: f64,
}

/// The entities of `text` in reading order, without overlaps; `language` is a code such as `en`.
///
/// # Errors
/// [`Unavailable`] for a language whose words the rules do not know.
pub fn detect(text: &str, language: &str) -> Result<Found<Entity>, Unavailable> {
    if !LANGUAGES.contains(&language) {
        let reads = "English, French, German, Italian, Portuguese and Spanish";
        return Err(Unavailable { engine: ENGINE, language: language.to_owned(), reads });
    }
    let index = CharIndex::new(text);
    let spans = without_overlaps(hits(text)).into_iter().map(|hit| Entity {
        kind: hit.kind,
        span: index.span(&hit.range),
        score: hit.score,
    });
    Ok(Found { engine: ENGINE, items: spans.collect() })
}

fn hits(text: &str) -> Vec<Hit<EntityType>> {
    let words = Words::new(text);
    let mut hits = quantities::find(text);
    hits.extend(addresses(text));
    hits.extend(of_kind(dates::find(text), EntityType::Date));
    hits.extend(of_kind(people::find(&words), EntityType::Person));
    hits.extend(of_kind(organizations::find(&words), EntityType::Organization));
    hits.extend(of_kind(places::find(&words), EntityType::Location));
    hits
}

fn of_kind(hits: Vec<Hit<()>>, kind: EntityType) -> impl Iterator<Item = Hit<EntityType>> {
    hits.into_iter().map(move |hit| hit.of_kind(kind))
}

/// Comprehend calls web and mail addresses `OTHER`.
fn addresses(text: &str) -> impl Iterator<Item = Hit<EntityType>> {
    let mut mails = Vec::new();
    contact::emails(text, &mut mails);
    let urls = contact::urls(text).into_iter().map(|range| Hit { range, kind: EntityType::Other, score: 0.99 });
    mails.into_iter().map(|hit| hit.of_kind(EntityType::Other)).chain(urls)
}

#[cfg(test)]
mod tests;
