//! Base64 and hashes.

use super::string;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The service's limit on what is hashed or encoded.
const MAX_CHARACTERS: usize = 10_000;

pub(super) fn base64_encode(arguments: &[Value]) -> Result<Value, String> {
    Ok(STANDARD.encode(bounded(string(arguments, 0)?)?).into())
}

pub(super) fn base64_decode(arguments: &[Value]) -> Result<Value, String> {
    let bytes = STANDARD.decode(bounded(string(arguments, 0)?)?).map_err(|_| "the argument is not valid Base64")?;
    Ok(String::from_utf8_lossy(&bytes).into())
}

pub(super) fn hash(arguments: &[Value]) -> Result<Value, String> {
    let plain = arguments[0].as_str().map_or_else(|| arguments[0].to_string(), str::to_owned);
    let data = bounded(&plain)?.as_bytes();
    let algorithm = string(arguments, 1)?;
    let digest = digest(data, algorithm).ok_or_else(|| format!("`{algorithm}` is not a hash algorithm"))?;
    Ok(digest.into())
}

/// The digest in hexadecimal digits, where the algorithm is one that the service has.
pub(crate) fn digest(data: &[u8], algorithm: &str) -> Option<String> {
    Some(match algorithm {
        "MD5" => hex(&<md5::Md5 as md5::Digest>::digest(data)),
        "SHA-1" => hex(&<sha1::Sha1 as sha1::Digest>::digest(data)),
        "SHA-256" => hex(&<sha2::Sha256 as sha2::Digest>::digest(data)),
        "SHA-384" => hex(&<sha2::Sha384 as sha2::Digest>::digest(data)),
        "SHA-512" => hex(&<sha2::Sha512 as sha2::Digest>::digest(data)),
        _ => return None,
    })
}

fn bounded(text: &str) -> Result<&str, String> {
    if text.chars().count() > MAX_CHARACTERS {
        Err(format!("the argument is longer than {MAX_CHARACTERS} characters"))
    } else {
        Ok(text)
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
    bytes.iter().flat_map(digits).collect()
}
