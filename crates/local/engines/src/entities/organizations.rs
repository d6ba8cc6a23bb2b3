//! Organizations by legal form (`Acme Widgets Ltd`) or by a word that only institutions carry.

use crate::text::hits::Hit;
use crate::text::words::Words;

/// Legal forms that are no other word.
const LEGAL_FORMS: [&str; 26] = [
    "Inc",
    "INC",
    "Incorporated",
    "Ltd",
    "LTD",
    "LLC",
    "LLP",
    "Corp",
    "CORP",
    "Corporation",
    "PLC",
    "Plc",
    "plc",
    "GmbH",
    "gGmbH",
    "mbH",
    "KGaA",
    "OHG",
    "SARL",
    "SAS",
    "SpA",
    "Ltda",
    "Oyj",
    "ApS",
    "Pty",
    "GbR",
];

/// Legal forms that are also words or initials: they need a name of capital and small letters before them.
const SHORT_FORMS: [&str; 15] =
    ["AG", "SE", "KG", "SA", "SL", "NV", "BV", "AB", "AS", "ASA", "Oy", "Co", "Limited", "Company", "Lda"];

/// What follows a name and makes it an institution.
const LAST_WORDS: [&str; 31] = [
    "University",
    "Institute",
    "Foundation",
    "College",
    "Association",
    "Hospital",
    "Museum",
    "Council",
    "Commission",
    "Agency",
    "Airlines",
    "Airways",
    "Holdings",
    "Ministry",
    "Bank",
    "Society",
    "Federation",
    "Union",
    "Committee",
    "Universität",
    "Hochschule",
    "Stiftung",
    "Ministerium",
    "Bundesbank",
    "Group",
    "Technologies",
    "Laboratories",
    "Parliament",
    "Congress",
    "F.C",
    "FC",
];

/// What begins the name of an institution, with the small words that follow it.
const FIRST_WORDS: [&str; 16] = [
    "University",
    "Ministry",
    "Department",
    "Bank",
    "Institute",
    "Universität",
    "Universidad",
    "Université",
    "Università",
    "Universidade",
    "Ministerio",
    "Ministère",
    "Banco",
    "Banque",
    "Bundesministerium",
    "House",
];
const LINKS: [&str; 14] = ["of", "for", "the", "de", "del", "la", "las", "los", "des", "du", "für", "di", "da", "do"];

/// Only these have two subjects in one name: `Ministry of Food and Agriculture`.
const WITH_AND: [&str; 6] = ["Ministry", "Department", "Institute", "Ministerio", "Ministère", "Bundesministerium"];

/// Words with a capital that begin sentences and stand before names without being part of them.
pub(super) const NOT_A_NAME: [&str; 36] = [
    "The", "A", "An", "In", "At", "On", "By", "For", "From", "To", "Of", "And", "Or", "With", "As", "This", "That",
    "These", "Our", "Its", "His", "Her", "Their", "Each", "Any", "When", "While", "After", "Before", "Der", "Die",
    "Das", "El", "La", "Le", "Los",
];

/// The most words that a name has before its legal form.
const MOST_NAME_WORDS: usize = 6;

pub(super) fn find(words: &Words<'_>) -> Vec<Hit<()>> {
    (0..words.len()).filter_map(|at| by_form(words, at).or_else(|| by_first_word(words, at))).collect()
}

fn by_form(words: &Words<'_>, at: usize) -> Option<Hit<()>> {
    let word = words.str(at);
    let score = match word {
        form if LEGAL_FORMS.contains(&form) => 0.93,
        form if SHORT_FORMS.contains(&form) => 0.85,
        last if LAST_WORDS.contains(&last) => 0.8,
        _ => return None,
    };
    let start = name_before(words, at)?;
    let named = (start..at).any(|i| !is_form(words.str(i)));
    let written = (start..at).any(|i| words.get(i).is_some_and(|word| !word.is_acronym()));
    (named && (score > 0.9 || written)).then(|| {
        let abbreviated = matches!(word, "Inc" | "INC" | "Ltd" | "LTD" | "Corp" | "CORP" | "Co");
        let name = start..at + 1;
        let range = if abbreviated { words.range_with_stop(name) } else { words.range(name) };
        Hit { range, kind: (), score }
    })
}

/// `The Company, Limited` names nobody.
fn is_form(word: &str) -> bool {
    LEGAL_FORMS.contains(&word) || SHORT_FORMS.contains(&word) || LAST_WORDS.contains(&word)
}

/// The first word of the run of capital words that ends before `at`.
fn name_before(words: &Words<'_>, at: usize) -> Option<usize> {
    let mut start = at;
    while start > 0 && at - start < MOST_NAME_WORDS && joins(words, start, start == at) && is_name(words, start - 1) {
        start -= 1;
    }
    (start < at).then_some(start)
}

fn is_name(words: &Words<'_>, at: usize) -> bool {
    let word = words.str(at);
    words.capital(at) && !NOT_A_NAME.contains(&word)
}

fn joins(words: &Words<'_>, at: usize, before_form: bool) -> bool {
    matches!(words.gap(at), " " | "\u{a0}" | " & ") || (before_form && matches!(words.gap(at), ", " | " ("))
}

fn by_first_word(words: &Words<'_>, at: usize) -> Option<Hit<()>> {
    if !FIRST_WORDS.contains(&words.str(at)) || !is_link(words, at + 1) {
        return None;
    }
    let mut end = at + 1;
    let mut last_name = None;
    while end < words.len() && end - at <= MOST_NAME_WORDS && words.gap(end) == " " {
        if words.capital(end) {
            last_name = Some(end + 1);
        } else if !(is_link(words, end) || and_goes_on(words, at, end)) {
            break;
        }
        end += 1;
    }
    last_name.map(|end| hit(words, at, end, 0.85))
}

fn and_goes_on(words: &Words<'_>, first: usize, at: usize) -> bool {
    matches!(words.str(at), "and" | "und" | "y" | "et") && WITH_AND.contains(&words.str(first))
}

fn is_link(words: &Words<'_>, at: usize) -> bool {
    LINKS.contains(&words.str(at))
}

fn hit(words: &Words<'_>, start: usize, end: usize, score: f64) -> Hit<()> {
    Hit { range: words.range(start..end), kind: (), score }
}
