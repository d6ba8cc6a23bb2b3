//! Rows of a page and the segments in them: words that stand close together. Tables and fields are
//! made of these, because the engine's own lines stop at column gaps now and then.

use super::Word;
use super::rules::Vertical;
use crate::geometry::Bounds;

/// A gap wider than this many text heights separates two segments.
const GAP_IN_HEIGHTS: f64 = 1.2;

/// Centres nearer than this many text heights are on one row.
const ROW_IN_HEIGHTS: f64 = 0.6;

/// One row, in pixels.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) segments: Vec<Segment>,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// Words that stand close together.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// Indices of the page's words, from left to right.
    pub(super) words: Vec<usize>,
    pub(super) left: f64,
    pub(super) right: f64,
}

/// What the words stand on.
pub(super) struct Canvas<'a> {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) rules: &'a [Vertical],
}

#[derive(Clone, Copy)]
struct Pixels {
    /// `None` for a word that was left out.
    word: Option<usize>,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Pixels {
    fn centre(&self) -> f64 {
        f64::midpoint(self.top, self.bottom)
    }

    fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// The rows of a page, from top to bottom.
pub(super) fn rows(words: &[Word], doubtful: &[Bounds], canvas: &Canvas<'_>) -> Vec<Row> {
    let read = words.iter().enumerate().map(|(index, word)| pixels(Some(index), word.bounds, canvas));
    let mut boxes: Vec<Pixels> = read.chain(doubtful.iter().map(|bounds| pixels(None, *bounds, canvas))).collect();
    boxes.sort_by(|a, b| a.centre().total_cmp(&b.centre()));
    let text_height = median(boxes.iter().map(Pixels::height).collect());
    let mut rows: Vec<Vec<Pixels>> = Vec::new();
    let mut centre = f64::NEG_INFINITY;
    for word in boxes {
        match rows.last_mut() {
            Some(row) if word.centre() - centre < ROW_IN_HEIGHTS * word.height().min(2.0 * text_height) => {
                row.push(word);
            }
            _ => rows.push(vec![word]),
        }
        let row = rows.last().map(Vec::as_slice).unwrap_or_default();
        centre = super::mean(row.iter().map(Pixels::centre));
    }
    rows.into_iter().map(|row| split(row, text_height, canvas.rules)).collect()
}

fn pixels(word: Option<usize>, area: Bounds, canvas: &Canvas<'_>) -> Pixels {
    let (width, height) = (canvas.width, canvas.height);
    Pixels {
        word,
        left: area.left * width,
        right: area.right() * width,
        top: area.top * height,
        bottom: area.bottom() * height,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn split(mut words: Vec<Pixels>, text_height: f64, rules: &[Vertical]) -> Row {
    words.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut segments: Vec<Segment> = Vec::new();
    for word in &words {
        match segments.last_mut() {
            Some(segment)
                if word.left - segment.right <= GAP_IN_HEIGHTS * text_height
                    && !is_ruled_off(segment.right, word, rules) =>
            {
                segment.words.extend(word.word);
                segment.right = segment.right.max(word.right);
            }
            _ => segments.push(Segment { words: word.word.into_iter().collect(), left: word.left, right: word.right }),
        }
    }
    let top = words.iter().map(|word| word.top).fold(f64::INFINITY, f64::min);
    let bottom = words.iter().map(|word| word.bottom).fold(f64::NEG_INFINITY, f64::max);
    Row { segments, top, bottom }
}

/// Whether a vertical rule stands between what ends at `right` and `word`.
fn is_ruled_off(right: f64, word: &Pixels, rules: &[Vertical]) -> bool {
    /// Word boxes reach a little over a rule that touches them.
    const REACH: f64 = 4.0;
    let (from, to, middle) = (right - REACH, word.left + REACH, word.centre());
    rules.iter().any(|rule| rule.x >= from && rule.x <= to && rule.top <= middle && middle <= rule.bottom)
}
