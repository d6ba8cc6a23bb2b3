//! Postal addresses, as far as a street's own words show them: English, German, French, Spanish.

use super::kind::PiiType;
use crate::text::hits::{Rule, any};

/// `12 Long Acre` could be anything; a street has one of these words.
pub(super) const RULES: &[Rule<PiiType>] = &[
    Rule {
        kind: PiiType::Address,
        pattern: r"(?x)
            [0-9]{1,5}[A-Za-z]? \x20 (?:[NSEW]\.?\x20)? (?:[A-Z][A-Za-z'.-]{1,20}\x20|[0-9]{1,3}(?:st|nd|rd|th)\x20){1,4}
              (?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|
                 Parkway|Pkwy|Highway|Hwy|Circle|Crescent|Close|Gardens|Grove|Row|Mews)\b\.?
              (?:,?\x20(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Room|\#)\.?\x20?[A-Z0-9-]{1,6})?
              (?:,?\s(?:[A-Z][A-Za-z.-]{1,20}\x20?){1,3},\s?[A-Z]{2}\x20[0-9]{5}(?:-[0-9]{4})?
                |,?\s(?:[A-Z][A-Za-z.-]{1,20},?\x20){1,2}[A-Z]{1,2}[0-9][A-Z0-9]?\x20[0-9][A-Z]{2})?",
        cue: None,
        unless: None,
        check: |text| !text.ends_with(" Way") || text.matches(' ').count() > 1,
        score: 0.88,
    },
    Rule {
        kind: PiiType::Address,
        pattern: r"(?x)
            [A-ZÄÖÜ][a-zäöüß]{1,25}(?:[-][A-ZÄÖÜ][a-zäöüß]{1,20}){0,2}(?:[\x20-]?[Ss]tra(?:ß|ss)e|str\.|weg|platz|gasse|allee|ufer|damm)
              \x20[0-9]{1,4}\x20?[a-z]?\b
              (?:,?\s(?:D-)?[0-9]{5}\x20[A-ZÄÖÜ][a-zäöüß]{1,25})?",
        cue: None,
        unless: None,
        check: any,
        score: 0.9,
    },
    Rule {
        kind: PiiType::Address,
        pattern: r"(?x)
            (?:Calle|C/|Avenida|Avda\.|Av\.|Plaza|Paseo|Carrera)\x20(?:(?:de|del|la|las|los|el)\x20){0,2}
              [A-ZÁÉÍÓÚÑ][a-záéíóúñ]{1,20}(?:\x20(?:de\x20)?[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{1,20}){0,2},?\x20(?:n[º°.]?\x20?)?[0-9]{1,4}\b
              (?:,?\s[0-9]{5}\x20[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{1,20})?",
        cue: None,
        unless: None,
        check: any,
        score: 0.88,
    },
    Rule {
        kind: PiiType::Address,
        pattern: r"(?x)
            [0-9]{1,4}(?:\x20?(?:bis|ter))?,?\x20(?:rue|avenue|boulevard|place|quai|chemin|impasse|allée)\x20
              (?:(?:de|du|des|la|le|les|l'|d')\x20?){0,2}[A-ZÀÂÉÈÊÎÔ][a-zàâéèêîôç'-]{1,20}(?:[\x20-][A-ZÀÂÉÈÊÎÔ][a-zàâéèêîôç-]{1,20}){0,2}
              (?:,?\s[0-9]{5}\x20[A-ZÀÂÉÈÊÎÔ][a-zàâéèêîôç-]{1,20})?",
        cue: None,
        unless: None,
        check: any,
        score: 0.88,
    },
    Rule {
        kind: PiiType::Address,
        pattern: r"(?:P\. ?O\. ?Box|PO Box|Postfach|Apartado(?: de Correos)?) [0-9]{1,6}",
        cue: None,
        unless: None,
        check: any,
        score: 0.9,
    },
];
