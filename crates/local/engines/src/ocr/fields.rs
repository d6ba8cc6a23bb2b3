//! `label: value` pairs, as on forms.
//!
//! A label is a few words that end with a colon; the value is the rest of the segment, or the next
//! segment on the row. It refuses times of day, addresses of pages and whole sentences.

use serde::Serialize;

use super::Word;
use super::rows::{Row, Segment};
use crate::geometry::Bounds;

/// A label longer than this is a sentence.
const MOST_LABEL_WORDS: usize = 5;

/// A value longer than this is a paragraph.
const MOST_VALUE_WORDS: usize = 20;

/// One pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Indices of the label's words; the last ends with the colon.
    pub label: Vec<usize>,
    /// Where the label is.
    pub label_bounds: Bounds,
    /// Indices of the value's words.
    pub value: Vec<usize>,
    /// Where the value is.
    pub value_bounds: Bounds,
}

/// The pairs on the rows of a page, from top to bottom.
pub(super) fn find(words: &[Word], rows: &[Row]) -> Vec<Field> {
    rows.iter().flat_map(|row| in_row(words, &row.segments)).collect()
}

fn in_row(words: &[Word], segments: &[Segment]) -> Vec<Field> {
    let mut fields = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let Some(colon) = segment.words.iter().position(|word| ends_a_label(&words[*word].text)) else { continue };
        let (label, rest) = segment.words.split_at(colon + 1);
        let next = segments.get(index + 1).map(|next| next.words.as_slice()).unwrap_or_default();
        let next_is_label = next.iter().any(|word| ends_a_label(&words[*word].text));
        let value = if rest.is_empty() && !next_is_label { next } else { rest };
        fields.extend(field(words, label, value));
    }
    fields
}

fn field(words: &[Word], label: &[usize], value: &[usize]) -> Option<Field> {
    if label.len() > MOST_LABEL_WORDS || value.len() > MOST_VALUE_WORDS || !begins_a_label(&words[*label.first()?].text)
    {
        return None;
    }
    let around = |indices: &[usize]| Bounds::around(indices.iter().map(|index| words[*index].bounds));
    let (label_bounds, value_bounds) = (around(label)?, around(value)?);
    Some(Field { label: label.to_vec(), label_bounds, value: value.to_vec(), value_bounds })
}

fn ends_a_label(word: &str) -> bool {
    word.strip_suffix(':').is_some_and(|label| label.chars().any(char::is_alphanumeric))
}

fn begins_a_label(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_alphabetic)
}
