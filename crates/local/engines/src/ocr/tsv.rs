//! Reads tesseract's TSV: one row for each block, paragraph, line and word.
//!
//! <https://tesseract-ocr.github.io/tessdoc/Command-Line-Usage.html>

use super::{Line, Word};
use crate::geometry::Bounds;

/// Words below this are ornaments, rules and foreign scripts read as Latin letters.
const LEAST_WORD_CONFIDENCE: f64 = 0.3;

/// Lines whose words reach less than this on the mean are noise as a whole.
const LEAST_LINE_CONFIDENCE: f64 = 0.4;

/// The level that marks a word.
const WORD_LEVEL: &str = "5";

/// What a page says, before tables and fields are looked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Text {
    pub(super) words: Vec<Word>,
    pub(super) lines: Vec<Line>,
    /// Where words were left out: nothing to read, but no empty space either.
    pub(super) doubtful: Vec<Bounds>,
}

struct Row<'a> {
    line: [&'a str; 4],
    word: Word,
}

pub(super) fn parse(tsv: &str, width: u32, height: u32) -> Text {
    let rows: Vec<Row<'_>> = tsv.lines().filter_map(|line| row(line, width, height)).collect();
    let mut text = Text::default();
    for of_line in rows.chunk_by(|a, b| a.line == b.line) {
        push_line(&mut text, of_line);
    }
    text
}

fn row(line: &str, width: u32, height: u32) -> Option<Row<'_>> {
    let fields: Vec<&str> = line.splitn(12, '\t').collect();
    let [level, page, block, paragraph, line, _, left, top, across, down, confidence, text] = fields[..] else {
        return None;
    };
    let text = text.trim();
    if level != WORD_LEVEL || text.is_empty() || is_ruling(text) {
        return None;
    }
    let number = |field: &str| field.parse::<f64>().ok();
    let (left, top) = (number(left)?, number(top)?);
    let (right, bottom) = (left + number(across)?, top + number(down)?);
    let bounds = Bounds::from_pixels(left, top, right, bottom, f64::from(width), f64::from(height));
    let confidence = (number(confidence)? / 100.0).clamp(0.0, 1.0);
    Some(Row { line: [page, block, paragraph, line], word: Word { text: text.to_owned(), confidence, bounds } })
}

/// The rules of a table read as letters.
fn is_ruling(text: &str) -> bool {
    text.chars().all(|letter| matches!(letter, '|' | '_' | '¦'))
}

fn push_line(text: &mut Text, rows: &[Row<'_>]) {
    let confidence = super::mean(rows.iter().map(|row| row.word.confidence));
    let kept = rows.iter().map(|row| &row.word).filter(|word| word.confidence >= LEAST_WORD_CONFIDENCE);
    let words: Vec<Word> = kept.cloned().collect();
    let bounds = Bounds::around(words.iter().map(|word| word.bounds)).filter(|_| confidence >= LEAST_LINE_CONFIDENCE);
    let Some(bounds) = bounds else {
        text.doubtful.extend(rows.iter().map(|row| row.word.bounds));
        return;
    };
    let left_out = rows.iter().map(|row| &row.word).filter(|word| word.confidence < LEAST_WORD_CONFIDENCE);
    text.doubtful.extend(left_out.map(|word| word.bounds));
    text.lines.push(Line { first_word: text.words.len(), word_count: words.len(), bounds });
    text.words.extend(words);
}
