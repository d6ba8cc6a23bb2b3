//! What lets somebody in: keys, passwords, user names, PINs. Found by shape or after a label.

use super::kind::PiiType;
use crate::text::hits::{Rule, any};

pub(super) const RULES: &[Rule<PiiType>] = &[
    Rule {
        kind: PiiType::AwsAccessKey,
        pattern: r"(?:AKIA|ASIA)[A-Z0-9]{16}",
        cue: None,
        unless: None,
        check: any,
        score: 0.99,
    },
    Rule {
        kind: PiiType::AwsSecretKey,
        pattern: r"[A-Za-z0-9/+]{40}",
        cue: Some(r#"(?i)secret[ _-]?(?:access)?[ _-]?(?:key)?["']?\s?(?:is\s)?[:=]?\s?["']?$"#),
        unless: None,
        check: mixed,
        score: 0.98,
    },
    Rule {
        kind: PiiType::Password,
        pattern: r#"(?i)(?:\b|_)(?:password|passwd|passphrase|passcode|pwd|passwort|kennwort|contraseña|mot de passe|senha)["']?(?:\s?[:=]\s?| is )["'“]?([^\s"'“”<>,;]{4,64})"#,
        cue: None,
        unless: None,
        check: like_a_password,
        score: 0.93,
    },
    Rule {
        kind: PiiType::Username,
        pattern: r#"(?i)\b(?:user[ _-]?name|user[ _-]?id|login(?: name)?|benutzername|usuario|nom d'utilisateur)["']?\s?[:=]\s?["'“]?([A-Za-z0-9][A-Za-z0-9._@-]{2,63})"#,
        cue: None,
        unless: None,
        check: |text| !text.starts_with("http") && !text.ends_with('.'),
        score: 0.9,
    },
    Rule {
        kind: PiiType::Pin,
        pattern: r"(?:[0-9]{4}|[0-9]{6})",
        cue: Some(r"(?-i:\b(?:PIN|Pin|pin))(?i:[ -](?:code|number|no|is))?\.?\s?[:=]?\s{0,2}$"),
        unless: None,
        check: any,
        score: 0.9,
    },
];

fn mixed(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.bytes().any(|byte| of(&byte));
    has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
}

/// `password: required` is a form; a password has a digit, a sign or a capital inside.
fn like_a_password(text: &str) -> bool {
    let word = text.trim_end_matches(['.', '!', '?', ':', ')']);
    let sign = |c: char| !c.is_alphanumeric();
    let masked = word.chars().all(|c| "*•xX.".contains(c));
    !masked && (word.chars().any(|c| c.is_ascii_digit() || sign(c)) || word.chars().skip(1).any(char::is_uppercase))
}
