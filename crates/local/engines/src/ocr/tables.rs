//! Tables by rows and columns, from where words stand.
//!
//! Neighbouring rows of several short segments make a table; columns are the bands that the fullest
//! rows share. A segment across several bands spans them. It refuses to see a table in columns of
//! prose, and sees none without gaps between its columns.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Word;
use super::rows::{Row, Segment};
use crate::geometry::Bounds;

/// Rows further apart than this many row heights belong to different tables.
const ROW_GAP_IN_HEIGHTS: f64 = 3.0;

/// Segments longer than this on the mean are columns of prose.
const MOST_WORDS_A_SEGMENT: f64 = 4.5;

/// A continued row follows closer than this many row heights.
const CONTINUED_IN_HEIGHTS: f64 = 0.6;

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Where it is.
    pub bounds: Bounds,
    /// Cells that hold words, row by row; an empty cell is not listed.
    pub cells: Vec<Cell>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// Row, from 0.
    pub row: usize,
    /// First column, from 0.
    pub column: usize,
    /// Number of columns that it spans, 1 at least.
    pub column_span: usize,
    /// Indices of the page's words, in reading order.
    pub words: Vec<usize>,
    /// Where it is.
    pub bounds: Bounds,
}

#[derive(Debug, Clone, Copy)]
struct Band {
    left: f64,
    right: f64,
}

/// The tables among the rows of a page.
pub(super) fn find(words: &[Word], rows: &[Row]) -> Vec<Table> {
    let groups = rows.chunk_by(belong_together);
    groups.filter(|group| looks_like_a_table(group)).filter_map(|group| build(words, group)).collect()
}

fn belong_together(above: &Row, below: &Row) -> bool {
    let height = (above.bottom - above.top).max(below.bottom - below.top);
    let near = below.top - above.bottom < ROW_GAP_IN_HEIGHTS * height;
    let table_like = |row: &Row| row.segments.len() >= 2;
    near && table_like(above) && table_like(below)
}

#[expect(clippy::cast_precision_loss, reason = "a page has far fewer words than 2^52")]
fn looks_like_a_table(group: &[Row]) -> bool {
    let segments = || group.iter().flat_map(|row| &row.segments);
    let words: usize = segments().map(|segment| segment.words.len()).sum();
    let widest = group.iter().map(|row| row.segments.len()).max().unwrap_or(0);
    let short = (words as f64) / (segments().count() as f64) <= MOST_WORDS_A_SEGMENT;
    short && if widest >= 3 { group.len() >= 2 } else { group.len() >= 3 }
}

fn build(words: &[Word], group: &[Row]) -> Option<Table> {
    let bands = bands(group);
    let mut cells: Vec<Cell> = Vec::new();
    let mut row = 0;
    for (index, line) in group.iter().enumerate() {
        if index > 0 && !continues(&group[index - 1], line, &bands) {
            row += 1;
        }
        for segment in &line.segments {
            place(&mut cells, words, row, segment, &bands);
        }
    }
    cells.sort_by_key(|cell| (cell.row, cell.column));
    let (rows, columns) = close_up(&mut cells);
    let bounds = Bounds::around(cells.iter().map(|cell| cell.bounds))?;
    let is_table = columns >= 2 && rows >= 2 && !is_mostly_spanning(&cells);
    is_table.then_some(Table { rows, columns, bounds, cells })
}

/// Takes out rows and columns in which nothing was read: what is left of rules looks like words that are left out.
/// Gives how many rows and columns stay.
fn close_up(cells: &mut [Cell]) -> (usize, usize) {
    let used_rows: BTreeSet<usize> = cells.iter().map(|cell| cell.row).collect();
    let used_columns: BTreeSet<usize> = cells.iter().map(|cell| cell.column).collect();
    for cell in cells {
        cell.row = used_rows.range(..cell.row).count();
        let spanned = used_columns.range(cell.column..cell.column + cell.column_span).count();
        cell.column = used_columns.range(..cell.column).count();
        cell.column_span = spanned.max(1);
    }
    (used_rows.len(), used_columns.len())
}

/// Where most cells span columns, there are no columns but words that stand under gaps by chance.
fn is_mostly_spanning(cells: &[Cell]) -> bool {
    3 * cells.iter().filter(|cell| cell.column_span > 1).count() > cells.len()
}

/// The columns: what overlaps among the segments of the fullest rows, from left to right.
fn bands(group: &[Row]) -> Vec<Band> {
    let fullest = group.iter().map(|row| row.segments.len()).max().unwrap_or(0);
    let full_rows = group.iter().filter(|row| row.segments.len() == fullest);
    let mut segments: Vec<&Segment> = full_rows.flat_map(|row| &row.segments).collect();
    segments.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut bands: Vec<Band> = Vec::new();
    for segment in segments {
        match bands.last_mut() {
            Some(band) if segment.left < band.right => band.right = band.right.max(segment.right),
            _ => bands.push(Band { left: segment.left, right: segment.right }),
        }
    }
    bands
}

/// A row without anything in the first column, close below another, continues that one's cells.
fn continues(above: &Row, below: &Row, bands: &[Band]) -> bool {
    let height = above.bottom - above.top;
    let first_is_empty =
        bands.first().is_some_and(|first| below.segments.iter().all(|segment| segment.left >= first.right));
    first_is_empty && below.top - above.bottom < CONTINUED_IN_HEIGHTS * height
}

fn place(cells: &mut Vec<Cell>, words: &[Word], row: usize, segment: &Segment, bands: &[Band]) {
    let Some(bounds) = Bounds::around(segment.words.iter().map(|word| words[*word].bounds)) else { return };
    let (column, column_span) = columns_of(segment, bands);
    match cells.iter_mut().find(|cell| cell.row == row && cell.column == column) {
        Some(cell) => {
            cell.words.extend(&segment.words);
            cell.column_span = cell.column_span.max(column_span);
            cell.bounds = Bounds::around([cell.bounds, bounds]).unwrap_or(bounds);
        }
        None => cells.push(Cell { row, column, column_span, words: segment.words.clone(), bounds }),
    }
}

/// The bands that a segment overlaps; the nearest one where it lies between two.
fn columns_of(segment: &Segment, bands: &[Band]) -> (usize, usize) {
    let overlaps = |band: &Band| segment.left < band.right && segment.right > band.left;
    match bands.iter().position(overlaps) {
        Some(first) => (first, bands[first..].iter().take_while(|band| overlaps(band)).count()),
        None => (nearest(segment, bands), 1),
    }
}

fn nearest(segment: &Segment, bands: &[Band]) -> usize {
    let distance = |band: &Band| (band.left - segment.right).max(segment.left - band.right);
    let by_distance = |a: &(usize, &Band), b: &(usize, &Band)| distance(a.1).total_cmp(&distance(b.1));
    bands.iter().enumerate().min_by(by_distance).map_or(0, |(index, _)| index)
}
