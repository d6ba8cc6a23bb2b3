//! Glyphs at places to words and lines: gaps become spaces, moves become line ends.
//!
//! Works along the direction of the text, so that turned pages read like upright ones. Lines with letters of
//! right-to-left scripts are put in their order of reading when they end.

use std::ops::Range;

use pdf_extract::{MediaBox, OutputDev, OutputError, Transform};

use super::bidi::{self, Piece};

/// A gap wider than this part of the font size parts words.
const WORD_GAP: f64 = 0.1;
/// A move across the line of more than this begins a new line, when it also goes back.
const LINE_STEP: f64 = 0.5;
/// A move across the line of more than this begins a new line in any case.
const FAR_STEP: f64 = 1.5;

/// Where the last glyph ended.
#[derive(Clone, Copy)]
struct Mark {
    direction: (f64, f64),
    along: f64,
    across: f64,
}

/// A glyph of the current line: where it stands, and its part of the text.
struct Glyph {
    start: f64,
    end: f64,
    text: Range<usize>,
}

/// Gathers the text of a page.
pub(super) struct Layout {
    text: String,
    /// Where the current line begins in the text.
    line: usize,
    glyphs: Vec<Glyph>,
    size: f64,
    is_rtl: bool,
    unknown: usize,
    chars_left: usize,
    last: Option<Mark>,
    is_word_start: bool,
}

impl Layout {
    pub(super) fn new(max_chars: usize) -> Self {
        let (text, glyphs) = (String::new(), Vec::new());
        Self {
            text,
            line: 0,
            glyphs,
            size: 0.0,
            is_rtl: false,
            unknown: 0,
            chars_left: max_chars,
            last: None,
            is_word_start: false,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.chars_left == 0
    }

    /// The text, and how many glyphs stand for nothing that is known.
    pub(super) fn finish(mut self) -> (String, usize) {
        self.end_reading_line();
        (self.text, self.unknown)
    }

    fn break_line(&mut self) {
        self.end_reading_line();
        self.push('\n');
        self.line = self.text.len();
    }

    /// Puts the line in its order of reading, where that is not the order of drawing.
    fn end_reading_line(&mut self) {
        if self.is_rtl {
            let piece =
                |glyph: &Glyph| Piece { start: glyph.start, end: glyph.end, text: &self.text[glyph.text.clone()] };
            let mut pieces: Vec<Piece<'_>> = self.glyphs.iter().map(piece).collect();
            let line = bidi::logical(&mut pieces, self.size * WORD_GAP);
            self.text.truncate(self.line);
            self.text.push_str(&line);
        }
        self.glyphs.clear();
        (self.line, self.is_rtl) = (self.text.len(), false);
    }

    fn push(&mut self, c: char) {
        match ligature(c) {
            Some(letters) => self.text.push_str(letters),
            None => self.text.push(c),
        }
        self.chars_left = self.chars_left.saturating_sub(1);
    }

    /// What parts the glyph at `here` from the one before it.
    fn part(&mut self, here: Mark, last: Mark, size: f64) {
        let is_turned = (here.direction.0 - last.direction.0).hypot(here.direction.1 - last.direction.1) > 0.1;
        let step = (here.across - last.across).abs();
        if is_turned {
            return self.break_line();
        }
        if step > size * FAR_STEP {
            self.break_line();
        }
        // A line that is drawn from the right is followed by one that begins far to the right.
        let is_back = here.along < last.along || self.is_rtl && here.along > last.along + size * FAR_STEP;
        if is_back && step > size * LINE_STEP {
            self.break_line();
        } else if here.along < last.along - size * FAR_STEP {
            // Back on the same line: columns that are drawn out of order.
            self.push(' ');
        }
        if here.along > last.along + size * WORD_GAP && !self.text.ends_with([' ', '\n']) {
            self.push(' ');
        }
    }
}

impl OutputDev for Layout {
    fn begin_page(&mut self, _: u32, _: &MediaBox, _: Option<(f64, f64, f64, f64)>) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn output_character(
        &mut self,
        place: &Transform,
        width: f64,
        _: f64,
        font_size: f64,
        text: &str,
    ) -> Result<(), OutputError> {
        if self.is_full() {
            return Err(OutputError::FormatError(std::fmt::Error));
        }
        let length = place.m11.hypot(place.m12);
        let size = place.m21.hypot(place.m22) * font_size.abs();
        let direction = if length > 0.0 { (place.m11 / length, place.m12 / length) } else { (1.0, 0.0) };
        let along = place.m31 * direction.0 + place.m32 * direction.1;
        let across = place.m32 * direction.0 - place.m31 * direction.1;
        let here = Mark { direction, along, across };
        if self.is_word_start
            && let Some(last) = self.last
        {
            self.part(here, last, size);
        }
        self.unknown += usize::from(text.is_empty());
        let from = self.text.len();
        text.chars().for_each(|c| self.push(c));
        let end = along + width * length * font_size.abs();
        self.glyphs.push(Glyph { start: along, end, text: from..self.text.len() });
        self.is_rtl |= text.chars().any(bidi::is_rtl);
        self.size = size;
        self.is_word_start = false;
        self.last = Some(Mark { along: end, ..here });
        Ok(())
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        self.is_word_start = true;
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

/// Typeset ligatures as the letters that people search for.
fn ligature(c: char) -> Option<&'static str> {
    Some(match c {
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' | 'ﬆ' => "st",
        '\u{ad}' => "",
        '\u{a0}' => " ",
        _ => return None,
    })
}
