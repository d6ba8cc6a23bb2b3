//! Lines in right-to-left scripts, from the order in which glyphs stand on the page to the order in which they are read.
//!
//! A PDF has no order of reading: some writers draw such a line from the left, others from the right. So the glyphs are
//! put in their order on the page first, and runs are turned then: the idea of UAX #9, rule L2, backwards. Not done:
//! embeddings deeper than one script within the other, which a page no longer shows.
//!
//! <https://www.unicode.org/reports/tr9/#L2>

use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization as _;

/// A glyph, where it begins and ends along the line, and the letters that it stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) text: &'a str,
}

/// How a piece goes with its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Right,
    Left,
    /// Figures: they read to the right, even between letters that read to the left.
    Number,
    Neutral,
}

/// Whether a letter is of a script that is read to the left (Hebrew, Arabic, Syriac, Thaana, N'Ko and their forms).
pub(super) fn is_rtl(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}') && !is_number(c)
}

/// The line as it is read. Words are parted where glyphs stand further apart than `gap`.
pub(super) fn logical(pieces: &mut [Piece<'_>], gap: f64) -> String {
    pieces.sort_by(|left, right| left.start.total_cmp(&right.start));
    let mut parts = parted(pieces, gap);
    let base = base(&parts);
    if base == Direction::Left {
        parts.reverse();
    }
    turn_runs(&mut parts, base);
    join(&parts, base)
}

/// The texts of the pieces with the spaces between them that no glyph stands for.
fn parted<'a>(pieces: &[Piece<'a>], gap: f64) -> Vec<&'a str> {
    let mut parts: Vec<&str> = Vec::with_capacity(pieces.len());
    let mut last_end = f64::INFINITY;
    for piece in pieces {
        let is_blank = |text: &str| text.trim().is_empty();
        if piece.start > last_end + gap && !is_blank(piece.text) && !parts.last().is_some_and(|last| is_blank(last)) {
            parts.push(" ");
        }
        parts.push(piece.text);
        last_end = piece.end;
    }
    parts
}

/// What most words of the line say, and where that is a tie, most letters.
fn base(parts: &[&str]) -> Direction {
    let words = parts.split(|part| part.trim().is_empty());
    let words: Vec<Direction> =
        words.filter_map(|word| word.iter().map(|part| direction(part)).find(|it| is_strong(*it))).collect();
    let letters: Vec<Direction> = parts.iter().map(|part| direction(part)).collect();
    let excess = |directions: &[Direction]| {
        let count = |wanted| directions.iter().filter(|it| **it == wanted).count();
        count(Direction::Left).cmp(&count(Direction::Right))
    };
    let order = excess(&words).then(excess(&letters));
    if order == Ordering::Less { Direction::Right } else { Direction::Left }
}

fn is_strong(direction: Direction) -> bool {
    matches!(direction, Direction::Left | Direction::Right)
}

fn direction(part: &str) -> Direction {
    let of_char = |c: char| match c {
        c if is_number(c) => Some(Direction::Number),
        c if is_rtl(c) => Some(Direction::Left),
        c if c.is_alphabetic() => Some(Direction::Right),
        _ => None,
    };
    part.chars().find_map(of_char).unwrap_or(Direction::Neutral)
}

fn is_number(c: char) -> bool {
    matches!(c, '0'..='9' | '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

/// Turns the runs that read against the base; what is neutral goes with its neighbours where both agree.
fn turn_runs(parts: &mut [&str], base: Direction) {
    let against = |part: &str| match direction(part) {
        Direction::Neutral => None,
        Direction::Number => Some(base == Direction::Left),
        own => Some(own != base),
    };
    let mut start = 0;
    while start < parts.len() {
        if against(parts[start]) != Some(true) {
            start += 1;
            continue;
        }
        let mut end = start + 1;
        for (at, part) in parts.iter().enumerate().skip(start + 1) {
            match against(part) {
                Some(true) => end = at + 1,
                Some(false) => break,
                None => {}
            }
        }
        parts[start..end].reverse();
        start = end;
    }
}

/// One text; brackets that were turned look the other way, forms of letters become letters.
fn join(parts: &[&str], base: Direction) -> String {
    let mut line = String::new();
    for part in parts {
        for c in part.chars() {
            match c {
                '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => line.extend(std::iter::once(c).nfkc()),
                c if base == Direction::Left => line.push(mirrored(c)),
                c => line.push(c),
            }
        }
    }
    line
}

/// Only brackets: other signs that have a mirror image are rare in text.
fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '«' => '»',
        '»' => '«',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One piece for each glyph, as they stand from left to right; `_` is a gap without a glyph.
    fn read(shown: &[&str]) -> String {
        let mut pieces = Vec::new();
        for (at, text) in shown.iter().enumerate().filter(|(_, text)| **text != "_") {
            let start = f64::from(u32::try_from(at).unwrap());
            pieces.push(Piece { start, end: start + 1.0, text });
        }
        let forwards = logical(&mut pieces.clone(), 0.1);
        pieces.reverse();
        assert_eq!(logical(&mut pieces, 0.1), forwards, "the order of drawing does not count");
        forwards
    }

    #[test]
    fn lines_are_read_from_the_right() {
        let cases: &[(&[&str], &str)] = &[
            (&["ם", "ו", "ל", "ש"], "שלום"),
            (&["ם", "ל", "ו", "ע", "_", "ם", "ו", "ל", "ש"], "שלום עולם"),
            // Figures and Latin words keep their own order.
            (&["2", "0", "2", "6", " ", "ת", "נ", "ש"], "שנת 2026"),
            (&["א", " ", "P", "D", "F", " ", "ש"], "ש PDF א"),
            (&["ג", " ", "ב", " ", "R", " ", "a", "n", "d", " ", "א"], "א R and ב ג"),
            // A glyph for two letters has them in the order of reading.
            (&["م", "لا", "س"], "سلام"),
            // Forms of letters are letters.
            (&["\u{fee1}", "\u{fefc}", "\u{feb3}"], "سلام"),
            (&["(", "ב", ")", " ", "א"], "א (ב)"),
            // One foreign word in a line of Latin letters.
            (&["a", "n", "d", " ", "ם", "ל", "ש", ",", "o", "k", "a", "y"], "and שלם,okay"),
        ];
        for (shown, expected) in cases {
            assert_eq!(read(shown), *expected);
        }
    }
}
