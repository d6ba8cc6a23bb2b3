//! Dates and times by their form, in six languages. A lone year needs a word before it.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::text::hits::{Hit, finds, regex};
use crate::text::{before, stands_alone};

/// A find with this score or more names a day or a month, not just a year, a weekday or an hour.
pub(crate) const WHOLE_DATE: f64 = 0.85;

/// Full and short month names, English and German, which write them with a capital.
const CAPITAL_MONTHS: &str = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Okt|Nov|Dec|Dez)\b\.?)";

/// Month names of the languages that write them small.
const SMALL_MONTHS: &str = r"(?i:enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre|janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro)";

const TIME: &str = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?";

struct Form {
    pattern: Regex,
    score: f64,
    check: fn(&str) -> bool,
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let year = "(?:1[0-9]|20|21)[0-9]{2}";
    let day = "(?:[12][0-9]|3[01]|0?[1-9])";
    [
        (format!(r"{year}-[0-9]{{2}}-[0-9]{{2}}(?:[T ]{TIME}(?: ?(?:Z|UTC|GMT|[+-][0-9]{{2}}:?[0-9]{{2}}))?)?"), 0.97, is_iso as fn(&str) -> bool),
        (format!(r"{year}/[0-9]{{1,2}}/[0-9]{{1,2}}"), 0.95, is_calendar),
        (format!(r"[0-9]{{1,2}}(?:/[0-9]{{1,2}}/|-[0-9]{{1,2}}-|\. ?[0-9]{{1,2}}\. ?){year}"), 0.95, is_calendar),
        (r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}".to_owned(), 0.87, is_calendar),
        (format!(r"(?:{WEEKDAYS},? (?:den |the )?)?\b{day}(?:st|nd|rd|th|\.)?[ -](?:of )?{CAPITAL_MONTHS}(?:,?[ -]{year})?(?:,? (?:at )?{TIME})?"), 0.95, any),
        (format!(r"(?:{WEEKDAYS},? )?\b{CAPITAL_MONTHS} {day}(?:st|nd|rd|th)?\b(?:,? {year}\b)?(?:,? (?:at )?{TIME}(?: ?[AaPp]\.?[Mm]\b)?)?"), 0.95, any),
        (format!(r"\b{CAPITAL_MONTHS},? (?:of )?{year}"), 0.93, any),
        (format!(r"\b{day}(?:er|º|°|\.)? (?:de |di )?{SMALL_MONTHS}(?: (?:de |del |do )?{year})?"), 0.95, any),
        (format!(r"\b{SMALL_MONTHS} (?:de |del )?{year}"), 0.92, any),
        (format!(r"{year} ?[–—-] ?{year}"), 0.75, is_year_range),
        (format!(r"(?i)\b(?:in|since|until|till|from|by|before|after|during|circa|year|im|seit|bis|jahr|en|desde|hasta|año|depuis|dès|année|dal|nel|anno|ano|em) ({year})"), 0.75, any),
        (format!(r"(?:^|[\s(,])({TIME}(?: ?[AaPp]\.?[Mm]\b\.?)?)"), 0.7, is_clock),
        (format!(r"(?:(?:next|last|this) )?\b{WEEKDAYS}"), 0.8, any),
        (r"(?i)\b(?:today|tomorrow|yesterday|last (?:night|week|month|year)|next (?:week|month|year))\b".to_owned(), 0.8, any),
    ]
    .into_iter()
    .map(|(pattern, score, check)| Form {
        pattern: regex(&pattern),
        score,
        check,
    })
    .collect()
});

const WEEKDAYS: &str = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonnabend|Sonntag|(?:Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun)\b\.?,)";

/// All dates, which may overlap: `2024-05-01` holds a year.
pub(crate) fn find(text: &str) -> Vec<Hit<()>> {
    let mut hits = Vec::new();
    for form in FORMS.iter() {
        let found = finds(&form.pattern, text).filter(|range| fits(text, range, form));
        hits.extend(found.map(|range| Hit { range, kind: (), score: form.score }));
    }
    hits
}

/// A date is not a piece of a longer number, path or version.
fn fits(text: &str, found: &Range<usize>, form: &Form) -> bool {
    let mut after = text[found.end..].chars();
    let goes_on = matches!(after.next(), Some('-' | '/' | ':' | '.' | ','))
        && after.next().is_some_and(|next| next.is_ascii_digit());
    let earlier = before(text, found.start, 1);
    !goes_on
        && !earlier.ends_with(['/', '-', '.', ':', '$', '€', '£'])
        && stands_alone(text, found)
        && (form.check)(&text[found.clone()])
}

fn any(_: &str) -> bool {
    true
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

fn is_iso(text: &str) -> bool {
    matches!(numbers(text).as_slice(), [_, 1..=12, 1..=31, ..])
}

/// Day first, month first or year first.
fn is_calendar(text: &str) -> bool {
    matches!(numbers(text).as_slice(), [1000..=9999, 1..=12, 1..=31] | [1..=12, 1..=31, _] | [1..=31, 1..=12, _])
}

fn is_year_range(text: &str) -> bool {
    matches!(numbers(text).as_slice(), [from, to] if from < to && to - from < 500)
}

/// `9:30` alone may be a score or a verse; `09:30` and `9:30 pm` are clock times.
fn is_clock(text: &str) -> bool {
    let hours = text.split(':').next().map_or(0, str::len);
    hours == 2 || text.ends_with(['m', 'M', '.'])
}
