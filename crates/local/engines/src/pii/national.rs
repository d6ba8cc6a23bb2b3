//! Numbers that states give to people and vehicles.
//!
//! Where the number has neither check digit nor a shape of its own, only a cue word makes it one.

use super::checks::{digits, luhn, nhs, verhoeff, vin};
use super::kind::PiiType;
use crate::text::hits::{Rule, any};

/// What may stand between a cue word and its number.
macro_rules! cue {
    ($words:literal) => {
        Some(concat!(
            r"(?i)\b(?:",
            $words,
            r")(?:[ -]?(?:no|nr|num|number|card|card number|id|code|#|n[.º°o]))?\.?(?: is| was|:)?\s{0,2}[:#=]?\s{0,3}$"
        ))
    };
}

pub(super) const RULES: &[Rule<PiiType>] = &[
    Rule {
        kind: PiiType::Ssn,
        pattern: r"[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}",
        cue: None,
        unless: Some(r"\d[-.]$"),
        check: ssn,
        score: 0.97,
    },
    Rule {
        kind: PiiType::Ssn,
        pattern: r"[0-8][0-9]{2} ?[0-9]{2} ?[0-9]{4}",
        cue: cue!(r"ssn|social security|soc\.? sec\.?"),
        unless: None,
        check: ssn,
        score: 0.95,
    },
    Rule {
        kind: PiiType::UsIndividualTaxIdentificationNumber,
        pattern: r"9[0-9]{2}-(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-24-9])-[0-9]{4}",
        cue: None,
        unless: Some(r"\d[-.]$"),
        check: any,
        score: 0.95,
    },
    Rule {
        kind: PiiType::UkNationalInsuranceNumber,
        pattern: r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
        cue: None,
        unless: None,
        check: nino,
        score: 0.93,
    },
    Rule {
        kind: PiiType::UkNationalHealthServiceNumber,
        pattern: r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}",
        cue: cue!(r"nhs|national health service"),
        unless: None,
        check: |text| nhs(&digits(text)),
        score: 0.97,
    },
    Rule {
        kind: PiiType::UkUniqueTaxpayerReferenceNumber,
        pattern: r"[0-9]{5} ?[0-9]{5}",
        cue: cue!(r"utr|unique taxpayer(?:'s)? reference"),
        unless: None,
        check: any,
        score: 0.93,
    },
    Rule {
        kind: PiiType::CaSocialInsuranceNumber,
        pattern: r"[1-79][0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}",
        cue: cue!(r"(?-i:SIN|NAS)|social insurance|assurance sociale"),
        unless: None,
        check: |text| luhn(&digits(text)),
        score: 0.96,
    },
    Rule {
        kind: PiiType::CaHealthNumber,
        pattern: r"[0-9]{4}[ -]?[0-9]{3}[ -]?[0-9]{3}",
        cue: cue!(r"health card|ohip|health insurance card"),
        unless: None,
        check: any,
        score: 0.9,
    },
    Rule {
        kind: PiiType::InAadhaar,
        pattern: r"[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}",
        cue: cue!(r"aadhaar|aadhar|uidai|uid"),
        unless: None,
        check: |text| verhoeff(&digits(text)),
        score: 0.97,
    },
    Rule {
        kind: PiiType::InPermanentAccountNumber,
        pattern: r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]",
        cue: cue!(r"(?-i:PAN)|permanent account"),
        unless: None,
        check: any,
        score: 0.96,
    },
    Rule {
        kind: PiiType::InVoterNumber,
        pattern: r"[A-Z]{3}[0-9]{7}",
        cue: cue!(r"voter|voter id|epic|electoral"),
        unless: None,
        check: any,
        score: 0.93,
    },
    Rule {
        kind: PiiType::PassportNumber,
        pattern: r"[A-Z0-9]{6,9}",
        cue: cue!(r"passport|reisepass|pasaporte|passeport"),
        unless: None,
        check: |text| digits(text).len() >= 5,
        score: 0.93,
    },
    Rule {
        kind: PiiType::DriverId,
        pattern: r"[A-Z0-9](?:[ -]?[A-Z0-9]){4,19}",
        cue: cue!(
            r"driver(?:'s|’s|s)?[ -]?licen[cs]e|driving licen[cs]e|dln|(?-i:DL)|führerschein|licencia de conducir"
        ),
        unless: None,
        check: |text| digits(text).len() >= 4,
        score: 0.92,
    },
    Rule {
        kind: PiiType::LicensePlate,
        pattern: r"[A-Z0-9]{1,4}(?:[ -]?[A-Z0-9]{1,5}){1,2}",
        cue: cue!(r"licen[cs]e plate|number plate|plate|kennzeichen|matrícula"),
        unless: None,
        check: |text| text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().any(|b| b.is_ascii_uppercase()),
        score: 0.9,
    },
    Rule {
        kind: PiiType::VehicleIdentificationNumber,
        pattern: r"[A-HJ-NPR-Z0-9]{17}",
        cue: None,
        unless: None,
        check: |text| vin(text) && text.bytes().any(|b| b.is_ascii_uppercase()),
        score: 0.93,
    },
    Rule {
        kind: PiiType::Age,
        pattern: r"(?i)(?:1[01][0-9]|[1-9]?[0-9])(?: |-)?(?:years?|yrs?)(?: |-)old",
        cue: None,
        unless: None,
        check: any,
        score: 0.93,
    },
    Rule {
        kind: PiiType::Age,
        pattern: r"(?:1[01][0-9]|[1-9]?[0-9])",
        cue: Some(r"(?i)\b(?:aged|age[:=])\s{1,2}$"),
        unless: None,
        check: any,
        score: 0.9,
    },
];

/// The Social Security Administration never gave out area 000, 666 or 9xx, group 00 or serial 0000.
fn ssn(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let parts = (digits.get(..3), digits.get(3..5), digits.get(5..));
    !matches!(parts, (Some("000" | "666"), ..) | (_, Some("00"), _) | (.., Some("0000")))
}

/// Prefixes that His Majesty's Revenue and Customs never gives out.
fn nino(text: &str) -> bool {
    !["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"].iter().any(|prefix| text.starts_with(prefix))
}
