//! What Athena writes in a query and no sqlparser dialect reads, in words that it does read.
//! Time travel: <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-time-travel-and-version-travel-queries.html>.
//! Time zones: Athena's session is in UTC, so a literal with a zone is the same moment in UTC.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Position;
use super::token::position;
use crate::error::{Error, Result};

pub(super) fn prepare(tokens: &[TokenWithSpan]) -> Result<Vec<TokenWithSpan>> {
    let mut prepared = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some((words, taken)) = version(&tokens[at..])? {
            prepared.extend(words.iter().map(|word| word_at(word, token)));
            at += taken;
        } else if let Some(literal) = timestamp(&tokens[at..])? {
            prepared.extend([token.clone(), literal]);
            at += 2;
        } else {
            prepared.push(token.clone());
            at += 1;
        }
    }
    Ok(prepared)
}

fn word_at(word: &str, like: &TokenWithSpan) -> TokenWithSpan {
    TokenWithSpan { token: Token::make_keyword(word), span: like.span }
}

fn upper(tokens: &[TokenWithSpan], at: usize) -> String {
    match tokens.get(at).map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        _ => String::new(),
    }
}

type Words = (&'static [&'static str], usize);

/// `FOR TIMESTAMP AS OF` and its siblings.
fn version(tokens: &[TokenWithSpan]) -> Result<Option<Words>> {
    if upper(tokens, 0) != "FOR" || upper(tokens, 2) != "AS" || upper(tokens, 3) != "OF" {
        return Ok(None);
    }
    match upper(tokens, 1).as_str() {
        "TIMESTAMP" | "SYSTEM_TIME" => Ok(Some((&["FOR", "SYSTEM_TIME", "AS", "OF"], 4))),
        "VERSION" | "SYSTEM_VERSION" => {
            let next = tokens.get(4).map(|token| &token.token);
            if matches!(next, Some(Token::Number(..))) {
                return Ok(Some((&["VERSION", "AS", "OF"], 4)));
            }
            let place = tokens.get(4).map_or_else(|| position(&tokens[3]), position);
            let instead = "write the snapshot id as a number; `\"table$history\"` lists them";
            Err(Error::unsupported(place, "a version other than a snapshot id", instead))
        }
        _ => Ok(None),
    }
}

/// `TIMESTAMP '2024-01-01 10:00:00 Europe/Berlin'` as the same moment in UTC.
fn timestamp(tokens: &[TokenWithSpan]) -> Result<Option<TokenWithSpan>> {
    if upper(tokens, 0) != "TIMESTAMP" {
        return Ok(None);
    }
    let Some(TokenWithSpan { token: Token::SingleQuotedString(text), span }) = tokens.get(1) else { return Ok(None) };
    let Some((local, zone)) = zoned(text) else { return Ok(None) };
    let moment = in_utc(local, zone, position(&tokens[1]))?;
    Ok(Some(TokenWithSpan { token: Token::SingleQuotedString(moment), span: *span }))
}

/// The date and time of a literal, and its zone if it has one.
fn zoned(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if let Some((local, zone)) = text.rsplit_once(' ')
        && zone.starts_with(|c: char| c.is_ascii_alphabetic() || c == '+' || c == '-')
    {
        return Some((local.trim(), zone));
    }
    let time = text.find([' ', 'T']).map(|at| at + 1)?;
    let zone = text[time..].find(['+', '-', 'Z'])? + time;
    Some((text[..zone].trim(), &text[zone..]))
}

fn in_utc(local: &str, zone: &str, position: Position) -> Result<String> {
    let wrong = |what: &str| Error::Syntax {
        position,
        message: format!("`{what}` is no {}", if what == zone { "time zone" } else { "date and time" }),
    };
    let zone_found = match zone {
        "Z" | "z" | "UTC" | "GMT" => TimeZone::UTC,
        _ if zone.starts_with(['+', '-']) => TimeZone::fixed(offset(zone).ok_or_else(|| wrong(zone))?),
        _ => TimeZone::get(zone).map_err(|_| wrong(zone))?,
    };
    let local_time: DateTime = local.parse().map_err(|_| wrong(local))?;
    let moment = zone_found.to_timestamp(local_time).map_err(|_| wrong(local))?;
    Ok(TimeZone::UTC.to_datetime(moment).to_string().replace('T', " "))
}

/// `+01:00`, `-0530`, `+1`.
fn offset(text: &str) -> Option<jiff::tz::Offset> {
    let (sign, digits) =
        if let Some(digits) = text.strip_prefix('-') { (-1, digits) } else { (1, text.strip_prefix('+')?) };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "0"),
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 18 || !(0..60).contains(&minutes) || hours < 0 {
        return None;
    }
    jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_with_a_zone_is_the_same_moment_in_utc() {
        let here = Position { line: 1, column: 1 };
        for (text, utc) in [
            ("2024-01-01 10:00:00 UTC", "2024-01-01 10:00:00"),
            ("2024-07-01 10:00:00 Europe/Berlin", "2024-07-01 08:00:00"),
            ("2024-01-01T10:00:00.5+01:00", "2024-01-01 09:00:00.5"),
            ("2024-01-01 10:00:00 -0530", "2024-01-01 15:30:00"),
            ("2024-01-01T10:00:00Z", "2024-01-01 10:00:00"),
        ] {
            let (local, zone) = zoned(text).unwrap();
            assert_eq!(in_utc(local, zone, here).unwrap(), utc, "{text}");
        }
        for text in ["2024-01-01 10:00:00", "2024-01-01", "2024-01-01 10:00:00.123"] {
            assert_eq!(zoned(text), None, "{text}");
        }
        assert!(in_utc("2024-01-01 10:00:00", "Mars/Base", here).is_err());
    }
}
