//! Ways to reach somebody: mail, web, telephone and network addresses.

use std::net::Ipv6Addr;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::checks::digits;
use super::kind::PiiType;
use crate::text::hits::{Hit, Rule, any, regex};
use crate::text::stands_alone;

/// Words before a dotted number that make it a version or a section, not an address.
const VERSION_CUE: &str = r"(?i)(?:\bv|\bver\.?|\bversion|\brelease|\bsection|\bchapter|\bfirmware|§|\d\.|\$)\s?:?\s?$";

/// Words that make the digits after them no telephone number.
const NUMBER_CUE: &str = r"(?i)(?:\b(?:isbn|order|invoice|tracking|serial|part|ref|reference|item|article|sku|case|ticket|id|account|acct|nhs)\s?(?:no|number|nr|#|id)?\.?\s?[:#]?\s?|[$€£#]|\d[.,/-]|\bv)$";

pub(super) const RULES: &[Rule<PiiType>] = &[
    Rule {
        kind: PiiType::IpAddress,
        pattern: r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b",
        cue: None,
        unless: Some(VERSION_CUE),
        check: ipv4,
        score: 0.95,
    },
    Rule {
        kind: PiiType::MacAddress,
        pattern: r"(?i)\b[0-9a-f]{2}(?::[0-9a-f]{2}){5,19}\b|\b[0-9a-f]{2}(?:-[0-9a-f]{2}){5,19}\b",
        cue: None,
        unless: Some(r"[:-]$"),
        check: |text| text.len() == 17,
        score: 0.97,
    },
    // An international number says so itself.
    Rule {
        kind: PiiType::Phone,
        pattern: r"\+[1-9][0-9]{0,2}(?:[ .-]?\(0?[0-9]{1,4}\))?(?:[ .\-/]?[0-9]{1,5}){1,6}",
        cue: None,
        unless: Some(r"[\d+=^]\s?$"),
        check: |text| (8..=15).contains(&digits(text).len()),
        score: 0.98,
    },
    Rule {
        kind: PiiType::Phone,
        pattern: r"(?:1[ .-])?\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-][0-9]{4}",
        cue: None,
        unless: Some(NUMBER_CUE),
        check: any,
        score: 0.97,
    },
    Rule {
        kind: PiiType::Phone,
        pattern: r"\b((?:1[-. ])?[2-9][0-9]{2}(?:-[2-9][0-9]{2}-|\.[2-9][0-9]{2}\.)[0-9]{4})",
        cue: None,
        unless: Some(NUMBER_CUE),
        check: any,
        score: 0.95,
    },
    // Any other grouping needs the word before it.
    Rule {
        kind: PiiType::Phone,
        pattern: r"\(?[0-9]{1,13}\)?(?:[ .\-/]{1,3}[0-9]{1,10}){0,5}",
        cue: Some(
            r"(?i)\b(?:tel|phone|telephone|mobile|mob|cell|fax|telefon|telefax|handy|teléfono|telefono|móvil|téléphone|tél|portable|whatsapp|hotline|call(?: (?:me|us))?(?: (?:at|on))?)(?: ?(?:no|nr|number|#))?\.?\s?[:#]?\s{0,3}$",
        ),
        unless: None,
        check: |text| (6..=13).contains(&digits(text).len()),
        score: 0.9,
    },
];

fn ipv4(text: &str) -> bool {
    let octets = || text.split('.');
    let plain = |octet: &str| octet == "0" || !octet.starts_with('0');
    octets().all(|octet| plain(octet) && octet.parse::<u8>().is_ok()) && !text.starts_with("0.")
}

/// RFC 5321: 64 octets before the `@`; a domain name has 253 at most.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 253;

/// Mail addresses, found from their `@` outwards, so that no text is read more than once.
pub(crate) fn emails(text: &str, hits: &mut Vec<Hit<PiiType>>) {
    for (at, _) in text.match_indices('@') {
        if let Some(range) = email_around(text, at) {
            hits.push(Hit { range, kind: PiiType::Email, score: 0.99 });
        }
    }
}

