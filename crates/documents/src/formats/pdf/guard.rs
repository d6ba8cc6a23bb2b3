//! Bounds that `lopdf` does not keep itself: how far streams expand; and a repair it does not do.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;

use flate2::read::ZlibDecoder;
use lopdf::Stream;

use crate::error::DocumentError;
use crate::limits::Limits;

/// The most that deflate and LZW can make of a byte.
const MAX_EXPANSION: u64 = 1_032;
/// How far behind a stream's type its data may begin.
const DICTIONARY_BYTES: usize = 2_048;

/// Refuses files whose object streams (which are expanded as the file is opened) are bombs.
pub(super) fn check_expansion(bytes: &[u8], limits: &Limits) -> Result<(), DocumentError> {
    let mut left = limits.max_expanded_bytes;
    for kind in [&b"/ObjStm"[..], b"/XRef"] {
        for at in positions(bytes, kind) {
            let window = &bytes[at..bytes.len().min(at + DICTIONARY_BYTES)];
            let Some(start) = positions(window, b"stream").next() else { continue };
            let data = bytes[at + start + 6..].trim_ascii_start();
            let size = expanded(data, left.min(limits.max_member_bytes));
            left = left.saturating_sub(size);
            if left == 0 || size > limits.max_member_bytes {
                return Err(DocumentError::TooLarge(format!(
                    "`{}` bytes for a compressed stream",
                    limits.max_member_bytes
                )));
            }
        }
    }
    Ok(())
}

/// The content of a stream, unless it would expand too far.
pub(super) fn content(stream: &Stream, limits: &Limits) -> Option<Vec<u8>> {
    let filters = stream.filters().unwrap_or_default();
    let layers = filters.iter().filter(|it| matches!(**it, b"FlateDecode" | b"LZWDecode")).count();
    let length = stream.content.len() as u64;
    let worst = length.saturating_mul(MAX_EXPANSION.saturating_pow(u32::try_from(layers).unwrap_or(u32::MAX)));
    let is_bounded = worst <= limits.max_member_bytes
        || layers == 1
            && filters.first() == Some(&&b"FlateDecode"[..])
            && expanded(&stream.content, limits.max_member_bytes) <= limits.max_member_bytes;
    if !is_bounded {
        return None;
    }
    stream.get_plain_content().ok()
}

/// How many bytes zlib data expands to, counted up to one more than `limit`.
fn expanded(data: &[u8], limit: u64) -> u64 {
    let mut decoder = ZlibDecoder::new(data).take(limit + 1);
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    while let Ok(read @ 1..) = decoder.read(&mut buffer) {
        total += read as u64;
    }
    total
}

/// A copy of the file with a new cross-reference table, made from the objects that are found.
pub(super) fn rebuilt(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut objects = BTreeMap::new();
    for at in positions(bytes, b" obj") {
        if let Some((number, start)) = object_start(bytes, at) {
            // The last of a number wins, as with updates appended to a file.
            objects.insert(number, start);
        }
    }
    let is_catalog = |start: &usize| {
        let window = &bytes[*start..bytes.len().min(start + DICTIONARY_BYTES)];
        let end = positions(window, b"endobj").next().unwrap_or(window.len());
        positions(&window[..end], b"/Catalog").next().is_some()
    };
    let root = objects.iter().rev().find(|(_, start)| is_catalog(start)).map(|(number, _)| *number)?;
    let mut table = String::from("\nxref\n0 1\n0000000000 65535 f \n");
    for (number, start) in &objects {
        write!(table, "{number} 1\n{start:010} 00000 n \n").ok()?;
    }
    let size = objects.keys().last()? + 1;
    write!(table, "trailer\n<< /Size {size} /Root {root} 0 R >>\nstartxref\n{}\n%%EOF\n", bytes.len() + 1).ok()?;
    Some([bytes, table.as_bytes()].concat())
}

/// The number and the place of the object whose ` obj` stands at `at`.
fn object_start(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let back = |end: usize| bytes[..end].iter().rev().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let generation = at - back(at);
    let number_end = generation.checked_sub(1).filter(|end| *end < at - 1 && bytes[*end] == b' ')?;
    let start = number_end - back(number_end);
    let number = std::str::from_utf8(&bytes[start..number_end]).ok()?.parse().ok()?;
    (number > 0 && number < 10_000_000).then_some((number, start))
}

/// The place of `word`: a search by its rarest-looking first byte, fast enough without optimising.
fn memchr(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == word[0])?;
        if bytes[at..].starts_with(word) {
            return Some(at);
        }
        at += 1;
    }
}

fn positions<'a>(bytes: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        let found = memchr(bytes.get(at..)?, word)?;
        at += found + 1;
        Some(at - 1)
    })
}
