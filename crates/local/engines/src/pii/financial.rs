//! Money: cards, accounts and the codes around them.

use std::ops::Range;

use super::checks::{digits, iban, luhn, routing};
use super::kind::PiiType;
use crate::text::hits::{Hit, Rule, any};
use crate::text::stands_alone;

/// Words that announce a number which only happens to look like a card.
const NO_CARD_CUE: &str = r"(?i)\b(?:isbn|issn|imei|order|invoice|tracking|serial|reference|ref|article|sku|ean|gtin|barcode|session|phone|tel)\s?(?:no|number|nr|#|id)?\.?\s?[:#=]?\s?$";

pub(super) const RULES: &[Rule<PiiType>] = &[
    Rule {
        kind: PiiType::CreditDebitNumber,
        pattern: r"[2-6][0-9](?:[ -]?[0-9]){10,17}",
        cue: None,
        unless: Some(NO_CARD_CUE),
        check: card,
        score: 0.97,
    },
    Rule {
        kind: PiiType::CreditDebitCvv,
        pattern: r"[0-9]{3,4}",
        cue: Some(
            r"(?i)\b(?:cvv2?|cvc2?|cid|security code|card verification (?:code|number|value))(?: is)?\s?[:#=]?\s{0,2}$",
        ),
        unless: None,
        check: any,
        score: 0.95,
    },
    Rule {
        kind: PiiType::CreditDebitExpiry,
        pattern: r"(?:0[1-9]|1[0-2])\s?/\s?(?:20)?[2-4][0-9]",
        cue: Some(
            r"(?i)\b(?:exp|expires|expiry|expiration|valid (?:thru|until|to|through))(?: date)?\.?(?: on)?\s?[:=]?\s{0,2}$",
        ),
        unless: None,
        check: any,
        score: 0.95,
    },
    Rule {
        kind: PiiType::BankRouting,
        pattern: r"[0-9]{9}",
        cue: Some(
            r"(?i)\b(?:routing|aba|rtn|aba routing|transit)(?: (?:transit )?(?:no|nr|number|code|#))?\.?(?: is)?\s?[:#=]?\s{0,3}$",
        ),
        unless: None,
        check: |text| routing(&digits(text)),
        score: 0.97,
    },
    Rule {
        kind: PiiType::BankAccountNumber,
        pattern: r"[0-9]{2,6}(?:[ -]?[0-9]{2,6}){1,4}",
        cue: Some(
            r"(?i)\b(?:account|acct|a/c|konto|kontonummer|kto|cuenta)\.?(?: ?(?:no|nr|num|number|#|nummer|número))?\.?(?: is)?\s?[:#=]\s{0,3}$|(?i)\b(?:account|acct|a/c) (?:no|number)\.?(?: is)?\s{1,3}$",
        ),
        unless: None,
        check: |text| (6..=17).contains(&digits(text).len()),
        score: 0.9,
    },
    Rule {
        kind: PiiType::SwiftCode,
        pattern: r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
        cue: Some(r"(?i)\b(?:swift|bic)(?:[ /-](?:bic|swift))?(?:[ -]code)?\s?[:#=]?\s{0,3}$"),
        unless: None,
        check: any,
        score: 0.95,
    },
];

/// Luhn's digit, the length and the first digits of a known scheme, and groups as cards print them.
fn card(text: &str) -> bool {
    let digits = digits(text);
    let varied = digits.windows(2).any(|pair| pair[0] != pair[1]);
    varied && is_scheme(&digits) && printed_like_a_card(text) && luhn(&digits)
}

/// ISO/IEC 7812 issuer ranges of the schemes in wide use.
fn is_scheme(digits: &[u32]) -> bool {
    let prefix = digits.iter().take(6).fold(0, |number, digit| number * 10 + digit);
    match prefix {
        400_000..=499_999 => matches!(digits.len(), 13 | 16 | 19),
        340_000..=349_999 | 370_000..=379_999 => digits.len() == 15,
        510_000..=559_999 | 222_100..=272_099 | 352_800..=358_999 => digits.len() == 16,
        300_000..=305_999 | 360_000..=369_999 | 380_000..=399_999 => digits.len() == 14,
        601_100..=601_199 | 620_000..=629_999 | 644_000..=659_999 => (16..=19).contains(&digits.len()),
        _ => false,
    }
}

fn printed_like_a_card(text: &str) -> bool {
    let separators = text.chars().filter(|c| !c.is_ascii_digit()).collect::<Vec<_>>();
    let same = separators.windows(2).all(|pair| pair[0] == pair[1]);
    let groups: Vec<usize> = text.split([' ', '-']).map(str::len).collect();
    let printed = matches!(groups.as_slice(), [_] | [4, 6, 4 | 5] | [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=3]);
    same && printed
}

/// Lengths by country, from the SWIFT IBAN registry.
const IBAN_LENGTHS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20";

/// IBANs, written together or in groups of four.
pub(super) fn ibans(text: &str, hits: &mut Vec<Hit<PiiType>>) {
    let bytes = text.as_bytes();
    for start in 0..bytes.len().saturating_sub(4) {
        let head = &bytes[start..start + 4];
        let looks = head[..2].iter().all(u8::is_ascii_uppercase) && head[2..].iter().all(u8::is_ascii_digit);
        if looks && let Some(range) = iban_at(text, start) {
            hits.push(Hit { range, kind: PiiType::InternationalBankAccountNumber, score: 0.99 });
        }
    }
}

fn iban_at(text: &str, start: usize) -> Option<Range<usize>> {
    let length = iban_length(&text[start..start + 2])?;
    let (mut compact, mut end) = (String::with_capacity(length), start);
    for (at, character) in text[start..].char_indices() {
        if compact.len() == length {
            break;
        }
        match character {
            'A'..='Z' | '0'..='9' => compact.push(character),
            ' ' | '\u{a0}' if compact.len() % 4 == 0 => continue,
            _ => return None,
        }
        end = start + at + 1;
    }
    let range = start..end;
    (compact.len() == length && iban(&compact) && stands_alone(text, &range)).then_some(range)
}

fn iban_length(country: &str) -> Option<usize> {
    let entries = IBAN_LENGTHS.as_bytes().chunks(4);
    let mut found = entries.filter(|entry| entry.starts_with(country.as_bytes()));
    std::str::from_utf8(&found.next()?[2..]).ok()?.parse().ok()
}
