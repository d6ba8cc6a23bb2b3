//! Text of an image as Rekognition gives it: lines, then words that name their line.

use engines::geometry::Bounds;
use engines::ocr::{Page, Word};
use serde_json::{Value, json};

use super::request::{Filters, RegionBox};
use crate::ai::textract::geometry;

/// Words that are reported of one image.
const MOST_WORDS: usize = 100;

/// Lines and words that pass the filters; a line is there if one of its words is.
pub(super) fn detections(page: &Page, filters: &Filters) -> Vec<Value> {
    let (mut lines, mut words) = (Vec::new(), Vec::new());
    for line in &page.lines {
        let kept: Vec<&Word> = page.words_of(line).iter().filter(|word| passes(word, filters)).collect();
        let kept = &kept[..kept.len().min(MOST_WORDS - words.len())];
        let Some(bounds) = Bounds::around(kept.iter().map(|word| word.bounds)) else { continue };
        let id = lines.len();
        lines.push(detection("LINE", id, &joined(kept), mean(kept), bounds));
        words.extend(kept.iter().map(|word| (id, *word)));
    }
    let first = lines.len();
    let word = |(index, (line, word)): (usize, (usize, &Word))| {
        let mut detection = detection("WORD", first + index, &word.text, word.confidence, word.bounds);
        detection["ParentId"] = line.into();
        detection
    };
    let words: Vec<Value> = words.into_iter().enumerate().map(word).collect();
    lines.into_iter().chain(words).collect()
}

fn detection(kind: &str, id: usize, text: &str, confidence: f64, bounds: Bounds) -> Value {
    json!({"DetectedText": text, "Type": kind, "Id": id, "Confidence": confidence * 100.0, "Geometry": geometry(bounds)})
}

fn passes(word: &Word, filters: &Filters) -> bool {
    let least = &filters.word_filter;
    let is_large =
        word.bounds.height >= least.min_bounding_box_height && word.bounds.width >= least.min_bounding_box_width;
    let regions = &filters.regions_of_interest;
    let is_inside = regions.is_empty()
        || regions.iter().filter_map(|region| region.bounding_box).any(|region| holds(region, word.bounds));
    word.confidence * 100.0 >= least.min_confidence && is_large && is_inside
}

/// Whether the middle of a word lies in the region.
fn holds(region: RegionBox, word: Bounds) -> bool {
    let (x, y) = (word.left + word.width / 2.0, word.top + word.height / 2.0);
    (region.left..=region.left + region.width).contains(&x) && (region.top..=region.top + region.height).contains(&y)
}

fn joined(words: &[&Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::cast_precision_loss, reason = "at most a hundred words")]
fn mean(words: &[&Word]) -> f64 {
    words.iter().map(|word| word.confidence).sum::<f64>() / words.len().max(1) as f64
}
