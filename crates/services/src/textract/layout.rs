//! From blocks to the document: lines of text with their places, tables, forms, warnings.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::answer::{Findings, Outcome};
use domain::extraction::{Box as Place, Cell, Extraction, FormField, Segment, Table};
use domain::failure::Failure;
use serde::Deserialize;

use super::blocks::{Block, Raw};
use super::weave::weave;
use super::{MOST_PAGES, TEXT};

/// Adds what was read to the document.
pub(super) fn contribute(findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
    if findings.raw.is_null() {
        return Ok(());
    }
    let mut raw = Raw::deserialize(&findings.raw)
        .map_err(|error| Failure::internal(format!("failed to read the answer of `textract` back: {error}")))?;
    document.warnings.extend(warnings(&raw));
    raw.map_pages();
    if findings.features.iter().any(|it| it.feature == TEXT && it.outcome == Outcome::Succeeded) {
        add_text(&raw, document);
    }
    let ids = raw.blocks.iter().filter(|block| !block.id.is_empty()).map(|block| (block.id.as_str(), block)).collect();
    let blocks = Blocks(ids);
    document.tables.extend(raw.of_type("TABLE").map(|block| blocks.table(block)));
    document.forms.extend(raw.of_type("KEY_VALUE_SET").filter(|block| is_key(block)).map(|block| blocks.field(block)));
    Ok(())
}

impl Raw {
    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }

    /// The file's number for a page that was sent.
    fn original(&self, page: u32) -> u32 {
        let index = usize::try_from(page).ok().and_then(|page| page.checked_sub(1));
        index.and_then(|index| self.page_map.get(index).copied()).unwrap_or(page)
    }

    /// Gives every block the page of the file.
    fn map_pages(&mut self) {
        let pages: Vec<u32> = self.blocks.iter().map(|block| self.original(block.page)).collect();
        for (block, page) in self.blocks.iter_mut().zip(pages) {
            block.page = page;
        }
    }
}

/// Pages that the answer lacks, and those that the service itself complains of.
fn warnings(raw: &Raw) -> Vec<String> {
    let there: HashSet<u32> = raw.blocks.iter().map(|block| block.page).collect();
    let complained = raw.warnings.iter().flat_map(|it| it.pages.iter().map(|page| (*page, it.error_code.as_str())));
    let mut missing: BTreeMap<u32, &str> =
        (1..=raw.pages.min(MOST_PAGES)).filter(|page| !there.contains(page)).map(|page| (page, "no answer")).collect();
    missing.extend(complained);
    let mut warnings: Vec<String> = Vec::new();
    for (reason, pages) in by_reason(&missing) {
        let pages: Vec<String> = pages.into_iter().map(|page| raw.original(page).to_string()).collect();
        warnings.push(format!("textract did not read page {} ({reason})", pages.join(", ")));
    }
    warnings.extend(
        raw.truncated.then(|| {
            "textract found more than is kept: tables, forms or lines of the last pages are missing".to_owned()
        }),
    );
    warnings
}

fn by_reason<'a>(pages: &BTreeMap<u32, &'a str>) -> BTreeMap<&'a str, BTreeSet<u32>> {
    let mut reasons: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (page, reason) in pages {
        reasons.entry(reason).or_default().insert(*page);
    }
    reasons
}

/// Lines of pages that had text before are left out: the file's own words are better.
fn add_text(raw: &Raw, document: &mut Extraction) {
    let mut pages: BTreeMap<u32, Vec<&Block>> = BTreeMap::new();
    for block in &raw.blocks {
        let lines = pages.entry(block.page).or_default();
        lines.extend((block.kind == "LINE").then_some(block));
    }
    let texts = pages
        .iter()
        .map(|(page, lines)| (*page, lines.iter().map(|line| line_text(line)).collect::<Vec<_>>().join("\n")))
        .collect();
    let starts = weave(document, &texts);
    for (page, start) in starts {
        document.segments.extend(segments(&pages[&page], page, start));
    }
    document.segments.sort_by_key(|segment| segment.start);
}

fn line_text(line: &Block) -> &str {
    line.text.as_deref().unwrap_or_default()
}

fn segments(lines: &[&Block], page: u32, start: u64) -> Vec<Segment> {
    let mut at = start;
    let segment = |line: &&Block| {
        let start = at;
        let end = start + line_text(line).chars().count() as u64;
        at = end + 1;
        Segment {
            start,
            end,
            page: Some(page),
            place: place(line),
            confidence: line.confidence.map(ratio),
            ..Segment::default()
        }
    };
    lines.iter().map(segment).collect()
}

fn place(line: &Block) -> Option<Place> {
    let it = line.geometry?.bounding_box;
    Some(Place { left: it.left, top: it.top, width: it.width, height: it.height })
}

/// A percent as a ratio, to six decimals.
fn ratio(percent: f64) -> f64 {
    (percent * 1e4).round() / 1e6
}

/// Whether the block is the label of a form field; its value is a block of its own.
fn is_key(block: &Block) -> bool {
    block.entity_types.iter().any(|kind| kind == "KEY")
}

/// Blocks by id.
struct Blocks<'a>(HashMap<&'a str, &'a Block>);

impl<'a> Blocks<'a> {
    fn related<'s>(&'s self, block: &'s Block, kind: &'s str) -> impl Iterator<Item = &'a Block> + 's {
        block.ids(kind).filter_map(|id| self.0.get(id).copied())
    }

    /// The words in a block; what is ticked stands there in Textract's own words.
    fn words(&self, block: &Block) -> String {
        let word = |block: &'a Block| block.text.as_deref().or(block.selection_status.as_deref());
        self.related(block, "CHILD").filter_map(word).collect::<Vec<_>>().join(" ")
    }

    fn field(&self, key: &Block) -> FormField {
        let values = self.related(key, "VALUE").map(|value| self.words(value));
        let value = values.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(" ");
        FormField {
            key: self.words(key),
            value,
            page: Some(key.page),
            confidence: ratio(key.confidence.unwrap_or_default()),
        }
    }

    fn table(&self, table: &Block) -> Table {
        let merged: Vec<&Block> = self.related(table, "MERGED_CELL").collect();
        let covered: HashSet<&str> = merged.iter().flat_map(|cell| cell.ids("CHILD")).collect();
        let single =
            self.related(table, "CHILD").filter(|cell| cell.kind == "CELL" && !covered.contains(cell.id.as_str()));
        let single = single.map(|cell| cell_of(cell, self.words(cell)));
        let merged = merged.iter().map(|cell| cell_of(cell, self.merged_words(cell)));
        let mut cells: Vec<Cell> = single.chain(merged).collect();
        cells.sort_by_key(|cell| (cell.row, cell.column));
        let rows = cells.iter().map(|cell| cell.row + cell.row_span - 1).max().unwrap_or(0);
        let columns = cells.iter().map(|cell| cell.column + cell.column_span - 1).max().unwrap_or(0);
        Table { page: Some(table.page), rows, columns, cells }
    }

    fn merged_words(&self, cell: &Block) -> String {
        let words = self.related(cell, "CHILD").map(|cell| self.words(cell));
        words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Rows, columns and spans count from one; more than this no page holds, and sums stay in range.
const MOST_CELLS: u32 = 1 << 20;

fn cell_of(block: &Block, text: String) -> Cell {
    let count = |number: Option<u32>| number.unwrap_or(1).clamp(1, MOST_CELLS);
    Cell {
        row: count(block.row_index),
        column: count(block.column_index),
        text,
        row_span: count(block.row_span),
        column_span: count(block.column_span),
        confidence: block.confidence.map(ratio),
    }
}
