//! Cutting text into parts that fit a limit in UTF-8 bytes, at sentence ends where there are any.
//!
//! Put one behind the other, the parts are the text: nothing is trimmed, so offsets add up.

/// A part of a text, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The part itself.
    pub(super) text: &'a str,
    /// Unicode scalar values before it.
    pub(super) start: u64,
}

/// The longest UTF-8 sequence: below this limit a part could hold no character at all.
const LONGEST_CHAR_BYTES: usize = 4;

/// Cuts `text` into parts of at most `limit_bytes` bytes.
pub(super) fn split(text: &str, limit_bytes: usize) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut rest, mut start) = (text, 0);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(head(rest, limit_bytes).len());
        parts.push(Part { text: part, start });
        start += part.chars().count() as u64;
        rest = after;
    }
    parts
}

/// The longest beginning of `text` that fits `limit_bytes` bytes and ends well.
///
/// A sentence end in the second half of what fits is best, then a line end, then a space; a cut
/// in the first half would waste calls, so text without any of them is cut between characters.
pub(super) fn head(text: &str, limit_bytes: usize) -> &str {
    let limit_bytes = limit_bytes.max(LONGEST_CHAR_BYTES);
    if text.len() <= limit_bytes {
        return text;
    }
    let fits = &text[..text.floor_char_boundary(limit_bytes)];
    let half = fits.floor_char_boundary(limit_bytes / 2);
    let cut = [sentence_end, line_end, word_end].iter().find_map(|end| end(&fits[half..]));
    &fits[..cut.map_or(fits.len(), |cut| half + cut)]
}

/// Behind the last sentence mark that white space follows (or that needs none).
fn sentence_end(text: &str) -> Option<usize> {
    let mut behind = None;
    for (at, c) in text.char_indices().rev() {
        let end = at + c.len_utf8();
        match c {
            '。' | '！' | '？' | '।' => return Some(end),
            '.' | '!' | '?' if behind.is_some() => return behind,
            _ => behind = c.is_whitespace().then_some(end),
        }
    }
    None
}

fn line_end(text: &str) -> Option<usize> {
    text.rfind('\n').map(|at| at + 1)
}

fn word_end(text: &str) -> Option<usize> {
    let (at, c) = text.char_indices().rev().find(|(_, c)| c.is_whitespace())?;
    Some(at + c.len_utf8())
}
