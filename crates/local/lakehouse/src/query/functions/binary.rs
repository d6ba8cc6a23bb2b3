//! Functions over bytes: text in UTF-8, Base64 and hexadecimal, and digests.
//! <https://trino.io/docs/current/functions/binary.html>; what is no UTF-8 becomes a replacement character, and padding
//! may be left out of Base64, as there.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use datafusion::arrow::datatypes::DataType::{Binary, Utf8};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;
use sha2::Digest as _;

use super::udf::{Gives, Made, Row, all, bytes, string, text};

pub(super) fn functions() -> Vec<ScalarUDF> {
    all(made())
}

fn made() -> Vec<Made> {
    let one = |name, forms, gives, body| Made { name, aliases: &[], forms, gives: Gives::This(gives), body };
    let (of_bytes, of_text) = (|| vec![vec![Binary]], || vec![vec![Utf8]]);
    vec![
        one("to_utf8", of_text(), Binary, |row| binary(text(&row[0]).as_bytes())),
        one("from_utf8", vec![vec![Binary], vec![Binary, Utf8]], Utf8, from_utf8),
        one("to_base64", of_bytes(), Utf8, |row| string(Some(base64(&STANDARD).encode(bytes(&row[0]))))),
        one("from_base64", of_text(), Binary, |row| from_base64(&STANDARD, row)),
        one("to_base64url", of_bytes(), Utf8, |row| string(Some(base64(&URL_SAFE).encode(bytes(&row[0]))))),
        one("from_base64url", of_text(), Binary, |row| from_base64(&URL_SAFE, row)),
        one("to_hex", of_bytes(), Utf8, |row| string(Some(hexadecimal(bytes(&row[0]))))),
        one("from_hex", of_text(), Binary, from_hex),
        one("md5", of_bytes(), Binary, |row| binary(&md5::Md5::digest(bytes(&row[0])))),
        one("sha1", of_bytes(), Binary, |row| binary(&<sha1::Sha1 as sha1::Digest>::digest(bytes(&row[0])))),
        one("sha256", of_bytes(), Binary, |row| binary(&sha2::Sha256::digest(bytes(&row[0])))),
        one("sha512", of_bytes(), Binary, |row| binary(&sha2::Sha512::digest(bytes(&row[0])))),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "it is what the functions give back")]
fn binary(of: &[u8]) -> Result<ScalarValue, String> {
    Ok(ScalarValue::Binary(Some(of.to_vec())))
}

fn base64(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

fn from_base64(alphabet: &Alphabet, row: Row<'_>) -> Result<ScalarValue, String> {
    binary(&base64(alphabet).decode(text(&row[0])).map_err(|error| error.to_string())?)
}

/// The second argument stands for what is no UTF-8: a character, or nothing.
fn from_utf8(row: Row<'_>) -> Result<ScalarValue, String> {
    let instead = row.get(1).map_or("\u{fffd}", text);
    if instead.chars().count() > 1 {
        return Err("the replacement is one character, or an empty text".to_owned());
    }
    let mut read = String::new();
    for chunk in bytes(&row[0]).utf8_chunks() {
        read.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            read.push_str(instead);
        }
    }
    string(Some(read))
}

fn hexadecimal(of: &[u8]) -> String {
    of.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02X}");
        digits
    })
}

fn from_hex(row: Row<'_>) -> Result<ScalarValue, String> {
    let digits = text(&row[0]).as_bytes();
    let wrong = || format!("`{}` is not hexadecimal, two digits a byte", text(&row[0]));
    let digit = |of: u8| char::from(of).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    };
    let read: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    binary(&read.ok_or_else(wrong)?)
}

#[cfg(test)]
mod tests {
    use super::super::udf::called;
    use super::*;

    fn call(name: &str, arguments: &[ScalarValue]) -> Result<ScalarValue, String> {
        called(&made().into_iter().find(|made| made.name == name).unwrap(), arguments)
    }

    #[test]
    fn bytes_come_and_go_as_text() {
        let text = |text: &str| ScalarValue::from(text);
        let bytes = |bytes: &[u8]| ScalarValue::Binary(Some(bytes.to_vec()));
        for (name, arguments, expected) in [
            ("to_utf8", vec![text("kö")], bytes(b"k\xc3\xb6")),
            ("from_utf8", vec![bytes(b"k\xc3\xb6")], text("kö")),
            ("from_utf8", vec![bytes(b"a\xffb")], text("a\u{fffd}b")),
            ("from_utf8", vec![bytes(b"a\xffb"), text("?")], text("a?b")),
            ("from_utf8", vec![bytes(b"a\xffb"), text("")], text("ab")),
            ("to_base64", vec![bytes(b"\xfb\xff")], text("+/8=")),
            ("from_base64", vec![text("+/8=")], bytes(b"\xfb\xff")),
            ("from_base64", vec![text("+/8")], bytes(b"\xfb\xff")),
            ("to_base64url", vec![bytes(b"\xfb\xff")], text("-_8=")),
            ("from_base64url", vec![text("-_8")], bytes(b"\xfb\xff")),
            ("to_hex", vec![bytes(b"\x0a\xff")], text("0AFF")),
            ("from_hex", vec![text("0aFF")], bytes(b"\x0a\xff")),
            ("from_hex", vec![text("")], bytes(b"")),
        ] {
            assert_eq!(call(name, &arguments), Ok(expected), "{name} {arguments:?}");
        }
        for (name, wrong) in [("from_base64", "a*b="), ("from_hex", "0a1"), ("from_hex", "0ß")] {
            assert!(call(name, &[text(wrong)]).is_err(), "{name} {wrong}");
        }
        assert!(call("from_utf8", &[bytes(b"a"), text("??")]).is_err());
    }

    #[test]
    fn digests_are_those_of_their_standards() {
        let abc = ScalarValue::Binary(Some(b"abc".to_vec()));
        for (name, expected) in [
            ("md5", "900150983CD24FB0D6963F7D28E17F72"),
            ("sha1", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
            ("sha256", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
        ] {
            let digest = call(name, std::slice::from_ref(&abc)).unwrap();
            assert_eq!(call("to_hex", &[digest]), Ok(ScalarValue::from(expected)), "{name}");
        }
    }
}