fn email_around(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let local = bytes[..at].iter().rev().take(LONGEST_LOCAL + 1).take_while(|b| is_local(**b)).count();
    let domain = bytes[at + 1..].iter().take(LONGEST_DOMAIN + 1).take_while(|b| is_domain(**b)).count();
    let mut start = at - local;
    while start < at && matches!(bytes[start], b'.' | b'-' | b'\'' | b'/' | b'*') {
        start += 1;
    }
    let name = text.get(at + 1..at + 1 + domain)?.trim_end_matches(['.', '-']);
    let range = start..at + 1 + name.len();
    let after = text[range.end..].chars().next();
    let bounded = local <= LONGEST_LOCAL && domain <= LONGEST_DOMAIN && after != Some('@');
    (start < at && bounded && is_host(name) && stands_alone(text, &range)).then_some(range)
}

/// RFC 5321's characters but braces, bars and backticks, which in texts stand around addresses.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_~-".contains(&byte)
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-'
}

/// Two labels or more, the last one of letters.
fn is_host(name: &str) -> bool {
    let Some((rest, top)) = name.rsplit_once('.') else {
        return false;
    };
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-');
    top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic()) && rest.split('.').all(label)
}

/// The longest text form of an IPv6 address.
const LONGEST_IPV6: usize = 45;

/// IPv6 addresses: runs of hexadecimal digits and colons that the standard library can read.
pub(super) fn ipv6(text: &str, hits: &mut Vec<Hit<PiiType>>) {
    let outside = |character: char| !(character.is_ascii_hexdigit() || character == ':');
    let mut start = 0;
    for run in text.split_inclusive(outside) {
        let candidate = run.trim_end_matches(outside);
        let range = start..start + candidate.len();
        start += run.len();
        if candidate.len() <= LONGEST_IPV6 && is_ipv6(candidate) && stands_alone(text, &range) {
            hits.push(Hit { range, kind: PiiType::IpAddress, score: 0.95 });
        }
    }
}

/// `dead::beef` may be a path in a program: an address here has a digit and three groups. Groups of
/// two digits each are a fingerprint.
fn is_ipv6(text: &str) -> bool {
    let groups = || text.split(':').filter(|group| !group.is_empty());
    groups().count() >= 3
        && groups().any(|group| group.len() != 2)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<Ipv6Addr>().is_ok()
}

/// Browsers and servers refuse longer ones.
const LONGEST_URL: usize = 2_000;

/// Web addresses with a scheme or `www.`; what punctuation follows belongs to the sentence.
pub(crate) fn urls(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, mark) in URL_MARK.find_iter(text).map(|found| (found.start(), found.as_str())) {
        let read_until = found.last().map_or(0, |last| last.end);
        let joined = text[..at].ends_with(['/', '@', '.', '-', '_']);
        if at >= read_until
            && !joined
            && let Some(range) = url_at(text, at, mark.len())
        {
            found.push(range);
        }
    }
    found
}

static URL_MARK: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\b(?:https?|ftps?|sftp|s3)://|\bwww\."));

fn url_at(text: &str, start: usize, mark: usize) -> Option<Range<usize>> {
    let limit = text.floor_char_boundary((start + LONGEST_URL).min(text.len()));
    let rest = &text[start..limit];
    let ends = |character: char| {
        character.is_whitespace() || character.is_control() || "<>\"`{}|\\^[]“”«»".contains(character)
    };
    let url = trim_sentence(&rest[..rest.find(ends).unwrap_or(rest.len())]);
    let host = url.get(mark..).is_some_and(|host| host.starts_with(char::is_alphanumeric));
    let dotted = mark > 4 || url.get(mark..).is_some_and(|host| host.contains('.'));
    (host && dotted).then_some(start..start + url.len())
}

/// Punctuation at the end, and a closing bracket that was not opened inside.
fn trim_sentence(url: &str) -> &str {
    let trimmed = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '…', '’']);
    match trimmed.strip_suffix(')') {
        Some(inner) if !inner.contains('(') => trim_sentence(inner),
        _ => trimmed,
    }
}
