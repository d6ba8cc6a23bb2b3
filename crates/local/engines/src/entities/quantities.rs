//! Numbers with units: money, percent, measures.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::EntityType;
use crate::text::hits::{Hit, finds, regex};
use crate::text::stands_alone;

static FORMS: LazyLock<Vec<(Regex, f64)>> = LazyLock::new(|| {
    let scale = r"(?:[ -]?(?:(?i:thousand|million|billion|trillion|mio|mrd|millones|millions|milliards|millionen|milliarden)\b\.?|(?:bn|[kKmMB])\b))";
    let number = r"[0-9]{1,3}(?:[.,'][0-9]{3}){1,5}(?:[.,][0-9]{1,2})?|[0-9]{1,12}(?:[.,][0-9]{1,6})?";
    let units = "km/h|kWh|kph|mph|MHz|GHz|kHz|Hz|kW|MW|GW|km|cm|mm|µm|nm|m²|m³|m|kg|mg|g|lbs?|oz|ft|GB|MB|kB|KB|TB|ml|cl|°C|°F|°|\
        (?:kilo|centi|milli)?met(?:er|re)s?|inch(?:es)?|feet|foot|yards?|miles?|(?:kilo)?grams?|tons?|tonnes?|pounds?|ounces?|lit(?:er|re)s?|gallons?|acres?|hectares?|\
        seconds?|minutes?|hours?|days?|weeks?|months?|years?|people|percentage points|\
        Kilometer|Meter|Kilogramm|Gramm|Tonnen|Liter|Sekunden|Minuten|Stunden|Tage|Wochen|Monate|Jahre|\
        kilómetros|metros|kilos|horas|días|semanas|meses|años|heures|jours|semaines|mois|ans";
    [
        (format!(r"(?:US|CA|A|C|NZ|HK|S)?[$€£¥₹] ?(?:{number}){scale}?"), 0.97),
        (format!(r"(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|INR|CNY|Rs\.?) ?(?:{number}){scale}?"), 0.96),
        (format!(r"(?:{number}){scale}? ?(?:[€£₹]|(?:EUR|USD|GBP|CHF|JPY|CAD|AUD|(?i:euros?|dollars?|cents|pesos|francs|pounds sterling))\b)"), 0.96),
        (format!(r"(?:{number}) ?(?:%|‰|(?i:percent|per cent|prozent|por ciento|pour cent|per cento|por cento)\b)"), 0.97),
        (r"[0-9]{1,2} ?(?:ft|'|′) ?[0-9]{1,2} ?(?:in\b|''|″)".to_owned(), 0.93),
        (format!(r"(?:{number})(?: |-|\x{{a0}})?(?:{units})(?:\b|$)"), 0.85),
    ]
    .into_iter()
    .map(|(pattern, score)| (regex(&pattern), score))
    .collect()
});

pub(super) fn find(text: &str) -> Vec<Hit<EntityType>> {
    let mut hits = Vec::new();
    for (pattern, score) in FORMS.iter() {
        let found = finds(pattern, text).filter(|range| fits(text, range));
        hits.extend(found.map(|range| Hit { range, kind: EntityType::Quantity, score: *score }));
    }
    hits
}

/// The number must begin where the match begins: `1.234.567 m` is not `567 m`.
fn fits(text: &str, found: &Range<usize>) -> bool {
    let mut earlier = text[..found.start].chars().rev();
    let joined = matches!(earlier.next(), Some('.' | ',' | '/' | '-' | '_' | '#'))
        && earlier.next().is_some_and(char::is_alphanumeric);
    let after = text[found.end..].starts_with(['_', '/']);
    !joined && !after && stands_alone(text, found)
}
