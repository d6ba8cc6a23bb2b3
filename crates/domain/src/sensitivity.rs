//! How sensitive a file is, by the kinds of personal data that were found in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sensitivity, rising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Sensitivity {
    /// Nobody looked for personal data, so nothing can be said.
    #[default]
    Unknown,
    /// None was found.
    None,
    /// Contact data: names, addresses, dates.
    Personal,
    /// Identity documents, bank data, credentials.
    Restricted,
}

/// Kinds of personal data that identify or harm by themselves, in Amazon Comprehend's names.
///
/// <https://docs.aws.amazon.com/comprehend/latest/dg/how-pii.html>
const RESTRICTED: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "BANK_ACCOUNT_NUMBER",
    "BANK_ROUTING",
    "CA_HEALTH_NUMBER",
    "CA_SOCIAL_INSURANCE_NUMBER",
    "CREDIT_DEBIT_CVV",
    "CREDIT_DEBIT_EXPIRY",
    "CREDIT_DEBIT_NUMBER",
    "DRIVER_ID",
    "IN_AADHAAR",
    "IN_PERMANENT_ACCOUNT_NUMBER",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "PASSPORT_NUMBER",
    "PASSWORD",
    "PIN",
    "SSN",
    "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_NATIONAL_INSURANCE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
];

/// Kinds that say little about a person by themselves.
const HARMLESS: &[&str] = &["DATE_TIME", "URL"];

/// The sensitivity of a file in which these kinds were found; `looked` is false where nobody looked.
#[must_use]
pub fn sensitivity<'a>(looked: Looked, kinds: impl IntoIterator<Item = &'a str>) -> Sensitivity {
    let base = match looked {
        Looked::Yes => Sensitivity::None,
        Looked::No => Sensitivity::Unknown,
    };
    kinds.into_iter().map(of_kind).fold(base, Ord::max)
}

/// Whether anybody looked for personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// A service looked.
    Yes,
    /// None did: no text, no such language, or the feature is off.
    No,
}

fn of_kind(kind: &str) -> Sensitivity {
    if RESTRICTED.contains(&kind) {
        Sensitivity::Restricted
    } else if HARMLESS.contains(&kind) {
        Sensitivity::None
    } else {
        Sensitivity::Personal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_kind_decides() {
        assert_eq!(sensitivity(Looked::No, []), Sensitivity::Unknown);
        assert_eq!(sensitivity(Looked::Yes, []), Sensitivity::None);
        assert_eq!(sensitivity(Looked::Yes, ["URL"]), Sensitivity::None);
        assert_eq!(sensitivity(Looked::Yes, ["EMAIL", "NAME"]), Sensitivity::Personal);
        assert_eq!(sensitivity(Looked::Yes, ["EMAIL", "SSN"]), Sensitivity::Restricted);
    }
}
